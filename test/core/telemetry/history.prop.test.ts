import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { emptyHistory, mergeSamples } from '../../../core/telemetry/history.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

const empty = emptyHistory(specOf(BORROWER).poolId, 'cpu', 60);
const at = (step: number, demandUnits: number) => ({ atMillis: step * 60_000 + 1_000, demandUnits });

describe('mergeSamples', () => {
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
