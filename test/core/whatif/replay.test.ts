import { describe, expect, it } from '@jest/globals';
import type { PoolSpec } from '../../../core/pool.ts';
import { measuresOf, whatIf } from '../../../core/whatif/compare.ts';
import { replay } from '../../../core/whatif/replay.ts';
import { idAt, rhythms, TERMS, worldOf } from './replay-world.ts';

const DAYS = 4;
const STEPS = DAYS * 288;
const HALF = STEPS / 2;
/** From here on the first pool is short. */
const SHORT_FROM = HALF + 60;

const flat = (units: number) => Array.from({ length: STEPS }, () => units);
const shortFrom = (units: number, from = SHORT_FROM, until = STEPS) =>
  Array.from({ length: STEPS }, (_, step) => (step >= from && step < until ? units : 6));

describe('replay', () => {
  it('serves a shortage from an alarm and a start-up after it began', () => {
    const { traces, participants, scenario } = worldOf([shortFrom(12), flat(2)], [10, 10]);
    const borrowed: number[] = [];
    const result = replay(traces, participants, scenario, ({ book }) => void borrowed.push(book.borrowed[0] ?? 0));
    // Two steps above the ceiling, then one to start; the first step of the replay is step 1.
    const first = borrowed.findIndex((units) => units > 0) + 1;
    expect(first).toBe(SHORT_FROM + 3);
    expect(borrowed.at(-1)).toBeGreaterThanOrEqual(2);
    expect(result.totals.harmed).toBe(0);
    expect(result.totals.short - result.totals.served).toBeCloseTo(3 * 2, 9);
  });

  it('keeps a loan for the shortest term and gives it back when it is over', () => {
    const until = SHORT_FROM + 4;
    const { traces, participants, scenario } = worldOf([shortFrom(12, SHORT_FROM, until), flat(2)], [10, 10], {});
    const lent: number[] = [];
    replay(traces, participants, scenario, ({ book }) => void lent.push(book.lent[1] ?? 0));
    const steps = lent.filter((units) => units > 0).length;
    // From the request: one step to start, twelve as a loan, one on the way back.
    expect(steps).toBe(1 + 12 + 1);
    expect(lent.at(-1)).toBe(0);
  });

  it('recalls what a lender needs, and lends nothing of a pool that is short itself', () => {
    const rises = SHORT_FROM + 40;
    const { traces, participants, scenario } = worldOf([shortFrom(12), shortFrom(12, rises)], [10, 10]);
    let harmed = 0;
    const result = replay(traces, participants, scenario, ({ book }, step) => {
      if (step > rises + 2) harmed += book.lent[1] ?? 0;
    });
    expect(result.recalls).toBeGreaterThan(0);
    expect(harmed).toBe(0);
    // Two steps pass until the rise is seen and the units are back.
    expect(result.totals.harmed).toBeLessThanOrEqual(2 * 2 + 1e-9);
  });

  it('serves the higher tier first where there is not enough', () => {
    const demand = [shortFrom(14), shortFrom(14), flat(5)];
    const changes = { slaTiers: { [idAt(1)]: 1 as const } };
    const { traces, participants, scenario } = worldOf(demand, [10, 10, 10], changes);
    const { pools } = replay(traces, participants, scenario);
    expect(pools.served[1]).toBeGreaterThan(pools.served[0] ?? 0);
  });

  it('lends within circles only when it is told so', () => {
    const demand = rhythms(3, 6, DAYS);
    const { traces, participants, scenario } = worldOf(demand, [8, 8, 8, 8, 8, 8], {
      partners: 'circles',
      circleSize: 2,
    });
    const partners = new Map<number, Set<number>>();
    replay(traces, participants, { ...scenario, replanSeconds: 86_400 * 30 }, ({ book, circleOf }) => {
      for (const { lender, borrower } of book.running) {
        expect(circleOf[lender]).toBe(circleOf[borrower]);
        partners.set(lender, (partners.get(lender) ?? new Set()).add(borrower));
      }
    });
    expect(Math.max(...[...partners.values()].map(({ size }) => size))).toBe(1);
  });

  it('lends nothing without consents', () => {
    const { lend: _lend, ...borrows } = TERMS;
    const { traces, participants, scenario } = worldOf([shortFrom(12), flat(2)], [10, 10], {}, () => borrows);
    const { totals, loans } = replay(traces, participants, scenario);
    expect(loans).toBe(0);
    expect(totals.withinLimits).toBe(0);
    expect(totals.pooled).toBeGreaterThan(0);
  });

  it('leaves out the maximum of consents when it is told so', () => {
    const most = { maxUnits: 1, maxSharePercent: 100, maxUnitHoursPerMonth: 1 };
    const { lend, borrow, ...others } = TERMS;
    if (lend === undefined || borrow === undefined) throw new Error('terms that lend and borrow');
    const terms = { ...others, lend: { ...lend, ...most }, borrow: { ...borrow, ...most } };
    const served = (usageLimits: 'kept' | 'ignored') => {
      const world = worldOf([shortFrom(12), flat(2), flat(0)], [10, 10, 0], { usageLimits }, () => terms);
      return replay(world.traces, world.participants, world.scenario).totals;
    };
    expect(served('kept').served).toBeLessThan(13);
    const { short, served: all, withinLimits } = served('ignored');
    expect(short - all).toBeCloseTo(3 * 2, 9);
    expect(withinLimits).toBe(short);
  });

  it('bills what a loan was active for, and what it spared', () => {
    const { traces, participants, scenario } = worldOf([shortFrom(12), flat(2)], [10, 10], {
      borrowAhead: { atProbability: 1, needLevel: 0.5, sparePerUnit: 1e9 },
    });
    const { accounts } = replay(traces, participants, scenario);
    const hours = (2 * (STEPS - SHORT_FROM - 3)) / 12;
    expect(accounts[0]).toMatchObject({ paidMicroUsd: Math.round(hours * 10_000), earnedMicroUsd: 0 });
    expect(accounts[1]).toMatchObject({ paidMicroUsd: 0, earnedMicroUsd: Math.round(hours * 10_000) });
    expect(accounts[0]?.avoidedMicroUsd).toBe(Math.round(hours * 90_000));
  });

  it('spares nothing where only a ceiling moves', () => {
    const accountsOf = (changes: Partial<PoolSpec>) => {
      const world = worldOf([shortFrom(12), flat(2)], [10, 10], {}, () => TERMS, changes);
      return replay(world.traces, world.participants, world.scenario).accounts;
    };
    const physical = accountsOf({})[0];
    for (const change of [{ launchesIntoReservations: false }, { lendsAs: 'nominal' }, { commitments: [] }] as const) {
      const borrower = accountsOf(change)[0];
      expect(borrower).toMatchObject({ paidMicroUsd: physical?.paidMicroUsd, avoidedMicroUsd: 0 });
      expect(physical?.avoidedMicroUsd).toBeGreaterThan(0);
    }
  });

  it('tells measures in percent, and none of nothing', () => {
    const idle = worldOf([flat(2), flat(2)], [10, 10]);
    const { lending } = whatIf(idle.traces, idle.participants, idle.scenario, () => idle.participants);
    const measures = measuresOf(lending, 300);
    expect(measures).toMatchObject({ coverPercent: undefined, harmPercent: undefined, loansPerDay: 0 });
    expect(measures.utilisationPercent).toBeCloseTo(20, 9);
  });
});
