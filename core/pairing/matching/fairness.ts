/**
 * Share of all benefit that goes to the half of the pools with the least of it: 0.5 when all benefit alike, near 0 when a few
 * take nearly everything. The middle pool of an odd number counts half.
 * @param benefits of the pools that could benefit, 0 or more; @returns undefined when nobody benefits
 */
export function smallestHalfShare(benefits: readonly number[]): number | undefined {
  const sorted = benefits.toSorted((a, b) => a - b);
  const total = sorted.reduce((sum, benefit) => sum + benefit, 0);
  if (!(total > 0)) return undefined;
  const half = sorted.length / 2;
  const least = sorted.reduce((sum, benefit, place) => sum + benefit * Math.min(1, Math.max(0, half - place)), 0);
  return least / total;
}

/** Units lent from one pool to another over time. */
export interface LentUnits {
  readonly lenderId: string;
  readonly borrowerId: string;
  readonly unitSlots: number;
}

/**
 * Credits after loans: who lends earns one for a unit-slot that others use, who borrows pays one, so that the sum stays the same
 * (Karma, OSDI '23: credits are memory, so that who gave before comes first later).
 */
export function settledCredits(credits: ReadonlyMap<string, number>, lent: readonly LentUnits[]): Map<string, number> {
  const settled = new Map(credits);
  const add = (id: string, amount: number) => settled.set(id, (settled.get(id) ?? 0) + amount);
  for (const { lenderId, borrowerId, unitSlots } of lent) {
    add(lenderId, unitSlots);
    add(borrowerId, -unitSlots);
  }
  return settled;
}

/**
 * What a unit counts when a pool borrows it: more than 1 for a pool with more credits than the average, less for one with fewer. Made to
 * multiply the weight of a pair.
 * @param strength how far from 1 the factors of the pool furthest from the average is, from 0 up to 1, 1 excluded
 * @param fullAt a pool this far from the average has such a factor, even if it is the furthest; default: the furthest always has
 * @throws RangeError for another strength
 */
export function creditFactors(credits: ReadonlyMap<string, number>, strength: number, fullAt = 0): Map<string, number> {
  if (!(strength >= 0 && strength < 1)) throw new RangeError(`strength is ${strength}, expected 0 or more and below 1`);
  const values = [...credits.values()];
  const average = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const furthest = values.reduce((most, value) => Math.max(most, Math.abs(value - average)), fullAt);
  const scale = furthest === 0 ? 0 : strength / furthest;
  return new Map([...credits].map(([id, value]) => [id, 1 + (value - average) * scale]));
}
