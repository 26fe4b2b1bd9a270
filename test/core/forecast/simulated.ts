/** Standard normal noise, the same for the same seed (mulberry32 and Box–Muller). */
export function noise(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** NaN when the forecast is not as long as what was measured. */
export function meanAbsoluteError(forecast: readonly number[], actual: readonly number[]): number {
  if (forecast.length !== actual.length) return Number.NaN;
  return forecast.reduce((sum, value, index) => sum + Math.abs(value - (actual[index] ?? 0)), 0) / actual.length;
}

const series = (steps: number, at: (step: number) => number) => Array.from({ length: steps }, (_, step) => at(step));

/** Series that break forecasters. */
export const DEGENERATE_SERIES: readonly (readonly [string, readonly number[]])[] = [
  ['two values', [1, 2]],
  ['eight values', [1, 2, 1, 2, 1, 2, 1, 3]],
  ['one spike in zeros', series(400, (step) => (step === 200 ? 1e6 : 0))],
  ['one spike at the end', series(400, (step) => (step === 399 ? 1e6 : 0))],
  ['one spike in a constant', series(60, (step) => (step === 30 ? 5 : 4))],
  ['a step up', series(400, (step) => (step < 300 ? 1 : 1000))],
  ['0 and 1 in turn', series(400, (step) => step % 2)],
  ['a pure season', series(400, (step) => step % 24)],
  ['very large values', series(200, (step) => 1e300 * (1 + (step % 7)))],
  ['very small values', series(200, (step) => 1e-300 * (1 + (step % 7)))],
  ['large and almost constant', series(200, (step) => 1e15 + (step % 3))],
  ['growing without end', series(300, (step) => 1.1 ** step)],
  ['negative', series(300, (step) => -100 - (step % 24))],
];
