import { describe, expect, it } from '@jest/globals';
import type { NeedObservation } from '../../../core/lending/assess.ts';
import { assessNeed } from '../../../core/lending/assess.ts';
import { epochMillis } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, metricOf, NOW, poolOf } from '../../support/fixtures.ts';

const resources = { cpu: metricOf(), memory: metricOf({ thresholdPercent: 50 }) };

function need(overrides: Partial<NeedObservation> = {}): NeedObservation {
  return {
    pool: poolOf(BORROWER, {}, { resources }),
    group: groupOf({ desiredCapacity: 10 }),
    metrics: { cpu: 90 },
    alarmState: 'ALARM',
    resourceType: 'cpu',
    consent: consentOf(BORROWER),
    now: NOW,
    ...overrides,
  };
}

describe('assessNeed', () => {
  it('asks for what is needed above the ceiling', () => {
    // 10 instances at 90 % = 9 units of demand; below 80 % on 12 instances.
    expect(assessNeed(need())).toEqual({
      action: 'request',
      units: 2,
      bindingResource: 'cpu',
      reason: 'cpu needs 12 units, the ceiling is 10',
      byResource: { cpu: 12 },
    });
  });

  it('lets the resource type bind that needs the most, whichever alarm fired', () => {
    expect(assessNeed(need({ metrics: { cpu: 90, memory: 70 } }))).toMatchObject({
      units: 5,
      bindingResource: 'memory',
    });
  });

  it('asks for a unit when the group runs exactly at its threshold: the alarm fires there', () => {
    expect(assessNeed(need({ metrics: { cpu: 80 } }))).toMatchObject({ action: 'request', units: 1 });
  });

  it('asks also while another loan is moving the pool', () => {
    const pool = poolOf(BORROWER, { movingLoanId: 'ln-other', borrowedUnits: 2 }, { resources });
    expect(assessNeed(need({ pool }))).toMatchObject({ action: 'request', units: 2 });
  });

  it.each([
    ['alarm-recovered', { alarmState: 'OK' }],
    ['alarm-recovered', { alarmState: 'INSUFFICIENT_DATA' }],
    ['not-tagged', { group: groupOf({ desiredCapacity: 10, lendingEnabled: false }) }],
    ['cooling-down', { pool: poolOf(BORROWER, { coolDownUntil: epochMillis(NOW + 1) }, { resources }) }],
    ['consent', { consent: undefined }],
    ['consent', { consent: consentOf(BORROWER, { groupNames: ['batch'] }) }],
    ['metric-missing', { metrics: { memory: 90 } }],
    ['metric-missing', { metrics: { cpu: Number.NaN } }],
    ['own-headroom', { metrics: { cpu: 79.9 } }],
  ] as [string, Partial<NeedObservation>][])('refuses: %s', (code, seen) => {
    const assessed = assessNeed(need(seen));
    expect(assessed).toMatchObject({ action: 'refuse', code });
    expect(assessed.units).toBeGreaterThanOrEqual(1);
  });

  it('says how much the pool has left of its own', () => {
    const group = groupOf({ desiredCapacity: 4 });
    expect(assessNeed(need({ group }))).toMatchObject({
      code: 'own-headroom',
      reason: 'cpu needs 5 units and the own ceiling is 10: 6 more can be started without a loan',
    });
  });

  it('may ask again from the end of the cool-down on', () => {
    const pool = poolOf(BORROWER, { coolDownUntil: NOW }, { resources });
    expect(assessNeed(need({ pool })).action).toBe('request');
  });
});
