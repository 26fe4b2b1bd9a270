import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { wrongWithPlan } from '../../../bench/allocation/reference-plan.ts';
import type { PreemptingRequest, RecallableLoan } from '../../../core/allocation/preemption-plan.ts';
import { preemptionPlan } from '../../../core/allocation/preemption-plan.ts';
import { SLA_TIERS } from '../../../core/allocation/priority.ts';
import { LoanMarket } from './loan-market.ts';

const NOW = 1_700_000_000_000;
const tier = fc.constantFrom(...SLA_TIERS);

const loan: fc.Arbitrary<RecallableLoan> = fc
  .record({
    id: fc.stringMatching(/^l[0-9]{1,2}$/),
    borrowerAccountId: fc.constant('b'),
    tier,
    unitsForRequest: fc.integer({ min: 0, max: 5 }),
    activeAtMillis: fc.integer({ min: NOW - 1_000, max: NOW }),
    shortestUntilMillis: fc.option(fc.integer({ min: NOW - 1, max: NOW + 1 }), { nil: undefined, freq: 3 }),
    returning: fc.option(fc.boolean(), { nil: undefined, freq: 3 }),
    heldFor: fc.option(fc.constantFrom('need', 'other'), { nil: undefined, freq: 2 }),
  })
  .map(({ shortestUntilMillis, returning, heldFor, ...rest }) => ({
    ...rest,
    ...(shortestUntilMillis === undefined ? {} : { shortestUntilMillis }),
    ...(returning === undefined ? {} : { returning }),
    ...(heldFor === undefined ? {} : { heldFor }),
  }));
const loans = fc.uniqueArray(loan, { selector: ({ id }) => id, maxLength: 8 });

const request: fc.Arbitrary<PreemptingRequest> = fc
  .record({
    tier,
    deficitUnits: fc.integer({ min: 1, max: 12 }),
    least: fc.integer({ min: 1, max: 12 }),
    all: fc.boolean(),
  })
  .map(({ least, all, ...rest }) => ({
    id: 'need',
    accountId: 'a',
    criticality: 'medium',
    requestedAtMillis: NOW,
    ...rest,
    ...(all ? {} : { minimumUnits: Math.min(least, rest.deficitUnits) }),
  }));

describe('a plan of recalls', () => {
  it('is as good as any of all sets of loans: it covers, nothing in it can be left out, and it touches no higher tier than needed', () => {
    fc.assert(
      fc.property(request, loans, (asking, given) => {
        const plan = preemptionPlan(asking, given, { preemption: 'lower-tier' }, NOW);
        expect(wrongWithPlan(asking, given, NOW, plan)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('takes strictly lower tiers only, and says something of each loan', () => {
    fc.assert(
      fc.property(request, loans, (asking, given) => {
        const plan = preemptionPlan(asking, given, { preemption: 'lower-tier' }, NOW);
        const byId = new Map(given.map((each) => [each.id, each]));
        for (const { id } of plan.victims) expect(byId.get(id)?.tier).toBeGreaterThan(asking.tier);
        const named = [...plan.victims.map(({ id }) => id), ...plan.waitingFor, ...plan.spared.map(({ id }) => id)];
        expect(named.toSorted()).toEqual([...byId.keys()].sort());
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which loans are given', () => {
    const shuffled = loans.chain((each) =>
      fc.tuple(fc.constant(each), fc.shuffledSubarray(each, { minLength: each.length })),
    );
    fc.assert(
      fc.property(request, shuffled, (asking, [given, other]) => {
        const planFor = (each: readonly RecallableLoan[]) =>
          preemptionPlan(asking, each, { preemption: 'lower-tier' }, NOW);
        expect(planFor(other)).toEqual(planFor(given));
      }),
      { numRuns: 300 },
    );
  });
});

describe('recalls between fixed needs', () => {
  it('end, in whatever order loans come back, with nobody waiting who could have one of a lower tier recalled', () => {
    const needs = fc.uniqueArray(
      fc.record({ id: fc.stringMatching(/^n[0-9]$/), tier, units: fc.integer({ min: 1, max: 5 }) }),
      { selector: ({ id }) => id, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        needs,
        fc.array(fc.nat({ max: 7 }), { maxLength: 20 }),
        (units, given, turns) => {
          const made = new LoanMarket(units, given);
          let turn = 0;
          const returnsFirst = (ids: readonly string[]) =>
            ids[(turns[turn++ % Math.max(1, turns.length)] ?? 0) % Math.max(1, ids.length)];
          for (const { id } of given) {
            made.ask(id);
            made.step(returnsFirst);
          }
          expect(made.settle(2_000, returnsFirst)).toBeLessThan(2_000);
          // Each recall moves capacity to a higher tier: as often as there are tiers for each need at most.
          expect(made.recalls).toBeLessThanOrEqual(given.length * given.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
