import { describe, expect, it } from '@jest/globals';
import { ForecastNotes } from '../../cli/forecast-notes.ts';
import { ProgressBar } from '../../cli/forecast-progress.ts';
import { modelsText, tableRow } from '../../cli/forecast-table.ts';
import { forecastOf, hours } from './forecast-command.ts';

const prophetFailed = { name: 'prophet', weight: 0, backtestMase: null, failed: 'took longer than its limit of 60 s' };

describe('models that failed', () => {
  it('are named in the table', async () => {
    const line = await forecastOf(hours('a', [1, 2]));
    const models = [...line.models, prophetFailed];
    expect(modelsText({ models, combination: 'median' })).toBe('seasonal-naive 100 %; failed: prophet');
    expect(tableRow({ ...line, models })).toMatch(/; failed: prophet\n$/);
  });

  it('are told apart by weights and by median', () => {
    const models = [
      { name: 'arima', weight: 0.6, backtestMase: 0.5 },
      { name: 'theta', weight: 0.4, backtestMase: 0.6 },
      { name: 'lstm', weight: 0, backtestMase: 3 },
    ];
    expect(modelsText({ models, combination: 'weights' })).toBe('arima 60 %, theta 40 %');
    expect(modelsText({ models, combination: 'median' })).toBe('median of arima, theta');
  });

  it('are counted by reason, the first five of each', async () => {
    const notes = new ForecastNotes(true);
    const line = await forecastOf(hours('a', [1, 2]));
    for (let series = 0; series < 8; series += 1) {
      notes.addFailures({ ...line, models: [{ ...prophetFailed, failed: `reason\n ${Math.max(0, series - 1)}` }] });
    }
    notes.addFailures(line);
    expect(notes.lines()).toEqual([
      'entangle: note: prophet did not take part in 2 series: reason; 0\n',
      ...[1, 2, 3, 4].map((n) => `entangle: note: prophet did not take part in 1 series: reason; ${n}\n`),
      'entangle: note: prophet did not take part in 2 series: other reasons\n',
    ]);
  });
});

describe('the progress bar', () => {
  it('says how much is done and about how long the rest takes', () => {
    const shown: string[] = [];
    let seconds = 100;
    const bar = new ProgressBar(
      (text) => void shown.push(text),
      () => seconds,
    );
    bar.start(4);
    seconds = 110;
    bar.show(1);
    seconds = 600;
    bar.show(2);
    bar.show(4);
    bar.clear();
    expect(shown.map((text) => text.replace('\r\u001B[K', ''))).toEqual([
      '░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 4 series',
      '██████░░░░░░░░░░░░░░░░░░ 1 of 4 series, about 30 s left',
      '████████████░░░░░░░░░░░░ 2 of 4 series, about 9 min left',
      '████████████████████████ 4 of 4 series',
      '',
    ]);
  });

  it('says nothing when nobody watches', () => {
    const bar = new ProgressBar(undefined, () => 0);
    expect(() => {
      bar.count(1, 'series checked');
      bar.start(2);
      bar.clear();
    }).not.toThrow();
  });
});
