import { describe, expect, it } from '@jest/globals';
import {
  emptyHistory,
  historyEndMillis,
  mergeSamples,
  mergeValues,
  valuesAtStepsOf,
} from '../../../core/telemetry/history.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

const empty = emptyHistory(specOf(BORROWER).poolId, 'cpu', 60);
const at = (step: number, demandUnits: number) => ({ atMillis: step * 60_000 + 1_000, demandUnits });

describe('mergeSamples', () => {
  it('begins at the first step and leaves unknown steps open', () => {
    const history = mergeSamples(empty, [at(12, 3), at(10, 1)], 100);
    expect(history).toMatchObject({ startMillis: 600_000, values: [1, null, 3] });
    expect(historyEndMillis(history)).toBe(780_000);
  });

  it('replaces what was known, fills what was not, and leaves samples out that are none', () => {
    const history = mergeSamples(empty, [at(10, 1), at(12, 3)], 100);
    const samples = [at(11, 2), at(12, 4), at(13, Number.NaN), at(14, -1), at(Number.NaN, 1)];
    expect(mergeSamples(history, samples, 100).values).toEqual([1, 2, 4]);
  });

  it('keeps the last steps only, also after a pause longer than it keeps', () => {
    const history = mergeSamples(empty, [at(1, 1), at(2, 2), at(3, 3), at(4, 4)], 3);
    expect(history).toMatchObject({ startMillis: 120_000, values: [2, 3, 4] });
    expect(mergeSamples(history, [at(1_000_000, 9)], 3).values).toEqual([null, null, 9]);
    expect(mergeSamples(history, [at(1, 7)], 3)).toEqual(history);
  });

  it('changes nothing without samples', () => {
    expect(mergeSamples(empty, [], 3)).toEqual(empty);
  });
});

describe('a series of another metric', () => {
  const requests = { stepSeconds: 300, startMillis: 0, values: [] };

  it('keeps values below 0, which a demand history leaves out', () => {
    const merged = mergeValues(requests, [{ atMillis: 300_000, value: -3 }], 10);
    expect(merged).toEqual({ stepSeconds: 300, startMillis: 300_000, values: [-3] });
  });

  it('is read at the steps of a demand history', () => {
    const history = { stepSeconds: 300, startMillis: 600_000, values: [1, null, 1] };
    const series = { stepSeconds: 300, startMillis: 300_000, values: [10, 11, 12] };
    expect(valuesAtStepsOf(history, series)).toEqual([11, 12, null]);
    expect(valuesAtStepsOf(history, requests)).toEqual([null, null, null]);
    expect(valuesAtStepsOf(history, { ...series, stepSeconds: 60 })).toEqual([null, null, null]);
  });
});
