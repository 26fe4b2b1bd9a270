import { highest, lowest } from './statistics.ts';

/** One line of a chart: a value at each of its x positions. */
export interface ChartLine {
  readonly label: string;
  /** CSS class that gives colour and dash. */
  readonly className: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Values hold until the next point instead of being joined. */
  readonly steps: boolean;
}

export interface ChartBand {
  readonly label: string;
  readonly className: string;
  readonly fromX: number;
  readonly toX: number;
}

export interface ChartMark {
  readonly label: string;
  readonly x: number;
}

export interface Chart {
  /** What the chart shows, in a sentence, for those who do not see it. */
  readonly description: string;
  readonly id: string;
  readonly lines: readonly ChartLine[];
  readonly bands: readonly ChartBand[];
  readonly marks: readonly ChartMark[];
  readonly xTicks: readonly { readonly x: number; readonly label: string }[];
  readonly yTitle: string;
}

const WIDTH = 960;
const HEIGHT = 268;
const LEFT = 46;
const RIGHT = 12;
const TOP = 34;
const BOTTOM = 28;
const Y_TICKS_WANTED = 4;
const BAND_LABEL_ROW = 14;
/** Lowest value of the axis as a share of the lowest value shown: enough to see movement, and room below it. */
const AXIS_START_SHARE = 0.85;

/** Text that is safe inside HTML and SVG. */
export function escapeHtml(text: string): string {
  const replacements: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => replacements[character] ?? character);
}

/** A round step that divides a range into about `wanted` parts: 1, 2 or 5 times a power of ten, at least 1. */
export function niceStep(range: number, wanted: number): number {
  const rough = Math.max(range / wanted, 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  return Math.max(1, step);
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly yTicks: readonly number[];
}

function scalesOf(chart: Chart): Scales {
  const xs = [...chart.lines.flatMap(({ points }) => points.map(({ x }) => x)), ...chart.xTicks.map(({ x }) => x)];
  const ys = chart.lines.flatMap(({ points }) => points.map(({ y }) => y));
  const [xFrom, xTo] = xs.length === 0 ? [0, 1] : [lowest(xs), highest(xs)];
  const [least, most] = ys.length === 0 ? [0, 1] : [lowest(ys) * AXIS_START_SHARE, highest(ys)];
  const step = niceStep(most - least, Y_TICKS_WANTED);
  const yFrom = Math.floor(least / step) * step;
  const yTo = Math.max(Math.ceil((most * 1.02) / step) * step, yFrom + step);
  const count = Math.round((yTo - yFrom) / step);
  return {
    x: (value) => LEFT + ((value - xFrom) / Math.max(xTo - xFrom, 1e-9)) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - ((value - yFrom) / (yTo - yFrom)) * (HEIGHT - TOP - BOTTOM),
    yTicks: Array.from({ length: count + 1 }, (_, index) => yFrom + index * step),
  };
}

const fixed = (value: number): string => value.toFixed(1);

/** The `d` of an SVG path through the points. */
export function pathOf(line: ChartLine, x: (value: number) => number, y: (value: number) => number): string {
  return line.points
    .map((point, index) => {
      if (index === 0) return `M${fixed(x(point.x))} ${fixed(y(point.y))}`;
      return line.steps ? `H${fixed(x(point.x))}V${fixed(y(point.y))}` : `L${fixed(x(point.x))} ${fixed(y(point.y))}`;
    })
    .join('');
}

function grid(chart: Chart, scales: Scales): string {
  const rows = scales.yTicks.map((tick) => {
    const y = fixed(scales.y(tick));
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 6}" y="${y}" dy="4" text-anchor="end">${tick}</text>`;
  });
  const columns = chart.xTicks.map(({ x, label }) => {
    const at = fixed(scales.x(x));
    return `<line class="tickmark" x1="${at}" x2="${at}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 4}"/><text class="tick" x="${at}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(label)}</text>`;
  });
  return [...rows, ...columns].join('');
}

function bandsOf(chart: Chart, scales: Scales): string {
  return chart.bands
    .map((band, index) => {
      const from = scales.x(band.fromX);
      const width = Math.max(2, scales.x(band.toX) - from);
      // A label near the right edge is written leftwards, so that it is not cut off.
      const anchor = from > WIDTH * 0.7 ? 'end' : 'start';
      const labelX = anchor === 'end' ? from + width : from;
      const labelY = TOP - 6 - (index % 2) * BAND_LABEL_ROW;
      return `<rect class="band ${band.className}" x="${fixed(from)}" y="${TOP}" width="${fixed(width)}" height="${HEIGHT - TOP - BOTTOM}"/><text class="bandlabel ${band.className}" x="${fixed(labelX)}" y="${labelY}" text-anchor="${anchor}">${escapeHtml(band.label)}</text>`;
    })
    .join('');
}

function marksOf(chart: Chart, scales: Scales): string {
  return chart.marks
    .map(({ x, label }) => {
      const at = scales.x(x);
      const y = HEIGHT - BOTTOM;
      return `<path class="mark" d="M${fixed(at)} ${y - 9}L${fixed(at - 5)} ${y}L${fixed(at + 5)} ${y}Z"><title>${escapeHtml(label)}</title></path>`;
    })
    .join('');
}

/** A chart as one `<svg>` element that takes its colours from the page's style sheet. */
export function chartSvg(chart: Chart): string {
  const scales = scalesOf(chart);
  const lines = chart.lines.map(
    (line) => `<path class="line ${line.className}" d="${pathOf(line, scales.x, scales.y)}"/>`,
  );
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${chart.id}">`,
    `<title id="${chart.id}">${escapeHtml(chart.description)}</title>`,
    grid(chart, scales),
    bandsOf(chart, scales),
    ...lines,
    marksOf(chart, scales),
    `<text class="tick" transform="translate(11 ${middle}) rotate(-90)" text-anchor="middle">${escapeHtml(chart.yTitle)}</text>`,
    '</svg>',
  ].join('');
}
