"""What the emulator lacks, filled: one module for each gap (see ../README.md)."""
