import type { ArmaEquation, ArmaTerms, Track } from './arma.ts';
import { armaGram, continueTrack, differenced, oneStepErrors, reachSteps, regress } from './arma.ts';
import type { ArmaSample } from './hannan-rissanen.ts';
import { estimateArma } from './hannan-rissanen.ts';
import type { Gram } from './linear-algebra.ts';
import { addedGrams } from './linear-algebra.ts';
import type { Bounds } from './model.ts';
import { forecastBounds } from './model.ts';

/** Penalties from almost none to one that leaves little but the mean. */
const RIDGES = [0.003, 0.03, 0.3, 3];
/** Equations whose median is the forecast: the best alone was both worse and less steady. */
const KEPT_EQUATIONS = 5;
/** An equation whose mistakes are this many times the best one's is left out of the median. */
const MAX_EXCESS_ERROR = 1.2;
/** A moving average has few coefficients: one mild penalty serves. */
const MOVING_AVERAGE_RIDGE = 0.03;
const LONG_AUTOREGRESSION_RIDGE = 0.003;
/** Changes beyond this many times their mean size count as this large in the regressions: one spike must not decide. */
const MAX_INFLUENCE = 8;
const MAX_BACKTEST_SEASONS = 7;
const MAX_BACKTEST_SHARE = 0.25;
/** Stands for the season where there is none. */
const UNSEASONAL_SPAN_STEPS = 24;
const MAX_DENSE_LAGS = 25;
/** Observations that a set of lags needs beyond one for each lag. */
const MIN_SPARE_ROWS = 5;
/** And as a share of the steps that its lags reach back: two weeks tell little of what a week ago says. */
const MIN_ROWS_TO_REACH = 0.5;
/** Sets of lags, from the smallest, for changes over a longer season: these leave the fewest observations. */
const SETS_OVER_LONG_SEASONS = 3;

/** Values made free of location and scale, and how the end of them is forecast to tell good equations from bad. */
interface Study {
  readonly values: Float64Array;
  readonly bounds: Bounds;
  readonly seasons: readonly number[];
  readonly lagSets: readonly (readonly number[])[];
  /** First step of the backtest. */
  readonly heldOutFrom: number;
  readonly backtestHorizonSteps: number;
  /** The values, differenced; no errors. */
  readonly track: (difference: number) => Track;
  /** A copy of it to write forecasts into; whoever does puts back what was there. */
  readonly scratch: (difference: number) => Track;
  /** The changes with outliers held back, for regressions. */
  readonly clippedChanges: (difference: number) => Float64Array;
}

function clipped(changes: Float64Array): Float64Array {
  let size = 0;
  for (const change of changes) size += Math.abs(change);
  const limit = (MAX_INFLUENCE * size) / changes.length;
  return changes.map((change) => Math.min(limit, Math.max(-limit, change)));
}

