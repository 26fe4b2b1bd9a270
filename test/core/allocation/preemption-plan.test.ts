import { describe, expect, it } from '@jest/globals';
import type { PreemptingRequest, PreemptionRules, RecallableLoan } from '../../../core/allocation/preemption-plan.ts';
import { preemptionPlan } from '../../../core/allocation/preemption-plan.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const RULES: PreemptionRules = { preemption: 'lower-tier' };

function request(rest: Partial<PreemptingRequest> = {}): PreemptingRequest {
  return {
    id: 'need',
    accountId: 'a',
    tier: 2,
    criticality: 'medium',
    requestedAtMillis: NOW,
    deficitUnits: 4,
    ...rest,
  };
}

function loan(id: string, rest: Partial<RecallableLoan> = {}): RecallableLoan {
  return { id, borrowerAccountId: id, tier: 4, unitsForRequest: 2, activeAtMillis: NOW - HOUR, ...rest };
}

const planOf = (loans: readonly RecallableLoan[], rest: Partial<PreemptingRequest> = {}, rules = RULES) =>
  preemptionPlan(request(rest), loans, rules, NOW);
const victimIds = (...args: Parameters<typeof planOf>) => planOf(...args).victims.map(({ id }) => id);

describe('preemptionPlan', () => {
  it('recalls the lowest tier first, then the latest', () => {
    const loans = [loan('third'), loan('old', { tier: 5, activeAtMillis: NOW - 2 * HOUR }), loan('late', { tier: 5 })];
    expect(victimIds(loans)).toEqual(['late', 'old']);
    expect(victimIds(loans, { deficitUnits: 5 })).toEqual(['late', 'old', 'third']);
  });

  it('puts back what is not needed', () => {
    const loans = [loan('small', { tier: 5, unitsForRequest: 1 }), loan('large', { unitsForRequest: 4 })];
    expect(victimIds(loans)).toEqual(['large']);
    const plan = planOf(loans);
    expect(plan.spared).toEqual([
      { id: 'small', why: 'not-needed', text: 'small is left alone: need has enough without it' },
    ]);
    expect(plan.freedUnits).toBe(4);
  });

  it('recalls strictly lower tiers, and nobody unless that is enough', () => {
    const plan = planOf([loan('equal', { tier: 2 }), loan('higher', { tier: 1 }), loan('lower')]);
    expect(plan.covered).toBe(false);
    expect(plan.victims).toEqual([]);
    expect(plan.spared.map(({ id, why }) => `${id} ${why}`)).toEqual([
      'equal not-lower-tier',
      'higher not-lower-tier',
      'lower does-not-cover',
    ]);
    expect(plan.text).toBe('no loan is recalled for need: what could come back does not cover what it needs');
  });

  it('does with less where the request can', () => {
    const loans = [loan('lower'), loan('equal', { tier: 2 })];
    expect(victimIds(loans, { minimumUnits: 2 })).toEqual(['lower']);
    expect(victimIds(loans, { minimumUnits: 3 })).toEqual([]);
  });

  it('spares loans inside their shortest term unless the rules say otherwise', () => {
    const loans = [loan('young', { unitsForRequest: 4, shortestUntilMillis: NOW + 1 })];
    expect(planOf(loans).spared[0]?.why).toBe('minimum-term');
    expect(victimIds(loans, {}, { ...RULES, minimumTerm: 'not-spared' })).toEqual(['young']);
    expect(victimIds([loan('grown', { unitsForRequest: 4, shortestUntilMillis: NOW })])).toEqual(['grown']);
  });

  it('counts what is coming back, and not what is held for another', () => {
    const loans = [
      loan('mine', { returning: true, heldFor: 'need' }),
      loan('anyway', { returning: true }),
      loan('theirs', { returning: true, heldFor: 'other', unitsForRequest: 9 }),
      loan('active'),
    ];
    const plan = planOf(loans, { deficitUnits: 5 });
    expect(plan.waitingFor).toEqual(['anyway', 'mine']);
    expect(plan.victims.map(({ id }) => id)).toEqual(['active']);
    expect(plan.freedUnits).toBe(6);
    expect(plan.spared.map(({ why }) => why)).toEqual(['held-for-another']);
    expect(plan.text).toBe('need has 1 loan of lower SLA tiers recalled and waits for 2 loans on the way back');
    expect(planOf(loans).text).toBe('need waits for 2 loans on the way back');
  });

  it('recalls nobody whose return does not help, who is protected, or where recalling is off', () => {
    const loans = [
      loan('elsewhere', { unitsForRequest: 0 }),
      loan('kept', { protectedBy: 'its consent promises no recall' }),
    ];
    expect(planOf(loans).spared.map(({ text }) => text)).toEqual([
      'elsewhere is left alone: its return would not help need',
      'kept is left alone: its consent promises no recall',
    ]);
    expect(planOf([loan('a', { unitsForRequest: 4 })], {}, { preemption: 'never' }).spared[0]?.why).toBe(
      'preemption-off',
    );
  });

  it('recalls nobody who would come first again', () => {
    const rules: PreemptionRules = { ...RULES, order: [{ by: 'criticality' }, { by: 'sla-tier' }] };
    const loans = [loan('critical', { criticality: 'critical', unitsForRequest: 4 })];
    expect(planOf(loans, {}, rules).spared[0]).toEqual({
      id: 'critical',
      why: 'would-come-first',
      text: 'critical is left alone: its borrower would be served before need if it asked again',
    });
    expect(victimIds(loans)).toEqual(['critical']);
  });

  it('says why each victim was picked', () => {
    expect(planOf([loan('one', { unitsForRequest: 4 })]).victims).toEqual([
      {
        id: 'one',
        unitsForRequest: 4,
        text: 'one is recalled for need: its SLA tier is lower, and of the loans that would help it comes next (lowest tier first, then latest first)',
      },
    ]);
  });
});
