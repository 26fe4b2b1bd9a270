import { describe, expect, it } from '@jest/globals';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { PoolForecast } from '../../../core/forecast/pool-forecast.ts';
import type { AheadObservation } from '../../../core/lending/borrow-ahead.ts';
import { assessAhead, lookAhead } from '../../../core/lending/borrow-ahead.ts';
import { hasRecovered } from '../../../core/lending/recovery.ts';
import { request } from '../../../core/lending/request.ts';
import type { PoolSpec } from '../../../core/pool.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, plusMillis, poolId } from '../../../core/units.ts';
import {
  BORROWER,
  consentOf,
  groupOf,
  LENDER,
  loanOf,
  NOW,
  planOf,
  poolOf,
  REGION,
  termsOf,
} from '../../support/fixtures.ts';

const HOUR = 3_600_000;
const borrowAhead = { atProbability: 0.6, aheadSeconds: 3_600, needLevel: '0.9' } as const;
const own = poolId(BORROWER, REGION, 'web');

/** Hourly: 8 units are needed at P50, 13 at P90 in the second hour, which is likely to reach the bottleneck. */
function forecast(overrides: Partial<PoolForecast> = {}): PoolForecast {
  return planOf(own, [], {
    stepSeconds: 1_800,
    neededUnits: { '0.5': [6, 11, 8, 6], '0.9': [7, 13, 12, 7], '0.95': [7, 15, 12, 7] },
    bottlenecks: { cpu: { thresholdUnits: 8, probability: 0.83, bySlot: [0.1, 0.83, 0.5, 0.1] } },
    ...overrides,
  });
}

const pool = (overrides: Parameters<typeof poolOf>[1] = {}, spec: Partial<PoolSpec> = {}) =>
  poolOf(BORROWER, overrides, { borrowAhead, ...spec });

describe('lookAhead', () => {
  const look = (overrides: Partial<Parameters<typeof lookAhead>[0]> = {}) =>
    lookAhead({ pool: pool(), forecast: forecast(), openLoans: [], now: NOW, ...overrides });

  it('borrows where a bottleneck is likely within the time', () => {
    expect(look()).toMatchObject({
      action: 'borrow',
      bottleneck: { resource: 'cpu', slotMillis: NOW + HOUR / 2 },
      reason: 'probability 0.83 of cpu reaching 8 units before 2026-11-04 11:00 UTC',
    });
  });

  it('does not when the pool has not agreed to it, or it is less likely than the pool accepts', () => {
    expect(look({ pool: poolOf(BORROWER) })).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('alarms only'),
    });
    expect(look({ pool: pool({}, { borrowAhead: { ...borrowAhead, atProbability: 0.9 } }) })).toMatchObject({
      action: 'none',
      reason: expect.stringContaining('below 0.9'),
    });
    expect(look({ pool: pool({}, { borrowAhead: { ...borrowAhead, aheadSeconds: 1_800 } }) }).action).toBe('none');
    expect(look({ forecast: undefined }).action).toBe('none');
    expect(look({ now: plusMillis(NOW, 3 * HOUR) }).action).toBe('none');
  });

  it('does not while the pool has a loan, open or in the making, or cools down', () => {
    expect(look({ openLoans: [loanOf({ state: 'requested' })] })).toMatchObject({ action: 'none' });
    expect(look({ openLoans: [loanOf({ state: 'active' })] })).toMatchObject({ action: 'none' });
    expect(look({ openLoans: [loanOf({ state: 'returned' })] })).toMatchObject({ action: 'borrow' });
    expect(look({ openLoans: [loanOf({ borrowerPoolId: poolId(BORROWER, REGION, 'other') })] })).toMatchObject({
      action: 'borrow',
    });
    expect(look({ pool: pool({ coolDownUntil: epochMillis(NOW + 1) }) })).toMatchObject({ action: 'none' });
    expect(look({ pool: pool({ coolDownUntil: NOW }) })).toMatchObject({ action: 'borrow', coolDownUntil: NOW });
  });
});

