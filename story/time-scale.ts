/**
 * How the time of a trace becomes the time of the clock. CloudWatch's finest resolution is one second, so one sample of
 * a trace is put as one second, in the history and in the replay alike; nothing in the product knows about it.
 */
export interface TimeScale {
  /** Seconds between two samples of the trace. */
  readonly traceStepSeconds: number;
  /** Seconds of the clock between two samples: 1, or 5 or 10 when the replay was asked to be slower. */
  readonly stepSeconds: number;
}

/** Periods that GetMetricData knows, and in which a history of days is still within CloudWatch's retention. */
const STEPS_SECONDS = [1, 5, 10] as const;

/** Shortest alarm period: 10 samples, as far as CloudWatch has such a period (10, 20, 30 or whole minutes). */
const ALARM_PERIOD_SAMPLES = 10;

const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;

/**
 * The time scale for a wanted speed-up; without one, the fastest that CloudWatch has a resolution for.
 * @throws Error that lists the possible speeds
 */
export function timeScale(traceStepSeconds: number, speed?: number): TimeScale {
  const stepSeconds = STEPS_SECONDS.find((step) => speed === undefined || traceStepSeconds / step === speed);
  if (stepSeconds !== undefined) return { traceStepSeconds, stepSeconds };
  const possible = STEPS_SECONDS.map((step) => plain(traceStepSeconds / step)).join(', ');
  throw new Error(
    `--speed ${speed}: expected one of ${possible} (times faster than the trace, as CloudWatch resolves)`,
  );
}

/** How many times faster than real time the trace runs. Prices are multiplied by it, so that a bill reads in trace time. */
export function speedUp(scale: TimeScale): number {
  return scale.traceStepSeconds / scale.stepSeconds;
}

/** Seconds of the clock that a duration of the trace takes, rounded to whole seconds, at least one. */
export function clockSeconds(scale: TimeScale, traceSeconds: number): number {
  return Math.max(1, Math.round(traceSeconds / speedUp(scale)));
}

/** The seconds of a trace that pass in some seconds of the clock. */
export function traceSeconds(scale: TimeScale, seconds: number): number {
  return seconds * speedUp(scale);
}

/** Samples in an hour of the trace. */
export function samplesPerHour(scale: TimeScale): number {
  return SECONDS_PER_HOUR / scale.traceStepSeconds;
}

/** Samples in a day of the trace: the season of the forecast. */
export function samplesPerDay(scale: TimeScale): number {
  return Math.round(SECONDS_PER_DAY / scale.traceStepSeconds);
}

/** The alarm's period in seconds of the clock. */
export function alarmPeriodSeconds(scale: TimeScale): number {
  const wanted = ALARM_PERIOD_SAMPLES * scale.stepSeconds;
  return wanted <= 30 ? wanted : Math.ceil(wanted / 60) * 60;
}

/** A moment of a trace, counted from its first sample: `day 4, 23:40`. */
export function traceTime(scale: TimeScale, sample: number): string {
  const seconds = Math.floor(sample * scale.traceStepSeconds);
  const day = Math.floor(seconds / SECONDS_PER_DAY) + 1;
  const minutes = Math.floor((seconds % SECONDS_PER_DAY) / 60);
  return `day ${day}, ${clock(Math.floor(minutes / 60))}:${clock(minutes % 60)}`;
}

function clock(value: number): string {
  return String(value).padStart(2, '0');
}

/** `2 h 05 min` of trace time. */
export function traceDuration(scale: TimeScale, millis: number): string {
  const minutes = Math.round(traceSeconds(scale, millis / 1_000) / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${clock(minutes % 60)} min`;
}

function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** The mapping of times in sentences, as it is printed and reported. */
export function describeScale(scale: TimeScale): string[] {
  const perSecond = plain(speedUp(scale) / 60);
  const hour = plain(SECONDS_PER_HOUR / speedUp(scale));
  return [
    `1 second here is ${perSecond} minutes of the trace; 1 hour of the trace takes ${hour} s.`,
    `Prices are multiplied by ${plain(speedUp(scale))} for the same reason: a bill then reads as in trace time.`,
  ];
}
