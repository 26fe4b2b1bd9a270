import type { BenchRow } from '../report.ts';
import { limitRow, plainRow, ratioRow } from '../report.ts';
import type { ToldEvent } from './measures.ts';
import { brierSkill, calibrationError } from './measures.ts';
import type { SetOutcome, TimedForecast } from './outcome.ts';
import { frequencyEvents, naiveError, scoresOf, THRESHOLD_SHARES, toldEvents, worstOf } from './outcome.ts';

const OWA_MAX = 0.44;
const REL_MAX: Readonly<Record<string, number>> = { NAB: 0.85, Azure: 0.54, aggregates: 0.7 };
const COVERAGE_80 = { least: 0.77, most: 0.83 };
const COVERAGE_95 = { least: 0.93, most: 0.97 };
const BRIER_SKILL_MIN = 0.25;
const CALIBRATION_ERROR_MAX = 0.04;
const RATIO = 'x';

/** A value that must not stay below a minimum. */
export function atLeastRow(measure: string, value: number, unit: string, least: number, n: number): BenchRow {
  return { ...plainRow(measure, value, unit, n), goal: `at least ${least}`, met: value >= least };
}

function rangeRow(
  measure: string,
  value: number,
  unit: string,
  { least, most }: { readonly least: number; readonly most: number },
  n: number,
): BenchRow {
  return {
    ...plainRow(measure, value, unit, n),
    goal: `${least} to ${most}`,
    met: value >= least && value <= most,
  };
}

/** The measures of one set. The errors of development sets have goals, coverage has one in every set. */
function setRows({ set, forecasts }: SetOutcome): BenchRow[] {
  const { n, owa, rel, mase, smape, spl, coverage80, coverage95, cpuMillis } = scoresOf(forecasts);
  const named = (measure: string) => `${set.name}: ${measure}`;
  const relMax = set.role === 'development' ? REL_MAX[set.name] : undefined;
  return [
    ...(owa === undefined ? [] : [limitRow(named('OWA'), owa, RATIO, OWA_MAX, n)]),
    relMax === undefined ? plainRow(named('rel'), rel, RATIO, n) : limitRow(named('rel'), rel, RATIO, relMax, n),
    plainRow(named('MASE'), mase, RATIO, n),
    plainRow(named('sMAPE'), smape, '%', n),
    ...(spl === undefined ? [] : [plainRow(named('SPL'), spl, RATIO, n)]),
    ...(coverage80 === undefined ? [] : [rangeRow(named('coverage of 80 %'), coverage80, 'share', COVERAGE_80, n)]),
    ...(coverage95 === undefined ? [] : [rangeRow(named('coverage of 95 %'), coverage95, 'share', COVERAGE_95, n)]),
    plainRow(named('CPU time a series'), cpuMillis, 'ms', n),
  ];
}

interface Told {
  readonly ours: readonly ToldEvent[];
  readonly byFrequency: readonly ToldEvent[];
}

const FREQUENCY = "history's frequency";

function skillRows(name: string, { ours, byFrequency }: Told, hasGoal: boolean): BenchRow[] {
  if (ours.length === 0) return [];
  const n = ours.length;
  const [skill, naiveSkill] = [brierSkill(ours), brierSkill(byFrequency)];
  const happened = ours.filter((event) => event.happened).length / n;
  const beside = (row: BenchRow, peerValue: number): BenchRow => ({
    ...row,
    peer: FREQUENCY,
    peerValue: Number(peerValue.toPrecision(5)),
  });
  const [brier, ece] = [`${name}: bottleneck BSS`, `${name}: bottleneck ECE`];
  const error = calibrationError(ours);
  const skilled =
    skill === undefined || naiveSkill === undefined
      ? []
      : [
          beside(
            hasGoal ? atLeastRow(brier, skill, 'BSS', BRIER_SKILL_MIN, n) : plainRow(brier, skill, 'BSS', n),
            naiveSkill,
          ),
        ];
  return [
    plainRow(`${name}: bottleneck base rate`, happened, 'share', n),
    ...skilled,
    beside(
      hasGoal ? limitRow(ece, error, 'ECE', CALIBRATION_ERROR_MAX, n) : plainRow(ece, error, 'ECE', n),
      calibrationError(byFrequency),
    ),
  ];
}

/** Of all thresholds, or of the one at a place. */
function toldOf(forecasts: readonly TimedForecast[], place?: number): Told {
  const pick = (events: readonly ToldEvent[]) => (place === undefined ? events : events.slice(place, place + 1));
  return {
    ours: forecasts.flatMap((forecast) => pick(toldEvents(forecast))),
    byFrequency: forecasts.flatMap((forecast) => pick(frequencyEvents(forecast))),
  };
}

/** Bottlenecks of the day-ahead development sets together, of these at each threshold, and of each set. */
function bottleneckRows(outcomes: readonly SetOutcome[]): BenchRow[] {
  const pooled = outcomes.filter(({ set }) => set.role === 'development' && set.name in REL_MAX);
  const forecasts = pooled.flatMap((outcome) => outcome.forecasts);
  const name = pooled.map(({ set }) => set.name).join(' + ');
  return [
    ...skillRows(name, toldOf(forecasts), true),
    ...THRESHOLD_SHARES.flatMap((share, place) =>
      skillRows(`${name}, threshold P${share * 100}`, toldOf(forecasts, place), false),
    ),
    ...outcomes.flatMap((outcome) => skillRows(outcome.set.name, toldOf(outcome.forecasts), false)),
  ];
}

/** The windows with the largest scaled errors, beside what repeating the last season would have given. */
function worstRows({ set, forecasts }: SetOutcome): BenchRow[] {
  return worstOf(forecasts).map(({ window, error }) => {
    const naive = naiveError(window);
    const row = plainRow(`${set.name}: among the worst, ${window.id}`, error, 'MASE', 1);
    return naive > 0 ? ratioRow(row, { name: 'seasonal naive', value: naive }) : row;
  });
}

/** Members that left a combination. */
function failureRows(outcomes: readonly SetOutcome[]): BenchRow[] {
  const forecasts = outcomes.flatMap((outcome) => outcome.forecasts);
  const names = [...new Set(forecasts.flatMap(({ failed }) => failed))];
  return names.map((name) => {
    const failures = forecasts.filter(({ failed }) => failed.includes(name)).length;
    return plainRow(`series in which ${name} failed`, failures, 'series', forecasts.length);
  });
}

/** Everything that is told of our own forecasts. */
export function ownRows(outcomes: readonly SetOutcome[]): BenchRow[] {
  return [
    ...outcomes.flatMap(setRows),
    ...bottleneckRows(outcomes),
    ...failureRows(outcomes),
    ...outcomes.flatMap(worstRows),
  ];
}
