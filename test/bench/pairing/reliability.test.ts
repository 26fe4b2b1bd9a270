import { describe, expect, it } from '@jest/globals';
import type { JudgedConfidence } from '../../../bench/pairing/calibration.ts';
import { reliabilitySvg } from '../../../bench/pairing/reliability-picture.ts';
import { reliabilityRows, shareInterval } from '../../../bench/pairing/reliability-rows.ts';

/** Verdicts of which a share came true, stated with one confidence and corrected to another. */
function verdicts(count: number, shareTrue: number, stated: number, corrected: number): JudgedConfidence[] {
  return Array.from({ length: count }, (_, index) => ({ stated, corrected, cameTrue: index < shareTrue * count }));
}

describe('shareInterval', () => {
  it("is Wilson's", () => {
    // Of the standard example, 8 of 10: 0.490 to 0.943.
    const { low, high } = shareInterval(8, 10);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
    expect(shareInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});

describe('reliabilityRows', () => {
  it('sets what was corrected beside what was stated', () => {
    const [error, near] = reliabilityRows('pairs', [...verdicts(100, 0.8, 0.95, 0.8), ...verdicts(50, 0.5, 0.8, 0.5)]);
    expect(error).toMatchObject({
      measure: 'pairs: calibration error',
      goal: 'at most 0.05',
      met: true,
      n: 150,
    });
    expect(error?.value).toBeCloseTo(0, 9);
    expect(error?.peerValue).toBeCloseTo((100 * 0.15 + 50 * 0.3) / 150, 9);
    expect(near).toMatchObject({
      value: 0.8,
      peerValue: 0.5,
      peer: 'as the forecasts say (n = 50)',
      met: true,
      n: 100,
    });
  });

  it('says so when the share is not what the confidence is, and nothing of confidences that nobody had', () => {
    expect(reliabilityRows('pairs', verdicts(100, 0.5, 0.8, 0.8)).map(({ met }) => met)).toEqual([false, false]);
    expect(reliabilityRows('pairs', verdicts(100, 0.5, 0.5, 0.5))).toHaveLength(1);
  });
});

describe('reliabilitySvg', () => {
  it('draws the bins that have enough verdicts, the same each time', () => {
    const judged = [...verdicts(40, 0.75, 0.95, 0.75), ...verdicts(4, 1, 0.35, 0.35)];
    const panels = [{ title: 'Pairings', judged }];
    const svg = reliabilitySvg(panels);
    expect(reliabilitySvg(panels)).toBe(svg);
    expect(svg.match(/40 verdicts, 75 % delivered/g)).toHaveLength(2);
    expect(svg).not.toContain('4 verdicts,</title>');
    expect(svg.match(/<title>/g)).toHaveLength(2);
    expect(svg).toContain('Pairings (n = 44)');
  });
});
