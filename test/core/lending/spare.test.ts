import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ORDER_RULES } from '../../../core/allocation/priority.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { applyPoolChange } from '../../../core/lending/apply.ts';
import { assessNeed } from '../../../core/lending/assess.ts';
import { assessAhead, lookAhead } from '../../../core/lending/borrow-ahead.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { Candidate, ChoiceInput } from '../../../core/lending/lender-finding.ts';
import type { ForecastNeed } from '../../../core/lending/loan.ts';
import { heldBefore, ranked } from '../../../core/lending/queue.ts';
import { refuse, refuseAtOnce } from '../../../core/lending/request.ts';
import { spareUnits } from '../../../core/lending/spare.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { LoanId } from '../../../core/units.ts';
import { accountId, plusMillis, poolId } from '../../../core/units.ts';
import {
  BORROWER,
  candidateOf,
  consentOf,
  groupOf,
  LENDER,
  loanOf,
  NOW,
  partnerOf,
  planOf,
  poolOf,
  REGION,
  requestOf,
  termsOf,
} from '../../support/fixtures.ts';
import { outlookOf } from '../../support/outlooks.ts';

const SECOND = accountId('333333333333');
const forecastNeed: ForecastNeed = {
  resource: 'cpu',
  thresholdUnits: 8,
  probability: 0.8,
  beforeMillis: plusMillis(NOW, 3_600_000),
  neededUnits: 12,
  needLevel: '0.9',
  peakEndMillis: plusMillis(NOW, 3_600_000),
};
const ahead = loanOf({ forecastNeed });

function inputOf(candidates: readonly Candidate[], overrides: Partial<ChoiceInput> = {}): ChoiceInput {
  return {
    snapshotLoan: ahead,
    unitsStillNeeded: 2,
    borrowerPool: poolOf(BORROWER),
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    borrowerConsent: consentOf(BORROWER),
    borrowerUsage: emptyUsage(BORROWER),
    partners: candidates.map(({ pool }) => partnerOf(pool)),
    pairings: Object.fromEntries(candidates.map(({ pool }) => [pool.spec.poolId, { state: 'active' as const }])),
    candidates,
    now: NOW,
    latencyMillis,
    ...overrides,
  };
}

const TOO_LITTLE =
  'a forecast is served only from what is left over: its partners have fewer than 6 units left, 3 for each of the 2 asked for';

describe('what a forecast asks for', () => {
  it('is lent where three times as much is left with its partners', () => {
    expect(chooseLender(inputOf([candidateOf(), candidateOf(SECOND)]))).toMatchObject({
      outcome: 'partner',
      offer: { units: 2 },
    });
    const one = { ...inputOf([candidateOf()]), unitsStillNeeded: 1 };
    expect(chooseLender(one)).toMatchObject({ outcome: 'partner', offer: { units: 1 } });
  });

  it('is refused where less is left, and says so without a figure of a lender; an alarm gets the same units', () => {
    expect(chooseLender(inputOf([candidateOf()]))).toMatchObject({
      outcome: 'refuse',
      reason: expect.stringContaining(TOO_LITTLE),
    });
    expect(chooseLender(inputOf([candidateOf()], { snapshotLoan: loanOf() }))).toMatchObject({ outcome: 'partner' });
  });

  it('waits for nothing, but may be provisioned from its own limit', () => {
    const waits = consentOf(BORROWER, { whenNoPartner: 'wait' });
    expect(chooseLender(inputOf([candidateOf()], { borrowerConsent: waits }))).toMatchObject({
      outcome: 'refuse',
      reason: TOO_LITTLE,
    });
    const provisions = consentOf(BORROWER, { whenNoPartner: 'provision' });
    const borrowerPool = poolOf(BORROWER, {}, { provisioningLimitUnits: 4 });
    expect(chooseLender(inputOf([candidateOf()], { borrowerConsent: provisions, borrowerPool }))).toMatchObject({
      outcome: 'provision',
      offer: { units: 2 },
    });
  });

  it('counts what each partner could lend by its forecast and its consent, less what others are to have', () => {
    const { lend } = termsOf();
    if (lend === undefined) throw new Error('expected terms to lend');
    const limited = consentOf(LENDER, { lend: { ...lend, maxUnits: 3 } });
    const { poolId: id } = poolOf(LENDER).spec;
    const spare = (overrides: Partial<Candidate>) => spareUnits(inputOf([candidateOf(LENDER, overrides)]));
    expect(spare({})).toBe(5);
    expect(spare({ consent: limited })).toBe(3);
    expect(spare({ held: { units: 2, reasons: [] } })).toBe(3);
    expect(spare({ outlook: outlookOf(id, 7) })).toBe(2);
    expect(spare({ unavailable: 'it is stopped' })).toBe(0);
    expect(spareUnits(inputOf([candidateOf()], { pairings: {} }))).toBe(0);
    expect(spareUnits({ ...inputOf([candidateOf()]), candidates: [] })).toBe(0);
  });
});

