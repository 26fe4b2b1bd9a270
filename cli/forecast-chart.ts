import type { BusinessEvent } from '../core/forecast/events.ts';
import { overlaps } from '../core/forecast/events.ts';
import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { SeriesHistory } from './forecast-history.ts';
import type { ForecastLine } from './forecast-line.ts';

const WIDTH = 960;
const HEIGHT = 280;
const LEFT = 74;
const RIGHT = 14;
const TOP = 26;
const BOTTOM = 30;
const Y_PARTS = 4;
const X_PARTS = 6;
/** Steps of history that are drawn, as a multiple of the horizon and at least and at most. */
const TAIL_HORIZONS = 3;
const MIN_TAIL_STEPS = 48;
const MAX_TAIL_STEPS = 1_000;
/** Slots that are drawn at most: no screen shows more. */
const MAX_SLOTS = 2_000;
/** A threshold farther away than this many ranges would flatten the lines: it is told in words. */
const MAX_RANGES_AWAY = 1;
const SIGNIFICANT_DIGITS = 4;
/** With more events their names would cover each other: they are shown to the mouse only. */
const MAX_NAMED_EVENTS = 6;
const MAX_EVENTS = 200;
/** A line of no length, which round caps make a dot: so that a value without neighbours is seen. */
const DOT = 'h0';
/** Share of the width. */
const LEFTWARDS_FROM = 0.7;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text that is safe in HTML and SVG, between tags and in quoted attributes. */
export function markupText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}

/** A number for people: four digits, thousands apart, very large and very small ones with an exponent. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-3)) return value.toExponential(SIGNIFICANT_DIGITS - 2);
  const rounded = Number(value.toPrecision(SIGNIFICANT_DIGITS));
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: SIGNIFICANT_DIGITS });
}

/** A moment in UTC for people, to the minute; midnight as the day alone. */
export function momentText(atMillis: number): string {
  const text = new Date(atMillis).toISOString().replace('T', ' ').slice(0, 16);
  return text.endsWith(' 00:00') ? text.slice(0, -6) : text;
}

interface Scale {
  readonly x: (atMillis: number) => string;
  readonly y: (value: number) => string;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly showsThreshold: boolean;
}

/** Values a round step apart that lie within a range. */
function ticksWithin(from: number, to: number): number[] {
  const rough = (to - from) / Y_PARTS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  if (!(step > 0) || !Number.isFinite(step) || from + step === from) return [];
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: count }, (_, index) => (first + index) * step);
}

interface Shown {
  /** Moments and values of the history's end; null: missing. */
  readonly tail: readonly { readonly atMillis: number; readonly value: number | null }[];
  readonly slots: number;
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly beginMillis: number;
}

function shown(line: ForecastLine, { values, startMillis, stepSeconds }: SeriesHistory): Shown {
  const slots = Math.min(line.mean.length, MAX_SLOTS);
  const steps = Math.min(values.length, MAX_TAIL_STEPS, Math.max(MIN_TAIL_STEPS, TAIL_HORIZONS * slots));
  const first = values.length - steps;
  const at = (step: number) => startMillis + step * stepSeconds * MILLIS_PER_SECOND;
  return {
    tail: values.slice(first).map((value, index) => ({ atMillis: at(first + index), value })),
    slots,
    fromMillis: at(first),
    toMillis: at(values.length + slots),
    beginMillis: at(values.length),
  };
}

