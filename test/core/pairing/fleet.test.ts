import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { outlookOf, unitHourWeight } from '../../../core/pairing/assess.ts';
import { commonGrid, emptyPlanReason, fleetCurves, fleetPairs } from '../../../core/pairing/fleet.ts';
import type { PairingForecast } from '../../../core/pairing/grid.ts';
import type { PairingInput } from '../../../core/pairing/pair.ts';
import { pairContext } from '../../../core/pairing/pair.ts';
import type { Pool, PoolSpec } from '../../../core/pool.ts';
import { accountId, epochMillis } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, planOf, poolOf } from '../../support/fixtures.ts';

const HOUR = 3_600_000;

function forecastsOf(pools: readonly Pool[], needs: readonly (readonly number[])[]): Record<string, PairingForecast> {
  return Object.fromEntries(pools.map(({ spec }, index) => [spec.poolId, planOf(spec.poolId, needs[index] ?? [])]));
}

function inputOf(
  pools: readonly Pool[],
  needs: readonly (readonly number[])[],
  terms: readonly Partial<ConsentTerms>[] = [],
  trust: Readonly<Record<string, number>> = {},
): PairingInput {
  return {
    pools,
    forecasts: forecastsOf(pools, needs),
    consents: Object.fromEntries(
      pools.map(({ spec: { accountId: account } }, index) => [
        account,
        { consent: consentOf(account, terms[index] ?? {}), usage: emptyUsage(account) },
      ]),
    ),
    trust,
    now: NOW,
  };
}

describe('fleetCurves', () => {
  it('has what each pool could lend and what it lacks, slot by slot', () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    const { grid, surplus, deficit } = fleetCurves(
      pools,
      forecastsOf(pools, [
        [12, 4],
        [3, 10],
      ]),
      NOW,
    );
    expect(grid).toEqual({ startMillis: NOW, stepMillis: HOUR, slots: 2 });
    // Ten are owned, one is kept.
    expect([...surplus]).toEqual([0, 5, 6, 0]);
    expect([...deficit]).toEqual([2, 0, 0, 0]);
  });

  it('gives a pool without a forecast nothing to lend and no lack', () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    const { surplus, deficit } = fleetCurves(pools, forecastsOf(pools.slice(0, 1), [[12]]), NOW);
    expect([...surplus, ...deficit]).toEqual([0, 0, 2, 0]);
  });

  it('has the slots that any forecast covers, at the longest step', () => {
    const pool = poolOf(LENDER).spec.poolId;
    const fine = planOf(pool, [1, 9, 2, 3, 4, 5], { stepSeconds: 1_800 });
    const late = planOf(pool, [1, 1, 1], { startMillis: NOW + HOUR });
    expect(commonGrid([fine, late], NOW)).toEqual({ startMillis: NOW, stepMillis: HOUR, slots: 4 });
    // A forecast that is over says nothing, and takes nothing from the others.
    const over = planOf(pool, [1, 1], { startMillis: NOW - 2 * HOUR });
    expect(commonGrid([fine, late, over], NOW)).toEqual(commonGrid([fine, late], NOW));
    expect(commonGrid([], NOW).slots).toBe(0);
    const pools = [poolOf(LENDER)];
    const other = planOf(poolOf(BORROWER).spec.poolId, [1, 1, 1]);
    // The largest need of both halves of an hour counts.
    const { surplus } = fleetCurves(pools, { [pool]: { ...fine, neededUnits: fine.neededUnits } }, NOW);
    expect(surplus).toHaveLength(6);
    const both = fleetCurves([...pools, poolOf(BORROWER)], { [pool]: fine, [other.poolId]: other }, NOW);
    expect(Array.from(both.surplus.slice(0, 3))).toEqual([0, 6, 4]);
  });
});