/** Remembers what was made for each number. */
function remembered<T>(make: (key: number) => T): (key: number) => T {
  const known = new Map<number, T>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

function studyOf(values: Float64Array, seasons: readonly number[]): Study {
  const span = spanOf(seasons);
  const heldOut = Math.min(Math.floor(values.length * MAX_BACKTEST_SHARE), MAX_BACKTEST_SEASONS * span);
  const track = remembered((difference) => ({
    values,
    changes: differenced(values, difference),
    errors: new Float64Array(0),
  }));
  return {
    values,
    bounds: forecastBounds(values),
    seasons,
    lagSets: lagSets(seasons),
    heldOutFrom: values.length - heldOut,
    backtestHorizonSteps: Math.min(heldOut, span),
    track,
    scratch: remembered((difference) => {
      const { changes, errors } = track(difference);
      const copy = values.slice();
      return { values: copy, changes: changes === values ? copy : changes.slice(), errors };
    }),
    clippedChanges: remembered((difference) => clipped(track(difference).changes)),
  };
}

interface Candidate {
  readonly backtestError: number;
  readonly terms: ArmaTerms;
  /** The same equation fitted to everything. */
  refit(): ArmaEquation | undefined;
}

/** Steps of the shortest season, or what stands for it. */
export function spanOf(seasons: readonly number[]): number {
  return seasons[0] ?? UNSEASONAL_SPAN_STEPS;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const around = (lag: number): number[] => [lag - 1, lag, lag + 1];
const ascending = (lags: readonly number[]): number[] => [...new Set(lags)].sort((a, b) => a - b);

/** Lags worth trying, from few to many: recent steps, and the steps around each season and twice the shortest. */
function lagSets(seasons: readonly number[]): number[][] {
  const [shortest, ...longer] = seasons;
  if (shortest === undefined) return [[1], upTo(2), upTo(3), upTo(6), upTo(12), upTo(24)];
  const dense = upTo(Math.min(shortest + 1, MAX_DENSE_LAGS));
  const season = around(shortest);
  const sets = [
    [1],
    upTo(3),
    [1, shortest],
    [...upTo(3), ...season],
    [...upTo(6), ...season, 2 * shortest],
    [...dense, ...season],
    [...dense, ...season, ...around(2 * shortest)],
    ...longer.flatMap((long) => [
      [...upTo(3), ...season, ...around(long)],
      [...dense, ...season, ...around(2 * shortest), ...around(long)],
    ]),
  ].map((lags) => ascending(lags.filter((lag) => lag > 0)));
  return [...new Map(sets.map((lags) => [lags.join(), lags])).values()];
}

/** Sets by whether they reach for a longer season, which costs a short history many of its observations. */
function byReach(sets: readonly (readonly number[])[], seasons: readonly number[]): (readonly number[])[][] {
  const nearest = 2 * spanOf(seasons) + 1;
  const isNear = (lags: readonly number[]) => (lags.at(-1) ?? 0) <= nearest;
  return [sets.filter(isNear), sets.filter((lags) => !isNear(lags))].filter((group) => group.length > 0);
}

/** The best candidates so far, best first, each with other terms. */
class Shortlist {
  #candidates: Candidate[] = [];

  /** An error above it does not make the list. */
  get limit(): number {
    const best = this.#candidates[0]?.backtestError ?? Number.POSITIVE_INFINITY;
    const worst = this.#candidates[KEPT_EQUATIONS - 1]?.backtestError ?? Number.POSITIVE_INFINITY;
    return Math.min(worst, MAX_EXCESS_ERROR * best);
  }

  add(candidate: Candidate): void {
    if (!Number.isFinite(candidate.backtestError) || candidate.backtestError > this.limit) return;
    const same = this.#candidates.find(({ terms }) => terms === candidate.terms);
    if (same !== undefined && same.backtestError <= candidate.backtestError) return;
    this.#candidates = [...this.#candidates.filter((other) => other !== same), candidate]
      .sort((a, b) => a.backtestError - b.backtestError)
      .slice(0, KEPT_EQUATIONS);
  }

  /** Fitted to everything. */
  equations(): ArmaEquation[] {
    return this.#candidates
      .filter(({ backtestError }) => backtestError <= this.limit)
      .flatMap((candidate) => candidate.refit() ?? []);
  }
}

/**
 * Mean absolute error of an equation fitted before the held-out steps, from origins one backtest horizon apart; infinite as
 * soon as it cannot stay below the limit, and where errors grow beyond all numbers.
 */
function backtestError(equation: ArmaEquation, study: Study, limit: number): number {
  const { values, bounds, heldOutFrom, backtestHorizonSteps } = study;
  const known = study.track(equation.difference);
  const errors = equation.errorLags.length === 0 ? known.errors : oneStepErrors(equation, known.changes);
  const track = { ...study.scratch(equation.difference), errors: errors.slice() };
  const largest = limit * (values.length - heldOutFrom);
  let sum = 0;
  for (let from = heldOutFrom; from < values.length && sum <= largest; from += backtestHorizonSteps) {
    const to = Math.min(from + backtestHorizonSteps, values.length);
    continueTrack(equation, track, { from, to }, bounds);
    for (let step = from; step < to; step += 1) {
      sum += Math.abs((track.values[step] ?? 0) - (values[step] ?? 0));
      track.changes[step] = known.changes[step] ?? 0;
      track.values[step] = values[step] ?? 0;
      if (errors.length > 0) track.errors[step] = errors[step] ?? 0;
    }
  }
  return sum <= largest ? sum / (values.length - heldOutFrom) : Number.POSITIVE_INFINITY;
}

/** Sums over the rows before the backtest, and over all of them once a candidate is to be fitted again. */
interface Observations {
  readonly terms: ArmaTerms;
  readonly before: Gram;
  everything(): Gram;
}

function observationsOf(study: Study, terms: ArmaTerms): Observations {
  const { values, heldOutFrom } = study;
  const changes = study.clippedChanges(terms.difference);
  const from = reachSteps(terms);
  const before = armaGram(changes, changes, terms, { from, to: heldOutFrom });
  let all: Gram | undefined;
  return {
    terms,
    before,
    everything() {
      all ??= addedGrams(before, armaGram(changes, changes, terms, { from: heldOutFrom, to: values.length }));
      return all;
    },
  };
}

/** Tries every set of lags with every ridge, from one pass over the observations. */
function tryLags(
  study: Study,
  observed: Observations,
  sets: readonly (readonly number[])[],
  shortlist: Shortlist,
): void {
  for (const lags of sets) {
    const terms = { difference: observed.terms.difference, lags, errorLags: [] };
    for (const ridge of RIDGES) {
      const equation = regress(observed.before, observed.terms, terms, ridge);
      if (equation === undefined) continue;
      shortlist.add({
        backtestError: backtestError(equation, study, shortlist.limit),
        terms,
        refit: () => regress(observed.everything(), observed.terms, terms, ridge),
      });
    }
  }
}

/** Tries moving averages, the shocks being the errors of a long autoregression. */
function tryErrorLags(study: Study, long: Observations, shortlist: Shortlist): void {
  const { values, heldOutFrom, seasons } = study;
  const { difference } = long.terms;
  const changes = study.clippedChanges(difference);
  const averages = movingAverages(difference, seasons);
  const longest = Math.max(...averages.flatMap(({ errorLags }) => errorLags));
  const sampleOf = (gram: Gram, to: number): ArmaSample | undefined => {
    const equation = regress(gram, long.terms, long.terms, LONG_AUTOREGRESSION_RIDGE);
    const from = reachSteps(long.terms) + longest;
    return equation && { changes, shocks: oneStepErrors(equation, changes), from, to };
  };
  if (heldOutFrom - reachSteps(long.terms) - longest < MIN_SPARE_ROWS) return;
  const before = sampleOf(long.before, heldOutFrom);
  if (before === undefined) return;
  let all: ArmaSample | undefined;
  for (const terms of averages) {
    const equation = estimateArma(before, terms, MOVING_AVERAGE_RIDGE);
    if (equation === undefined) continue;
    shortlist.add({
      backtestError: backtestError(equation, study, shortlist.limit),
      terms,
      refit() {
        all ??= sampleOf(long.everything(), values.length);
        return all && estimateArma(all, terms, MOVING_AVERAGE_RIDGE);
      },
    });
  }
}

/**
 * Terms with a moving average: smoothing of the level (ARIMA(0,1,q)), of the season, of both (as in the airline model), and
 * beside one autoregressive lag where nothing is differenced.
 */
function movingAverages(difference: number, [season]: readonly number[]): ArmaTerms[] {
  const errorSets =
    season === undefined ? [[1], [1, 2], [1, 2, 3]] : [[1], [1, 2], [1, season], [1, season, season + 1]];
  const lags = difference === 0 ? [1] : [];
  return errorSets.map((errorLags) => ({ difference, lags, errorLags }));
}

/** Tries everything on the values, their changes, and their changes over the shortest season. */
function tryDifference(study: Study, difference: number, shortlist: Shortlist): void {
  const { seasons, heldOutFrom } = study;
  const affordable = study.lagSets.filter((lags) => {
    const rows = heldOutFrom - reachSteps({ difference, lags, errorLags: [] });
    return rows >= MIN_SPARE_ROWS + lags.length && rows >= MIN_ROWS_TO_REACH * (lags.at(-1) ?? 0);
  });
  for (const [index, group] of byReach(affordable, seasons).entries()) {
    const observations = observationsOf(study, { difference, lags: ascending(group.flat()), errorLags: [] });
    tryLags(study, observations, group, shortlist);
    if (index === 0) tryErrorLags(study, observations, shortlist);
  }
}

/** Changes over a longer season leave a short history few observations, but need few lags: the season itself is known. */
function tryLongDifference(study: Study, difference: number, shortlist: Shortlist): void {
  const few = study.lagSets.slice(0, SETS_OVER_LONG_SEASONS).filter((lags) => {
    const rows = study.heldOutFrom - reachSteps({ difference, lags, errorLags: [] });
    return rows >= MIN_SPARE_ROWS + lags.length;
  });
  if (few.length === 0) return;
  const observations = observationsOf(study, { difference, lags: ascending(few.flat()), errorLags: [] });
  tryLags(study, observations, few, shortlist);
}

/**
 * The equations that would have forecast the end of the values best: at most its last quarter, at most seven seasons, from
 * origins a season apart, so that each begins at the hour at which the forecast will. At most five, each with other terms, none
 * much worse than the best; fitted again to everything.
 * @param values of a mean size near 1
 * @param seasons those that the values show twice, shortest first
 */
export function bestEquations(values: Float64Array, seasons: readonly number[]): ArmaEquation[] {
  const study = studyOf(values, seasons);
  const shortlist = new Shortlist();
  const [shortest, ...longer] = seasons;
  for (const difference of new Set([0, 1, shortest ?? 0])) tryDifference(study, difference, shortlist);
  for (const season of longer) tryLongDifference(study, season, shortlist);
  return shortlist.equations();
}