describe('assessAhead', () => {
  const assess = (overrides: Partial<AheadObservation> = {}) =>
    assessAhead({
      pool: pool(),
      group: groupOf(),
      forecast: forecast(),
      consent: consentOf(BORROWER),
      usage: emptyUsage(BORROWER),
      now: NOW,
      ...overrides,
    });

  it('asks for what is needed at the peak, at the level of the pool, above the ceiling', () => {
    expect(assess()).toEqual({
      action: 'request',
      units: 3,
      forecastNeed: {
        resource: 'cpu',
        thresholdUnits: 8,
        probability: 0.83,
        beforeMillis: NOW + HOUR,
        neededUnits: 13,
        needLevel: '0.9',
        peakEndMillis: NOW + HOUR,
      },
      reason:
        'pre-emptive: probability 0.83 of cpu reaching 8 units before 2026-11-04 11:00 UTC; P90 of the need is 13 units, the ceiling is 10',
    });
  });

  it.each([
    ['0.5', undefined, 1],
    ['0.95', undefined, 5],
    ['0.95', '0.9', 3],
    ['0.5', '0.95', 1],
  ] as const)('pool %s, consent at most %s: %i units', (needLevel, maxNeedLevel, units) => {
    const terms = termsOf();
    const borrow = terms.borrow && { ...terms.borrow, ...(maxNeedLevel === undefined ? {} : { maxNeedLevel }) };
    const seen = {
      pool: pool({}, { borrowAhead: { ...borrowAhead, needLevel } }),
      consent: consentOf(BORROWER, borrow === undefined ? {} : { borrow }),
    };
    expect(assess(seen)).toMatchObject({ action: 'request', units });
  });

  it('asks for no more than the consent leaves room for', () => {
    const usage = { ...emptyUsage(BORROWER), borrowedUnits: 6 };
    expect(assess({ usage })).toMatchObject({ units: 2, reason: expect.stringContaining('leaves room for 2 more') });
    expect(assess({ usage: { ...usage, borrowedUnits: 8 } })).toMatchObject({ action: 'refuse', code: 'consent' });
    const borrow = { ...termsOf().borrow, maxSharePercent: 10 } as NonNullable<ReturnType<typeof termsOf>['borrow']>;
    expect(assess({ consent: consentOf(BORROWER, { borrow }) })).toMatchObject({ units: 1 });
  });

  it('asks for a unit at least when the bottleneck of what the pool owns is likely', () => {
    const low = forecast({ neededUnits: { '0.5': [6, 8, 8, 6], '0.9': [7, 9, 9, 7], '0.95': [7, 9, 9, 7] } });
    expect(assess({ forecast: low })).toMatchObject({ action: 'request', units: 1 });
    const raised = groupOf({ maxSize: 12 });
    expect(assess({ forecast: low, group: raised })).toMatchObject({ action: 'refuse', code: 'own-headroom' });
  });

  it.each([
    ['not-tagged', { group: groupOf({ lendingEnabled: false }) }],
    ['cooling-down', { pool: pool({ coolDownUntil: epochMillis(NOW + 1) }) }],
    ['consent', { consent: undefined }],
    ['consent', { consent: consentOf(BORROWER, { groupNames: ['batch'] }) }],
    ['bottleneck-unlikely', { forecast: undefined }],
    ['bottleneck-unlikely', { pool: poolOf(BORROWER) }],
    ['bottleneck-unlikely', { now: plusMillis(NOW, HOUR) }],
    ['own-headroom', { group: groupOf({ maxSize: 13 }) }],
  ] as [string, Partial<AheadObservation>][])('refuses: %s', (code, seen) => {
    const assessed = assess(seen);
    expect(assessed).toMatchObject({ action: 'refuse', code });
    expect(assessed.units).toBeGreaterThanOrEqual(1);
  });
});

describe('a loan before an alarm', () => {
  const need = {
    resource: 'cpu' as const,
    thresholdUnits: 8,
    probability: 0.83,
    beforeMillis: plusMillis(NOW, HOUR),
    neededUnits: 13,
    needLevel: '0.9' as const,
    peakEndMillis: plusMillis(NOW, HOUR),
  };

  it('is kept until the forecast peak has passed, however low demand is', () => {
    const loan = loanOf({ state: 'active', activeAt: NOW, forecastNeed: need });
    const seen = { pool: poolOf(BORROWER, { borrowedUnits: 2 }), group: groupOf({ maxSize: 12 }), metrics: { cpu: 1 } };
    const at = (now: typeof NOW) => hasRecovered({ ...seen, loan, now });
    expect(at(epochMillis(need.peakEndMillis - 1))).toMatchObject({ recovered: false });
    expect(at(need.peakEndMillis)).toMatchObject({ recovered: true });
  });

  it("has its reason in the borrower's audit record, and in no other", () => {
    const { alarmName: _name, alarmTransitionAt: _at, ...base } = loanOf();
    const commit = request(
      {
        loanId: 'ln-000000000000000000000009' as LoanId,
        borrowerAccountId: BORROWER,
        borrowerPoolId: base.borrowerPoolId,
        units: 3,
        bindingResource: 'cpu',
        startedBy: 'borrow-test-0',
        inServiceBefore: 10,
        forecastNeed: need,
        reason: 'pre-emptive: probability 0.83',
      },
      NOW,
    );
    expect(commit.loan).toMatchObject({ forecastNeed: need });
    expect(commit.loan).not.toHaveProperty('alarmName');
    expect(commit.audit).toMatchObject({
      accountId: BORROWER,
      detail: { askedAhead: 'pre-emptive: probability 0.83' },
    });
    expect(commit.audit.accountId).not.toBe(LENDER);
  });
});
