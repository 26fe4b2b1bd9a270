import { describe, expect, it } from '@jest/globals';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { seededRandom } from '../../../core/forecast/random.ts';
import { assessAhead, lookAhead } from '../../../core/lending/borrow-ahead.ts';
import { couldLend } from '../../../core/lending/capacity.ts';
import { HARM_TARGET, MOST_RISK } from '../../../core/lending/harm.ts';
import { lendableUnits } from '../../../core/lending/lendable.ts';
import { needAhead } from '../../../core/lending/lender-need.ts';
import type { Outlook, OutlookTerms, RiskRule } from '../../../core/lending/outlook.ts';
import { freshOutlook, makeOutlook, riskText } from '../../../core/lending/outlook.ts';
import { plusMillis } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, LENDER, loanOf, metricOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';
import { historyBefore, outlookOf } from '../../support/outlooks.ts';

const pool = poolOf(LENDER);
const { poolId } = pool.spec;
const terms = { shortestTermSeconds: 3_600, recallNoticeSeconds: 0 };
const STEPS_A_DAY = 288;

/** Days of demand between 2 and 6 units, highest at noon of each, with a little noise; `NOW` is where a day begins again. */
function days(count: number): number[] {
  const random = seededRandom(5);
  return Array.from({ length: count * STEPS_A_DAY }, (_, step) => {
    return 4 - 2 * Math.cos((2 * Math.PI * step) / STEPS_A_DAY) + 0.2 * (random() - 0.5);
  });
}

describe('makeOutlook', () => {
  const make = (values: readonly (number | null)[], changes: Partial<Parameters<typeof makeOutlook>[0]> = {}) =>
    makeOutlook({
      pool,
      histories: { cpu: historyBefore(poolId, values) },
      terms,
      periodSeconds: 300,
      now: NOW,
      ...changes,
    });

  it('says what is needed in the next minutes, and for how long', () => {
    const outlook = make(days(7));
    expect(outlook).toMatchObject({
      poolId,
      madeAt: NOW,
      knownUntil: NOW,
      freshUntil: NOW + 900_000,
      bindingResource: 'cpu',
      // Until the next look, start-up, and the shortest loan or no notice.
      loan: { untilMillis: NOW + 4_200_000, risk: 0.02 },
      recall: { untilMillis: NOW + 600_000, risk: 0.01 },
      ahead: { ceilingUnits: 10, probability: 0 },
    });
    // At the trough 2 units of demand need more than 2.5; an hour later it is 2.2.
    expect(outlook?.recall.neededUnits).toBe(3);
    expect(outlook?.loan.neededUnits).toBeGreaterThanOrEqual(3);
    expect(outlook?.loan.neededUnits).toBeLessThanOrEqual(4);
  });

  it('knows of a rise that the same time of earlier days had', () => {
    const values = days(7);
    const sixHours = values.slice(0, -STEPS_A_DAY + 72);
    const outlook = make(sixHours);
    // 4 units of demand now need 5, in 70 minutes 4.6 do; the steepest time of the day.
    expect(outlook?.lastUnits).toBeLessThan(5.3);
    expect(outlook?.loan.neededUnits).toBeGreaterThanOrEqual(6);
  });

  it('looks further ahead for a longer shortest term or notice, but not for longer than six hours', () => {
    const longer = make(days(7), { terms: { shortestTermSeconds: 7_200, recallNoticeSeconds: 600 } });
    expect(longer).toMatchObject({
      loan: { untilMillis: NOW + 7_800_000 },
      recall: { untilMillis: NOW + 1_200_000 },
    });
    const day = make(days(7), { terms: { shortestTermSeconds: 86_400, recallNoticeSeconds: 0 } });
    expect(day?.loan.untilMillis).toBe(NOW + 21_600_000);
    expect(day?.loan.neededUnits).toBeGreaterThan(longer?.loan.neededUnits ?? 0);
  });

  it('says how likely a bottleneck is, and what to borrow for it', () => {
    const tight = poolOf(LENDER, { ownedUnits: 5 });
    const outlook = make(days(7).slice(0, -STEPS_A_DAY + 72), { pool: tight });
    expect(outlook?.ahead).toMatchObject({ ceilingUnits: 5 });
    expect(outlook?.ahead.probability).toBeGreaterThan(0.3);
    expect(outlook?.ahead.neededUnits['0.9']).toBeGreaterThan(5);
  });

  it('is not made of long steps, of less than two days, or of what is old', () => {
    expect(make(days(2))).toBeDefined();
    expect(make(days(2).slice(1))).toBeUndefined();
    const gap = days(2).map((value, step) => (step === 100 ? null : value));
    expect(make(gap)).toBeUndefined();
    const hourly = poolOf(LENDER, {}, { historyStepSeconds: 3_600 });
    const histories = { cpu: historyBefore(poolId, days(7), NOW, 'cpu', 3_600) };
    expect(make([], { pool: hourly, histories })).toBeUndefined();
    const late = (minutes: number) =>
      make([], { histories: { cpu: historyBefore(poolId, days(3), NOW - minutes * 60_000) } });
    expect(late(15)).toBeDefined();
    expect(late(20)).toBeUndefined();
    const both = poolOf(LENDER, {}, { resources: { cpu: metricOf(), memory: metricOf() } });
    expect(make(days(3), { pool: both })).toBeUndefined();
  });

  it('is used until three looks have failed to replace it', () => {
    const outlook = make(days(2));
    expect(freshOutlook(outlook, plusMillis(NOW, 899_999))).toBe(outlook);
    expect(freshOutlook(outlook, plusMillis(NOW, 900_000))).toBeUndefined();
    expect(freshOutlook(undefined, NOW)).toBeUndefined();
  });
});

