import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seededRandom } from '../../../core/forecast/random.ts';
import { lookAhead } from '../../../core/lending/borrow-ahead.ts';
import { lendableUnits } from '../../../core/lending/lendable.ts';
import { needAhead } from '../../../core/lending/lender-need.ts';
import type { Outlook } from '../../../core/lending/outlook.ts';
import { makeOutlook } from '../../../core/lending/outlook.ts';
import { plusMillis } from '../../../core/units.ts';
import { groupOf, LENDER, loanOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';
import { historyBefore, outlookOf } from '../../support/outlooks.ts';

const SLOT_SECONDS = 900;
const { poolId } = poolOf(LENDER).spec;
const units = (max: number) => fc.integer({ min: 0, max });

const scene = fc.record({
  owned: fc.integer({ min: 1, max: 40 }),
  lent: units(40),
  desired: units(40),
  reserve: units(5),
  /** By slot of the plan. */
  planned: fc.option(fc.array(units(40), { minLength: 1, maxLength: 12 }), { nil: undefined }),
  loanNeed: units(40),
  recallNeed: units(40),
  coversSeconds: fc.integer({ min: 0, max: 9_000 }),
  /** How old the outlook is; it is used for 900 s. */
  ageSeconds: units(1_800),
  termSeconds: fc.integer({ min: 1, max: 9_000 }),
});
type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never;

const IS_FRESH_SECONDS = 900;
const isFresh = ({ ageSeconds }: Scene): boolean => ageSeconds < IS_FRESH_SECONDS;

function outlookIn(at: Scene): Outlook {
  const madeAt = plusMillis(NOW, -at.ageSeconds * 1_000);
  const base = outlookOf(poolId, at.loanNeed);
  const untilMillis = plusMillis(madeAt, at.coversSeconds * 1_000);
  return {
    ...base,
    madeAt,
    freshUntil: plusMillis(madeAt, IS_FRESH_SECONDS * 1_000),
    loan: { ...base.loan, untilMillis },
    recall: { ...base.recall, neededUnits: at.recallNeed },
  };
}

function seenIn(at: Scene) {
  const lentUnits = Math.min(at.lent, at.owned);
  const pool = poolOf(LENDER, { ownedUnits: at.owned, lentUnits }, { reserveUnits: at.reserve });
  const maxSize = at.owned - lentUnits;
  const group = groupOf({ maxSize, desiredCapacity: Math.min(at.desired, maxSize) });
  const plan = at.planned === undefined ? undefined : planOf(poolId, at.planned, { stepSeconds: SLOT_SECONDS });
  return { pool, group, plan, now: NOW, termSeconds: at.termSeconds };
}

/** The largest need of the plan between two times, in seconds from NOW; undefined where it does not cover them. */
function plannedOver({ planned }: Scene, from: number, to: number): number | undefined {
  if (planned === undefined || to > planned.length * SLOT_SECONDS) return undefined;
  const slots = planned.slice(Math.floor(from / SLOT_SECONDS), Math.max(1, Math.ceil(to / SLOT_SECONDS)));
  return Math.max(0, ...slots);
}

describe('lending by outlook or plan', () => {
  it('never leaves a lender less than it runs, than the forecast that counts says it needs, and its reserve', () => {
    fc.assert(
      fc.property(scene, (at) => {
        const seen = seenIn(at);
        const lendable = lendableUnits({ ...seen, outlook: outlookIn(at) });
        if (lendable.units === 0) return;
        const left = seen.group.maxSize - lendable.units;
        expect(left).toBeGreaterThanOrEqual(seen.group.desiredCapacity + at.reserve);
        const from = isFresh(at) ? Math.max(0, at.coversSeconds - at.ageSeconds) : 0;
        if (isFresh(at)) expect(left).toBeGreaterThanOrEqual(Math.max(at.loanNeed, at.recallNeed) + at.reserve);
        if (from < at.termSeconds) {
          const planned = plannedOver(at, from, at.termSeconds);
          expect(planned).toBeDefined();
          expect(left).toBeGreaterThanOrEqual((planned ?? 0) + at.reserve);
        }
        expect(lendable.basis?.by).toBe(isFresh(at) ? 'outlook' : 'plan');
      }),
      { numRuns: 500 },
    );
  });

  it('never uses an outlook that is old: not to lend, not to recall, not to borrow', () => {
    fc.assert(
      fc.property(scene, fc.double({ min: 0, max: 1, noNaN: true }), (at, probability) => {
        const seen = seenIn({ ...at, ageSeconds: IS_FRESH_SECONDS + at.ageSeconds });
        const made = outlookIn({ ...at, ageSeconds: IS_FRESH_SECONDS + at.ageSeconds });
        const outlook = { ...made, ahead: { ...made.ahead, probability } };
        expect(lendableUnits({ ...seen, outlook })).toEqual(lendableUnits(seen));
        const { pool, plan, now } = seen;
        const lentLoans = [
          loanOf({ state: 'active', activeAt: NOW, lenderPoolId: poolId, units: 2, recallableFromSeconds: 0 }),
        ];
        expect(needAhead({ pool, plan, now, lentLoans, outlook })).toEqual(needAhead({ pool, plan, now, lentLoans }));
        const borrowAhead = { atProbability: 0.3, aheadSeconds: 1_800, needLevel: '0.9' } as const;
        const asking = { pool: { ...pool, spec: { ...pool.spec, borrowAhead } }, forecast: plan, openLoans: [], now };
        expect(lookAhead({ ...asking, outlook })).toEqual(lookAhead(asking));
      }),
    );
  });

  it('is not recalled at once by the outlook that it was lent by', () => {
    fc.assert(
      fc.property(scene, (at) => {
        const fresh = { ...at, ageSeconds: at.ageSeconds % IS_FRESH_SECONDS };
        const [seen, outlook] = [seenIn(fresh), outlookIn(fresh)];
        const { units: lent } = lendableUnits({ ...seen, outlook });
        if (lent === 0) return;
        const pool = { ...seen.pool, lentUnits: seen.pool.lentUnits + lent };
        const loan = { state: 'active', activeAt: NOW, lenderPoolId: poolId, recallableFromSeconds: 0 } as const;
        const lentLoans = [loanOf({ ...loan, units: lent })];
        expect(needAhead({ pool, plan: seen.plan, outlook, lentLoans, now: NOW }).recall).toEqual([]);
      }),
    );
  });
});

describe('making an outlook', () => {
  const pool = poolOf(LENDER);
  const make = (values: readonly (number | null)[], untilMillis: number = NOW) =>
    makeOutlook({
      pool,
      histories: { cpu: historyBefore(poolId, values, untilMillis) },
      terms: { shortestTermSeconds: 3_600, recallNoticeSeconds: 120 },
      periodSeconds: 300,
      now: NOW,
    });
  const course = fc.record({
    seed: fc.nat(1_000),
    steps: fc.integer({ min: 600, max: 900 }),
    base: fc.double({ min: 0, max: 8, noNaN: true }),
    swing: fc.double({ min: 0, max: 8, noNaN: true }),
    noise: fc.double({ min: 0, max: 4, noNaN: true }),
  });
  const valuesOf = ({ seed, steps, base, swing, noise }: typeof course extends fc.Arbitrary<infer V> ? V : never) => {
    const random = seededRandom(seed);
    return Array.from({ length: steps }, (_, step) =>
      Math.max(0, base + swing * Math.sin((2 * Math.PI * step) / 288) + noise * random()),
    );
  };

  it('never says less than what is needed now, nor less for a higher level; its chances are chances', () => {
    fc.assert(
      fc.property(course, (drawn) => {
        const outlook = make(valuesOf(drawn));
        if (outlook === undefined) throw new Error('expected an outlook');
        const { loan, recall, ahead, lastUnits } = outlook;
        for (const { neededUnits, untilMillis } of [loan, recall]) {
          expect(neededUnits).toBeGreaterThan(lastUnits - 1e-3);
          expect(Number.isSafeInteger(neededUnits)).toBe(true);
          expect(untilMillis).toBeGreaterThan(NOW);
        }
        expect(ahead.probability).toBeGreaterThanOrEqual(0);
        expect(ahead.probability).toBeLessThanOrEqual(1);
        expect(ahead.neededUnits['0.9']).toBeGreaterThanOrEqual(ahead.neededUnits['0.5']);
        expect(ahead.neededUnits['0.95']).toBeGreaterThanOrEqual(ahead.neededUnits['0.9']);
        // As it is stored.
        expect(JSON.parse(JSON.stringify(outlook))).toEqual(outlook);
      }),
      { numRuns: 30 },
    );
  });

  it('does not look at what comes', () => {
    fc.assert(
      fc.property(course, fc.array(units(50), { minLength: 1, maxLength: 5 }), (drawn, future) => {
        const values = valuesOf(drawn);
        expect(make([...values, ...future], NOW + future.length * 300_000)).toEqual(make(values));
      }),
      { numRuns: 20 },
    );
  });
});
