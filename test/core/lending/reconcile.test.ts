import { describe, expect, it } from '@jest/globals';
import { LOAN_STATES, OPEN_STATES } from '../../../core/lending/loan.ts';
import { reconcileLoan, reconcilePool } from '../../../core/lending/reconcile.ts';
import { hasRecovered } from '../../../core/lending/recovery.ts';
import { epochMillis, plusMillis, poolId } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, LENDER, loanOf, metricOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const active = loanOf({
  state: 'active',
  activeAt: NOW,
  dueAt: plusMillis(NOW, 3_600_000),
  lenderAccountId: LENDER,
  lenderPoolId: poolId(LENDER, REGION, 'web'),
});

function decide(overrides: Partial<Parameters<typeof reconcileLoan>[0]> = {}) {
  const now = plusMillis(NOW, 1_800_000);
  const consents = { borrowerConsent: consentOf(BORROWER), lenderConsent: consentOf(LENDER) };
  return reconcileLoan({ loan: active, ...consents, now, stuckAfterSeconds: 300, ...overrides });
}

describe('reconcileLoan', () => {
  it('leaves an active loan alone until it is due', () => {
    expect(decide()).toMatchObject({ action: 'none' });
    expect(decide({ now: epochMillis(NOW + 3_599_999) })).toMatchObject({ action: 'none' });
    expect(decide({ now: plusMillis(NOW, 3_600_000) })).toMatchObject({ action: 'return', reason: 'expired' });
  });

  it('returns a loan whose consent is gone on either side', () => {
    const ended = { validUntil: plusMillis(NOW, 60_000) };
    expect(decide({ borrowerConsent: consentOf(BORROWER, {}, { status: 'revoked' }) })).toMatchObject({
      reason: 'revoked',
    });
    expect(decide({ lenderConsent: consentOf(LENDER, ended) })).toMatchObject({ reason: 'revoked' });
    expect(decide({ lenderConsent: undefined })).toMatchObject({ reason: 'revoked' });
    const { lenderAccountId: _account, lenderPoolId: _pool, ...provisioned } = active;
    expect(decide({ loan: { ...provisioned, kind: 'provisioned' }, lenderConsent: undefined })).toMatchObject({
      action: 'none',
    });
  });

  it('recalls, with notice, what a lender has lent that revoked; ends at once what a borrower has revoked', () => {
    const revoked = { status: 'revoked' } as const;
    expect(decide({ lenderConsent: consentOf(LENDER, {}, revoked) })).toMatchObject({
      action: 'recall',
      by: 'consent-revoked',
    });
    expect(decide({ borrowerConsent: consentOf(BORROWER, {}, revoked) })).toMatchObject({
      action: 'return',
      reason: 'revoked',
    });
  });

  it('asks for a renewal shortly before the end of a term that is still needed', () => {
    const before = (seconds: number) => epochMillis(NOW + 3_600_000 - seconds * 1_000);
    const needed = { recovered: false, reason: 'demand does not fit' };
    expect(decide({ now: before(121) })).toMatchObject({ action: 'none' });
    expect(decide({ now: before(120), recovery: needed })).toEqual({ action: 'renew', detail: needed.reason });
    expect(decide({ now: before(120), recovery: { recovered: true, reason: 'fits' } })).toMatchObject({
      action: 'return',
    });
  });

  it('starts the return of a recalled loan whose start was lost', () => {
    const loan = { ...active, state: 'recalled' as const, history: [{ state: 'recalled' as const, at: NOW }] };
    expect(decide({ loan, now: plusMillis(NOW, 29_999) })).toMatchObject({ action: 'none' });
    expect(decide({ loan, now: plusMillis(NOW, 30_000) })).toMatchObject({ action: 'return', reason: 'recalled' });
  });

  it('leaves a loan that drains its notice, however long that is', () => {
    const recall = { by: 'lender-operator' as const, reason: 'asked', askedAt: NOW, firmAt: plusMillis(NOW, 900_000) };
    const loan = { ...active, state: 'draining' as const, recall, history: [{ state: 'draining' as const, at: NOW }] };
    expect(decide({ loan, now: plusMillis(NOW, 899_999) })).toMatchObject({ action: 'none' });
    expect(decide({ loan, now: plusMillis(NOW, 900_000) })).toMatchObject({ action: 'return', reason: 'repair' });
  });

  it('returns a loan that is no longer needed', () => {
    expect(decide({ recovery: { recovered: true, reason: 'demand fits' } })).toMatchObject({
      reason: 'recovered',
      detail: 'demand fits',
    });
    expect(decide({ recovery: { recovered: false, reason: 'demand does not fit' } })).toEqual({
      action: 'none',
      reason: 'demand does not fit',
    });
  });

  it.each(OPEN_STATES.filter((state) => !['active', 'waiting', 'recalled'].includes(state)))(
    'repairs a loan that stays %s',
    (state) => {
      const loan = loanOf({
        state,
        history: [
          { state: 'requested', at: epochMillis(NOW - 9e6) },
          { state, at: NOW },
        ],
      });
      expect(decide({ loan, now: epochMillis(NOW + 299_999) })).toMatchObject({ action: 'none' });
      expect(decide({ loan, now: plusMillis(NOW, 300_000) })).toMatchObject({ action: 'return', reason: 'repair' });
    },
  );

  it.each(LOAN_STATES.filter((state) => !OPEN_STATES.includes(state)))(
    'does nothing about a loan that is %s',
    (state) => {
      expect(decide({ loan: { ...active, state }, now: plusMillis(NOW, 9e9) })).toMatchObject({ action: 'none' });
    },
  );
});

