import { describe, expect, it } from '@jest/globals';
import type { Confidence, ForecastModel } from '../../../core/forecast/forecast.ts';
import { reasonsOf } from '../../../core/forecast/reasons.ts';

const model = (name: string, weight: number, failed?: string): ForecastModel => ({
  name,
  weight,
  backtestMase: 0.5,
  ...(failed === undefined ? {} : { failed }),
});
const confidence: Confidence = { level: 1, backtestCoverage: { '0.8': 0.764, '0.95': 0.9 }, drifted: false };

describe('reasonsOf', () => {
  it('names the models of a median', () => {
    const [first] = reasonsOf([model('a', 1 / 3), model('b', 1 / 3), model('c', 1 / 3)], 'median', confidence);
    expect(first).toMatch(/^median of a, b and c\b/);
  });

  it('names models and their weights, without those that have none', () => {
    const [first] = reasonsOf([model('a', 0.704), model('b', 0.296), model('c', 0)], 'weights', confidence);
    expect(first).toMatch(/^a 70 % and b 30 %, weighted/);
  });

  it.each(['median', 'weights'] as const)('says that a single model spoke (%s)', (method) => {
    expect(reasonsOf([model('a', 1), model('b', 0)], method, confidence)[0]).toBe('a alone');
  });

  it('says that no model took part', () => {
    expect(reasonsOf([], 'median', confidence)[0]).toBe('no model took part');
  });

  it('says what the intervals held in the backtest', () => {
    const [, second] = reasonsOf([model('a', 1)], 'median', confidence);
    expect(second).toMatch(/80 % interval held 76 % .* 95 % interval 90 %/);
  });

  it('says that there was no backtest', () => {
    const reasons = reasonsOf([model('a', 1)], 'median', { ...confidence, backtestCoverage: null });
    expect(reasons).toEqual(['a alone', expect.stringContaining('too little history')]);
  });

  it('says that demand has changed, only when it has', () => {
    const drifted = (changed: boolean) =>
      reasonsOf([model('a', 1)], 'median', { ...confidence, drifted: changed }).join('; ');
    expect(drifted(true)).toContain('demand has changed');
    expect(drifted(false)).not.toContain('demand has changed');
  });

  it('says which models could not take part and why, last', () => {
    const models = [model('a', 1), model('b', 0, 'trapped'), model('c', 0, 'too slow')];
    expect(reasonsOf(models, 'median', confidence).slice(-2)).toEqual([
      'b did not take part: trapped',
      'c did not take part: too slow',
    ]);
  });
});
