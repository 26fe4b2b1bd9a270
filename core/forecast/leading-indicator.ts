import type { Indicator, IndicatorInputs } from './leading-indicator-inputs.ts';
import { inputsAt } from './leading-indicator-inputs.ts';
import type { Gram, LagColumn } from './linear-algebra.ts';
import { addedGrams, laggedGram, solveRidge } from './linear-algebra.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from './member.ts';
import { forecastBounds } from './model.ts';

/** Steps ahead that one regression forecasts: 1 is the step at the origin. */
interface Leads {
  readonly first: number;
  readonly last: number;
}

/** A regression of the value at a step on earlier ones. */
interface Equation extends Leads {
  readonly columns: readonly LagColumn[];
  /** The constant, then one for each column. */
  readonly coefficients: Float64Array;
  /** The indicators that it uses. */
  readonly uses: readonly string[];
}

/** The rows of a regression: what it is fitted to, and what tells whether it is any good. */
interface Rows {
  readonly columns: readonly LagColumn[];
  readonly target: Float64Array;
  readonly before: Gram;
  readonly heldOut: Gram;
  readonly heldOutFrom: number;
  readonly to: number;
}

interface Trial {
  readonly coefficients: Float64Array;
  readonly ridge: number;
  readonly columns: readonly number[];
  /** Absolute error at each held-out step. */
  readonly errors: Float64Array;
  readonly meanError: number;
}

const RIDGES = [0.001, 0.03, 0.5];
/** What is older says little of tomorrow and costs time. */
const MAX_STEPS = 5_000;
const MAX_REACH_SHARE = 0.5;
const HELD_OUT_SHARE = 0.25;
const MIN_HELD_OUT_STEPS = 24;
const MIN_ROWS_PER_COLUMN = 3;
/** Leads that have a regression of their own; the later ones share them, in longer and longer blocks. */
const SINGLE_LEADS = 12;
const BLOCK_GROWTH = 1.5;
/** Numbers of the indicator's latest values that are tried. */
const LATEST_VALUES = [3, 12];
/** What an indicator has to save of the error, as a share, and as a multiple of the standard error of what it saves. */
const MIN_SAVING = 0.02;
const MIN_STANDARD_ERRORS = 3;
/** Errors of neighbouring steps are alike: means of as many count as one observation. */
const ALIKE_STEPS = 6;

const ascending = (lags: readonly number[]): number[] => [...new Set(lags)].sort((a, b) => a - b);
const consecutive = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

function leadBlocks(horizonSteps: number): Leads[] {
  const blocks: Leads[] = [];
  for (let first = 1; first <= horizonSteps; ) {
    const wanted = first <= SINGLE_LEADS ? first : Math.floor(first * BLOCK_GROWTH);
    const last = Math.min(horizonSteps, wanted);
    blocks.push({ first, last });
    first = last + 1;
  }
  return blocks;
}

/** The shortest lag that is a whole number of seasons and known at the origin. */
const seasonalLag = (season: number, lead: number): number => season * Math.ceil(lead / season);

function ownColumns({ values, seasons: shown, origin }: IndicatorInputs, lead: number): LagColumn[] {
  // Seasons that reach further cost too many of the observations.
  const seasons = shown.filter(({ steps }) => seasonalLag(steps, lead) + steps <= MAX_REACH_SHARE * origin);
  const [shortest] = seasons;
  const recent = [
    ...consecutive(lead, 3),
    ...(shortest === undefined ? consecutive(lead + 3, 3) : [lead + shortest.steps]),
  ];
  const lags = ascending([...recent, ...seasons.map(({ steps }) => seasonalLag(steps, lead))]);
  return [
    ...lags.map((lag) => ({ series: values, lag })),
    ...seasons.map(({ steps, means }) => ({ series: means, lag: seasonalLag(steps, lead) })),
  ];
}

function columnsOf(
  { values, isKnownAhead }: Indicator,
  { seasons, origin }: IndicatorInputs,
  lead: number,
): LagColumn[] {
  const latest = isKnownAhead ? 0 : lead;
  const seasonal = seasons
    .slice(0, 1)
    .map(({ steps }) => seasonalLag(steps, Math.max(1, latest)))
    .filter((lag) => lag <= MAX_REACH_SHARE * origin);
  const dense = consecutive(latest, Math.max(...LATEST_VALUES));
  return ascending([...dense, ...seasonal]).map((lag) => ({ series: values, lag }));
}

