// Situations in which Kueue's preemption went round in circles, for recalls by tier.
import { describe, expect, it } from '@jest/globals';
import { preemptionPlan } from '../../../core/allocation/preemption-plan.ts';
import type { SlaTier } from '../../../core/allocation/priority.ts';
import type { Need } from './loan-market.ts';
import { LoanMarket } from './loan-market.ts';

const need = (id: string, tier: SlaTier, units: number): Need => ({ id, tier, units });

function market(units: number, needs: readonly Need[]): LoanMarket {
  const made = new LoanMarket(units, needs);
  for (const { id } of needs) {
    made.ask(id);
    made.step();
  }
  return made;
}

describe('recalls end', () => {
  it('when the one that was recalled asks again at once and has the smaller share (kueue #3779)', () => {
    // A tenant that borrows already asks for 50 more; best effort holds 50 and comes back as soon as it is out.
    const needs = [need('tenant-1', 2, 250), need('best-effort', 5, 50), need('tenant-2', 2, 50)];
    const made = market(300, needs);
    expect(made.settle()).toBeLessThan(10);
    expect(made.recalls).toBe(1);
    expect(made.runningIds).toEqual(['tenant-1', 'tenant-2']);
  });

  it('when what is asked for does not divide what is held (kueue #7101)', () => {
    const held = ['a', 'b', 'c', 'd'].map((id) => need(id, 3, 2));
    const made = market(8, [...held, need('odd', 2, 3)]);
    expect(made.settle()).toBeLessThan(20);
    expect(made.recalls).toBe(2);
    expect(made.runningIds).toContain('odd');
    // Of the same tier nobody gives way, whatever is asked for.
    const equal = market(8, [...held, need('odd', 3, 3)]);
    expect(equal.settle()).toBeLessThan(20);
    expect(equal.recalls).toBe(0);
  });

  it('when what is recalled comes back at different times (kueue #13662)', () => {
    for (const first of ['a', 'b']) {
      const made = market(8, [need('a', 4, 4), need('b', 4, 4), need('both', 1, 8)]);
      const steps = made.settle(50, (ids) => (ids.includes(first) ? first : ids[0]));
      expect(steps).toBeLessThan(20);
      // a could be served as soon as it alone is back: the room is held.
      expect(made.recalls).toBe(2);
      expect(made.runningIds).toEqual(['both']);
    }
  });

  it('when tiers are three and each is recalled for the next (kueue #14543)', () => {
    const made = market(6, [need('low', 5, 3), need('own', 4, 3), need('middle', 3, 4), need('high', 1, 4)]);
    expect(made.settle()).toBeLessThan(30);
    expect(made.runningIds).toEqual(['high']);
    expect(made.recalls).toBeLessThanOrEqual(4);
  });
});

describe('a recall helps', () => {
  const NOW = 1_700_000_000_000;
  const request = {
    id: 'gpu',
    accountId: 'a',
    tier: 1,
    criticality: 'high',
    requestedAtMillis: NOW,
    deficitUnits: 2,
  } as const;

  it('whatever else the account borrows (kueue #7393)', () => {
    // The account has loans of another instance family: they are not among the loans that would help, and stand in the way of nothing.
    const loans = [
      { id: 'cpu', borrowerAccountId: 'a', tier: 5, unitsForRequest: 0, activeAtMillis: NOW - 1 },
      { id: 'other-gpu', borrowerAccountId: 'b', tier: 5, unitsForRequest: 2, activeAtMillis: NOW - 2 },
    ] as const;
    const plan = preemptionPlan(request, loans, { preemption: 'lower-tier' }, NOW);
    expect(plan.victims.map(({ id }) => id)).toEqual(['other-gpu']);
    expect(plan.spared).toEqual([
      { id: 'cpu', why: 'no-help', text: 'cpu is left alone: its return would not help gpu' },
    ]);
  });
});