describe('a request by forecast that is refused', () => {
  const later = plusMillis(NOW, 600_000);
  const asked = { ...ahead, request: requestOf(ahead.loanId, poolOf(BORROWER), 2) };

  it('keeps the pool from asking by a forecast for a while, and no alarm from asking', () => {
    const snapshot = { loan: asked, borrowerPool: poolOf(BORROWER), heads: {} };
    const [change] = refuse(snapshot, TOO_LITTLE, NOW).pools;
    expect(change).toMatchObject({ aheadAgainAt: later });
    expect(change).not.toHaveProperty('coolDownUntil');
    const { loanId, borrowerAccountId, borrowerPoolId, units, bindingResource, startedBy, inServiceBefore } = ahead;
    const parts = { loanId, borrowerAccountId, borrowerPoolId, units, bindingResource, startedBy, inServiceBefore };
    const wanted = { ...parts, reason: 'no bottleneck is forecast by now' };
    expect(refuseAtOnce(wanted, wanted.reason, NOW, poolOf(BORROWER), true).pools).toEqual([change]);
    expect(refuseAtOnce(wanted, wanted.reason, NOW, poolOf(BORROWER)).pools).toMatchObject([{ coolDownUntil: later }]);
    if (change === undefined) throw new Error('expected a change of the pool');
    const pool = applyPoolChange(poolOf(BORROWER), change, ahead.loanId);
    const alarm = { pool, group: groupOf(), metrics: { cpu: 250 }, alarmState: 'ALARM', resourceType: 'cpu' } as const;
    expect(assessNeed({ ...alarm, consent: consentOf(BORROWER), now: NOW })).toMatchObject({ action: 'request' });
  });

  it('is made again after that', () => {
    const borrowAhead = { atProbability: 0.3, aheadSeconds: 3_600, needLevel: '0.9' } as const;
    const pool = poolOf(BORROWER, { aheadAgainAt: later, coolDownUntil: NOW }, { borrowAhead });
    const forecast = planOf(pool.spec.poolId, [12, 12], {
      bottlenecks: { cpu: { thresholdUnits: 8, probability: 0.8, bySlot: [0.8, 0.8] } },
    });
    const look = { pool, forecast, openLoans: [], now: NOW };
    expect(lookAhead(look)).toMatchObject({ action: 'none', reason: `the pool cools down until ${later} ms` });
    expect(lookAhead({ ...look, now: later })).toMatchObject({ action: 'borrow', coolDownUntil: later });
    const seen = {
      pool,
      group: groupOf(),
      forecast,
      consent: consentOf(BORROWER),
      usage: emptyUsage(BORROWER),
      now: NOW,
    };
    expect(assessAhead(seen)).toMatchObject({ action: 'refuse', code: 'cooling-down' });
    expect(assessAhead({ ...seen, now: later })).toMatchObject({ action: 'request' });
  });
});

describe('a waiting alarm', () => {
  const idOf = (index: number): LoanId => `ln-${String(index).padStart(24, '0')}` as LoanId;
  const waiting = (index: number, changes: Partial<typeof ahead> = {}) => {
    const account = accountId(String(400_000_000_000 + index));
    const since = plusMillis(NOW, -index * 1_000);
    return loanOf({
      loanId: idOf(index),
      state: 'waiting',
      borrowerAccountId: account,
      borrowerPoolId: poolId(account, REGION, 'web'),
      requestedAt: since,
      waiting: { since, until: plusMillis(NOW, 3_600_000), lenderPoolIds: [] },
      ...changes,
    });
  };
  const ranking = { rules: DEFAULT_ORDER_RULES, now: NOW, usages: new Map() };

  it('comes before what a forecast asks for, however long that has waited', () => {
    const [alarm, forecast] = [waiting(1), waiting(900, { forecastNeed })];
    expect(ranked([forecast, alarm], ranking).map(({ id }) => id)).toEqual([alarm.loanId, forecast.loanId]);
    expect(heldBefore(alarm, [forecast], ranking)).toEqual({ units: 0, reasons: [] });
    expect(heldBefore(forecast, [alarm], ranking)).toEqual({
      units: alarm.units,
      reasons: [`${alarm.loanId} is before ${forecast.loanId}: it is short already, the other one is forecast to be`],
    });
  });
});