function valueBy(
  columns: readonly LagColumn[],
  places: readonly number[],
  coefficients: Float64Array,
  step: number,
): number {
  let sum = coefficients[0] ?? 0;
  for (let index = 1; index < places.length; index += 1) {
    const column = columns[(places[index] ?? 0) - 1];
    if (column !== undefined) sum += (coefficients[index] ?? 0) * (column.series[step - column.lag] ?? 0);
  }
  return sum;
}

/** The best ridge for some columns, by the held-out steps. @param places of the columns, from 1; 0 is the constant */
function tryColumns(rows: Rows, places: readonly number[]): Trial | undefined {
  let best: Trial | undefined;
  for (const ridge of RIDGES) {
    const coefficients = solveRidge(rows.before, places, ridge);
    if (coefficients === undefined) continue;
    const errors = new Float64Array(rows.to - rows.heldOutFrom);
    let sum = 0;
    for (let index = 0; index < errors.length; index += 1) {
      const step = rows.heldOutFrom + index;
      const error = Math.abs((rows.target[step] ?? 0) - valueBy(rows.columns, places, coefficients, step));
      errors[index] = error;
      sum += error;
    }
    const meanError = sum / errors.length;
    if (best === undefined || meanError < best.meanError)
      best = { coefficients, ridge, columns: places, errors, meanError };
  }
  return best;
}

/** Whether a trial is better than another by more than chance would have it. */
function isBetter(trial: Trial, than: Trial): boolean {
  const saved = than.meanError - trial.meanError;
  if (!(saved > MIN_SAVING * than.meanError)) return false;
  const groups = Math.floor(trial.errors.length / ALIKE_STEPS);
  let squares = 0;
  for (let group = 0; group < groups; group += 1) {
    let mean = 0;
    for (let index = group * ALIKE_STEPS; index < (group + 1) * ALIKE_STEPS; index += 1) {
      mean += ((than.errors[index] ?? 0) - (trial.errors[index] ?? 0)) / ALIKE_STEPS;
    }
    squares += (mean - saved) ** 2;
  }
  return saved > MIN_STANDARD_ERRORS * Math.sqrt(squares / Math.max(1, groups - 1) / Math.max(1, groups));
}

/** Adds the indicator that saves most, one after the other, as long as one helps. */
function chooseIndicators(
  rows: Rows,
  own: Trial,
  groups: ReadonlyMap<string, readonly (readonly number[])[]>,
): { trial: Trial; uses: string[] } {
  let chosen = own;
  const uses: string[] = [];
  for (;;) {
    let best: { trial: Trial; name: string } | undefined;
    for (const [name, sets] of groups) {
      if (uses.includes(name)) continue;
      for (const set of sets) {
        const trial = tryColumns(rows, [...chosen.columns, ...set]);
        if (trial === undefined || !isBetter(trial, chosen)) continue;
        if (best === undefined || trial.meanError < best.trial.meanError) best = { trial, name };
      }
    }
    if (best === undefined) return { trial: chosen, uses };
    chosen = best.trial;
    uses.push(best.name);
  }
}

