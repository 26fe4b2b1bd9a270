/** Seasons of which the value at the same time is looked at. */
const SECONDS_A_DAY = 86_400;
const SECONDS_A_WEEK = 604_800;
/** Bins of an error, in units of what the series moves by in a step; the first holds errors that are not above 0. */
const ERROR_BINS = 48;
const FIRST_BIN = 0.05;
const BIN_RATIO = 1.17;
const UPPER_EDGES = Float64Array.from({ length: ERROR_BINS }, (_, bin) =>
  bin === 0 ? 0 : FIRST_BIN * BIN_RATIO ** bin,
);
/** Upper edges of how far the value rose one season ago, in the same unit; above the last there is one bin more. */
const RISE_EDGES = [0, 1, 3, 8, 20];
const RISE_BINS = RISE_EDGES.length + 1;
/** Errors of all rises that count in each of them, so that a rare one is not judged by a few. */
const PRIOR_WEIGHT = 30;
/** How fast the scale of moves follows the newest ones. */
const SCALE_GAIN = 0.05;
/** The least scale, as a share of the size of the pool. */
const LEAST_SCALE = 0.02;
/** Steps before the time of the forecast, and at least after it, in which a season ago is looked at. */
const SEASON_BEFORE = 1;
const SEASON_AFTER = 4;
/** Steps before the first state. */
const FIRST_STEP = 4;

