import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import type { ForecastRequest } from '../../../core/forecast/forecaster.ts';
import { createForecaster } from '../../../core/forecast/forecaster.ts';
import type { ForecastMember } from '../../../core/forecast/member.ts';
import { pointMember } from '../../../core/forecast/point-member.ts';
import { seededRandom } from '../../../core/forecast/random.ts';
import { theta } from '../../../core/forecast/theta.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

function historyOf(values: readonly (number | null)[]) {
  return { poolId: specOf(BORROWER).poolId, resource: 'cpu' as const, stepSeconds: 3_600, startMillis: 0, values };
}

const request: ForecastRequest = { horizonSteps: 12, seasonSteps: [6, 24], thresholdUnits: 30 };
const forecaster = createForecaster([pointMember(theta)]);

const anyHistory = fc
  .array(
    fc.oneof(
      { weight: 9, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    { minLength: 1, maxLength: 120 },
  )
  .filter((values) => values.some((value) => value !== null));

/** A daily shape with noise: what scaling and shifting can be told from rounding on. */
function dailyHistory(seed: number, days: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: 24 * days }, (_, step) => 100 + 20 * Math.sin((Math.PI * step) / 12) + 10 * random());
}

describe('a forecast', () => {
  it('has quantiles that do not cross and are not negative, and probabilities that agree with each other', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHistory,
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0.1, max: 60, noNaN: true }),
        async (values, horizonSteps, thresholdUnits) => {
          const made = await forecaster.forecast(historyOf(values), { ...request, horizonSteps, thresholdUnits });
          for (let slot = 0; slot < horizonSteps; slot += 1) {
            const column = QUANTILE_LEVELS.map((level) => made.quantiles[level][slot] ?? Number.NaN);
            expect(column.every((value) => value >= 0)).toBe(true);
            expect(column.toSorted((a, b) => a - b)).toEqual(column);
          }
          const { probability, bySlot } = made.bottleneck;
          expect(bySlot).toHaveLength(horizonSteps);
          expect(probability).toBeGreaterThanOrEqual(Math.max(...bySlot) - 1e-12);
          expect(probability).toBeLessThanOrEqual(1);
          expect(made.confidence.level).toBeGreaterThanOrEqual(0);
          expect(made.confidence.level).toBeLessThanOrEqual(1);
          expect(made.models.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
          expect(JSON.stringify(made)).not.toMatch(/NaN|null,"failed/);
        },
      ),
    );
  });

  it('scales and shifts with the history', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.double({ min: 0.01, max: 1_000, noNaN: true }),
        fc.double({ min: 0, max: 10_000, noNaN: true }),
        async (seed, scale, shift) => {
          // A season as a factor is a choice that shifting the values changes: theta stands aside here.
          const plain = createForecaster([]);
          const values = dailyHistory(seed, 6);
          const one = await plain.forecast(historyOf(values), request);
          const moved = values.map((value) => scale * value + shift);
          const other = await plain.forecast(historyOf(moved), {
            ...request,
            thresholdUnits: scale * request.thresholdUnits + shift,
          });
          for (const level of QUANTILE_LEVELS) {
            for (const [slot, value] of one.quantiles[level].entries()) {
              const expected = scale * value + shift;
              expect(Math.abs((other.quantiles[level][slot] ?? 0) - expected)).toBeLessThan(1e-6 * Math.abs(expected));
            }
          }
          expect(other.bottleneck.probability).toBeCloseTo(one.bottleneck.probability, 6);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is the same when it is made again', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, async (values) => {
        const [one, other] = await Promise.all([
          forecaster.forecast(historyOf(values), request),
          forecaster.forecast(historyOf(values), request),
        ]);
        expect(JSON.stringify(one)).toBe(JSON.stringify(other));
      }),
      { numRuns: 30 },
    );
  });

  it('is the same after any number of unknown steps, and begins where the history ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 50 }), async (seed, unknown) => {
        const values = dailyHistory(seed, 4);
        const later = [...Array.from({ length: unknown }, () => null), ...values];
        const [one, other] = await Promise.all([
          forecaster.forecast(historyOf(values), request),
          forecaster.forecast(historyOf(later), request),
        ]);
        expect(other.startMillis - one.startMillis).toBe(unknown * 3_600_000);
        expect({ ...other, startMillis: 0 }).toEqual({ ...one, startMillis: 0, bottleneckAt: other.bottleneckAt });
      }),
      { numRuns: 30 },
    );
  });

  it('is no narrower at any slot where earlier ones held less of what came', async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(anyHistory, share, share, fc.integer({ min: 0, max: 5_000 }), async (values, a, b, slots) => {
        const withCoverage = (level80: number) =>
          forecaster.forecast(historyOf(values), {
            ...request,
            coverage: { level80, level95: 0.95, slots, untilMillis: 0 },
          });
        const [wide, narrow] = await Promise.all([withCoverage(Math.min(a, b)), withCoverage(Math.max(a, b))]);
        for (let slot = 0; slot < request.horizonSteps; slot += 1) {
          const widthAt = ({ quantiles }: typeof wide) =>
            (quantiles['0.9'][slot] ?? Number.NaN) - (quantiles['0.1'][slot] ?? Number.NaN);
          expect(widthAt(wide)).toBeGreaterThanOrEqual(widthAt(narrow) - 1e-9);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is made whatever is known of events and of other series', async () => {
    const HOUR = 3_600_000;
    const event = fc
      .record({
        name: fc.constantFrom('sale', 'holiday'),
        startHour: fc.integer({ min: -200, max: 300 }),
        hours: fc.integer({ min: 1, max: 72 }),
        factor: fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { nil: undefined }),
      })
      .map(({ name, startHour, hours, factor }) => ({
        name,
        startMillis: startHour * HOUR,
        endMillis: (startHour + hours) * HOUR,
        ...(factor === undefined ? {} : { expectedFactor: factor }),
      }));
    const other = fc.array(fc.option(fc.double({ noNaN: true })), { maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(
        anyHistory,
        fc.array(event, { maxLength: 5 }),
        fc.dictionary(fc.constantFrom('requests', 'queue'), other),
        async (values, events, regressors) => {
          const made = await forecaster.forecast(historyOf(values), { ...request, events, regressors });
          for (const level of QUANTILE_LEVELS) {
            expect(made.quantiles[level]).toHaveLength(request.horizonSteps);
            expect(made.quantiles[level].every((value) => value >= 0 && Number.isFinite(value))).toBe(true);
          }
          expect(made.bottleneck.probability).toBeGreaterThanOrEqual(Math.max(...made.bottleneck.bySlot) - 1e-12);
          expect(made.mean.every((value) => value >= 0 && Number.isFinite(value))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is made whatever the other models do', async () => {
    const outcomes: fc.Arbitrary<ForecastMember['forecastFrom']> = fc.constantFrom<ForecastMember['forecastFrom']>(
      () => Promise.reject(new Error('trapped')),
      () => {
        throw new Error('broke at once');
      },
      (_, origins) => Promise.resolve(origins.map(() => undefined)),
      (_, origins, steps) =>
        Promise.resolve(origins.map(() => ({ points: Array.from({ length: steps }, () => Number.NaN) }))),
      (_, origins, steps) =>
        Promise.resolve(origins.map(() => ({ points: Array.from({ length: steps + 1 }, () => 1) }))),
      (_, origins, steps) =>
        Promise.resolve(origins.map(() => ({ points: Array.from({ length: steps }, () => 1e35) }))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(outcomes, { minLength: 1, maxLength: 4 }), fc.integer(), async (misbehaving, seed) => {
        const members = misbehaving.map((forecastFrom, index) => ({ name: `model-${index}`, forecastFrom }));
        const values = dailyHistory(seed, 5);
        const made = await createForecaster(members).forecast(historyOf(values), request);
        const highest = Math.max(...values);
        expect(made.models.some(({ name, weight }) => name === 'seasonal-naive' && weight > 0)).toBe(true);
        expect(Math.max(...made.quantiles['0.975'])).toBeLessThan(10 * highest);
      }),
      { numRuns: 50 },
    );
  });
});