describe('the risk of an outlook', () => {
  const series = days(7);
  const make = (
    before: Outlook | undefined,
    changes: {
      readonly rule?: RiskRule;
      readonly lentUnits?: number;
      readonly minutes?: number;
      readonly need?: number;
      readonly terms?: OutlookTerms;
    } = {},
  ) => {
    const { rule = { harmTarget: HARM_TARGET }, lentUnits = 4, minutes = 0, need, terms: own = terms } = changes;
    const steps = minutes / 5;
    const since = Array.from({ length: steps }, (_, step) => need ?? series[step] ?? 0);
    const now = plusMillis(NOW, minutes * 60_000);
    const histories = { cpu: historyBefore(poolId, [...series, ...since], now) };
    const seen = poolOf(LENDER, { lentUnits });
    const made = makeOutlook({ pool: seen, histories, terms: own, periodSeconds: 300, before, rule, now });
    if (made === undefined) throw new Error('expected an outlook');
    return made;
  };
  const stated = { loan: { risk: 0.02 }, recall: { risk: 0.01 } };

  it('begins as stated and says that nothing was lent', () => {
    const first = make(undefined);
    expect(first).toMatchObject(stated);
    expect(first.harm).toEqual({
      lentUnitHours: 0,
      harmedUnitHours: 0,
      countedUntil: NOW,
      lent: [{ from: NOW, until: NOW + 900_000, units: 4 }],
    });
    expect(riskText(first.loan, first)).toBe('a risk of 2 % (it has lent nothing lately)');
  });

  it('rises where nothing was harmed, and falls after harm', () => {
    const first = make(undefined);
    const calm = make(first, { minutes: 5 });
    expect(calm.harm).toMatchObject({ lentUnitHours: 4 / 12, harmedUnitHours: 0 });
    // As much as its own units lent for a day count for.
    const long = make({ ...calm, harm: { lentUnitHours: 240, harmedUnitHours: 0, countedUntil: NOW, lent: [] } });
    expect(long).toMatchObject({ loan: { risk: 0.04 }, recall: { risk: 0.02 } });
    // 6 units of demand need 7.5 at the threshold; 6 were left.
    const harmed = make(first, { minutes: 5, need: 6 });
    expect(harmed.harm).toMatchObject({ lentUnitHours: 4 / 12, harmedUnitHours: 1.5 / 12 });
    expect(harmed.loan.risk).toBeLessThan(0.02);
    expect(harmed.recall.risk).toBeLessThan(0.01);
    const fixed = make(first, { minutes: 5, need: 6, rule: { harmTarget: 0 } });
    expect(harmed.loan.neededUnits).toBeGreaterThanOrEqual(fixed.loan.neededUnits);
    expect(riskText(harmed.loan, harmed)).toMatch(
      /^a risk of 1\.5 % \(harm was 38 % of the 0.333 unit-hours that it lent\)$/,
    );
  });

  it('is fixed without a target, and follows the fleet where a pool has lent little', () => {
    const first = make(undefined);
    const fixed = make(first, { minutes: 5, need: 6, rule: { harmTarget: 0 } });
    expect(fixed).toMatchObject(stated);
    expect(fixed.harm).toBeUndefined();
    const fleet = { lentUnitHours: 1_000, harmedUnitHours: 100, ownedUnits: 100, at: NOW };
    expect(make(first, { rule: { harmTarget: HARM_TARGET, fleet } }).loan.risk).toBe(0.002);
    const harmless = { ...fleet, harmedUnitHours: 0, lentUnitHours: 200 };
    expect(make(first, { rule: { harmTarget: HARM_TARGET, fleet: harmless } })).toMatchObject({
      loan: { risk: 0.04 },
      recall: { risk: 0.02 },
    });
    const forLong = { ...harmless, lentUnitHours: 1_000 };
    expect(make(first, { rule: { harmTarget: HARM_TARGET, fleet: forLong } })).toMatchObject({
      loan: { risk: MOST_RISK },
      recall: { risk: MOST_RISK },
    });
  });

  it('goes on from an outlook that was made before risks followed anything', () => {
    const { harm: _harm, ...old } = make(undefined);
    expect(make(old, { minutes: 5, need: 6 })).toMatchObject({ ...stated, harm: { lentUnitHours: 0 } });
  });
});