describe('reconcilePool', () => {
  const alarm = { alarmName: 'entangle/web/cpu', resourceType: 'cpu' as const, transitionAtMillis: NOW };
  const later = {
    alarmName: 'entangle/web/memory',
    resourceType: 'memory' as const,
    transitionAtMillis: plusMillis(NOW, 1),
  };
  const now = plusMillis(NOW, 3_600_000);
  const pool = poolOf(BORROWER);

  it('starts a loan for an alarm that has none, the oldest first', () => {
    const started = reconcilePool({ pool, alarmsInAlarm: [later, alarm], openLoans: [], now });
    expect(started).toMatchObject({ action: 'borrow', alarm });
  });

  it('starts none when each alarm has its loan, or one is in the making, or nothing fires', () => {
    expect(reconcilePool({ pool, alarmsInAlarm: [alarm], openLoans: [active], now }).action).toBe('none');
    expect(reconcilePool({ pool, alarmsInAlarm: [alarm, later], openLoans: [active], now })).toMatchObject({
      alarm: later,
    });
    expect(reconcilePool({ pool, alarmsInAlarm: [later], openLoans: [loanOf({ state: 'taken' })], now }).action).toBe(
      'none',
    );
    expect(reconcilePool({ pool, alarmsInAlarm: [], openLoans: [], now }).action).toBe('none');
  });

  it('does not take the loans of another pool, or ended ones, for its own', () => {
    const foreign = { ...active, borrowerPoolId: poolId(LENDER, REGION, 'web') };
    const ended = loanOf({ state: 'returned' });
    expect(reconcilePool({ pool, alarmsInAlarm: [alarm], openLoans: [foreign, ended], now }).action).toBe('borrow');
  });

  it('asks once more after the cool-down when the alarm never went away', () => {
    const coolDownUntil = plusMillis(NOW, 600_000);
    const cooling = poolOf(BORROWER, { coolDownUntil });
    const during = { pool: cooling, alarmsInAlarm: [alarm], openLoans: [], now: epochMillis(coolDownUntil - 1) };
    expect(reconcilePool(during).action).toBe('none');
    const after = reconcilePool({ ...during, now });
    expect(after).toMatchObject({ action: 'borrow', alarm: { ...alarm, transitionAtMillis: coolDownUntil } });
    const asked = loanOf({ state: 'active', alarmTransitionAt: coolDownUntil });
    expect(reconcilePool({ ...during, now, openLoans: [asked] }).action).toBe('none');
  });
});

describe('hasRecovered', () => {
  const resources = { cpu: metricOf(), memory: metricOf({ recoveryPercent: 50 }) };
  const pool = poolOf(BORROWER, { borrowedUnits: 2 }, { resources });
  const group = groupOf({ maxSize: 12, desiredCapacity: 12 });
  const now = plusMillis(NOW, 600_000);
  // Without the loan 10 units: 6 of cpu at 60 %, 5 of memory at 50 %. On 12 instances that is 50 % and 41.6 %.
  const base = { pool, group, metrics: { cpu: 50, memory: 41 }, loan: active, now };

  it('is so when all types fit into the ceiling without the loan', () => {
    expect(hasRecovered(base).recovered).toBe(true);
  });

  it.each([
    [
      'cpu does not fit',
      { metrics: { cpu: 50.1, memory: 41 } },
      'cpu demand is 6.012 units; 10 units at 60 % serve less',
    ],
    ['memory does not fit', { metrics: { cpu: 50, memory: 42 } }, 'memory demand is 5.04 units'],
    ['a metric is missing', { metrics: { cpu: 1 } }, 'no value of the memory metric'],
    ['the shortest term is not over', { now: epochMillis(NOW + 599_999) }, 'its shortest term ends at'],
    ['the loan is not active', { loan: loanOf({ state: 'given' }) }, 'the loan is given, not active'],
    [
      'the ceiling was lowered meanwhile',
      { group: groupOf({ maxSize: 8, desiredCapacity: 8, inServiceUnits: 12 }) },
      '6 units at 60 %',
    ],
  ])('is not so when %s', (_why, overrides, reason) => {
    const recovery = hasRecovered({ ...base, ...overrides });
    expect(recovery.recovered).toBe(false);
    expect(recovery.reason).toContain(reason);
  });
});
