import type { NormalDays, StepSpan, Sums } from './event-normal.ts';
import { normalDays, sumsOf, UNSEASONAL_SPAN_STEPS } from './event-normal.ts';
import type { Occurrence } from './event-occurrences.ts';
import { isNear, namesAt, occurrencesOf } from './event-occurrences.ts';
import type { BusinessEvent } from './events.ts';
import { MAX_EVENT_FACTOR } from './events.ts';
import type { ForecastSeries } from './member.ts';
import { shownSeasons } from './model.ts';
import { meanOf } from './statistics.ts';

/** What the events of a calendar do to a series. */
export interface EventEffects {
  /** The history without its events: what the models learn normal days from. As long as the history. */
  readonly normalValues: readonly number[];
  /** What a forecast of normal days has to be multiplied by, for each step of the horizon: 0 to 10. */
  readonly factors: readonly number[];
  /** Standard deviation of the logarithm of each factor; 0 where no event is expected. */
  readonly deviations: readonly number[];
  /** What is expected of each event of the horizon, for people, such as "Black Friday: 1.8 × normal, from 2 past occurrences". */
  readonly reasons: readonly string[];
}

/** A past occurrence, in logarithms of multiples of normal demand. */
interface Observation {
  readonly occurrence: Occurrence;
  readonly effect: number;
  /** For each part of the event, compared with the effect of the whole. */
  readonly shape: readonly number[];
}

/** What is known of the events of one name. */
interface Learned {
  readonly observations: readonly Observation[];
  readonly shape: readonly number[];
  /** Variance of what a span without an event appears to have of an effect. */
  readonly noise: number;
  /** Variance of the effect from one occurrence to the next. */
  readonly between: number;
}

interface Estimate {
  readonly effect: number;
  readonly variance: number;
}

/** Effects are estimated between these multiples: the logarithm of 0 is none. */
const MIN_FACTOR = 0.01;
const MAX_PARTS = 24;
const MAX_OBSERVATIONS = 12;
/** Standard deviations, of logarithms: of the effects of events in general, and around what a calendar says of one. */
const PRIOR_DEVIATION = 0.7;
const EXPECTED_DEVIATION = 0.25;
const PRIOR_SHAPE_DEVIATION = 0.3;
/** From one occurrence to the next, as long as there are too few to tell: a part that is always there, a share of the effect. */
const BETWEEN_DEVIATION = 0.08;
const BETWEEN_SHARE = 0.2;
const BETWEEN_WEIGHT = 2;
/** Where no span without an event can be compared. */
const DEFAULT_NOISE = 0.3 ** 2;
const MIN_NOISE = 0.005 ** 2;
const PLACEBO_SHIFTS = [-4, -3, -2, -1, 1, 2, 3, 4];
/** A median of squares of normal values, as a share of their variance. */
const MEDIAN_TO_VARIANCE = 0.455;
/** How often each name is learned from what the others leave: events that overlap are told apart little by little. */
const ROUNDS = 5;
/** Dividing by less leaves nothing but noise. */
const MIN_DIVISOR = 0.1;
/** Less is not worth a word. */
const MIN_TOLD = 0.05;

