import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { forecastFile, forecastOf, hours } from './forecast-command.ts';

const fourDays = Array.from({ length: 96 }, (_, hour) => 10 + (hour % 24) + ((hour * 7) % 5));
const count = (text: string, part: string) => text.split(part).length - 1;

describe('the page of charts', () => {
  let folder = '';
  let page = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-page-test-'));
    page = join(folder, 'page.html');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('shows history, median, intervals, threshold, models and reasons of every series, and needs nothing else', async () => {
    const rows = [...hours('web', fourDays), ...hours('<b>"db" & co</b>', fourDays)];
    const ran = await forecastFile(rows, '--horizon', '24', '--threshold', '30', '--plot', page);
    expect(ran).toMatchObject({ code: 0, error: '' });
    const html = readFileSync(page, 'utf8');
    const [line] = [await forecastOf(hours('web', fourDays), '--horizon', '24', '--threshold', '30')];
    for (const reason of line.reasons) expect(html).toContain(reason);
    for (const { name } of line.models) expect(html).toContain(`<td>${name}</td>`);
    for (const part of ['class="median"', 'class="band80"', 'class="band95"', 'class="history"', 'class="threshold"']) {
      expect(count(html.slice(html.indexOf('<section>')), part)).toBe(2);
    }
    expect(html).toContain('<h2>&lt;b&gt;&quot;db&quot; &amp; co&lt;/b&gt;</h2>');
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).not.toMatch(/<script|<link|<img|@import|https?:|NaN|Infinity/);
    expect(html.endsWith('</body></html>\n')).toBe(true);
  });

  it('shows business events, and a threshold that is far away in words', async () => {
    const events = join(folder, 'events.csv');
    writeFileSync(
      events,
      'name,start,end\nSale & more,2026-03-05T06:00:00Z,2026-03-05T12:00:00Z\nOld,2020-01-01,2020-01-02\n',
    );
    const options = ['--horizon', '24', '--threshold', '3000', '--plot', page, '--events', events];
    expect(await forecastFile(hours('web', fourDays), ...options)).toMatchObject({ code: 0, error: '' });
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('<title>Sale &amp; more: 2026-03-05 06:00 to 2026-03-05 12:00</title>');
    expect(html).not.toContain('Old');
    expect(html).toContain('The threshold of 3,000 lies outside the chart.');
  });

  it.each([
    ['one value', [5]],
    ['zeros', [0, 0, 0, 0]],
    ['the largest numbers', [1e300, -1e300, 1e300, -1e300]],
    ['the smallest numbers', [1e-300, 2e-300, 1e-300, 3e-300]],
    ['missing values', [1, '', 2, '', '', 3]],
  ])('has coordinates for %s', async (_what, values) => {
    await forecastFile(hours('a', values), '--horizon', '3', '--threshold', '1', '--plot', page);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('class="median"');
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('shows a value between two missing ones as a dot', async () => {
    await forecastFile(hours('a', [1, '', 3, '', '', 6, 7]), '--horizon', '1', '--plot', page);
    const html = readFileSync(page, 'utf8');
    const [, history] = /class="history" d="([^"]*)"/.exec(html.slice(html.indexOf('<section>'))) ?? [];
    const spot = String.raw`M[\d.]+ [\d.]+h0`;
    expect(history).toMatch(new RegExp(`^${spot}${spot}${spot}L[^ML]+$`));
  });

  it('shows the first 200 series and says so', async () => {
    const rows = Array.from({ length: 201 }, (_, each) => hours(`s${each}`, [1, 2])).flat();
    const ran = await forecastFile(rows, '--horizon', '1', '--plot', page, '--models', 'seasonal-naive');
    expect(ran.out.trim().split('\n')).toHaveLength(202);
    expect(ran.error).toContain('page.html shows the first 200 of 201 series');
    const html = readFileSync(page, 'utf8');
    expect(count(html, '<section>')).toBe(200);
    expect(html).toContain('The first 200 are drawn');
  });

  it('is left as it was when the file of series is wrong, or a file of events', async () => {
    writeFileSync(page, 'as it was');
    const events = join(folder, 'events.csv');
    writeFileSync(events, 'name,start,end\nSale,never,2026-03-05\n');
    const wrongRow = await forecastFile([...hours('a', [1, 2]), 'b,2026-03-01,many'], '--horizon', '1', '--plot', page);
    const wrongEvent = await forecastFile(hours('a', [1, 2]), '--horizon', '1', '--plot', page, '--events', events);
    expect(wrongRow).toMatchObject({ code: 1, out: '' });
    expect(wrongEvent).toMatchObject({ code: 1, out: '' });
    expect(wrongEvent.error).toMatch(/^entangle: .*events\.csv: line 2: /);
    expect(readFileSync(page, 'utf8')).toBe('as it was');
    expect(existsSync(`${page}.part`)).toBe(false);
  });

  it('is not written over the file of series', async () => {
    const path = join(folder, 'series.csv');
    writeFileSync(path, ['series_id,timestamp,value', ...hours('a', [1])].join('\n'));
    const ran = await forecastFile([], '--horizon', '1', '--input', path, '--plot', path);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.error).toContain('expected another file than the input');
  });
});
