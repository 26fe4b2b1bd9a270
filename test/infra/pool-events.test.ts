import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { CalendarConfig } from '../../infra/config-schema.ts';
import { calendarEvents, eventWindow } from '../../infra/pool-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'entangle-events-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const configPath = join(folder, 'entangle.json');
writeFileSync(join(folder, 'sales.csv'), 'name,start,end,factor\nsale,2026-11-27,2026-11-27,3\n');
writeFileSync(join(folder, 'wrong.csv'), 'name,start\n');
writeFileSync(
  join(folder, 'crowded.csv'),
  `name,start,end\n${Array.from({ length: 1_001 }, () => 'sale,2026-11-27,2026-11-28\n').join('')}`,
);

const window = eventWindow(Date.UTC(2026, 10, 4));
const calendar = (changes: Partial<CalendarConfig>): CalendarConfig => ({
  files: [],
  holidays: [],
  monthEnds: false,
  timeZone: 'UTC',
  ...changes,
});

describe('calendarEvents', () => {
  it('reads files beside the configuration, holidays and month ends, in one order', () => {
    const events = calendarEvents(
      calendar({ files: ['sales.csv'], holidays: ['US'], monthEnds: true }),
      configPath,
      window,
    );
    const names = events.map(({ name }) => name);
    expect(names).toContain('sale');
    expect(names).toContain('Thanksgiving Day (US)');
    expect(names).toContain('month end');
    expect(events.find(({ name }) => name === 'sale')).toEqual({
      name: 'sale',
      startMillis: Date.UTC(2026, 10, 27),
      endMillis: Date.UTC(2026, 10, 28),
      expectedFactor: 3,
    });
    expect(events.map(({ startMillis }) => startMillis)).toEqual(
      events.map(({ startMillis }) => startMillis).toSorted((a, b) => a - b),
    );
    expect(
      events.every(({ startMillis, endMillis }) => startMillis < window.endMillis && endMillis > window.startMillis),
    ).toBe(true);
  });

  it('takes days as those of the time zone', () => {
    const [sale] = calendarEvents(calendar({ files: ['sales.csv'], timeZone: 'Europe/Berlin' }), configPath, window);
    expect(sale?.startMillis).toBe(Date.UTC(2026, 10, 26, 23));
  });

  it.each([
    ['missing.ics', `calendar: expected a file that can be read at ${join(folder, 'missing.ics')}, got ENOENT`],
    ['wrong.csv', 'calendar: wrong.csv: line 1: '],
    ['crowded.csv', 'calendar: 1001 events from 35 days ago to 400 days ahead: expected at most 1000'],
  ])('says what is wrong with %s', (file, message) => {
    expect(() => calendarEvents(calendar({ files: [file] }), configPath, window)).toThrow(message);
  });
});
