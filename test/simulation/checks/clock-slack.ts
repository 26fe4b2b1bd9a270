/** Clocks of functions differ by so much at most, and a write takes so long. */
export const CLOCK_MILLIS = 50_000;
