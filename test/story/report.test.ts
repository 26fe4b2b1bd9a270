import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { loanRows, peakRows } from '../../story/facts.ts';
import { chartSvg, escapeHtml, niceStep, pathOf } from '../../story/plot.ts';
import { accountChart, reportHtml } from '../../story/report.ts';
import { loanOf, planOf, resultOf, resultWith } from './fixtures.ts';

describe('reportHtml', () => {
  it('needs nothing from elsewhere and runs no script', () => {
    const html = reportHtml(resultOf());
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:/i);
    expect(html).toContain('<!doctype html>');
  });

  it('has a chart for each account, with the loan as a band of both its parties', () => {
    const html = reportHtml(resultOf());
    expect(html.match(/<figure>/g)).toHaveLength(3);
    expect(html).toContain('borrows 4 from reports');
    expect(html).toContain('lends 4 to shop');
    expect(html).toContain('prefers-color-scheme: dark');
  });

  it('says honestly that nominal loans save nothing, and how times are mapped', () => {
    const html = reportHtml(resultOf());
    expect(html).toContain('In money they save nothing');
    expect(html).toContain('1 second here is 5 minutes of the trace');
  });

  it('shows what is wrong', () => {
    expect(reportHtml(resultWith(0, { ceilingAfter: 24 }))).toContain(
      '✗</b> ceilings differ from before: shop 20 → 24',
    );
  });

  it('cannot be broken by names and reasons', () => {
    const html = reportHtml(resultOf({ loans: [loanOf({ reasons: ['<script>alert("x")</script>'] })] }));
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;');
  });

  it('shows expected peaks, and what the forecasts rest on', () => {
    const html = reportHtml(resultWith(0, { plan: planOf() }));
    expect(peakRows(resultWith(0, { plan: planOf() }))).toEqual([
      expect.objectContaining({ account: 'shop', median: '21', high: '24', probability: '83 %', resource: 'memory' }),
    ]);
    expect(html).toContain(
      'shop, memory: lstm 75 %, arima 25 %, prophet failed; demand repeats itself after 288 steps; of 144 slots measured since, 79 % lay in the 80 % interval and 94 % in the 95 % interval',
    );
    expect(reportHtml(resultOf())).toContain('Nothing was forecast.');
  });

  it('tells which loans a forecast asked for', () => {
    const { alarmName: _, ...rest } = loanOf();
    const forecastNeed = {
      resource: 'memory' as const,
      thresholdUnits: 16,
      probability: 0.83,
      beforeMillis: rest.requestedAt,
      neededUnits: 24,
      needLevel: '0.9' as const,
      peakEndMillis: rest.requestedAt,
    };
    expect(loanRows(resultOf({ loans: [{ ...rest, forecastNeed }] }))[0]?.why).toBe('memory forecast');
    expect(loanRows(resultOf())[0]?.why).toBe('memory alarm');
  });

  it('tells a story without a loan', () => {
    const html = reportHtml(resultOf({ builtIn: false, loans: [], alarms: [] }));
    expect(html).toContain('No capacity was lent in these hours.');
    expect(html).toContain('no alarm fired');
  });

  it('can be drawn when nothing was replayed', () => {
    expect(() => reportHtml(resultOf({ frames: [], loans: [], alarms: [] }))).not.toThrow();
  });
});

describe('accountChart', () => {
  it('puts the band of a loan from the taking to the end, in samples', () => {
    expect(accountChart(resultOf(), 1).bands).toEqual([
      { fromX: 1_091, toX: 1_128, className: 'lent', label: 'lends 4 to shop' },
    ]);
    expect(accountChart(resultOf(), 2).bands).toEqual([]);
  });

  it('marks alarms on the chart of their account only', () => {
    expect([0, 1, 2].map((index) => accountChart(resultOf(), index).marks.length)).toEqual([1, 0, 0]);
  });
});

describe('chartSvg', () => {
  it('keeps every point inside its drawing', () => {
    const value = fc.double({ min: 0, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), fc.boolean(), (values, steps) => {
        const svg = chartSvg({
          description: 'd',
          id: 'c',
          bands: [],
          marks: [],
          xTicks: [],
          yTitle: 'y',
          lines: [{ label: 'l', className: 'needed', steps, points: values.map((y, x) => ({ x, y })) }],
        });
        const path = /class="line needed" d="([^"]*)"/.exec(svg)?.[1] ?? '';
        const numbers = (path.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
        expect(numbers.length).toBeGreaterThan(1);
        for (const number of numbers) {
          expect(number).toBeGreaterThanOrEqual(0);
          expect(number).toBeLessThanOrEqual(960);
        }
      }),
    );
  });
});

describe('pathOf', () => {
  const points = [
    { x: 0, y: 1 },
    { x: 2, y: 3 },
  ];
  const same = (value: number) => value;

  it('holds values between the points of steps and joins those of lines', () => {
    const line = { label: '', className: '', points };
    expect(pathOf({ ...line, steps: true }, same, same)).toBe('M0.0 1.0H2.0V3.0');
    expect(pathOf({ ...line, steps: false }, same, same)).toBe('M0.0 1.0L2.0 3.0');
  });
});

describe('niceStep', () => {
  it.each([
    [0, 1],
    [3, 1],
    [16, 5],
    [70, 20],
    [400, 100],
  ])('of a range of %d in about four parts is %d', (range, step) => {
    expect(niceStep(range, 4)).toBe(step);
  });
});

describe('escapeHtml', () => {
  it('escapes all five characters', () => {
    expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
  });
});
