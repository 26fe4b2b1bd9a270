/** Levels of the scaled pinball loss, lowest first. */
export const SPL_LEVELS = ['0.025', '0.1', '0.5', '0.9', '0.975'] as const;
export type SplLevel = (typeof SPL_LEVELS)[number];
export type SplQuantiles = Readonly<Record<SplLevel, readonly number[]>>;

export function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a mean of no values');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean absolute error. */
export function absoluteError(actual: readonly number[], points: readonly number[]): number {
  return meanOf(actual.map((value, step) => Math.abs(value - (points[step] ?? Number.NaN))));
}

/**
 * Symmetric mean absolute percentage error, in percent; a step at which both are 0 counts as 0.
 * Source: Makridakis et al. 2020, The M4 Competition, International Journal of Forecasting 36.
 */
export function symmetricError(actual: readonly number[], points: readonly number[]): number {
  return meanOf(
    actual.map((value, step) => {
      const point = points[step] ?? Number.NaN;
      return (200 * Math.abs(value - point)) / (Math.abs(value) + Math.abs(point) || 1);
    }),
  );
}

/** What errors are divided by: the mean absolute change over a season within the history. */
export function seasonalScale(history: readonly number[], season: number): number {
  return meanOf(history.slice(season).map((value, step) => Math.abs(value - (history[step] ?? Number.NaN))));
}

/** The last season of the history, repeated. */
export function seasonalNaivePoints(history: readonly number[], season: number, horizonSteps: number): number[] {
  return Array.from(
    { length: horizonSteps },
    (_, step) => history[history.length - season + (step % season)] ?? Number.NaN,
  );
}

/** Errors of forecasts of many series, each of them averaged over the series. */
export interface PointErrors {
  readonly smape: number;
  readonly mase: number;
}

/** Overall weighted average of the M4 competition: each error is averaged over the series first, then divided by Naive2's. */
export function overallWeightedAverage(ours: PointErrors, naive2: PointErrors): number {
  return (ours.smape / naive2.smape + ours.mase / naive2.mase) / 2;
}

/** Twice the pinball loss, averaged over `SPL_LEVELS` and the steps; not scaled. At the median alone: the absolute error. */
export function pinballLoss(actual: readonly number[], quantiles: SplQuantiles): number {
  return meanOf(
    SPL_LEVELS.flatMap((level) =>
      actual.map((value, step) => {
        const above = value - (quantiles[level][step] ?? Number.NaN);
        return 2 * Math.max(Number(level) * above, (Number(level) - 1) * above);
      }),
    ),
  );
}

/** Share of the actual values that lie within the interval, its ends included. */
export function coverage(actual: readonly number[], low: readonly number[], high: readonly number[]): number {
  const inside = actual.map((value, step) =>
    value >= (low[step] ?? Number.NaN) && value <= (high[step] ?? Number.NaN) ? 1 : 0,
  );
  return meanOf(inside);
}

/** The value at a share (0–1) of the values, interpolated between neighbours. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** A probability that was told, and what came. */
export interface ToldEvent {
  readonly probability: number;
  readonly happened: boolean;
}

function brier(told: readonly ToldEvent[], probabilityOf: (event: ToldEvent) => number): number {
  return meanOf(told.map((event) => (probabilityOf(event) - (event.happened ? 1 : 0)) ** 2));
}

/**
 * Brier skill score against always telling the share of events among these very ones: 1 is perfect, 0 is no better.
 * Source: Brier 1950, Verification of forecasts expressed in terms of probability, Monthly Weather Review 78.
 * @returns undefined when all of them happened, or none
 */
export function brierSkill(told: readonly ToldEvent[]): number | undefined {
  const baseRate = meanOf(told.map(({ happened }) => (happened ? 1 : 0)));
  if (baseRate === 0 || baseRate === 1) return undefined;
  return 1 - brier(told, ({ probability }) => probability) / brier(told, () => baseRate);
}

const CALIBRATION_BINS = 10;

/** Expected calibration error: the distance of told probability and frequency, in ten bins of equal width, by their size. */
export function calibrationError(told: readonly ToldEvent[]): number {
  const bins = Array.from({ length: CALIBRATION_BINS }, (): ToldEvent[] => []);
  for (const event of told) {
    const bin = Math.min(CALIBRATION_BINS - 1, Math.floor(event.probability * CALIBRATION_BINS));
    bins[bin]?.push(event);
  }
  const errors = bins
    .filter((bin) => bin.length > 0)
    .map((bin) => {
      const excess = bin.reduce((sum, { probability, happened }) => sum + probability - (happened ? 1 : 0), 0);
      return Math.abs(excess) / told.length;
    });
  return errors.reduce((sum, error) => sum + error, 0);
}
