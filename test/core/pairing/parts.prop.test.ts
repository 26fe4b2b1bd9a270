import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { bucketOfPart, partsOf } from '../../../core/pairing/parts.ts';
import type { PoolId } from '../../../core/units.ts';
import { accountId, poolId } from '../../../core/units.ts';

const BUCKET = 'eu-west-1#m7g';
const idAt = (account: number, group: number): PoolId =>
  poolId(accountId(String(100_000_000_000 + account)), 'eu-west-1', `group-${group}`);
const someIds = fc.uniqueArray(
  fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 2 })).map(([account, group]) => idAt(account, group)),
  { maxLength: 120 },
);
const partOf = (ids: readonly PoolId[], most: number) =>
  new Map(partsOf(BUCKET, ids, most).flatMap(({ bucket, poolIds }) => poolIds.map((id) => [id, bucket] as const)));

describe('partsOf', () => {
  it('has every pool once, no more in a part than wanted, and the pools of an account together', () => {
    fc.assert(
      fc.property(someIds, fc.integer({ min: 3, max: 40 }), (ids, most) => {
        const parts = partsOf(BUCKET, ids, most);
        expect(parts.flatMap(({ poolIds }) => poolIds).sort()).toEqual(ids.toSorted());
        for (const { bucket, poolIds } of parts) {
          expect(poolIds.length).toBeLessThanOrEqual(most);
          expect(bucketOfPart(bucket)).toBe(BUCKET);
        }
        const byAccount = new Map<string, Set<string>>();
        for (const [id, part] of partOf(ids, most)) {
          const account = id.slice(0, 12);
          byAccount.set(account, (byAccount.get(account) ?? new Set()).add(part));
        }
        for (const found of byAccount.values()) expect(found.size).toBe(1);
        expect(partsOf(BUCKET, ids.toReversed(), most)).toEqual(parts);
      }),
    );
  });

  it('moves no pool but those of the part that fills up when a pool comes', () => {
    fc.assert(
      fc.property(someIds, fc.integer({ min: 3, max: 20 }), fc.nat({ max: 200 }), (ids, most, account) => {
        const newcomer = idAt(account, 3);
        const [before, after] = [partOf(ids, most), partOf([...ids, newcomer], most)];
        const filled = (after.get(newcomer) as string).slice(BUCKET.length + 1);
        for (const [id, part] of before) {
          const path = part.slice(BUCKET.length + 1);
          if (after.get(id) !== part) expect(filled.startsWith(path)).toBe(true);
        }
      }),
    );
  });

  it('is one part with the name of the bucket while there are few, and even parts when there are many', () => {
    const ids = Array.from({ length: 5_000 }, (_, account) => idAt(account, 0));
    expect(partsOf(BUCKET, ids.slice(0, 2_000)).map(({ bucket }) => bucket)).toEqual([BUCKET]);
    const parts = partsOf(BUCKET, ids);
    expect(parts.map(({ bucket }) => bucket)).toEqual(['/00', '/01', '/10', '/11'].map((path) => `${BUCKET}${path}`));
    for (const { poolIds } of parts) expect(Math.abs(poolIds.length - 1_250)).toBeLessThan(125);
  });

  it('leaves the pools of one account in one part, however many there are', () => {
    const ids = Array.from({ length: 9 }, (_, group) => idAt(1, group));
    expect(partsOf(BUCKET, ids, 3)).toHaveLength(1);
  });
});