describe('emptyPlanReason', () => {
  const [borrower, lender] = [poolOf(BORROWER), poolOf(LENDER)];
  it.each([
    ['the fleet is empty', [], []],
    ['the fleet has one pool', [borrower], [[12]]],
    ['all pools belong to one account', [borrower, poolOf(BORROWER, {}, { groupName: 'b' })], [[12], [2]]],
    ['no forecast has a slot that is still to come', [borrower, lender], [[], []]],
    ['all pools are lenders', [borrower, lender], [[2], [2]]],
    ['all pools are borrowers', [borrower, lender], [[12], [12]]],
    ['no pool has anything to lend and none is short', [borrower, lender], [[10], [10]]],
  ] as [string, Pool[], number[][]][])('says why: %s', (reason, pools, needs) => {
    expect(emptyPlanReason(pools, forecastsOf(pools, needs), NOW)).toContain(reason);
  });

  it('says nothing where there may be pairings', () => {
    const pools = [borrower, lender];
    expect(emptyPlanReason(pools, forecastsOf(pools, [[12], [2]]), NOW)).toBeUndefined();
    const later = epochMillis(NOW + HOUR);
    expect(emptyPlanReason(pools, forecastsOf(pools, [[12], [2]]), later)).toContain('still to come');
  });
});