describe('lending by an outlook', () => {
  const group = groupOf({ desiredCapacity: 4 });
  const base = { pool, group, now: NOW, termSeconds: 3_600 };
  const high = planOf(poolId, [8, 8]);
  const low = planOf(poolId, [2, 2]);

  it('permits what the plan alone would refuse, and refuses what it would permit', () => {
    expect(lendableUnits({ ...base, plan: high }).units).toBe(1);
    expect(lendableUnits({ ...base, plan: high, outlook: outlookOf(poolId, 5) })).toMatchObject({
      units: 4,
      basis: { by: 'outlook', madeAt: NOW, risk: 0.02 },
      reason:
        'ceiling 10, desired 4, need 5 until 2026-11-04 11:10 UTC but for a risk of 2 % by its outlook of 2026-11-04 10:00 UTC, reserve 1: 4 lendable for 3600 s',
    });
    expect(lendableUnits({ ...base, plan: low }).units).toBe(5);
    expect(lendableUnits({ ...base, plan: low, outlook: outlookOf(poolId, 8) }).units).toBe(1);
    expect(lendableUnits({ ...base, outlook: outlookOf(poolId, 5) }).units).toBe(4);
  });

  it('leaves what a loan needs beyond the outlook to the plan', () => {
    const longer = { ...base, termSeconds: 4_500, outlook: outlookOf(poolId, 5) };
    expect(lendableUnits({ ...longer, plan: high })).toMatchObject({
      units: 1,
      basis: { by: 'outlook' },
      reason: expect.stringContaining('after that P95 of forecast need 8'),
    });
    expect(lendableUnits({ ...longer, plan: low }).units).toBe(4);
    expect(lendableUnits(longer)).toMatchObject({ units: 0, reason: 'there is no forecast of its demand' });
    expect(lendableUnits({ ...longer, plan: planOf(poolId, [2]) })).toMatchObject({
      units: 0,
      reason: expect.stringContaining('its forecast covers'),
    });
  });

  it('does not lend what it would recall at once', () => {
    const recall = { untilMillis: plusMillis(NOW, 900_000), neededUnits: 7, risk: 0.01 };
    expect(lendableUnits({ ...base, outlook: outlookOf(poolId, 5, { recall }) }).units).toBe(2);
  });

  it('names what its risk follows', () => {
    const harm = { lentUnitHours: 812.34, harmedUnitHours: 0.2437, countedUntil: NOW, lent: [] };
    const outlook = outlookOf(poolId, 5, { harm });
    const lendable = lendableUnits({ ...base, plan: low, outlook });
    expect(lendable.reason).toContain(
      'need 5 until 2026-11-04 11:10 UTC but for a risk of 2 % (harm was 0.03 % of the 812 unit-hours that it lent) by its outlook',
    );
    expect(lendable.basis).toMatchObject({ risk: 0.02, harm: { lentUnitHours: 812.34, harmedUnitHours: 0.2437 } });
  });

  it('shows which forecast it could lend by, and from when that is', () => {
    const view = { pool, group, consent: consentOf(LENDER), usage: emptyUsage(LENDER), plan: low, now: NOW };
    const made = plusMillis(NOW, -60_000);
    expect(couldLend(view).basis).toEqual({ by: 'plan', madeAt: NOW });
    const outlook = outlookOf(poolId, 5, { madeAt: made });
    expect(couldLend({ ...view, outlook }).basis).toEqual({ by: 'outlook', madeAt: made, risk: 0.02 });
    expect(couldLend({ ...view, plan: undefined })).toMatchObject({ units: 0, basis: undefined });
  });
});

