import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { lendableUnits } from '../../../core/lending/lendable.ts';
import type { Pool } from '../../../core/pool.ts';
import { epochMillis } from '../../../core/units.ts';
import { headroomUnits } from '../../../core/whatif/lenders.ts';
import { replay } from '../../../core/whatif/replay.ts';
import type { Scenario } from '../../../core/whatif/scenario.ts';
import { rhythms, TERMS, worldOf } from './replay-world.ts';

const DAYS = 2;
const RUNS = { numRuns: 10 };

interface Setup {
  readonly seed: number;
  readonly owned: readonly number[];
  readonly changes: Partial<Scenario>;
  readonly maxUnits: number;
  readonly maxSharePercent: number;
  readonly maxUnitHoursPerMonth: number;
}

const setups: fc.Arbitrary<Setup> = fc.record({
  seed: fc.nat(1_000_000),
  owned: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 5 }),
  maxUnits: fc.integer({ min: 1, max: 12 }),
  maxSharePercent: fc.integer({ min: 5, max: 100 }),
  maxUnitHoursPerMonth: fc.integer({ min: 5, max: 500 }),
  changes: fc.record({
    wholeUnits: fc.boolean(),
    forecast: fc.constantFrom('short-term' as const, 'profile' as const, 'perfect' as const),
    partners: fc.constantFrom('any' as const, 'circles' as const),
    lendRisk: fc.constantFrom(0.01, 0.2, 0.5),
    recallSeconds: fc.constantFrom(300, 900),
    recallableFromSeconds: fc.constantFrom(0, 3_600),
    shortestLoanSeconds: fc.constantFrom(600, 3_600),
  }),
});

function worldFrom({ seed, owned, changes, maxUnits, maxSharePercent, maxUnitHoursPerMonth }: Setup) {
  const limits = { maxUnits, maxSharePercent, maxUnitHoursPerMonth };
  const { lend, borrow, ...others } = TERMS;
  if (lend === undefined || borrow === undefined) throw new Error('terms that lend and borrow');
  const terms = { ...others, lend: { ...lend, ...limits }, borrow: { ...borrow, ...limits } };
  return worldOf(rhythms(seed, owned.length, DAYS), owned, changes, () => terms);
}