describe('fleetPairs', () => {
  it('has every pair either as a candidate or as refused, with both values for who runs the fleet', () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    const input = inputOf(pools, [[12], [2]], [{}, { trustFloor: 0.9 }], { [BORROWER]: 0.75, [LENDER]: 0.75 });
    const { candidates, refused, refusedByGate } = fleetPairs(input.pools, pairContext(input));
    expect(candidates).toEqual([]);
    expect(refused).toHaveLength(2);
    expect(refusedByGate).toEqual({ trust: 2 });
    expect(refused.find(({ borrowerPoolId }) => borrowerPoolId.startsWith(BORROWER))).toMatchObject({
      field: 'lender.trustFloor',
      lenderDetail: "the consent requires a trust of 0.9, the counterparty's is 0.75",
    });
  });

  it('counts all refusals and lists as many as asked for', () => {
    const pools = [1, 2, 3, 4].map((digit) =>
      poolOf(accountId(String(digit).repeat(12)), {}, { platform: `p${digit}` }),
    );
    const input = inputOf(pools, [[2], [2], [2], [2]]);
    const { refused, refusedByGate } = fleetPairs(pools, pairContext(input), { maxRefused: 5 });
    expect(refused).toHaveLength(5);
    expect(refusedByGate).toEqual({ platform: 12 });
  });

  it('leaves out borrowers that are not short, where asked to', () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    const input = inputOf(pools, [[12], [2]]);
    const borrowers = (onlyShort: boolean) =>
      fleetPairs(pools, pairContext(input), { onlyShort }).candidates.map(({ borrower }) => borrower.spec.accountId);
    expect(borrowers(true)).toEqual([BORROWER]);
    // The other has nothing to lend to it.
    expect(borrowers(false)).toEqual([BORROWER]);
    const quiet = inputOf(pools, [[2], [2]]);
    expect(fleetPairs(pools, pairContext(quiet), { onlyShort: true }).candidates).toEqual([]);
    expect(fleetPairs(pools, pairContext(quiet)).candidates).toHaveLength(2);
  });

  it('leaves out pools whose own scaling raises their ceiling, on either side', () => {
    const [borrower, lender] = [poolOf(BORROWER), poolOf(LENDER)];
    const found = (...pools: Pool[]) => fleetPairs(pools, pairContext(inputOf(pools, [[12], [2]])));
    expect(found(borrower, lender).candidates).toHaveLength(1);
    expect(found(borrower, { ...lender, raisesOwnCeiling: true }).candidates).toEqual([]);
    expect(found({ ...borrower, raisesOwnCeiling: true }, lender).candidates).toEqual([]);
    // Pools that differ in nothing else are told apart.
    const third = poolOf(accountId('444444444444'), {});
    const three = [borrower, { ...lender, raisesOwnCeiling: true as const }, third];
    const { candidates } = fleetPairs(three, pairContext(inputOf(three, [[12], [2], [2]])), { onlyShort: true });
    expect(candidates.map((each) => each.lender.spec.accountId)).toEqual(['444444444444']);
  });

  it('weighs a unit-hour by its price, place, trust and by what it saves', () => {
    const weightOf = (spec: Partial<PoolSpec>, trust?: number) => {
      const pools = [poolOf(BORROWER, {}, { launchesIntoReservations: true }), poolOf(LENDER, {}, spec)];
      const input = inputOf(pools, [[12], [2]], [], trust === undefined ? {} : { [LENDER]: trust });
      const [candidate] = fleetPairs(pools, pairContext(input)).candidates;
      return candidate === undefined ? undefined : unitHourWeight(candidate);
    };
    const plain = weightOf({}) ?? 0;
    expect(plain).toBeCloseTo(0.107 * 1.25 * (1 + 0.25 * (1 - 40 / 107)) * 0.5, 5);
    expect(weightOf({ lendsAs: 'physical' })).toBeCloseTo(plain * 2, 5);
    expect(weightOf({ azIds: ['euw1-az3'] })).toBeCloseTo(plain / 1.25, 5);
    expect(weightOf({}, 0.95)).toBeCloseTo(plain * 1.04, 5);
  });

  it('violates no gate in any fleet, and does not depend on the order of the pools', () => {
    const spec = fc.record({
      instanceType: fc.constantFrom('m5.large', 'm5.xlarge'),
      region: fc.constantFrom('eu-west-1', 'eu-west-2'),
      azIds: fc.constantFrom(['euw1-az1'], ['euw1-az2']),
      lendsAs: fc.constantFrom('physical' as const, 'nominal' as const),
      networkGbps: fc.constantFrom(5, 10),
      encryptedAtRest: fc.boolean(),
    });
    const terms = fc.record(
      {
        otherRegions: fc.constantFrom('refuse' as const, 'accept' as const),
        requiredEncryption: fc.constantFrom('any' as const, 'at-rest' as const),
        maxLatencyMillis: fc.constantFrom(5, 50),
        regions: fc.constantFrom([], ['eu-west-1']),
        trustFloor: fc.constantFrom(0.3, 0.7),
        deniedCounterparties: fc.subarray([accountId('222222222222')]),
      },
      { requiredKeys: [] },
    );
    const pool = fc.tuple(
      spec,
      terms,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.nat({ max: 14 }), { minLength: 3, maxLength: 3 }),
    );
    const fleets = fc.array(pool, { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(fleets, (fleet) => {
        const pools = fleet.map(([each], index) => poolOf(accountId(String(index + 1).repeat(12)), {}, each));
        const trust = Object.fromEntries(pools.map((each, index) => [each.spec.accountId, fleet[index]?.[2] ?? 0]));
        const input = inputOf(
          pools,
          fleet.map(([, , , need]) => need),
          fleet.map(([, term]) => term),
          trust,
        );
        const context = pairContext(input);
        const found = fleetPairs(pools, context);
        expect(fleetPairs([...pools].reverse(), context)).toEqual(found);
        expect(found.candidates.length + found.refused.length).toBe(pools.length * (pools.length - 1));
        for (const candidate of found.candidates) {
          const [lends, borrows] = [candidate.lender.spec, candidate.borrower.spec];
          const [lentUnder, borrowedUnder] = [lends, borrows].map(
            ({ accountId: account }) => context.consentOf(account)?.terms,
          );
          expect(lends.instanceType).toBe(borrows.instanceType);
          expect(lends.networkGbps).toBeGreaterThanOrEqual(borrows.networkGbps);
          if (lends.lendsAs === 'physical') expect(lends.azIds).toEqual(borrows.azIds);
          if (lends.region !== borrows.region) {
            for (const each of [lentUnder, borrowedUnder]) {
              expect(each).toMatchObject({ otherRegions: 'accept', maxLatencyMillis: 50 });
              expect(each?.regions).toEqual([]);
            }
          }
          if (lentUnder?.requiredEncryption === 'at-rest') expect(borrows.encryptedAtRest).toBe(true);
          if (borrowedUnder?.requiredEncryption === 'at-rest') expect(lends.encryptedAtRest).toBe(true);
          expect(trust[borrows.accountId]).toBeGreaterThanOrEqual(lentUnder?.trustFloor ?? 0.5);
          expect(trust[lends.accountId]).toBeGreaterThanOrEqual(borrowedUnder?.trustFloor ?? 0.5);
          expect(lentUnder?.deniedCounterparties).not.toContain(borrows.accountId);
          const { expectedUnitsBySlot, saving } = outlookOf(candidate, context);
          for (const units of expectedUnitsBySlot) expect(units).toBeLessThanOrEqual(9);
          if (lends.lendsAs === 'nominal') expect(saving.high).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });
});