function scaleOf(line: ForecastLine, { tail, slots, fromMillis, toMillis }: Shown): Scale {
  const [low, high] = [line.quantiles['0.025'], line.quantiles['0.975']];
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of [...tail.map((point) => point.value), ...low.slice(0, slots), ...high.slice(0, slots)]) {
    if (value === null) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (highest === lowest) {
    const room = Math.abs(highest) / 2 || 1;
    [lowest, highest] = [lowest - room, highest + room];
  }
  const away = MAX_RANGES_AWAY * (highest - lowest);
  const threshold = line.bottleneck?.threshold;
  const showsThreshold = threshold !== undefined && threshold <= highest + away && threshold >= lowest - away;
  if (showsThreshold) [lowest, highest] = [Math.min(lowest, threshold), Math.max(highest, threshold)];
  const [from, to] = [lowest - (highest - lowest) * 0.04, highest + (highest - lowest) * 0.04];
  return {
    x: (atMillis) => (LEFT + ((atMillis - fromMillis) / (toMillis - fromMillis)) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (value) => (HEIGHT - BOTTOM - ((value - from) / (to - from)) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
    xTicks: Array.from(
      { length: X_PARTS },
      (_, part) => fromMillis + ((part + 0.5) / X_PARTS) * (toMillis - fromMillis),
    ),
    yTicks: ticksWithin(from, to),
    showsThreshold,
  };
}

function gridOf({ x, y, xTicks, yTicks }: Scale): string {
  const rows = yTicks.map(
    (tick) =>
      `<path class="grid" d="M${LEFT} ${y(tick)}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 8}" y="${y(tick)}" dy="4" text-anchor="end">${numberText(tick)}</text>`,
  );
  const columns = xTicks.map(
    (tick) => `<text class="tick" x="${x(tick)}" y="${HEIGHT - 10}" text-anchor="middle">${momentText(tick)}</text>`,
  );
  return [...rows, ...columns].join('');
}

function eventMark(
  { name, startMillis, endMillis }: BusinessEvent,
  isNamed: boolean,
  { x }: Scale,
  drawn: Shown,
): string {
  const from = Number(x(Math.max(startMillis, drawn.fromMillis)));
  const to = Math.max(from + 2, Number(x(Math.min(endMillis, drawn.toMillis))));
  const label = markupText(name);
  // A name near the right edge is written leftwards, so that it is not cut off.
  const [at, anchor] = from > WIDTH * LEFTWARDS_FROM ? [to, 'end'] : [from, 'start'];
  const text = isNamed ? `<text x="${at.toFixed(1)}" y="${TOP - 6}" text-anchor="${anchor}">${label}</text>` : '';
  const title = `<title>${label}: ${momentText(startMillis)} to ${momentText(endMillis)}</title>`;
  return `<g class="event">${title}<rect x="${from.toFixed(1)}" y="${TOP}" width="${(to - from).toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}"/>${text}</g>`;
}

function eventsOf(events: readonly BusinessEvent[], scale: Scale, drawn: Shown): string {
  const visible = events.filter((event) =>
    overlaps(event, { startMillis: drawn.fromMillis, endMillis: drawn.toMillis }),
  );
  const isNamed = visible.length <= MAX_NAMED_EVENTS;
  return visible
    .slice(0, MAX_EVENTS)
    .map((event) => eventMark(event, isNamed, scale, drawn))
    .join('');
}

function linesOf(line: ForecastLine, { x, y, showsThreshold }: Scale, { tail, slots, beginMillis }: Shown): string {
  const stepMillis = line.stepSeconds * MILLIS_PER_SECOND;
  const at = (slot: number) => x(beginMillis + slot * stepMillis);
  const along = (values: readonly number[]) => values.slice(0, slots).map((value, slot) => `${at(slot)} ${y(value)}`);
  const band = (name: string, low: readonly number[], high: readonly number[]) =>
    `<path class="${name}" d="M${[...along(low), ...along(high).reverse()].join('L')}Z"/>`;
  const { quantiles, bottleneck } = line;
  let history = '';
  let isJoined = false;
  for (const { atMillis, value } of tail) {
    if (value !== null) history += isJoined ? `L${x(atMillis)} ${y(value)}` : `M${x(atMillis)} ${y(value)}${DOT}`;
    isJoined = value !== null;
  }
  const threshold = showsThreshold && bottleneck !== undefined ? y(bottleneck.threshold) : undefined;
  return [
    band('band95', quantiles['0.025'], quantiles['0.975']),
    band('band80', quantiles['0.1'], quantiles['0.9']),
    `<path class="begin" d="M${x(beginMillis)} ${TOP}V${HEIGHT - BOTTOM}"/>`,
    `<path class="history" d="${history}"/>`,
    `<path class="median" d="M${along(quantiles['0.5']).join('L')}${DOT}"/>`,
    threshold === undefined ? '' : `<path class="threshold" d="M${LEFT} ${threshold}H${WIDTH - RIGHT}"/>`,
  ].join('');
}

/** What a chart leaves out, in words; empty: nothing. */
export function leftOutOfChart(line: ForecastLine, history: SeriesHistory): string {
  const drawn = shown(line, history);
  const { showsThreshold } = scaleOf(line, drawn);
  const parts = [
    line.bottleneck === undefined || showsThreshold
      ? ''
      : `The threshold of ${numberText(line.bottleneck.threshold)} lies outside the chart.`,
    drawn.slots < line.mean.length ? `Of ${line.mean.length} slots the first ${drawn.slots} are drawn.` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** The end of a history and its forecast as one `<svg>` element, which takes its colours from the page's style sheet. */
export function forecastChart(line: ForecastLine, history: SeriesHistory, events: readonly BusinessEvent[]): string {
  const drawn = shown(line, history);
  const scale = scaleOf(line, drawn);
  const title = `${line.seriesId}: history, median and intervals of the forecast`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><title>${markupText(title)}</title>`,
    gridOf(scale),
    eventsOf(events, scale, drawn),
    linesOf(line, scale, drawn),
    '</svg>',
  ].join('');
}
