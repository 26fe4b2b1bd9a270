import type { ReliabilityBin } from '../../core/pairing/reliability.ts';
import { reliability } from '../../core/pairing/reliability.ts';
import type { JudgedConfidence } from './calibration.ts';
import { shareInterval } from './reliability-rows.ts';

/** One panel of the picture. */
export interface ReliabilityPanel {
  readonly title: string;
  readonly judged: readonly JudgedConfidence[];
}

const SIDE = 240;
const GAP = 70;
const LEFT = 60;
const TOP = 64;
const FOOT = 74;
const COLUMNS = 2;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Bins with fewer verdicts say nothing. */
const FEWEST = 5;
const COLOURS = { stated: '#b35900', corrected: '#0b5cad' } as const;
const STYLE =
  'text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.frame{fill:none;stroke:#888}.ideal{stroke:#888;stroke-dasharray:4 4}';

const number = (value: number) => String(Number(value.toFixed(1)));
const onX = (left: number, share: number) => number(left + share * SIDE);
const onY = (top: number, share: number) => number(top + (1 - share) * SIDE);

function pointOf(bin: ReliabilityBin, left: number, top: number, which: keyof typeof COLOURS): string[] {
  const { count, meanPredicted, shareTrue } = bin;
  if (meanPredicted === undefined || shareTrue === undefined || count < FEWEST) return [];
  const { low, high } = shareInterval(Math.round(shareTrue * count), count);
  const x = onX(left, meanPredicted);
  const radius = number(2 + Math.log10(count) * 1.5);
  const colour = COLOURS[which];
  const inside = which === 'corrected' ? colour : '#fff';
  return [
    `<path d="M${x} ${onY(top, low)}V${onY(top, high)}" stroke="${colour}"/>`,
    `<circle cx="${x}" cy="${onY(top, shareTrue)}" r="${radius}" fill="${inside}" stroke="${colour}"><title>${count} verdicts, ${(100 * shareTrue).toFixed(0)} % delivered</title></circle>`,
  ];
}

function panelMarkup({ title, judged }: ReliabilityPanel, index: number): string[] {
  const left = LEFT + (index % COLUMNS) * (SIDE + GAP);
  const top = TOP + Math.floor(index / COLUMNS) * (SIDE + FOOT);
  const outcomes = judged.map(({ cameTrue }) => cameTrue);
  const points = (['stated', 'corrected'] as const).flatMap((which) =>
    reliability(
      judged.map((each) => each[which]),
      outcomes,
    ).bins.flatMap((bin) => pointOf(bin, left, top, which)),
  );
  return [
    `<text class="title" x="${left}" y="${top - 10}">${title} (n = ${judged.length})</text>`,
    `<rect class="frame" x="${left}" y="${top}" width="${SIDE}" height="${SIDE}"/>`,
    `<path class="ideal" d="M${left} ${top + SIDE}L${left + SIDE} ${top}"/>`,
    ...TICKS.flatMap((tick) => [
      `<text x="${onX(left, tick)}" y="${top + SIDE + 16}" text-anchor="middle">${tick}</text>`,
      `<text x="${left - 6}" y="${number(Number(onY(top, tick)) + 4)}" text-anchor="end">${tick}</text>`,
    ]),
    `<text x="${left + SIDE / 2}" y="${top + SIDE + 34}" text-anchor="middle">confidence</text>`,
    `<text transform="translate(${left - 36} ${top + SIDE / 2}) rotate(-90)" text-anchor="middle">share that delivered</text>`,
    ...points,
  ];
}

function keyMarkup(): string[] {
  const entry = (x: number, which: keyof typeof COLOURS, fill: string, text: string) => [
    `<circle cx="${x}" cy="20" r="5" fill="${fill}" stroke="${COLOURS[which]}"/>`,
    `<text x="${x + 12}" y="24">${text}</text>`,
  ];
  return [
    ...entry(LEFT + 5, 'corrected', COLOURS.corrected, 'corrected by the verdicts of the days before'),
    ...entry(LEFT + 305, 'stated', '#fff', 'as the forecasts say'),
  ];
}

/**
 * A reliability plot as SVG: where points lie on the diagonal, a confidence says how often pairs deliver. Bars are 95 % intervals. The
 * same verdicts give the same bytes.
 */
export function reliabilitySvg(panels: readonly ReliabilityPanel[]): string {
  const width = LEFT + COLUMNS * (SIDE + GAP) - GAP + 20;
  const height = TOP + Math.ceil(panels.length / COLUMNS) * (SIDE + FOOT) - 24;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Reliability of the confidence of pairings">`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...keyMarkup(),
    ...panels.flatMap(panelMarkup),
    '</svg>',
    '',
  ].join('\n');
}