function binOf(error: number): number {
  let [low, high] = [0, ERROR_BINS];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (error <= (UPPER_EDGES[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function riseBin(rise: number): number {
  const place = RISE_EDGES.findIndex((edge) => rise < edge);
  return place < 0 ? RISE_EDGES.length : place;
}

/** Errors of one lead time, by rise and size. */
class Errors {
  readonly #counts = new Float64Array(RISE_BINS * (ERROR_BINS + 1));
  readonly #totals = new Float64Array(RISE_BINS);
  readonly #all = new Float64Array(ERROR_BINS + 1);
  #count = 0;

  add(rise: number, error: number): void {
    const place = rise * (ERROR_BINS + 1) + binOf(error);
    const bin = place % (ERROR_BINS + 1);
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#totals[rise] = (this.#totals[rise] as number) + 1;
    this.#all[bin] = (this.#all[bin] as number) + 1;
    this.#count += 1;
  }

  /**
   * Walks from the largest error down until the chance of a larger one satisfies a condition.
   * @returns the edge of the bin before, and the chance there; `Infinity` and 0 when the first bin satisfies it
   */
  walk(rise: number, stops: (chance: number, edge: number) => boolean): { edge: number; chance: number } {
    const weight = (this.#totals[rise] as number) + PRIOR_WEIGHT;
    let [own, all] = [0, 0];
    let found = { edge: Number.POSITIVE_INFINITY, chance: 0 };
    for (let bin = ERROR_BINS; bin >= 1; bin -= 1) {
      own += this.#counts[rise * (ERROR_BINS + 1) + bin] as number;
      all += this.#all[bin] as number;
      // A fifth of an error that was never seen: nothing is impossible.
      const prior = (all + 0.2) / (this.#count + 1);
      const chance = (own + PRIOR_WEIGHT * prior) / weight;
      const edge = UPPER_EDGES[bin - 1] as number;
      if (stops(chance, edge)) return found;
      found = { edge, chance };
    }
    return found;
  }
}

/**
 * How high demand may come in the next minutes: the newest level, and on top of it the errors that this level made in the past,
 * in units of how much demand moves at the time, apart by how much it rose at the same time a day or a week ago. It is made
 * anew at every step and costs microseconds.
 *
 * At step `t` it uses the values before `t` only. Source: filtered historical simulation (Barone-Adesi, Giannopoulos & Vosper
 * 1999, Journal of Futures Markets 19) with an exponentially weighted scale.
 */
export class ShortTermForecast {
  readonly #values: ArrayLike<number>;
  readonly #leadSteps: readonly number[];
  readonly #seasons: readonly number[];
  readonly #leastScale: number;
  readonly #errors: readonly Errors[];
  readonly #levels: Float64Array;
  readonly #scales: Float64Array;
  /** By lead. */
  readonly #rises: readonly Int8Array[];
  #move = 0;

  /**
   * @param values demand by step; those of a step may be written until `observe` is called for the step after it
   * @param sizeUnits what the pool owns: errors of a fiftieth of it are never large
   * @param leadSteps steps ahead over which the highest demand is told, by lead
   */
  constructor(values: ArrayLike<number>, stepSeconds: number, sizeUnits: number, leadSteps: readonly number[]) {
    this.#values = values;
    this.#leadSteps = leadSteps;
    this.#seasons = [SECONDS_A_DAY, SECONDS_A_WEEK].map((seconds) => Math.max(1, Math.round(seconds / stepSeconds)));
    this.#leastScale = Math.max(LEAST_SCALE * sizeUnits, Number.MIN_VALUE);
    this.#errors = leadSteps.map(() => new Errors());
    this.#levels = new Float64Array(values.length);
    this.#scales = new Float64Array(values.length).fill(this.#leastScale);
    this.#rises = leadSteps.map(() => new Int8Array(values.length).fill(-1));
  }

  /** Takes in the value of step `t − 1`. Steps come one after the other. */
  observe(step: number): void {
    if (step < FIRST_STEP) return;
    const [last, before, earlier] = [this.#at(step - 1), this.#at(step - 2), this.#at(step - 3)];
    this.#move += SCALE_GAIN * (Math.abs(last - before) - this.#move);
    const scale = this.#move + this.#leastScale;
    const level = 0.7 * last + 0.15 * (before + earlier);
    this.#levels[step] = level;
    this.#scales[step] = scale;
    for (const [place, lead] of this.#leadSteps.entries()) {
      const rise = this.#seasonalRise(step, level, Math.max(SEASON_AFTER, lead));
      (this.#rises[place] as Int8Array)[step] = riseBin(rise / scale);
      this.#learn(step - lead, step, place);
    }
  }

  #at(step: number): number {
    return this.#values[step] ?? 0;
  }

  #learn(from: number, until: number, place: number): void {
    const rise = from < 0 ? -1 : (this.#rises[place]?.[from] ?? -1);
    if (rise < 0) return;
    let highest = 0;
    for (let step = from; step < until; step += 1) highest = Math.max(highest, this.#at(step));
    const error = (highest - (this.#levels[from] as number)) / (this.#scales[from] as number);
    this.#errors[place]?.add(rise, error);
  }

  /** How far demand rose around this time a season ago above its level then, or above the level now where that is higher. */
  #seasonalRise(step: number, level: number, after: number): number {
    let rise = Number.NEGATIVE_INFINITY;
    for (const season of this.#seasons) {
      const then = step - season;
      if (then < FIRST_STEP) continue;
      let highest = 0;
      // What lies after this step is not known, however short the season is.
      const until = Math.min(step - 1, then + after);
      for (let at = then - SEASON_BEFORE; at <= until; at += 1) highest = Math.max(highest, this.#at(at));
      rise = Math.max(rise, highest - Math.max(level, this.#levels[then] as number));
    }
    return rise;
  }

  /** Units that the highest demand over the lead passes with at most this probability; `Infinity` while nothing is known. */
  unitsAt(step: number, lead: number, probability: number): number {
    const rise = this.#rises[lead]?.[step] ?? -1;
    if (rise < 0) return Number.POSITIVE_INFINITY;
    const errors = this.#errors[lead] as Errors;
    const { edge } = errors.walk(rise, (chance) => chance > probability);
    return (this.#levels[step] as number) + (this.#scales[step] as number) * edge;
  }

  /** Probability that the highest demand over the lead passes so many units. */
  probabilityAbove(step: number, lead: number, units: number): number {
    const rise = this.#rises[lead]?.[step] ?? -1;
    if (rise < 0) return 0;
    const target = (units - (this.#levels[step] as number)) / (this.#scales[step] as number);
    const errors = this.#errors[lead] as Errors;
    return errors.walk(rise, (_, edge) => edge < target).chance;
  }
}
