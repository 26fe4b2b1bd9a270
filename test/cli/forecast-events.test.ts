import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEvents } from '../../cli/forecast-events.ts';
import { forecastLine } from '../../cli/forecast-line.ts';
import { createForecaster } from '../../core/forecast/forecaster.ts';
import { forecastFile, forecastOf, hours } from './forecast-command.ts';

const sale = {
  name: 'Sale',
  startMillis: Date.UTC(2026, 2, 2),
  endMillis: Date.UTC(2026, 2, 3),
  expectedFactor: 1.5,
};
const window = { startMillis: Date.UTC(2026, 2, 1), endMillis: Date.UTC(2026, 3, 1) };

describe('business events', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-events-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function written(name: string, lines: readonly string[]): string {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  it('come from several files, of either form, as far as they concern the series', async () => {
    const csv = written('events.csv', [
      'name,start,end,factor',
      'Sale,2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,1.5',
      'Old,2020-01-01,2020-01-02,2',
    ]);
    const ics = written('days.ics', [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:test',
      'BEGIN:VEVENT',
      'UID:1',
      'SUMMARY:Launch',
      'DTSTART:20260310T080000Z',
      'DTEND:20260310T100000Z',
      'END:VEVENT',
      'END:VCALENDAR',
    ]);
    const events = await readEvents([csv, ics], window);
    expect(events).toEqual([
      sale,
      { name: 'Launch', startMillis: Date.UTC(2026, 2, 10, 8), endMillis: Date.UTC(2026, 2, 10, 10) },
    ]);
  });

  it('are handed to the forecaster', async () => {
    const forecaster = createForecaster([]);
    const requests: unknown[] = [];
    const watched: typeof forecaster = {
      forecast(history, request) {
        requests.push(request);
        return forecaster.forecast(history, request);
      },
    };
    const history = {
      stepSeconds: 3_600,
      startMillis: window.startMillis,
      values: [1, 2, 3],
      regressors: { x_visits: [1, 2, 3, 4] },
      stepsKnownAhead: 1,
      unsortedRows: 0,
      repeatedRows: 0,
      missingRows: 0,
      stepWasAssumed: false,
      wasCut: false,
    };
    const options = { horizonSteps: 2, seasonSteps: [24], threshold: 5, events: [sale] };
    await forecastLine(watched, 'a', history, options);
    await forecastLine(watched, 'a', { ...history, regressors: {} }, { ...options, events: [] });
    const plain = { horizonSteps: 2, seasonSteps: [24], thresholdUnits: 5 };
    expect(requests).toEqual([{ ...plain, regressors: { x_visits: [1, 2, 3, 4] }, events: [sale] }, plain]);
  });

  it('of a known size change the forecast of their time and no other, with the reason', async () => {
    const fourDays = hours(
      'a',
      Array.from({ length: 96 }, (_, hour) => 20 + (hour % 24)),
    );
    const path = written('events.csv', ['name,start,end,factor', 'Sale,2026-03-05T00:00:00Z,2026-03-05T02:00:00Z,2']);
    const plain = await forecastOf(fourDays);
    const sold = await forecastOf(fourDays, '--events', path);
    const ratios = sold.quantiles['0.5'].map((value, slot) => value / (plain.quantiles['0.5'][slot] ?? 0));
    expect(ratios[0]).toBeGreaterThan(1.3);
    expect(ratios[1]).toBeGreaterThan(1.3);
    expect(ratios[2]).toBeCloseTo(1, 2);
    expect(sold.reasons.some((reason) => reason.startsWith('Sale: '))).toBe(true);
  });

  it('that cannot be are refused by file and line before anything is printed', async () => {
    const path = written('events.csv', ['name,start,end', 'Sale,2026-03-02,2026-03-03', 'Sale,2026-03-09,never']);
    const ran = await forecastFile(hours('a', [1, 2]), '--horizon', '1', '--events', path);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.error).toMatch(/^entangle: .*events\.csv: line 3: end "never": expected ISO 8601/);
  });
});
