import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { PairCandidate } from '../../../core/pairing/assess.ts';
import { screenPair, unitHourWeight } from '../../../core/pairing/assess.ts';
import { LenderScreen } from '../../../core/pairing/lender-screen.ts';
import { matchAtMost, matchOn } from '../../../core/pairing/match.ts';
import type { PairingInput } from '../../../core/pairing/pair.ts';
import { betterFirst, pairContext } from '../../../core/pairing/pair.ts';
import { PoolNeed } from '../../../core/pairing/pool-need.ts';
import type { PoolSpec } from '../../../core/pool.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import { consentOf, NOW, planOf, poolOf, termsOf } from '../../support/fixtures.ts';

const accounts = Array.from({ length: 6 }, (_, index) => accountId(String(index + 1).repeat(12)));
const HOUR = 3_600_000;

const specs: fc.Arbitrary<Partial<PoolSpec>> = fc.record({
  instanceType: fc.constantFrom('m5.large', 'm5.large', 'm5.xlarge'),
  region: fc.constantFrom('eu-west-1', 'eu-west-1', 'eu-west-2'),
  azIds: fc.constantFrom(['euw1-az1'], ['euw1-az2']),
  lendsAs: fc.constantFrom('physical' as const, 'nominal' as const),
  networkGbps: fc.constantFrom(5, 10),
  encryptedAtRest: fc.boolean(),
  groupName: fc.constantFrom('web', 'batch'),
  application: fc.constantFrom('shop', 'billing'),
});
const { lend, borrow } = termsOf();
const substitutions = [
  { from: 'm5.large', to: 'm5.xlarge', unitRatio: 0.5 },
  { from: 'm5.xlarge', to: 'm5.large', unitRatio: 2 },
];
const someTerms: fc.Arbitrary<Partial<ConsentTerms>> = fc.record(
  {
    otherRegions: fc.constantFrom('refuse' as const, 'accept' as const),
    requiredEncryption: fc.constantFrom('any' as const, 'at-rest' as const),
    maxLatencyMillis: fc.constantFrom(5, 50),
    trustFloor: fc.constantFrom(0.3, 0.7),
    deniedCounterparties: fc.subarray([accounts[1] as (typeof accounts)[number]]),
    allowedCounterparties: fc.subarray(accounts.slice(0, 3)),
    groupNames: fc.constantFrom([], ['web']),
    allowedApplications: fc.constantFrom([], ['shop']),
    lend: fc.constantFrom(lend, { ...lend, minPriceMicroUsdPerUnitHour: microUsd(95_000) } as NonNullable<typeof lend>),
    borrow: fc.constant({ ...borrow, substitutions } as NonNullable<typeof borrow>),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<ConsentTerms>>;
const pool = fc.record({
  spec: specs,
  terms: someTerms,
  trust: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  need: fc.option(fc.array(fc.nat({ max: 14 }), { minLength: 3, maxLength: 3 }), { freq: 8 }),
  startsInHours: fc.constantFrom(0, 0, -1, 1),
});
type SomePool = typeof pool extends fc.Arbitrary<infer Of> ? Of : never;

function inputOf(fleet: readonly SomePool[]): PairingInput {
  const pools = fleet.map(({ spec }, index) => poolOf(accounts[index] ?? accountId('777777777777'), {}, spec));
  return {
    pools,
    forecasts: Object.fromEntries(
      pools.flatMap(({ spec }, index) => {
        const { need, startsInHours = 0 } = fleet[index] ?? {};
        if (need === null || need === undefined) return [];
        return [[spec.poolId, planOf(spec.poolId, need, { startMillis: NOW + startsInHours * HOUR })]];
      }),
    ),
    consents: Object.fromEntries(
      pools.map(({ spec }, index) => {
        return [
          spec.accountId,
          { consent: consentOf(spec.accountId, fleet[index]?.terms ?? {}), usage: emptyUsage(spec.accountId) },
        ];
      }),
    ),
    trust: Object.fromEntries(
      pools.flatMap(({ spec }, index) => {
        const trust = fleet[index]?.trust ?? undefined;
        return trust === undefined ? [] : [[spec.accountId, trust]];
      }),
    ),
    now: NOW,
  };
}

describe('LenderScreen', () => {
  it('finds for each borrower what screenPair says of every pair, and the best of the candidates', () => {
    fc.assert(
      fc.property(fc.array(pool, { minLength: 2, maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (fleet, most) => {
        const input = inputOf(fleet);
        const pools = [...input.pools].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
        const context = pairContext(input);
        const screen = new LenderScreen(pools, context, {
          most,
          mostRefused: 2,
          isGuest: () => false,
          keeps: () => false,
          rests: () => false,
        });
        expect(screen.borrowers().toSorted((a, b) => a - b)).toEqual(pools.map((_pool, place) => place));
        for (const place of screen.borrowers()) {
          const borrower = pools[place] as (typeof pools)[number];
          const { lenders, refused, refusedByGate, weights } = screen.screen(place);
          const byGate: Record<string, number> = {};
          const refusedPlaces: number[] = [];
          const candidates: PairCandidate[] = [];
          for (const [at, lender] of pools.entries()) {
            if (at === place) continue;
            const screened = screenPair(lender, borrower, context);
            if ('gate' in screened) {
              byGate[screened.gate] = (byGate[screened.gate] ?? 0) + 1;
              refusedPlaces.push(at);
            } else candidates.push(screened);
            if (weights === undefined) continue;
            expect(weights[at]).toBe('gate' in screened ? 0 : Math.fround(unitHourWeight(screened)));
          }
          expect(refusedByGate).toEqual(byGate);
          expect(refused).toEqual(refusedPlaces.slice(0, 2));
          const best = candidates.sort(betterFirst(context)).slice(0, most);
          expect(lenders.map((at) => pools[at]?.spec.poolId)).toEqual(best.map(({ lender }) => lender.spec.poolId));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never rates a pair higher by its peaks alone than by all of its slots', () => {
    const need = fc.array(fc.nat({ max: 14 }), { minLength: 4, maxLength: 4 });
    const course = fc.option(fc.array(need, { minLength: 2, maxLength: 2 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.tuple(need, course),
        fc.tuple(need, course),
        fc.constantFrom(0.5, 1, 3),
        (lends, borrows, unitRatio) => {
          const [lender, borrower] = [poolOf(accounts[0] as never), poolOf(accounts[1] as never)];
          const grid = { startMillis: NOW, stepMillis: HOUR, slots: 4 };
          const needOf = (id: typeof lender, [needed, courses]: typeof lends) =>
            new PoolNeed({ ...planOf(id.spec.poolId, needed), ...(courses === undefined ? {} : { courses }) }, grid);
          const sides = {
            grid,
            lender,
            lenderNeed: needOf(lender, lends),
            borrower,
            borrowerNeed: needOf(borrower, borrows),
            unitRatio,
          };
          const [exact, atMost] = [matchOn(sides), matchAtMost(sides)];
          expect(atMost.coverage).toBeGreaterThanOrEqual(exact.coverage);
          expect(atMost.peakReduction).toBeGreaterThanOrEqual(exact.peakReduction);
        },
      ),
    );
  });
});
