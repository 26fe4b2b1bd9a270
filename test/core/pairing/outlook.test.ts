import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PairingForecast } from '../../../core/pairing/grid.ts';
import { pairOutcome, pairOutlook } from '../../../core/pairing/outlook.ts';
import { pairScenarios, weightedQuantile } from '../../../core/pairing/pair-scenarios.ts';
import { calibrationOf, NO_VERDICTS, tallied } from '../../../core/pairing/reliability.ts';
import type { Pool, PoolSpec } from '../../../core/pool.ts';
import { epochMillis, microUsd } from '../../../core/units.ts';
import { BORROWER, LENDER, NOW, planOf, poolOf } from '../../support/fixtures.ts';

const RATE = microUsd(100_000);
const RESERVED: Partial<PoolSpec> = {
  lendsAs: 'physical',
  commitments: [{ kind: 'capacity-reservation', units: 10 }],
};

function levels(pool: Pool, p50: readonly number[], p90: readonly number[]): PairingForecast {
  const plan = planOf(pool.spec.poolId, p50);
  return { ...plan, neededUnits: { '0.5': p50, '0.9': p90, '0.95': p90 } };
}

/** Of a lender that owns 10 and keeps 1, for a borrower that owns 10; an hour a slot. */
function outlook(
  lenderNeed: readonly [readonly number[], readonly number[]],
  borrowerNeed: readonly [readonly number[], readonly number[]],
  specs: { readonly lender?: Partial<PoolSpec>; readonly borrower?: Partial<PoolSpec> } = {},
  more: { readonly unitRatio?: number; readonly plannedUnitsBySlot?: readonly number[] } = {},
) {
  const lender = poolOf(LENDER, {}, { ...RESERVED, ...specs.lender });
  const borrower = poolOf(
    BORROWER,
    {},
    {
      withoutLending: 'on-demand',
      launchesIntoReservations: true,
      onDemandMicroUsdPerUnitHour: RATE,
      ...specs.borrower,
    },
  );
  const forecasts = {
    [lender.spec.poolId]: levels(lender, ...lenderNeed),
    [borrower.spec.poolId]: levels(borrower, ...borrowerNeed),
  };
  return pairOutlook(lender, borrower, { forecasts, now: NOW, unitRatio: 1, ...more });
}

const sure = (units: readonly number[]) => [units, units] as const;

describe('pairOutlook', () => {
  it('expects what is lent on average, slot by slot', () => {
    const found = outlook(sure([4, 4, 8]), sure([12, 10, 14]));
    // Idle 5, 5 and 1; short by 2, 0 and 4.
    expect(found.expectedUnitsBySlot).toEqual([2, 0, 1]);
    expect(found).toMatchObject({ expectedUnits: 1.5, confidence: 1, stepSeconds: 3_600, startMillis: NOW });
  });

  it('is as sure as the forecasts of both sides are', () => {
    // The lender may need 3 more or less, in fifths: idle 8, 6, 5, 3 and 2. The borrower lacks 3.
    const found = outlook([[4], [7]], sure([13]));
    expect(found.expectedUnitsBySlot).toEqual([(3 * 4 + 2) / 5]);
    expect(found.forecastConfidence).toBeCloseTo(0.8, 6);
  });

  it('corrects its confidence by past outcomes', () => {
    const lender = poolOf(LENDER);
    const borrower = poolOf(BORROWER);
    const forecasts = {
      [lender.spec.poolId]: levels(lender, [4], [7]),
      [borrower.spec.poolId]: levels(borrower, [13], [13]),
    };
    const calibration = calibrationOf(
      tallied(
        NO_VERDICTS,
        Array.from({ length: 500 }, (_, index) => ({ predicted: 0.8, cameTrue: index % 2 === 0 })),
      ),
    );
    const found = pairOutlook(lender, borrower, { forecasts, now: NOW, unitRatio: 1, calibration });
    expect(found.forecastConfidence).toBeCloseTo(0.8, 6);
    expect(found.confidence).toBeCloseTo((250 + 8) / 510, 6);
  });

  it('expects no more than a plan gives the pair', () => {
    expect(outlook(sure([4, 4]), sure([12, 12]), {}, { plannedUnitsBySlot: [1, 0] }).expectedUnitsBySlot).toEqual([
      1, 0,
    ]);
  });

  it('counts in units of the borrower where the lender has smaller ones', () => {
    // Idle 5 small ones: two pairs.
    expect(outlook(sure([4]), sure([14]), {}, { unitRatio: 2 }).expectedUnitsBySlot).toEqual([2]);
  });

  it('goes by sample courses where both have them', () => {
    const [lender, borrower] = [poolOf(LENDER), poolOf(BORROWER)];
    const forecasts: Record<string, PairingForecast> = {
      [lender.spec.poolId]: {
        ...levels(lender, [4, 4], [4, 4]),
        courses: [
          [4, 4],
          [9, 9],
          [4, 9],
          [4, 4],
        ],
      },
      [borrower.spec.poolId]: {
        ...levels(borrower, [12, 12], [12, 12]),
        courses: [
          [12, 12],
          [12, 12],
          [12, 12],
          [9, 9],
        ],
      },
    };
    const found = pairOutlook(lender, borrower, { forecasts, now: NOW, unitRatio: 1 });
    expect(found.expectedUnitsBySlot).toEqual([1, 0.5]);
    // Asked for in three of the courses, given in full in one.
    expect(found.forecastConfidence).toBeCloseTo(1 / 3, 6);
  });

  it('expects nothing of slots that nobody forecast', () => {
    const [lender, borrower] = [poolOf(LENDER), poolOf(BORROWER)];
    const only = { [borrower.spec.poolId]: levels(borrower, [12], [12]) };
    expect(pairOutlook(lender, borrower, { forecasts: only, now: NOW, unitRatio: 1 })).toMatchObject({
      expectedUnits: 0,
      confidence: 0,
    });
    expect(pairOutlook(lender, borrower, { forecasts: {}, now: NOW, unitRatio: 1 }).expectedUnitsBySlot).toEqual([]);
    const later = epochMillis(NOW + 3_600_000);
    expect(pairOutlook(lender, borrower, { forecasts: only, now: later, unitRatio: 1 }).expectedUnitsBySlot).toEqual(
      [],
    );
  });
});