describe('recalling by an outlook', () => {
  const lent = poolOf(LENDER, { lentUnits: 4 });
  const later = plusMillis(NOW, 700_000);
  const loan = loanOf({
    state: 'active',
    activeAt: NOW,
    dueAt: plusMillis(NOW, 9_000_000),
    lenderAccountId: LENDER,
    lenderPoolId: poolId,
    units: 4,
    recallableFromSeconds: 600,
  });
  const seen = { pool: lent, lentLoans: [loan], now: later };
  const high = planOf(poolId, [9, 9]);

  it('recalls what the outlook needs, whatever the plan says', () => {
    expect(needAhead({ ...seen, plan: planOf(poolId, [2, 2]), outlook: outlookOf(poolId, 7) })).toEqual({
      recall: [loan],
      inTimeUnits: 4,
      reason: `its need before ${NOW + 900_000} ms is 7 units but for a risk of 1 % by its outlook of 2026-11-04 10:00 UTC, its ceiling is 6, 0 are on their way back`,
    });
    expect(needAhead({ ...seen, plan: high, outlook: outlookOf(poolId, 6) }).recall).toEqual([]);
  });

  it('recalls by the plan once the outlook is old, and leaves a loan alone for as long as was promised', () => {
    const old = outlookOf(poolId, 6, { freshUntil: later });
    expect(needAhead({ ...seen, plan: high, outlook: old }).recall).toEqual([loan]);
    const young = { ...loan, recallableFromSeconds: 800 };
    expect(needAhead({ ...seen, lentLoans: [young], outlook: outlookOf(poolId, 9) }).recall).toEqual([]);
  });
});

describe('borrowing ahead by an outlook', () => {
  const borrowAhead = { atProbability: 0.3, aheadSeconds: 1_800, needLevel: '0.9' } as const;
  const borrower = poolOf(BORROWER, {}, { borrowAhead });
  const { poolId: own } = borrower.spec;
  const ahead = {
    untilMillis: plusMillis(NOW, 900_000),
    ceilingUnits: 10,
    probability: 0.4,
    neededUnits: { '0.5': 10, '0.9': 13, '0.95': 14 },
  };
  const outlook = outlookOf(own, 9, { ahead });
  const unlikely = planOf(own, [5, 5]);
  const look = (changes: Partial<Parameters<typeof lookAhead>[0]> = {}) =>
    lookAhead({ pool: borrower, forecast: unlikely, outlook, openLoans: [], now: NOW, ...changes });

  it('asks where a bottleneck is likely in the next minutes', () => {
    expect(look()).toEqual({
      action: 'borrow',
      bottleneck: { resource: 'cpu', thresholdUnits: 8, probability: 0.4, slotMillis: NOW },
      coolDownUntil: undefined,
      reason: 'probability 0.4 of cpu reaching 8 units before 2026-11-04 10:15 UTC by its outlook',
    });
  });

  it('does not where it is unlikely, the pool is idle, its ceiling has changed, or the outlook is old', () => {
    expect(look({ outlook: outlookOf(own, 9, { ahead: { ...ahead, probability: 0.29 } }) })).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('below 0.3'),
    });
    expect(look({ outlook: outlookOf(own, 3, { ahead }) }).action).toBe('none');
    expect(look({ pool: poolOf(BORROWER, { borrowedUnits: 1 }, { borrowAhead }) }).action).toBe('none');
    expect(look({ now: outlook.freshUntil }).action).toBe('none');
    expect(look({ pool: poolOf(BORROWER) }).action).toBe('none');
  });

  it('is sized by the level that the pool and its consent agree on', () => {
    const seen = {
      pool: borrower,
      group: groupOf(),
      forecast: unlikely,
      outlook,
      consent: consentOf(BORROWER),
      usage: emptyUsage(BORROWER),
      now: NOW,
    };
    expect(assessAhead(seen)).toEqual({
      action: 'request',
      units: 3,
      forecastNeed: {
        resource: 'cpu',
        thresholdUnits: 8,
        probability: 0.4,
        beforeMillis: ahead.untilMillis,
        neededUnits: 13,
        needLevel: '0.9',
        peakEndMillis: ahead.untilMillis,
      },
      reason:
        'pre-emptive: probability 0.4 of cpu reaching 8 units before 2026-11-04 10:15 UTC by its outlook; P90 of the need is 13 units, the ceiling is 10',
    });
    expect(assessAhead({ ...seen, outlook: undefined })).toMatchObject({
      action: 'refuse',
      code: 'bottleneck-unlikely',
    });
  });
});
