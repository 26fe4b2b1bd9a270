"""Replacing functions of the emulator, with a guard: a missing function is named, never skipped."""

import importlib

PINNED_VERSION = "1.5.33"


class IncompatibleEmulator(Exception):
    """The installed emulator is not the one these gaps were written for."""


def check_version(installed):
    if installed != PINNED_VERSION:
        raise IncompatibleEmulator(
            f"ministack {installed} is installed, but emulator/gaps was written for {PINNED_VERSION}: "
            "run .venv/bin/pip install --require-hashes -r emulator/requirements.txt"
        )


def module(name):
    """A module of the emulator by its dotted name below `ministack`."""
    try:
        return importlib.import_module(f"ministack.{name}")
    except ImportError as error:
        raise IncompatibleEmulator(f"ministack.{name} is missing: {error}") from None


def require(owner, *names):
    """Refuse to start when `owner` lacks one of the attributes the gaps rely on."""
    label = getattr(owner, "__name__", str(owner))
    for name in names:
        if not hasattr(owner, name):
            raise IncompatibleEmulator(f"{label}.{name} is missing: emulator/gaps wraps it")


def wrap(owner, name, make):
    """Replace `owner.name` by `make(original)` and return the original."""
    require(owner, name)
    original = getattr(owner, name)
    setattr(owner, name, make(original))
    return original


def wrap_entry(table, key, label, make):
    """Replace the entry `key` of a dispatch table, which holds functions by value."""
    if key not in table:
        raise IncompatibleEmulator(f"{label}[{key!r}] is missing: emulator/gaps wraps it")
    table[key] = make(table[key])
