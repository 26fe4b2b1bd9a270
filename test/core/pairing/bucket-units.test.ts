import { describe, expect, it } from '@jest/globals';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { BucketInput } from '../../../core/pairing/bucket.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { pairingIdOf } from '../../../core/pairing/pairing.ts';
import type { Pool } from '../../../core/pool.ts';
import { accountId } from '../../../core/units.ts';
import { consentOf, NOW, planOf, poolOf, termsOf } from '../../support/fixtures.ts';
import { sha256Hex } from '../../support/memory-store.ts';

const LENDS = accountId('111111111111');
const LARGE = accountId('222222222222');
const SMALL = accountId('333333333333');

function inputOf(pools: readonly Pool[], needs: readonly (readonly number[])[]): BucketInput {
  const borrow = termsOf().borrow;
  if (borrow === undefined) throw new Error('the terms of the fixtures agree to borrow');
  const substitutions = [{ from: 'm5.xlarge', to: 'm5.large', unitRatio: 2 }];
  return {
    pools,
    forecasts: Object.fromEntries(
      pools.map(({ spec }, index) => [spec.poolId, planOf(spec.poolId, needs[index] ?? [])]),
    ),
    consents: Object.fromEntries(
      pools.map(({ spec }) => [
        spec.accountId,
        {
          consent: consentOf(spec.accountId, { borrow: { ...borrow, substitutions } }),
          usage: emptyUsage(spec.accountId),
        },
      ]),
    ),
    existing: [],
    pairingIdOf: (lender, borrower) => pairingIdOf(lender, borrower, sha256Hex),
    actor: 'pair',
    now: NOW,
  };
}

describe('a bucket of several instance types', () => {
  // Of ten, three are needed and one is reserved: six are idle.
  it.each([
    ['all that is short where it suffices', 12, 12, 4 + 2],
    ['all that is idle where it does not', 14, 14, 6],
  ])('promises %s, in units of the lender', (_what, needOfLarge, needOfSmall, promised) => {
    const pools = [
      poolOf(LENDS, {}, { instanceType: 'm5.large' }),
      poolOf(LARGE, {}, { instanceType: 'm5.xlarge' }),
      poolOf(SMALL, {}, { instanceType: 'm5.large' }),
    ];
    const { merge } = planBucket(inputOf(pools, [[3], [needOfLarge], [needOfSmall]]));
    const unitsOf = (borrower: typeof LARGE) =>
      merge.changes.findLast(
        ({ pairing }) => pairing.borrowerAccountId === borrower && pairing.lenderAccountId === LENDS,
      )?.pairing.expectedUnits[0] ?? 0;
    expect(unitsOf(LARGE) * 2 + unitsOf(SMALL)).toBe(promised);
  });

  it('serves a larger borrower with what stands in for it', () => {
    const pools = [poolOf(LENDS, {}, { instanceType: 'm5.large' }), poolOf(LARGE, {}, { instanceType: 'm5.xlarge' })];
    const { merge } = planBucket(inputOf(pools, [[3], [14]]));
    const borrowed = merge.changes.findLast(({ pairing }) => pairing.borrowerAccountId === LARGE)?.pairing;
    expect(borrowed).toMatchObject({ state: 'active', expectedUnits: [3] });
    expect(borrowed?.reasons).toContain('2 m5.large for each m5.xlarge');
  });
});
