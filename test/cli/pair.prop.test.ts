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

const poolIdOf = ({ accountId, region, groupName }: Json) =>
  `${String(accountId)}/${String(region)}/${String(groupName)}`;

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
    const limit = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });
    const drawn = fc.record({ pools: aFleet, partners: limit, borrowers: limit, stated: limit });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ pools, partners, borrowers, stated: maxPartners }) => {
        const own = { ...CONSENT, ...(maxPartners === undefined ? {} : { maxPartners }) };
        const fleet = fleetOf(pools, { accounts, defaultConsent: own });
        const argv = [
          ...(partners === undefined ? [] : ['--partners', String(partners)]),
          ...(borrowers === undefined ? [] : ['--borrowers', String(borrowers)]),
        ];
        const { pairings, refused, bound } = await reportOf(fleet, ...argv);
        const [borrowersOf, lendersOf] = [new Map<string, number>(), new Map<string, number>()];
        for (const { lenderPoolId, borrowerPoolId, confidence, expectedUnits } of pairings) {
          borrowersOf.set(lenderPoolId, (borrowersOf.get(lenderPoolId) ?? 0) + 1);
          lendersOf.set(borrowerPoolId, (lendersOf.get(borrowerPoolId) ?? 0) + 1);
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(expectedUnits).toHaveLength(SLOTS);
        }
        // The accounts that are listed state no limit of their own.
        const statedBy = (poolId: string) =>
          accounts.some(({ accountId }) => poolId.startsWith(String(accountId))) ? undefined : maxPartners;
        const any = Number.POSITIVE_INFINITY;
        for (const [id, count] of lendersOf) {
          expect(count).toBeLessThanOrEqual(Math.min(statedBy(id) ?? partners ?? 3, partners ?? any));
        }
        for (const [id, count] of borrowersOf) {
          expect(count).toBeLessThanOrEqual(Math.min(statedBy(id) ?? any, borrowers ?? any));
        }
        const no = new Set(refused.map(({ lenderPoolId, borrowerPoolId }) => `${lenderPoolId} ${borrowerPoolId}`));
        for (const pair of pairings) expect(no.has(`${pair.lenderPoolId} ${pair.borrowerPoolId}`)).toBe(false);
        expect(bound.served).toBeLessThanOrEqual(bound.unlimitedPartners + 1e-6);
        expect(bound.unlimitedPartners).toBeLessThanOrEqual(bound.short + 1e-6);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps what is in force when nothing has changed, and counts what it starts and ends', async () => {
    const drawn = aFleet.chain((pools) =>
      fc.tuple(fc.constant(pools), fc.subarray(pools.flatMap((a) => pools.map((b) => [a, b] as const)))),
    );
    const pairOf = ([a, b]: readonly [Json, Json]) => ({ lenderPoolId: poolIdOf(a), borrowerPoolId: poolIdOf(b) });
    await fc.assert(
      fc.asyncProperty(drawn, async ([pools, drawnPairs]) => {
        const previous = drawnPairs.map(pairOf).filter((pair) => pair.lenderPoolId !== pair.borrowerPoolId);
        const first = await reportOf(fleetOf(pools, { ...stated, previous }));
        const keyOf = (pair: ReturnType<typeof pairOf>) => `${pair.lenderPoolId} ${pair.borrowerPoolId}`;
        const inForce = new Set(previous.map(keyOf));
        for (const pairing of first.pairings) {
          expect(pairing.change).toBe(inForce.has(keyOf(pairing)) ? 'kept' : 'new');
        }
        const { kept = -1, started, ended, endedPairings = [] } = first.churn ?? {};
        expect(kept + endedPairings.length).toBe(previous.length);
        expect({ ended, started }).toEqual({ ended: endedPairings.length, started: first.pairings.length - kept });
        const again = {
          ...stated,
          previous: first.pairings.map(({ lenderPoolId, borrowerPoolId }) => ({ lenderPoolId, borrowerPoolId })),
        };
        const second = await reportOf(fleetOf(pools, { ...again, switchingCostUnitHours: 1_000 }));
        expect(second.churn).toMatchObject({ started: 0, ended: 0, kept: first.pairings.length });
      }),
      { numRuns: 20 },
    );
  });
});
