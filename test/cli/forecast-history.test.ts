import { describe, expect, it } from '@jest/globals';
import { readSeries } from '../../cli/forecast-csv.ts';
import { seriesHistory } from '../../cli/forecast-history.ts';
import { forecastText, linesOfOutput } from './forecast-command.ts';

const HEADER = 'series_id,timestamp,value,x_visits,x_price';

/** The history of the only series of a file with two other series. */
async function historyOf(rows: readonly string[]) {
  async function* lines(): AsyncGenerator<string> {
    yield HEADER;
    yield* rows;
  }
  for await (const series of readSeries(lines())) return seriesHistory(series);
  throw new Error('no series');
}

const at = (hour: number, cells: string) => `a,2026-03-01T${String(hour).padStart(2, '0')}:00:00Z,${cells}`;

describe('rows at the end without a value', () => {
  it('lie ahead when their value is empty and another series has a number there', async () => {
    const history = await historyOf([at(0, '5,10,1'), at(1, '6,11,'), at(2, ',12,2'), at(3, ',13,')]);
    expect(history).toMatchObject({ values: [5, 6], stepsKnownAhead: 2, missingRows: 0 });
    expect(history.regressors).toEqual({ x_visits: [10, 11, 12, 13], x_price: [1, null, 2, null] });
  });

  it.each([
    ['says NaN', 'NaN,12,2'],
    ['says null', 'null,12,2'],
    ['is empty like the other series', ',,'],
    ['is empty like the other series, of which one says NaN', ',NaN,'],
  ])('are history when the value %s', async (_what, cells) => {
    const history = await historyOf([at(0, '5,10,1'), at(1, '6,11,1'), at(2, cells)]);
    expect(history).toMatchObject({ values: [5, 6, null], stepsKnownAhead: 0, missingRows: 1 });
  });

  it('are history as far as the last row of another kind, whatever the order of the rows', async () => {
    const rows = [at(3, ',13,'), at(0, '5,10,1'), at(2, 'NaN,12,'), at(1, ',11,')];
    const history = await historyOf(rows);
    expect(history).toMatchObject({ values: [5, null, null], stepsKnownAhead: 1, missingRows: 2, unsortedRows: 3 });
    expect(history.regressors['x_visits']).toEqual([10, 11, 12, 13]);
  });

  it('are all there is in a series without a value: it has no history to forecast from', async () => {
    expect(await historyOf([at(0, ',10,1'), at(1, ',11,1')])).toMatchObject({
      values: [null, null],
      stepsKnownAhead: 0,
    });
  });

  it('are not kept beyond the longest horizon', async () => {
    const history = await historyOf([at(0, '5,10,1'), at(1, '6,11,1'), 'a,2031-01-01,,12,1']);
    expect(history.stepsKnownAhead).toBe(10_000);
    expect(history.regressors['x_visits']).toHaveLength(10_002);
  });

  it('leave the begin of the forecast where the history ends, and that is said', async () => {
    const rows = [at(0, '5,10,1'), at(1, '6,11,'), at(2, ',12,2'), at(3, ',13,')];
    const ran = await forecastText(
      [HEADER, ...rows].join('\n'),
      '--horizon',
      '2',
      '--json',
      '--models',
      'leading-indicator',
    );
    expect(linesOfOutput(ran)[0]?.timestamps[0]).toBe('2026-03-01T02:00:00.000Z');
    expect(ran.error).toBe('entangle: note: 1 series go on after their last value with columns x_NAME alone\n');
  });
});

describe('a column x_NAME', () => {
  it('with a word for a number is refused by its name', async () => {
    const ran = await forecastText([HEADER, at(0, '5,many,1')].join('\n'), '--horizon', '2');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.error).toContain('line 2: x_visits "many": expected a number, or nothing for a missing one');
  });

  it('stays at its own step when the history is cut to its last steps', async () => {
    const rows = Array.from({ length: 20_010 }, (_, hour) => {
      const moment = new Date(Date.UTC(2020, 0, 1) + hour * 3_600_000).toISOString();
      return `a,${moment},${hour},${hour},`;
    });
    const history = await historyOf(rows);
    expect(history.values[0]).toBe(10);
    expect(history.regressors['x_visits']).toEqual(history.values);
  });
});
