import { describe, expect, it } from '@jest/globals';
import { hasRecovered } from '../../../core/lending/recovery.ts';
import type { WatchObservation } from '../../../core/lending/watch.ts';
import { assessWatched, watch, watchNeed } from '../../../core/lending/watch.ts';
import type { AnomalyWatch } from '../../../core/pool.ts';
import type { ResourceType } from '../../../core/units.ts';
import { epochMillis, plusMillis, RESOURCE_TYPES } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, loanOf, metricOf, NOW, poolOf } from '../../support/fixtures.ts';

const MINUTE = 60_000;
const trend = { withinSeconds: 300, samples: 12 };
const anomaly: AnomalyWatch = { withinSeconds: 300, samples: 3, score: 4 };
const resources = { cpu: metricOf(), memory: metricOf(), network: metricOf(), storage: metricOf() };
const pool = poolOf(BORROWER, {}, { watch: { trend, anomaly }, resources });

/** One sample a minute, the last of them now. */
const samplesOf = (values: readonly number[]) =>
  values.map((demandUnits, index) => ({
    atMillis: NOW - (values.length - 1 - index) * MINUTE,
    demandUnits,
  }));
const rising = samplesOf([4, 4.4, 4.8, 5.2, 5.6, 6, 6.4, 6.8]);
const steady = samplesOf([4, 4, 4, 4, 4, 4, 4, 4]);

function seen(changes: Partial<WatchObservation> = {}): WatchObservation {
  return { pool, samples: { cpu: rising }, usual: {}, now: NOW, ...changes };
}

describe('a trend', () => {
  it('asks for what demand will need by the time that instances have started', () => {
    // 6.8 + 5 × 0.4 = 8.8 units of demand: 12 units keep it below 80 %, the pool has 10.
    expect(watchNeed(seen())).toEqual({
      kind: 'trend',
      resource: 'cpu',
      neededUnits: 12,
      beforeMillis: NOW + 5 * MINUTE,
      reason: 'trend: cpu demand rises towards 8.8 units; that needs 12 units before 2026-11-04 10:05 UTC',
    });
  });

  it('asks for nothing where demand is high but does not rise, or rises to what the pool has', () => {
    expect(watchNeed(seen({ samples: { cpu: samplesOf([9, 9, 9, 9, 9, 9]) } }))).toBeUndefined();
    expect(watchNeed(seen({ pool: { ...pool, ownedUnits: 12 } }))).toBeUndefined();
    expect(watchNeed(seen({ samples: {} }))).toBeUndefined();
  });

  it.each(RESOURCE_TYPES)('asks for the units of %s where that is what rises', (resource) => {
    const others = Object.fromEntries(RESOURCE_TYPES.map((type) => [type, steady]));
    expect(watchNeed(seen({ samples: { ...others, [resource]: rising } }))).toMatchObject({
      resource,
      neededUnits: 12,
    });
  });

  it('that two types share asks for the units of the one that needs the most', () => {
    const memory = samplesOf([5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5]);
    expect(watchNeed(seen({ samples: { cpu: rising, memory } }))).toMatchObject({
      resource: 'memory',
      neededUnits: 14,
    });
  });
});

describe('an anomaly', () => {
  const usual = { cpu: () => ({ medianUnits: 2, upperUnits: 4 }) };
  const unusual = samplesOf([2, 2, 9.5, 9, 9.5]);

  it('asks for what is usual and what is above it now', () => {
    expect(watchNeed(seen({ samples: { cpu: unusual }, usual }))).toMatchObject({
      kind: 'anomaly',
      resource: 'cpu',
      neededUnits: 12,
      reason: expect.stringContaining('cpu demand is 7.5 units above what is usual at this time'),
    });
  });

  it('sees a rise of what is usual coming', () => {
    const peak = { cpu: (at: number) => ({ medianUnits: at > NOW ? 5 : 2, upperUnits: 6 }) };
    expect(watchNeed(seen({ samples: { cpu: unusual }, usual: peak }))).toMatchObject({ neededUnits: 16 });
  });

  it('is none when a sample is usual, when there are too few, or when the pool does not watch for any', () => {
    expect(watchNeed(seen({ samples: { cpu: samplesOf([9, 3, 9]) }, usual }))).toBeUndefined();
    expect(watchNeed(seen({ samples: { cpu: samplesOf([9, 9]) }, usual }))).toBeUndefined();
    const trendOnly = poolOf(BORROWER, {}, { watch: { trend }, resources });
    expect(watchNeed(seen({ pool: trendOnly, samples: { cpu: unusual }, usual }))).toBeUndefined();
  });
});

describe('watch', () => {
  it('finds the same need again whenever it looks: a start that was lost is made by the next look', () => {
    const first = watch(seen(), []);
    expect(first).toMatchObject({ action: 'borrow', need: { kind: 'trend' } });
    expect(watch(seen(), [])).toEqual(first);
  });

  it('leaves alone what cools down, has a loan, has lent or does not say so', () => {
    const why = (changes: Partial<WatchObservation>, loans = [] as Parameters<typeof watch>[1]) =>
      watch(seen(changes), loans).action;
    expect(why({ pool: { ...pool, coolDownUntil: epochMillis(NOW + 1) } })).toBe('none');
    expect(why({ pool: { ...pool, coolDownUntil: NOW } })).toBe('borrow');
    expect(why({ pool: { ...pool, lentUnits: 1 } })).toBe('none');
    expect(why({}, [loanOf({ state: 'taken' })])).toBe('none');
    expect(why({}, [loanOf({ state: 'returned' })])).toBe('borrow');
    expect(why({ pool: poolOf(BORROWER) })).toBe('none');
  });
});

describe('assessWatched', () => {
  const need = watchNeed(seen());
  if (need === undefined) throw new Error('the trend asks for units');
  const observed = { pool, group: groupOf(), need, consent: consentOf(BORROWER), now: NOW };

  it('asks for what is missing at the observed ceiling', () => {
    expect(assessWatched(observed)).toMatchObject({ action: 'request', units: 2 });
    expect(assessWatched({ ...observed, group: groupOf({ maxSize: 11 }) })).toMatchObject({ units: 1 });
  });

  it.each([
    ['not-tagged', { group: groupOf({ lendingEnabled: false }) }],
    ['cooling-down', { pool: { ...pool, coolDownUntil: epochMillis(NOW + 1) } }],
    ['consent', { consent: undefined }],
    ['watch-outdated', { now: plusMillis(NOW, 5 * MINUTE) }],
    ['own-headroom', { group: groupOf({ maxSize: 12 }) }],
  ] as const)('refuses: %s', (code, changes) => {
    expect(assessWatched({ ...observed, ...changes })).toMatchObject({ action: 'refuse', code });
  });

  it('keeps the loan until what it was asked for has come, however low demand is before', () => {
    const loan = loanOf({ state: 'active', activeAt: epochMillis(NOW - 600_000), watchNeed: need });
    const metrics = Object.fromEntries(RESOURCE_TYPES.map((type): [ResourceType, number] => [type, 1]));
    const now = (millis: number) => ({
      pool,
      group: groupOf({ maxSize: 12 }),
      metrics,
      loan,
      now: epochMillis(millis),
    });
    expect(hasRecovered(now(need.beforeMillis - 1)).recovered).toBe(false);
    expect(hasRecovered(now(need.beforeMillis)).recovered).toBe(true);
  });
});
