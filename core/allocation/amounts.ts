/**
 * Units by key. A key is a resource (`units`) or a resource of one kind of capacity, `<kind>/<resource>` (`m5/units`).
 * A key that is absent counts as 0. `Infinity` is an unlimited amount.
 */
export type Amounts = Readonly<Record<string, number>>;

/** What a key is about, whatever kind of capacity supplies it: `units` of `m5/units`. */
export function resourceOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The amount of one key. */
export function amountOf(amounts: Amounts, key: string): number {
  return amounts[key] ?? 0;
}

/** The keys of which there is more than nothing, in order. */
export function positiveKeys(amounts: Amounts): string[] {
  return Object.keys(amounts)
    .filter((key) => amountOf(amounts, key) > 0)
    .sort();
}

/** The same amounts, taken away. */
export function negated(amounts: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).map(([key, units]) => [key, -units]));
}