/** The regression of one block of leads; undefined: too few steps. */
function equationOf(inputs: IndicatorInputs, leads: Leads): Equation | undefined {
  const { values, indicators, origin } = inputs;
  const own = ownColumns(inputs, leads.last);
  const columns = [...own];
  const groups = new Map<string, number[][]>();
  for (const indicator of indicators) {
    const added = columnsOf(indicator, inputs, leads.last);
    const latest = indicator.isKnownAhead ? 0 : leads.last;
    const places = (count: number) =>
      added.flatMap(({ lag }, index) =>
        lag < latest + count || lag >= latest + Math.max(...LATEST_VALUES) ? [columns.length + 1 + index] : [],
      );
    groups.set(indicator.name, LATEST_VALUES.map(places));
    columns.push(...added);
  }
  const reach = Math.max(...columns.map(({ lag }) => lag));
  const from = Math.max(reach, origin - MAX_STEPS);
  const heldOut = Math.floor((origin - from) * HELD_OUT_SHARE);
  const heldOutFrom = origin - heldOut;
  if (heldOut < MIN_HELD_OUT_STEPS || heldOutFrom - from < MIN_ROWS_PER_COLUMN * columns.length) return undefined;
  const rows: Rows = {
    columns,
    target: values,
    before: laggedGram(columns, values, from, heldOutFrom),
    heldOut: laggedGram(columns, values, heldOutFrom, origin),
    heldOutFrom,
    to: origin,
  };
  const alone = tryColumns(rows, consecutive(0, own.length + 1));
  if (alone === undefined) return undefined;
  const { trial, uses } = chooseIndicators(rows, alone, groups);
  const coefficients =
    solveRidge(addedGrams(rows.before, rows.heldOut), trial.columns, trial.ridge) ?? trial.coefficients;
  const used = trial.columns.slice(1).flatMap((place) => columns[place - 1] ?? []);
  return { ...leads, columns: used, coefficients, uses };
}

/** Regressions for all leads; undefined where no indicator helps. */
function equationsAt(inputs: IndicatorInputs, horizonSteps: number): Equation[] | undefined {
  const equations: Equation[] = [];
  for (const leads of leadBlocks(horizonSteps)) {
    const equation = equationOf(inputs, leads);
    if (equation === undefined) return undefined;
    equations.push(equation);
  }
  return equations.some(({ uses }) => uses.length > 0) ? equations : undefined;
}

function forecastAt(
  series: ForecastSeries,
  inputs: IndicatorInputs,
  equations: readonly Equation[],
  origin: number,
): MemberForecast {
  const { lowest, highest } = forecastBounds(series.values.slice(0, origin));
  const points = equations.flatMap(({ first, last, columns, coefficients }) => {
    const places = consecutive(0, columns.length + 1);
    return consecutive(origin + first - 1, last - first + 1).map((step) => {
      const value = inputs.centre + inputs.scale * valueBy(columns, places, coefficients, step);
      return Math.min(highest, Math.max(lowest, value));
    });
  });
  return { points };
}

function forecastFrom(
  series: ForecastSeries,
  origins: readonly number[],
  horizonSteps: number,
): (MemberForecast | undefined)[] {
  const wanted = origins.at(-1);
  if (wanted === undefined) return [];
  const fitAt = (origin: number) => {
    const inputs = inputsAt(series, origin, horizonSteps);
    const equations = inputs && equationsAt(inputs, horizonSteps);
    return inputs && equations && { inputs, equations };
  };
  const last = fitAt(wanted);
  if (last === undefined) return origins.map(() => undefined);
  const earlier = origins.length > 1 ? fitAt(origins[0] ?? 0) : undefined;
  return origins.map((origin, index) => {
    const fit = index === origins.length - 1 ? last : earlier;
    return fit && forecastAt(series, fit.inputs, fit.equations, origin);
  });
}

/**
 * Regression on leading indicators: request rate, latency, length of a queue. The value at a step is explained by the series'
 * own recent and seasonal values and by the indicators' values known at the origin, or at the step itself where they are known
 * in advance; each of the first twelve steps ahead has a regression of its own, with ridge, and later ones share them in blocks.
 * An indicator takes part in those in which it lowers the error over the last quarter of the steps by more than chance would.
 * So an indicator that leads by three steps serves the first three, and what follows is the series' own.
 * Sources: Hoerl & Kennard 1970, Technometrics 12 (ridge); Marcellino, Stock & Watson 2006, Journal of Econometrics 135 (direct
 * regressions for each step ahead); Diebold & Mariano 1995, Journal of Business & Economic Statistics 13 (the comparison).
 *
 * It says nothing without regressors, and where none of them helps. The regressions for the earlier origins of a backtest are
 * those of the first origin.
 */
export const leadingIndicator: ForecastMember = {
  name: 'leading-indicator',
  forecastFrom: (series, origins, horizonSteps) => Promise.resolve(forecastFrom(series, origins, horizonSteps)),
};
