import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { simulationJsonSchema } from '../../cli/simulate-report.ts';
import { scenarioJsonSchema } from '../../cli/simulate-scenario.ts';
import type { Json } from './pair-command.ts';
import { accountAt, CONSENT, idAt } from './pair-command.ts';
import { csvOf, dayAndNight, simulatedFleet, simulateFolder, simulateText, simulationOf } from './simulate-command.ts';

const TRACES = csvOf(dayAndNight());
const WEEK = csvOf(dayAndNight(7));
const FLEET = simulatedFleet(2);
const schemaAt = (name: string) => JSON.parse(readFileSync(`docs/schemas/${name}.schema.json`, 'utf8')) as Json;

describe('entangle simulate', () => {
  it('says what lending would have done, beside its bounds', async () => {
    const report = await simulationOf(WEEK, FLEET);
    const { lending, oracle, pooled, noLending, perfectForecast, accounts, days } = report;
    expect(report).toMatchObject({ seed: 1, stepSeconds: 300, poolDays: 14, startAt: '2026-01-05T00:00:00.000Z' });
    expect(report.measuredFrom).toBe('2026-01-08T12:00:00.000Z');
    expect(lending.coverPercent).toBeGreaterThan(80);
    expect(lending.coverPercent).toBeLessThanOrEqual(oracle.coverPercent ?? 0);
    expect(oracle.coverPercent).toBe(100);
    expect(pooled.coverPercent).toBe(100);
    expect(perfectForecast.harmPercent).toBe(0);
    expect(lending.utilisationPercent).toBeGreaterThan(noLending.utilisationPercent ?? 100);
    expect(days).toHaveLength(4);
    const [paid, earned] = [accounts.map(({ paidUsd }) => paidUsd), accounts.map(({ earnedUsd }) => earnedUsd)];
    expect((paid[0] ?? 0) + (paid[1] ?? 0)).toBeCloseTo((earned[0] ?? 0) + (earned[1] ?? 0), 9);
    expect(accounts[0]?.accountId).toBe(accountAt(0));
    expect(accounts[0]?.avoidedUsd).toBeGreaterThan(0);
  });

  it('prints what its schema says, and its schemas are published', async () => {
    const schema = z.fromJSONSchema(schemaAt('simulate'));
    expect(schema.safeParse(await simulationOf(TRACES, FLEET)).error).toBeUndefined();
    expect(schemaAt('simulate')).toEqual(JSON.parse(simulationJsonSchema()));
    expect(schemaAt('scenario')).toEqual(JSON.parse(scenarioJsonSchema()));
  });

  it('takes rows in any order of pools, names of groups, and gaps of up to an hour', async () => {
    const rows = dayAndNight();
    const sorted = rows.toSorted((a, b) => (a.split('/')[0] ?? '').localeCompare(b.split('/')[0] ?? ''));
    const gappy = sorted.filter((_, row) => row % 288 < 200 || row % 288 >= 208);
    const first = await simulationOf(TRACES, FLEET);
    const again = await simulationOf(csvOf(sorted), FLEET);
    expect({ ...again, elapsedMs: 0 }).toEqual({ ...first, elapsedMs: 0 });
    expect((await simulationOf(csvOf(gappy), FLEET)).lending).toEqual(first.lending);
    const one = simulatedFleet(1) as { pools: Json[] };
    const named = csvOf(rows.filter((row) => row.startsWith(idAt(0))).map((row) => row.replace(idAt(0), 'web')));
    expect((await simulationOf(named, one)).pools.map(({ poolId }) => poolId)).toEqual([idAt(0)]);
  });

  it('follows the scenario', async () => {
    const slow = await simulationOf(WEEK, FLEET, { alarmSeconds: 7_200, borrowAhead: null });
    const usual = await simulationOf(WEEK, FLEET);
    expect(slow.lending.coverPercent).toBeLessThan(usual.lending.coverPercent ?? 0);
    expect(slow.scenario).toMatchObject({ alarmSeconds: 7_200 });
    const owned = await simulationOf(TRACES, FLEET, { commitmentPercentile: 100 });
    expect(owned.pools[0]?.ownedUnits).toBe(12);
    expect(owned.lending.coverPercent).toBeNull();
  });

  it('says which limits of consents hold loans back, and what they cost', async () => {
    const least = { maxUnits: 1, maxSharePercent: 100, maxUnitHoursPerMonth: 10_000 };
    const { lend, borrow } = CONSENT;
    const tight = simulatedFleet(2, {
      defaultConsent: { lend: { ...lend, ...least }, borrow: { ...borrow, ...least } },
    });
    const { lending, withoutLimits, limitedBy, notes } = await simulationOf(WEEK, tight);
    expect(withoutLimits?.coverPercent).toBeGreaterThan(1.5 * (lending.coverPercent ?? 0));
    expect(limitedBy.map(({ limit }) => limit)).toEqual(expect.arrayContaining(['borrow.maxUnits', 'lend.maxUnits']));
    expect(notes[0]).toMatch(
      /^limits of consents hold loans back: cover is .* %, without them .* \(.*borrow\.maxUnits of 2 accounts/,
    );
    const wide = await simulationOf(WEEK, FLEET);
    expect([wide.withoutLimits, wide.limitedBy, wide.notes]).toEqual([null, [], []]);
  });

  it('lends parts of units where pools own parts, and whole ones elsewhere', async () => {
    const { pools, ...others } = simulatedFleet(2) as { pools: Json[] };
    const parts = { ...others, pools: pools.map(({ lendsAs: _physical, ...pool }) => ({ ...pool, ownedUnits: 10.5 })) };
    const report = await simulationOf(WEEK, parts);
    expect(report.pools.map(({ ownedUnits }) => ownedUnits)).toEqual([10.5, 10.5]);
    expect(report.scenario).toMatchObject({ wholeUnits: false });
    expect((await simulationOf(WEEK, FLEET)).scenario).toMatchObject({ wholeUnits: true });
    const wrong = { ...others, pools: pools.map((pool) => ({ ...pool, ownedUnits: -0.5 })) };
    expect((await simulateText(WEEK, wrong, undefined)).error).toMatch(
      /pools\[0\]\.ownedUnits: expected a whole number/,
    );
  });

  it('draws a page without scripts, with names that cannot become markup', async () => {
    const file = join(simulateFolder, 'page.html');
    const fleet = JSON.parse(JSON.stringify(FLEET).replaceAll('"web"', '"<b>web"')) as Json;
    const traces = TRACES.replaceAll('/web,', '/<b>web,');
    const { code, out } = await simulateText(traces, fleet, undefined, '--plot', file);
    expect(code).toBe(0);
    expect(out).toContain('fully rescued minutes');
    const page = readFileSync(file, 'utf8');
    expect(page).not.toMatch(/<script|<b>|https?:\/\//);
    expect(page).toContain('&lt;b&gt;web');
    expect(page.match(/<svg/g)?.length).toBe(4);
  });

  it('tells when nobody consents, and what is left out', async () => {
    const { defaultConsent: _consent, ...silent } = simulatedFleet(3);
    const { notes, lending } = await simulationOf(TRACES, silent);
    expect(notes).toEqual([
      '1 pools of the fleet have no demand in the traces and are left out',
      'no account consents to lend: nothing is lent',
      'no account consents to borrow: nothing is lent',
    ]);
    expect(lending).toMatchObject({ coverPercent: 0, harmPercent: null, loansPerDay: 0 });
  });
});

describe('wrong input of entangle simulate', () => {
  const rows = dayAndNight();
  const changed = (row: number, cell: (text: string) => string) => csvOf(rows.with(row, cell(rows[row] ?? '')));
  it.each([
    [
      'an unknown pool',
      changed(4, (text) => text.replace('1000', '2000')),
      /line 6: pool_id "2000.*expected a pool of the fleet/,
    ],
    [
      'a negative number',
      changed(4, (text) => text.replace(/[^,]*$/, '-1')),
      /line 6: demand_units "-1": expected a number/,
    ],
    ['NaN', changed(5, (text) => text.replace(/[^,]*$/, 'NaN')), /line 7: demand_units "NaN"/],
    [
      'rows out of order',
      csvOf([rows[2] ?? '', rows[0] ?? '', ...rows]),
      /line 3: timestamp .* is before that of line 2/,
    ],
    ['a row twice', csvOf([...rows, rows.at(-1) ?? '']), /line 2306: timestamp .* twice for this pool \(line 2305\)/],
    [
      'a long gap',
      csvOf([...rows.slice(0, 100), ...rows.slice(140)]),
      /line 102: a gap of 6300 s in .*: expected at most 3600 s/,
    ],
    ['another header', `pool,at,units\n${rows.join('\n')}`, /line 1: "pool,at,units": expected the header/],
    ['no rows', csvOf([]), /no rows/],
    ['too few days', csvOf(rows.slice(0, 400)), /16\.7 hours in common: expected at least 2 days/],
    ['a missing cell', csvOf([`${idAt(0)},2026-01-05T00:00:00Z`]), /line 2: 2 values: expected 3/],
    [
      'no moment',
      changed(0, (text) => text.replace('2026-01-05', '2026-02-30')),
      /line 2: timestamp .*expected ISO 8601/,
    ],
    [
      'a value missing at first',
      changed(0, (text) => text.replace(/[^,]*$/, '')),
      /no demand at 2026-01-05T00:00:00.000Z/,
    ],
  ])('names the line of %s', async (_, traces, message) => {
    const { code, out, error } = await simulateText(traces, FLEET, undefined);
    expect(error).toMatch(message);
    expect(error.trim().split('\n')).toHaveLength(1);
    expect([code, out]).toEqual([1, '']);
  });

  it.each([
    ['fleet', '{', undefined, /fleet\.json: expected JSON/],
    ['fleet', { pools: [{ accountId: '1' }] }, undefined, /fleet\.json: pools\[0\]\.accountId: /],
    ['scenario', FLEET, { alarmSecond: 1 }, /scenario\.json: alarmSecond: unknown field/],
    ['scenario', FLEET, { floorPercent: 101 }, /scenario\.json: floorPercent: expected a number from 0 to 100/],
    ['scenario', FLEET, { slaTiers: { nobody: 1 } }, /slaTiers\.nobody: expected the id of a pool/],
  ])('names the place in the %s', async (_, fleet, scenario, message) => {
    const { code, error } = await simulateText(TRACES, fleet, scenario);
    expect(error).toMatch(message);
    expect(code).toBe(1);
  });

  it.each([
    [['--seed', 'x'], /--seed x: expected a whole number/],
    [['--plot', ''], /--plot: expected a file/],
    [['--scenario', '-'], /"-" twice/],
    [['--horizon', '3'], /horizon/],
  ])('refuses %j', async (argv, message) => {
    const { code, error } = await simulateText(TRACES, FLEET, undefined, ...argv);
    expect(error).toMatch(message);
    expect(code).toBe(2);
  });
});