describe('pairSaving', () => {
  const saving = (...args: Parameters<typeof outlook>) => outlook(...args).saving;

  it('is what the borrower would have paid on demand for what idle reservations serve', () => {
    const found = saving(sure([4, 4, 8]), sure([12, 10, 14]));
    expect(found).toMatchObject({
      substance: 'physical',
      counterfactual: 'on-demand',
      low: 300_000,
      mid: 300_000,
      high: 300_000,
    });
    expect(found.expectedByCommitment).toEqual({ 'capacity-reservation': 300_000 });
  });

  it('has the interval that follows from the forecasts', () => {
    // Served: 3, and 2 in the highest fifth of the lender's need.
    const { low, mid, high, expected } = saving([[4], [7]], sure([13]));
    expect([low, mid, high, expected]).toEqual([200_000, 300_000, 300_000, 280_000]);
  });

  it('expects something of shortages too rare for the median', () => {
    // Needs 7, 9, 11 …: short by one only in the highest fifth.
    const rare = saving(sure([4]), [[7], [11]]);
    expect(rare).toMatchObject({ low: 0, mid: 0, high: 100_000, expected: 20_000 });
  });

  it('is zero for nominal loans, whatever else holds', () => {
    const found = saving(sure([4]), sure([12]), { lender: { lendsAs: 'nominal' } });
    expect(found).toMatchObject({ substance: 'nominal', low: 0, mid: 0, high: 0, expectedByCommitment: {} });
    expect(found.basis).toContain('saves no money');
  });

  it('is zero, and says so, where the borrower is not prepared for reserved capacity', () => {
    const found = saving(sure([4]), sure([12]), { borrower: { launchesIntoReservations: false } });
    expect(found).toMatchObject({ substance: 'nominal', low: 0, mid: 0, high: 0, expectedByCommitment: {} });
    expect(found.basis).toContain("the borrower's group does not launch into reservations shared with it");
  });

  it.each([
    ['nothing is committed', [], 0],
    ['a discount that does not follow the loan', [{ kind: 'savings-plan', units: 10 }], 0],
    ['a discount that does', [{ kind: 'reserved-instance', units: 10, discountFollowsLoan: true }], 200_000],
    // The lender's own 4 are served from the 5 first: 1 is left.
    ['a part of the pool', [{ kind: 'capacity-reservation', units: 5 }], 100_000],
  ] as const)('counts by commitment: %s', (_name, commitments, mid) => {
    expect(saving(sure([4]), sure([12]), { lender: { commitments } }).mid).toBe(mid);
  });

  it('is counted against what the borrower would do otherwise', () => {
    const against = (borrower: Partial<PoolSpec>) => saving(sure([4, 4]), sure([12, 10]), { borrower });
    expect(against({ withoutLending: 'on-demand' }).mid).toBe(200_000);
    // A reservation of 2 is paid for in both slots.
    expect(against({ withoutLending: 'own-reservation' }).mid).toBe(400_000);
    expect(against({ withoutLending: 'no-capacity' })).toMatchObject({ mid: 0, otherwiseUnservedUnitHours: 2 });
  });

  it('counts on demand only as far as the pool may provision, where nothing is stated', () => {
    const lender = poolOf(LENDER, {}, RESERVED);
    const stated = (provisioningLimitUnits: number) => {
      const borrower = poolOf(
        BORROWER,
        {},
        { provisioningLimitUnits, launchesIntoReservations: true, onDemandMicroUsdPerUnitHour: RATE },
      );
      const forecasts = {
        [lender.spec.poolId]: levels(lender, [4], [4]),
        [borrower.spec.poolId]: levels(borrower, [13], [13]),
      };
      return pairOutlook(lender, borrower, { forecasts, now: NOW, unitRatio: 1 }).saving;
    };
    expect(stated(0)).toMatchObject({ counterfactual: 'no-capacity', mid: 0, otherwiseUnservedUnitHours: 3 });
    expect(stated(2)).toMatchObject({ counterfactual: 'on-demand', mid: 200_000, otherwiseUnservedUnitHours: 1 });
  });

  it('shares out over commitments to the last micro-dollar', () => {
    const commitments = [
      { kind: 'capacity-reservation', units: 7 },
      { kind: 'reserved-instance', units: 3, discountFollowsLoan: true },
    ] as const;
    const borrower = { onDemandMicroUsdPerUnitHour: microUsd(33_333) };
    const { mid, expectedByCommitment } = saving(sure([4]), sure([13]), { lender: { commitments }, borrower });
    expect(mid).toBe(99_999);
    expect(expectedByCommitment).toEqual({ 'capacity-reservation': 69_999, 'reserved-instance': 30_000 });
  });

  it('is a whole number of micro-dollars, low ≤ mid ≤ high, and never above the price of all that is served', () => {
    const need = fc.array(fc.tuple(fc.nat({ max: 16 }), fc.nat({ max: 6 })), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(need, need, fc.constantFrom(0.5, 1, 2, 3), (lends, borrows, unitRatio) => {
        const split = (each: readonly (readonly [number, number])[]) =>
          [each.map(([p50]) => p50), each.map(([p50, more]) => p50 + more)] as const;
        const { saving: found, forecastConfidence } = outlook(split(lends), split(borrows), {}, { unitRatio });
        for (const amount of [found.low, found.mid, found.high, found.expected])
          expect(Number.isSafeInteger(amount)).toBe(true);
        expect(found.low).toBeLessThanOrEqual(found.mid);
        expect(found.mid).toBeLessThanOrEqual(found.high);
        expect(found.high).toBeLessThanOrEqual((9 / unitRatio) * 3 * RATE);
        expect(forecastConfidence).toBeGreaterThanOrEqual(0);
        expect(forecastConfidence).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

describe('pairOutcome', () => {
  it('judges by what was asked for and expected', () => {
    expect(pairOutcome([2, 3], [2, 3], [2, 3])).toBe('delivered');
    expect(pairOutcome([2, 3], [2, 3], [2, 2])).toBe('failed');
    // Nine of ten will do.
    expect(pairOutcome([10], [10], [9])).toBe('delivered');
    expect(pairOutcome([10], [10], [8])).toBe('failed');
    // More than expected was asked for: not what the pairing stands for.
    expect(pairOutcome([2], [9], [2])).toBe('delivered');
    expect(pairOutcome([2], [0], [0])).toBe('not-asked');
    // A mean of 1.2 promises 2.
    expect(pairOutcome([1.2], [2], [1])).toBe('failed');
  });
});

describe('pairScenarios', () => {
  it('weighs all ways together as one', () => {
    const [lender, borrower] = [poolOf(LENDER), poolOf(BORROWER)];
    const forecasts = {
      [lender.spec.poolId]: levels(lender, [4], [7]),
      [borrower.spec.poolId]: levels(borrower, [9], [13]),
    };
    const { scenarios } = pairScenarios(lender, borrower, forecasts, NOW, 1);
    expect(scenarios).toHaveLength(36);
    expect(scenarios.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect([...new Set(scenarios.map(({ lenderNeed }) => lenderNeed[0]))]).toEqual([1, 3, 4, 6, 7]);
  });

  it('takes the lower tail as stated, else as far as the upper one', () => {
    const [lender, borrower] = [poolOf(LENDER), poolOf(BORROWER)];
    const stated = { ...levels(lender, [4], [7]), lowNeededUnits: [4] };
    const { scenarios } = pairScenarios(lender, borrower, { [lender.spec.poolId]: stated }, NOW, 1);
    expect(scenarios.map(({ lenderNeed }) => lenderNeed[0])).toEqual([4, 4, 4, 6, 7, 7]);
  });
});

describe('weightedQuantile', () => {
  it('is the smallest value whose weight reaches the level', () => {
    const values = [3, 1, 2].map((value) => ({ value, weight: 1 / 3 }));
    expect([0, 1 / 3, 0.5, 0.9].map((level) => weightedQuantile(values, level))).toEqual([1, 1, 2, 3]);
    expect(weightedQuantile([], 0.5)).toBe(0);
  });
});
