import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { emptyHistory, historyEndMillis, mergeSamples } from '../../../core/telemetry/history.ts';
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

  it('gives the same when samples come again, in parts or all at once', () => {
    const samplesArbitrary = fc.array(fc.record({ step: fc.nat({ max: 50 }), demandUnits: fc.nat({ max: 9 }) }));
    fc.assert(
      fc.property(samplesArbitrary, fc.nat({ max: 50 }), (raw, cut) => {
        const samples = raw.map(({ step, demandUnits }) => at(step, demandUnits));
        const once = mergeSamples(empty, samples, 30);
        expect(mergeSamples(once, samples, 30)).toEqual(once);
        const inParts = mergeSamples(mergeSamples(empty, samples.slice(0, cut), 60), samples.slice(cut), 60);
        expect(inParts).toEqual(mergeSamples(empty, samples, 60));
      }),
    );
  });
});
