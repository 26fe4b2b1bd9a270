import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seededRandom } from '../../../core/forecast/random.ts';
import { ShortTermForecast } from '../../../core/forecast/short-term.ts';

const STEP_SECONDS = 300;

/** A daily rhythm with noise. */
function rhythm(seed: number, steps: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: steps }, (_, step) =>
    Math.max(0, 10 + 4 * Math.sin((2 * Math.PI * step) / 288) + 2 * (random() - 0.5)),
  );
}

function observed(values: Float64Array, until: number, leads = [2, 12]): ShortTermForecast {
  const forecast = new ShortTermForecast(values, STEP_SECONDS, 12, leads);
  for (let step = 1; step <= until; step += 1) forecast.observe(step);
  return forecast;
}

describe('short-term forecast', () => {
  it('says nothing before it has seen anything', () => {
    const forecast = observed(rhythm(1, 100), 3);
    expect(forecast.unitsAt(3, 0, 0.1)).toBe(Number.POSITIVE_INFINITY);
    expect(forecast.probabilityAbove(3, 0, 0)).toBe(0);
  });

  it('is passed about as often as it says', () => {
    const values = rhythm(7, 288 * 20);
    const forecast = new ShortTermForecast(values, STEP_SECONDS, 12, [12]);
    let [passed, count] = [0, 0];
    for (let step = 1; step + 12 < values.length; step += 1) {
      forecast.observe(step);
      if (step < 288 * 5) continue;
      count += 1;
      if (Math.max(...values.subarray(step, step + 12)) > forecast.unitsAt(step, 0, 0.1)) passed += 1;
    }
    // Bins are rounded up, so it is passed a little less often.
    expect(passed / count).toBeGreaterThan(0.02);
    expect(passed / count).toBeLessThan(0.12);
  });

  it('needs more for less risk, and more for a longer lead', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 300, max: 1_000 }), (seed, step) => {
        const forecast = observed(rhythm(seed, 1_100), step);
        expect(forecast.unitsAt(step, 0, 0.01)).toBeGreaterThanOrEqual(forecast.unitsAt(step, 0, 0.2));
        expect(forecast.unitsAt(step, 1, 0.05)).toBeGreaterThanOrEqual(forecast.unitsAt(step, 0, 0.05) - 1e-9);
        expect(forecast.probabilityAbove(step, 0, 8)).toBeGreaterThanOrEqual(forecast.probabilityAbove(step, 0, 14));
      }),
      { numRuns: 12 },
    );
  });

  it('does not look at what comes', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 10, max: 900 }), (seed, step) => {
        const values = rhythm(seed, 1_000);
        const changed = values.slice().fill(99, step);
        for (const risk of [0.02, 0.5]) {
          expect(observed(changed, step).unitsAt(step, 1, risk)).toBe(observed(values, step).unitsAt(step, 1, risk));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('scales with demand', () => {
    const values = rhythm(5, 700);
    const small = observed(values, 600);
    const large = new ShortTermForecast(
      values.map((units) => units * 8),
      STEP_SECONDS,
      96,
      [2, 12],
    );
    for (let step = 1; step <= 600; step += 1) large.observe(step);
    expect(large.unitsAt(600, 1, 0.05)).toBeCloseTo(8 * small.unitsAt(600, 1, 0.05), 6);
  });
});