/** The series that effects are learned from. */
interface Study {
  readonly values: readonly number[];
  readonly season: number;
  /** How many steps of events lie before each step. */
  readonly eventSums: Sums;
  readonly normal: NormalDays;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const logOf = (factor: number): number => Math.log(Math.min(MAX_EVENT_FACTOR, Math.max(MIN_FACTOR, factor)));

/** The parts of an event in which its course is told. */
function partsOf({ from, to }: StepSpan, count: number): StepSpan[] {
  const edge = (part: number) => from + Math.round(((to - from) * part) / count);
  return Array.from({ length: count }, (_, part) => ({ from: edge(part), to: edge(part + 1) }));
}

function effectOver(span: StepSpan, normal: NormalDays, measured: Sums): number | undefined {
  const multiple = normal.multipleOver(span, measured);
  return multiple === undefined ? undefined : logOf(multiple);
}

/** Squares of the effects that spans without events appear to have, seasons away from the occurrences: the effect of nothing. */
function placeboSquares(spans: readonly StepSpan[], { season, eventSums, normal }: Study, measured: Sums): number[] {
  return spans.flatMap((span) =>
    PLACEBO_SHIFTS.flatMap((shift) => {
      const moved = { from: span.from + shift * season, to: span.to + shift * season };
      if (eventSums[moved.from] !== eventSums[moved.to]) return [];
      const effect = effectOver(moved, normal, measured);
      return effect === undefined ? [] : [effect * effect];
    }),
  );
}

function noiseOf(squares: readonly number[]): number {
  if (squares.length === 0) return DEFAULT_NOISE;
  const sorted = [...squares].sort((a, b) => a - b);
  return Math.max(MIN_NOISE, (sorted[Math.floor(sorted.length / 2)] ?? 0) / MEDIAN_TO_VARIANCE);
}

/** Each part weighted with its neighbours, as 1 : 2 : 1. */
function smoothed(values: readonly number[]): number[] {
  return values.map((value, index) => {
    const before = values[index - 1] ?? value;
    const after = values[index + 1] ?? value;
    return (before + 2 * value + after) / 4;
  });
}

/** What the past occurrences of one name say, from values without the effects of the other names. */
function learn(occurrences: readonly Occurrence[], study: Study, measured: Sums): Learned {
  const { normal } = study;
  const past = occurrences.filter(({ from, to }) => from >= 0 && to <= study.values.length).slice(-MAX_OBSERVATIONS);
  const count = Math.min(MAX_PARTS, ...past.map(({ from, to }) => to - from));
  const observations = past.flatMap((occurrence) => {
    const effect = effectOver(occurrence, normal, measured);
    if (effect === undefined) return [];
    // A part of which nothing normal is known is taken for as affected as the whole.
    const shape = partsOf(occurrence, count).map((part) => {
      const ofPart = effectOver(part, normal, measured);
      return ofPart === undefined ? 0 : ofPart - effect;
    });
    return [{ occurrence, effect, shape }];
  });
  const spans = observations.map(({ occurrence }) => occurrence);
  const noise = noiseOf(placeboSquares(spans, study, measured));
  const parts = spans.flatMap((span) => partsOf(span, count).filter((_, part) => part % 4 === 0));
  const partNoise = noiseOf(placeboSquares(parts, study, measured));
  const weight = observations.length / (observations.length + partNoise / PRIOR_SHAPE_DEVIATION ** 2);
  const means =
    observations.length === 0
      ? []
      : Array.from({ length: count }, (_, part) => meanOf(observations.map(({ shape }) => shape[part] ?? 0)));
  return {
    observations,
    shape: smoothed(means.map((mean) => mean * weight)),
    noise,
    between: betweenOf(observations, noise),
  };
}

/** Variance of the effect from one occurrence to the next: what is usual, until there are enough of them to say so. */
function betweenOf(observations: readonly Observation[], noise: number): number {
  const effects = observations.map(({ effect }) => effect);
  const mean = meanOf(effects);
  const usual = (BETWEEN_DEVIATION + BETWEEN_SHARE * Math.abs(mean)) ** 2;
  const freedom = Math.max(0, effects.length - 1);
  const squares = sumOf(effects.map((effect) => (effect - mean) ** 2));
  return (BETWEEN_WEIGHT * usual + Math.max(0, squares - freedom * noise)) / (BETWEEN_WEIGHT + freedom);
}

/**
 * The effect of an occurrence that is to come: the mean of a normal prior, around 1 or around what the calendar says, and of
 * the past occurrences. Where the calendar spoke of both, a past one says how far the calendar was off.
 * @returns undefined for an event that was never seen and of which the calendar says nothing
 */
function estimate({ observations, noise, between }: Learned, expectedFactor: number | undefined): Estimate | undefined {
  if (observations.length === 0 && expectedFactor === undefined) return undefined;
  const expected = expectedFactor === undefined ? 0 : logOf(expectedFactor);
  const prior = expectedFactor === undefined ? PRIOR_DEVIATION ** 2 : EXPECTED_DEVIATION ** 2;
  const seen = observations.map(({ effect, occurrence }) =>
    expectedFactor === undefined || occurrence.expectedFactor === undefined
      ? effect
      : effect - logOf(occurrence.expectedFactor) + expected,
  );
  const precision = 1 / prior + seen.length / (noise + between);
  return {
    effect: (expected / prior + sumOf(seen) / (noise + between)) / precision,
    variance: 1 / precision + between,
  };
}

/** Multiplies the steps of an occurrence by its effect. */
function multiply(into: Float64Array, occurrence: Occurrence, effect: number, shape: readonly number[]): void {
  const parts = partsOf(occurrence, Math.max(1, shape.length));
  for (const [index, part] of parts.entries()) {
    const factor = Math.exp(effect + (shape[index] ?? 0));
    for (let step = Math.max(0, part.from); step < Math.min(into.length, part.to); step += 1) {
      into[step] = (into[step] ?? 1) * factor;
    }
  }
}

/** Multiplies each step of the history by what the occurrences of one name are taken to have done to it. */
function multiplyPast(
  into: Float64Array,
  occurrences: readonly Occurrence[],
  learned: Learned,
  isAlone: (occurrence: Occurrence) => boolean,
): void {
  const { between, noise, observations, shape } = learned;
  for (const occurrence of occurrences) {
    const known = estimate(learned, occurrence.expectedFactor);
    if (known === undefined) continue;
    // Of what was measured then, as much is the event's own as events of its name differ; the rest is noise.
    const own = isAlone(occurrence) ? observations.find((each) => each.occurrence === occurrence) : undefined;
    const apart = own === undefined ? 0 : ((own.effect - known.effect) * between) / (between + noise);
    multiply(into, occurrence, known.effect + apart, shape);
  }
}

/** Effects of all names, and all that they did to the history. Each is learned from what those that it meets leave. */
function learnAll(
  byName: ReadonlyMap<string, readonly Occurrence[]>,
  study: Study,
): { learned: Map<string, Learned>; factors: Float64Array } {
  const { values } = study;
  const steps = values.length;
  const names = namesAt(byName, steps);
  const isAlone = ({ from, to }: Occurrence) =>
    names.slice(Math.max(0, from), Math.max(0, to)).every((count) => count === 1);
  const learned = new Map<string, Learned>();
  const measured = sumsOf(values);
  for (const [name, occurrences] of byName) learned.set(name, learn(occurrences, study, measured));
  const meeting = [...byName].filter(([, occurrences]) => !occurrences.every(isAlone));
  const ofName = new Map<string, Float64Array>();
  for (let round = 0; round < (meeting.length > 0 ? ROUNDS : 0); round += 1) {
    for (const [name, occurrences] of meeting) {
      const left = Float64Array.from(values);
      for (const [other, factors] of ofName) {
        if (other === name) continue;
        for (let step = 0; step < steps; step += 1) left[step] = (left[step] ?? 0) / (factors[step] ?? 1);
      }
      const found = learn(occurrences, study, sumsOf(left));
      learned.set(name, found);
      const factors = new Float64Array(steps).fill(1);
      multiplyPast(factors, occurrences, found, () => false);
      ofName.set(name, factors);
    }
  }
  const factors = new Float64Array(steps).fill(1);
  for (const [name, occurrences] of byName) {
    const known = learned.get(name);
    if (known !== undefined) multiplyPast(factors, occurrences, known, isAlone);
  }
  return { learned, factors };
}

const roundedFactor = (effect: number): string => String(Number(Math.exp(effect).toPrecision(2)));

function reasonOf(name: string, { effect }: Estimate, occurrence: Occurrence, { observations }: Learned): string[] {
  if (Math.abs(Math.exp(effect) - 1) < MIN_TOLD) return [];
  const told = occurrence.expectedFactor === undefined ? [] : ['the calendar'];
  const times = observations.length;
  const seen = times === 0 ? [] : [times === 1 ? '1 past occurrence' : `${times} past occurrences`];
  return [`${name}: ${roundedFactor(effect)} × normal, from ${[...seen, ...told].join(' and ')}`];
}

/** The history without its events: what was measured, divided by their effect, or what is normal where they left nothing. */
function withoutEvents({ values, normal }: Study, factors: Float64Array): number[] {
  return values.map((value, step) => {
    const factor = factors[step] ?? 1;
    if (factor === 1) return value;
    return factor < MIN_DIVISOR ? (normal.at(step) ?? value) : value / factor;
  });
}

/** What the events do to the steps after the history: factors and variances of their logarithms, with the reasons. */
function expectedEffects(
  byName: ReadonlyMap<string, readonly Occurrence[]>,
  learned: ReadonlyMap<string, Learned>,
  steps: number,
  horizonSteps: number,
): Omit<EventEffects, 'normalValues'> {
  const factors = new Float64Array(horizonSteps).fill(1);
  const variances = new Float64Array(horizonSteps);
  const reasons: string[] = [];
  const coming = [...byName.values()].flat().sort((a, b) => a.from - b.from);
  for (const occurrence of coming) {
    const { name, from, to, expectedFactor } = occurrence;
    const known = learned.get(name);
    const expected = known && estimate(known, expectedFactor);
    if (known === undefined || expected === undefined || to <= steps || from >= steps + horizonSteps) continue;
    if (known.observations.length === 0) {
      // Exactly what the calendar says, 0 included: there is nothing to weigh it against.
      for (let step = Math.max(0, from - steps); step < Math.min(horizonSteps, to - steps); step += 1) {
        factors[step] = (factors[step] ?? 1) * (expectedFactor ?? 1);
      }
    } else {
      multiply(factors, { ...occurrence, from: from - steps, to: to - steps }, expected.effect, known.shape);
    }
    for (let step = Math.max(0, from - steps); step < Math.min(horizonSteps, to - steps); step += 1) {
      variances[step] = (variances[step] ?? 0) + expected.variance;
    }
    reasons.push(...reasonOf(name, expected, occurrence, known));
  }
  return {
    factors: Array.from(factors, (factor) => Math.min(MAX_EVENT_FACTOR, factor)),
    deviations: Array.from(variances, Math.sqrt),
    reasons: [...new Set(reasons)],
  };
}

/**
 * What the events of a calendar did to a series, and what they will do: demand as a multiple of that of normal days.
 *
 * Normal is the median at the same time of other weeks, or days, at the level of the days around the event. The effect of a
 * name is the mean of its past occurrences and of a prior: normal around 1, or around the calendar's factor, in logarithms.
 * The fewer there are, the more they differ, and the more the series moves by itself (as spans without an event tell), the
 * nearer it stays to the prior. Its course within the event, in at most 24 parts, is shrunk in the same way. Events that
 * overlap multiply. An event that was never seen and of which the calendar says nothing changes nothing; so does one over
 * before its history begins, and any event of a series with a negative value.
 * Source of the shrinkage: Gelman et al. 2013, Bayesian Data Analysis, chapter 5.
 * @param series its regressors are not used; events after it are those of the horizon
 * @param events in any order, past and future
 * @param horizonSteps a whole number
 * @throws RangeError for an event that cannot be: no name, an end before its start, a factor outside of 0 to 10
 */
export function eventEffects(
  series: ForecastSeries,
  events: readonly BusinessEvent[],
  horizonSteps: number,
): EventEffects {
  const { values } = series;
  const all = occurrencesOf(series, events);
  const isNegative = values.some((value) => value < 0);
  const concerned = isNegative
    ? []
    : [...all].filter(([, occurrences]) => occurrences.some(isNear(values.length, horizonSteps)));
  const byName = new Map(concerned);
  const isEvent = new Uint8Array(values.length);
  for (const { from, to } of [...byName.values()].flat()) isEvent.fill(1, Math.max(0, from), Math.max(0, to));
  const normal = normalDays(values, series.seasons, isEvent);
  const season = shownSeasons(values.length, series.seasons).at(-1) ?? UNSEASONAL_SPAN_STEPS;
  const study: Study = { values, season, eventSums: sumsOf(isEvent), normal };
  const { learned, factors } = learnAll(byName, study);
  return {
    normalValues: withoutEvents(study, factors),
    ...expectedEffects(byName, learned, values.length, horizonSteps),
  };
}