describe('replay, whatever is demanded', () => {
  it('never raises the sum of ceilings above what is owned, nor a pool below half of what it owns', () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { traces, participants, scenario } = worldFrom(setup);
        let [mostNet, leastBorrowed, mostShare] = [0, 0, 0];
        replay(traces, participants, scenario, ({ book }) => {
          let net = 0;
          for (const [place, { ownedUnits }] of participants.pools.entries()) {
            const [lent, borrowed] = [book.lent[place] as number, book.borrowed[place] as number];
            net += borrowed - lent;
            leastBorrowed = Math.min(leastBorrowed, borrowed);
            mostShare = Math.max(mostShare, lent - ownedUnits / 2);
          }
          mostNet = Math.max(mostNet, net);
        });
        expect(mostNet).toBeLessThanOrEqual(1e-6);
        expect(leastBorrowed).toBeGreaterThanOrEqual(0);
        expect(mostShare).toBeLessThanOrEqual(1e-6);
      }),
      RUNS,
    );
  });

  it('never lends or borrows beyond consents', () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { traces, participants, scenario } = worldFrom(setup);
        let [overUnits, overHours] = [0, 0];
        replay(traces, participants, scenario, ({ book, lentOfAccount, borrowedOfAccount }) => {
          for (const [place, { ownedUnits, account }] of participants.pools.entries()) {
            const most = Math.min(setup.maxUnits, (setup.maxSharePercent / 100) * ownedUnits);
            const borrowed = (book.borrowed[place] as number) + (book.starting[place] as number);
            overUnits = Math.max(overUnits, (book.lent[place] as number) - most, borrowed - most);
            const hours = Math.max(
              lentOfAccount.unitHours[account] as number,
              borrowedOfAccount.unitHours[account] as number,
            );
            overHours = Math.max(overHours, hours - setup.maxUnitHoursPerMonth);
          }
        });
        expect(overUnits).toBeLessThanOrEqual(1e-6);
        expect(overHours).toBeLessThanOrEqual(1e-6);
      }),
      RUNS,
    );
  });

  it('serves, net of harm, no more than the oracle, and the oracle no more than one pool', () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { traces, participants, scenario } = worldFrom(setup);
        const { totals } = replay(traces, participants, scenario);
        expect(totals.served - totals.harmed).toBeLessThanOrEqual(totals.withinLimits + 1e-6);
        expect(totals.withinLimits).toBeLessThanOrEqual(totals.pooled + 1e-6);
        expect(totals.pooled).toBeLessThanOrEqual(totals.short + 1e-6);
        expect(totals.used - totals.usedWithout).toBeCloseTo(totals.served - totals.harmed, 5);
      }),
      RUNS,
    );
  });

  it('balances money to zero, and pays for nothing that is not borrowed', () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { traces, participants, scenario } = worldFrom(setup);
        const { accounts } = replay(traces, participants, scenario);
        const sum = accounts.reduce(
          (total, { earnedMicroUsd, paidMicroUsd }) => total + earnedMicroUsd - paidMicroUsd,
          0,
        );
        expect(sum).toBe(0);
        for (const { paidMicroUsd, borrowedUnitHours } of accounts) {
          // The price is 10,000 micro-dollars; each loan is rounded by itself.
          expect(Math.abs(paidMicroUsd - borrowedUnitHours * 10_000)).toBeLessThanOrEqual(1e-6 * paidMicroUsd + 2_000);
        }
      }),
      RUNS,
    );
  });

  it('does nothing at a step that what comes after it would change', () => {
    fc.assert(
      fc.property(setups, fc.integer({ min: 2, max: DAYS * 288 - 2 }), (setup, cut) => {
        if (setup.changes.forecast === 'perfect') return;
        const known = worldFrom(setup);
        const changed = worldFrom(setup);
        for (const demand of changed.traces.demand) demand.fill(11, cut);
        const courseOf = ({ traces, participants, scenario }: typeof known) => {
          const course: number[] = [];
          replay(traces, participants, scenario, ({ book }, step) => {
            if (step <= cut) course.push(...book.lent, ...book.borrowed, ...book.starting);
          });
          return course;
        };
        expect(courseOf(changed).join()).toBe(courseOf(known).join());
      }),
      RUNS,
    );
  });

  it('is the same for the same seed', () => {
    fc.assert(
      fc.property(setups, (setup) => {
        const { traces, participants, scenario } = worldFrom(setup);
        expect(replay(traces, participants, scenario)).toEqual(replay(traces, participants, scenario));
      }),
      { numRuns: 4 },
    );
  });
});

describe('headroom of a lender', () => {
  it('is what the hub lends of a pool with the same numbers', () => {
    const units = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(units, units, units, units, (owned, desired, forecast, reserveUnits) => {
        const { participants } = worldOf([[0, 0]], [owned]);
        const spec = { poolId: participants.pools[0]?.poolId, reserveUnits };
        const now = epochMillis(0);
        const pool = {
          spec,
          ownedUnits: owned,
          lentUnits: 0,
          borrowedUnits: 0,
          provisionedUnits: 0,
        } as unknown as Pool;
        const group = { maxSize: owned, desiredCapacity: desired } as Parameters<typeof lendableUnits>[0]['group'];
        const plan = {
          startMillis: now,
          stepSeconds: 3_600,
          neededUnits: { '0.5': [forecast], '0.95': [forecast] },
        } as unknown as NonNullable<Parameters<typeof lendableUnits>[0]['plan']>;
        const lendable = lendableUnits({ pool, group, plan, now, termSeconds: 3_600 });
        expect(headroomUnits({ ceiling: owned, running: desired, forecast, reserve: reserveUnits })).toBe(
          lendable.units,
        );
      }),
    );
  });
});
