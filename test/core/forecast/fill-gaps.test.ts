import { describe, expect, it } from '@jest/globals';
import { withoutGaps } from '../../../core/forecast/fill-gaps.ts';

describe('withoutGaps', () => {
  it.each<readonly [string, readonly (number | null)[], number, number[], number]>([
    ['leaves a whole series as it is', [1, 2, 3], 1, [1, 2, 3], 0],
    ['leaves out what is unknown at the start', [null, null, 4, 5], 1, [4, 5], 2],
    ['draws a line over one step', [1, null, 3], 1, [1, 2, 3], 0],
    ['draws a line over three steps', [0, null, null, null, 8], 2, [0, 2, 4, 6, 8], 0],
    ['repeats the season over four steps', [1, 2, null, null, null, null, 9], 2, [1, 2, 1, 2, 1, 2, 9], 0],
    ['repeats the season at the end, however short', [1, 2, null], 2, [1, 2, 1], 0],
    ['repeats the season after a gap at the start', [null, 5, 6, 7, null, null], 3, [5, 6, 7, 5, 6], 1],
    ['repeats the last value where no season came before', [7, null, null, null, null, 1], 24, [7, 7, 7, 7, 7, 1], 0],
    ['repeats the last value without a season', [1, 2, null, null], 1, [1, 2, 2, 2], 0],
    ['fills each of several gaps', [1, null, 3, null, 5, null], 1, [1, 2, 3, 4, 5, 5], 0],
    ['keeps zeros', [0, null, 0], 1, [0, 0, 0], 0],
    ['gives nothing where nothing is known', [null, null], 1, [], 2],
    ['gives nothing for nothing', [], 1, [], 0],
  ])('%s', (_, values, spanSteps, filled, skipped) => {
    expect(withoutGaps(values, spanSteps)).toEqual({ values: filled, skipped });
  });
});
