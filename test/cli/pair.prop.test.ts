import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { accountAt, CONSENT, fleetOf, type Json, poolAt, reportOf } from './pair-command.ts';

const SLOTS = 6;

const aPool = fc.record({
  account: fc.nat({ max: 5 }),
  p50: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: SLOTS, maxLength: SLOTS }),
  instanceType: fc.constantFrom('m7g.large', 'm7g.xlarge'),
  azIds: fc.subarray(['euw1-az1', 'euw1-az2'], { minLength: 1 }),
  lending: fc.constantFrom(
    { lendsAs: 'physical', commitments: [{ kind: 'capacity-reservation', units: 8 }] },
    { lendsAs: 'nominal' },
  ),
});

const aFleet = fc
  .array(aPool, { maxLength: 9 })
  .map((drawn) =>
    drawn.map(({ account, p50, lending, ...more }, at) =>
      poolAt(account, p50, { ...more, ...lending, groupName: `group-${at}` }),
    ),
  );

const substitutions = [{ from: 'm7g.xlarge', to: 'm7g.large', unitRatio: 2 }];
const accounts: readonly Json[] = [0, 1, 2].map((n) => ({
  accountId: accountAt(n),
  trust: 0.9 - n / 10,
  consent: { ...CONSENT, borrow: { ...CONSENT.borrow, substitutions } },
}));
const stated = { accounts };

describe('a plan', () => {
  it('does not depend on the order of the file', async () => {
    const shuffled = aFleet.chain((pools) =>
      fc.tuple(fc.constant(pools), fc.shuffledSubarray(pools, { minLength: pools.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([pools, others]) => {
        const [a, b] = [
          await reportOf(fleetOf(pools, stated), '--circles', '3'),
          await reportOf(fleetOf(others, { accounts: accounts.toReversed() }), '--circles', '3'),
        ];
        expect({ ...b, elapsedMs: 0 }).toEqual({ ...a, elapsedMs: 0 });
      }),
      { numRuns: 15 },
    );
  });

  it('holds to the limits, pairs nobody that is refused, and serves no more than could be', async () => {
    await fc.assert(
      fc.asyncProperty(aFleet, fc.integer({ min: 1, max: 3 }), async (pools, partners) => {
        const { pairings, refused, bound } = await reportOf(fleetOf(pools, stated), '--partners', String(partners));
        const [borrowersOf, lendersOf] = [new Map<string, number>(), new Map<string, number>()];
        for (const { lenderPoolId, borrowerPoolId, confidence, expectedUnits } of pairings) {
          borrowersOf.set(lenderPoolId, (borrowersOf.get(lenderPoolId) ?? 0) + 1);
          lendersOf.set(borrowerPoolId, (lendersOf.get(borrowerPoolId) ?? 0) + 1);
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(expectedUnits).toHaveLength(SLOTS);
        }
        for (const count of [...borrowersOf.values(), ...lendersOf.values()])
          expect(count).toBeLessThanOrEqual(partners);
        const no = new Set(refused.map(({ lenderPoolId, borrowerPoolId }) => `${lenderPoolId} ${borrowerPoolId}`));
        for (const pair of pairings) expect(no.has(`${pair.lenderPoolId} ${pair.borrowerPoolId}`)).toBe(false);
        expect(bound.served).toBeLessThanOrEqual(bound.unlimitedPartners + 1e-6);
        expect(bound.unlimitedPartners).toBeLessThanOrEqual(bound.short + 1e-6);
      }),
      { numRuns: 20 },
    );
  });
});
