import type { Distribution } from './distribution.ts';
import { probabilityOfReaching, valuesByRank } from './distribution.ts';
import type { Bottleneck } from './forecast.ts';

/** Courses that demand might take: one row a course, one value for each step. */
export type Courses = readonly ArrayLike<number>[];

const MAX_COURSES = 240;

/**
 * Courses of past errors: each row is what repeating the newest season would have got wrong over one horizon of the past. Rows
 * of two series of the same steps are of the same moments, so what erred together stays together.
 * @param spanSteps the season that is repeated
 * @returns up to 240 rows, evenly spread over the history. A history too short for one whole row goes on at its beginning.
 */
export function pastCourses(values: readonly number[], spanSteps: number, horizonSteps: number): Float64Array[] {
  const longestLag = spanSteps * Math.ceil(horizonSteps / spanSteps);
  const errorAt = (origin: number, step: number): number => {
    const lag = spanSteps * Math.ceil((step + 1) / spanSteps);
    const at = origin + step;
    if (at < values.length && at >= lag) return (values[at] ?? 0) - (values[at - lag] ?? 0);
    const nearest = spanSteps + ((at - spanSteps) % Math.max(1, values.length - spanSteps));
    return (values[nearest] ?? 0) - (values[nearest - spanSteps] ?? values[nearest] ?? 0);
  };
  const whole = values.length - horizonSteps - longestLag + 1;
  const first = whole > 0 ? longestLag : Math.min(spanSteps, values.length - 1);
  const origins = whole > 0 ? whole : Math.max(1, values.length - first);
  const rows = Math.min(origins, MAX_COURSES);
  return Array.from({ length: rows }, (_, row) => {
    const origin = first + Math.floor((row * origins) / rows);
    return Float64Array.from({ length: horizonSteps }, (__, step) => errorAt(origin, step));
  });
}

/** The rank of each value, the smallest first; equal ones in their order. */
function ranksOf(values: Float64Array): Uint32Array {
  // Sorting numbers and looking them up is several times faster than sorting places by a comparison.
  const sorted = values.slice().sort();
  const equals = new Uint32Array(values.length);
  return Uint32Array.from(values, (value) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    const before = equals[low] ?? 0;
    equals[low] = before + 1;
    return low + before;
  });
}

/**
 * Courses whose values at each step have the given distribution and whose order from step to step is that of the templates: the
 * template that is lowest at a step becomes the course that is lowest there, and so on. So a course that is high at one step is
 * as likely to stay high at the next as the templates were.
 * Source: Clark et al. 2004, The Schaake shuffle, Journal of Hydrometeorology 5.
 */
export function reorderedCourses(rows: Distribution, templates: Courses): Float64Array[] {
  const steps = rows[0]?.length ?? 0;
  const courses = templates.map(() => new Float64Array(steps));
  const heights = new Float64Array(templates.length);
  const valueOf = valuesByRank(templates.length);
  for (let step = 0; step < steps; step += 1) {
    for (const [course, template] of templates.entries()) heights[course] = template[step] ?? 0;
    const column = rows.map((row) => row[step] ?? 0);
    for (const [course, rank] of ranksOf(heights).entries()) {
      const target = courses[course];
      if (target !== undefined) target[step] = valueOf(column, rank);
    }
  }
  return courses;
}

/** Share of the windows of the history, each as long as the horizon, in which the threshold was reached. */
export function historicalFrequency(values: readonly number[], horizonSteps: number, threshold: number): number {
  const windowSteps = Math.min(horizonSteps, values.length);
  let newestReach = Number.NEGATIVE_INFINITY;
  let reached = 0;
  for (const [step, value] of values.entries()) {
    if (value >= threshold) newestReach = step;
    if (step >= windowSteps - 1 && step - newestReach < windowSteps) reached += 1;
  }
  return reached / Math.max(1, values.length - windowSteps + 1);
}

/** Say of the courses against that of the history. */
const COURSES_WEIGHT = 0.8;

/**
 * Probability that a series reaches a threshold within the horizon, from whole courses and from how often it did so in the past.
 * Probabilities of single slots are never multiplied: slots next to each other err together.
 * @param values the history, without gaps
 */
export function bottleneckOf(
  rows: Distribution,
  courses: readonly Float64Array[],
  values: readonly number[],
  threshold: number,
): Bottleneck {
  const steps = rows[0]?.length ?? 0;
  const reachedByCourse = courses.map((course) => course.some((value) => value >= threshold));
  const marginal = Array.from({ length: steps }, (_, step) => probabilityOfReaching(rows, step, threshold));
  const fromCourses = Math.max(reachedByCourse.filter(Boolean).length / Math.max(1, courses.length), ...marginal);
  const fromHistory = historicalFrequency(values, steps, threshold);
  const probability = COURSES_WEIGHT * fromCourses + (1 - COURSES_WEIGHT) * fromHistory;
  return {
    thresholdUnits: threshold,
    probability,
    bySlot: marginal.map((each) => Math.min(each, probability)),
    reachedByCourse,
  };
}

/**
 * Probability that any of several series reaches its threshold, between that of the likeliest alone (they always coincide) and
 * the sum of all (they never do), as their courses tell.
 * @param bottlenecks of series of the same steps
 */
export function anyBottleneck(bottlenecks: readonly Bottleneck[]): number {
  const likeliest = Math.max(0, ...bottlenecks.map(({ probability }) => probability));
  const sum = bottlenecks.reduce((total, { probability }) => total + probability, 0);
  const courses = Math.min(...bottlenecks.map(({ reachedByCourse }) => reachedByCourse.length));
  if (bottlenecks.length < 2 || !(courses > 0)) return likeliest;
  const shares = bottlenecks.map(({ reachedByCourse }) => reachedByCourse.slice(0, courses).filter(Boolean).length);
  let any = 0;
  for (let course = 0; course < courses; course += 1) {
    if (bottlenecks.some(({ reachedByCourse }) => reachedByCourse[course] === true)) any += 1;
  }
  const largest = Math.max(...shares);
  const room = shares.reduce((total, share) => total + share, 0) - largest;
  const apart = room > 0 ? (any - largest) / room : 0;
  return Math.min(1, likeliest + apart * (sum - likeliest));
}
