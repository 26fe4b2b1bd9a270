/** Runs of unknown steps up to this long are drawn as a line between their neighbours. */
const MAX_LINE_STEPS = 3;

/**
 * A series without gaps. What is unknown before the first known value is left out; a short run of unknown values becomes a line
 * between its neighbours; a longer one, or one at the end, is what was known one season before, else the value before it.
 * @param spanSteps the season; 1: none
 * @returns values, all known, and how many steps of the given ones come before them; no values when none is known
 */
export function withoutGaps(
  values: readonly (number | null)[],
  spanSteps: number,
): { readonly values: number[]; readonly skipped: number } {
  const skipped = values.findIndex((value) => value !== null);
  if (skipped < 0) return { values: [], skipped: values.length };
  const filled: number[] = [];
  for (let step = skipped; step < values.length; ) {
    const value = values[step] ?? null;
    if (value !== null) {
      filled.push(value);
      step += 1;
      continue;
    }
    let end = step;
    while (end < values.length && values[end] === null) end += 1;
    const before = filled.at(-1) ?? 0;
    const after = values[end] ?? null;
    for (let at = step; at < end; at += 1) {
      const share = (at - step + 1) / (end - step + 1);
      const onLine = after !== null && end - step <= MAX_LINE_STEPS;
      filled.push(onLine ? before + share * (after - before) : (filled[at - skipped - spanSteps] ?? before));
    }
    step = end;
  }
  return { values: filled, skipped };
}
