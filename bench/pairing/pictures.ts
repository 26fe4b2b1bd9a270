import type { MatchingPool } from '../../core/pairing/matching/market.ts';
import { planPairings } from '../../core/pairing/matching/plan-pairings.ts';

const WIDTH = 960;
const LEFT = 56;
const RIGHT = 24;
const HOURS = 24;
const TICK_HOURS = 3;

/** Two pools of twenty units each, by hour of a day: one is short by day, the other one by night, and once both are. */
const OWNED = 20;
const MOST = 30;
const SHOP = [6, 5, 5, 5, 6, 8, 11, 14, 18, 22, 25, 27, 28, 27, 25, 23, 21, 20, 22, 24, 22, 16, 11, 8];
const REPORTS = [27, 28, 28, 26, 23, 19, 14, 10, 8, 7, 6, 6, 6, 7, 7, 8, 9, 9, 9, 10, 21, 18, 23, 26];

const STYLE = `
    .page { fill: #ffffff; } .head { fill: #1f2328; font-weight: 600; } .text { fill: #1f2328; } .small { fill: #57606a; font-size: 12px; }
    .grid { stroke: #d0d7de; } .idle { fill: #0969da; fill-opacity: .3; } .short { fill: #cf222e; fill-opacity: .6; } .lent { fill: #1a7f37; fill-opacity: .6; }
    .need { fill: none; stroke: #1f2328; stroke-width: 1.8; } .owned { stroke: #57606a; stroke-width: 1.4; stroke-dasharray: 6 4; } .goal { stroke: #8250df; stroke-width: 1.6; stroke-dasharray: 6 4; } .goalText { fill: #8250df; font-size: 12px; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; } .head, .text { fill: #e6edf3; } .small { fill: #9da7b3; } .grid { stroke: #30363d; }
      .idle { fill: #58a6ff; } .short { fill: #ff7b72; } .lent { fill: #3fb950; } .need { stroke: #e6edf3; } .owned { stroke: #9da7b3; } .goal { stroke: #bc8cff; } .goalText { fill: #bc8cff; }
    }`;

function svg(height: number, title: string, description: string, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc" font-family="ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="14">
  <title id="title">${title}</title>
  <desc id="desc">${description}</desc>
  <style>${STYLE}
  </style>
  <rect class="page" width="${WIDTH}" height="${height}"/>
${body.map((line) => `  ${line}\n`).join('')}</svg>
`;
}

const hourWidth = (WIDTH - LEFT - RIGHT) / HOURS;
const xOf = (hour: number) => (LEFT + hour * hourWidth).toFixed(1);

function text(name: string, x: number | string, y: number, words: string, anchor = 'start'): string {
  return `<text class="${name}" x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
}

/** Columns of hours between two heights, given in pixels. */
function columns(name: string, from: readonly number[], to: readonly number[]): string {
  const paths = from.flatMap((start, hour) => {
    const end = to[hour] ?? start;
    const edges = `M${xOf(hour)} ${start.toFixed(1)}H${xOf(hour + 1)}V${end.toFixed(1)}H${xOf(hour)}Z`;
    return Math.abs(end - start) < 0.05 ? [] : [edges];
  });
  return `<path class="${name}" d="${paths.join('')}"/>`;
}

/** Need beside what is owned: what is between them is idle or short. */
function needPanel(name: string, need: readonly number[], top: number, height: number): string[] {
  const yOf = (units: number) => top + height - (units / MOST) * height;
  const over = need.map((units) => Math.max(units, OWNED));
  const under = need.map((units) => Math.min(units, OWNED));
  const owned = need.map(() => yOf(OWNED));
  const line = need.map((units, hour) => `${xOf(hour)} ${yOf(units).toFixed(1)}H${xOf(hour + 1)}`).join('L');
  return [
    text('head', LEFT, top - 8, name),
    ...[0, 10, 20, 30].map((units) => text('small', LEFT - 8, yOf(units) + 4, String(units), 'end')),
    `<path class="grid" d="M${LEFT} ${yOf(0)}H${WIDTH - RIGHT}"/>`,
    columns('idle', owned, under.map(yOf)),
    columns('short', owned, over.map(yOf)),
    `<path class="owned" d="M${LEFT} ${yOf(OWNED)}H${WIDTH - RIGHT}"/>`,
    `<path class="need" d="M${line}"/>`,
  ];
}

function examplePool(id: string, need: readonly number[]): MatchingPool {
  return {
    id,
    surplus: Float64Array.from(need, (units) => Math.max(0, OWNED - units)),
    deficit: Float64Array.from(need, (units) => Math.max(0, units - OWNED)),
    maxLenders: 1,
    maxBorrowers: 1,
  };
}

/** What two complementary pools have idle and lack over a day, and what pairing them serves of it. */
export function balancePicture(): string {
  const pools = [examplePool('shop', SHOP), examplePool('reports', REPORTS)];
  const { pairings } = planPairings({ pools });
  const short = SHOP.map((units, hour) => Math.max(0, units - OWNED) + Math.max(0, (REPORTS[hour] ?? 0) - OWNED));
  const served = short.map((_units, hour) => pairings.reduce((sum, { units }) => sum + (units[hour] ?? 0), 0));
  const total = (units: readonly number[]) => units.reduce((sum, each) => sum + each, 0);
  const [panel, gap, first] = [130, 46, 64];
  const [second, third] = [first + panel + gap, first + 2 * (panel + gap)];
  const thirdHeight = 80;
  const bottom = third + thirdHeight;
  const yOf = (units: number) => bottom - (units / 10) * thirdHeight;
  const level = (units: readonly number[]) => units.map(yOf);
  const legend = ['idle', 'short', 'lent'].flatMap((name, at) => [
    `<rect class="${name}" x="${LEFT + at * 150}" y="16" width="26" height="12"/>`,
    text('small', LEFT + at * 150 + 34, 26, ['idle', 'short', 'served by the pairing'][at] ?? ''),
  ]);
  const ticks = Array.from({ length: HOURS / TICK_HOURS + 1 }, (_, tick) => {
    const hour = tick * TICK_HOURS;
    return text('small', xOf(hour), bottom + 20, `${String(hour).padStart(2, '0')}:00`, 'middle');
  });
  return svg(
    bottom + 34,
    'Two complementary pools',
    `A shop is short by day, reports are short by night. Paired, they serve ${total(served)} of the ${total(short)} unit-hours that they lack.`,
    [
      ...legend,
      ...needPanel(`shop: units needed, ${OWNED} owned`, SHOP, first, panel),
      ...needPanel(`reports: units needed, ${OWNED} owned`, REPORTS, second, panel),
      text('head', LEFT, third - 8, `short in all: ${total(served)} of ${total(short)} unit-hours are served`),
      ...[0, 5, 10].map((units) => text('small', LEFT - 8, yOf(units) + 4, String(units), 'end')),
      `<path class="grid" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>`,
      columns('lent', level(served), level(served.map(() => 0))),
      columns('short', level(short), level(served)),
      ...ticks,
    ],
  );
}

/** A measured share of the pooled cover. */
interface Cover {
  readonly name: string;
  readonly percent: number;
}

const ROW = /^\| out of sample, (?<name>[^|]*?)(?:: share of the pooled cover)? *\| *(?<percent>[\d.]+) % *\|/gm;

/** The rows of the table of docs/pairing.md that are measured on weeks not seen, best first. */
function coversOf(markdown: string): Cover[] {
  const rows = [...markdown.matchAll(ROW)].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    percent: Number(groups?.['percent']),
  }));
  return rows.sort((a, b) => b.percent - a.percent || (a.name < b.name ? -1 : 1));
}

const COVER_MIN_PERCENT = 85;

/**
 * What pairings serve of what pooling would, by how many partners there may be, on weeks not seen.
 * @param markdown text of docs/pairing.md
 * @throws RangeError when its table has no such rows
 */
export function coverPicture(markdown: string): string {
  const covers = coversOf(markdown);
  if (covers.length === 0) throw new RangeError('expected rows that begin with "| out of sample, " in the table');
  const [labels, top, row, bar] = [440, 44, 34, 20];
  const most = WIDTH - labels - 80;
  const bottom = top + covers.length * row;
  const goal = labels + (COVER_MIN_PERCENT / 100) * most;
  return svg(
    bottom + 20,
    'Share of the pooled cover on weeks not seen',
    covers.map(({ name, percent }) => `${name}: ${percent} %`).join('; '),
    [
      text('head', 16, 24, 'share of what pooling everything would serve'),
      ...covers.flatMap(({ name, percent }, at) => {
        const [y, width] = [top + at * row, (percent / 100) * most];
        return [
          text('text', labels - 12, y + 15, name, 'end'),
          `<rect class="lent" x="${labels}" y="${y}" width="${width.toFixed(1)}" height="${bar}"/>`,
          text('text', WIDTH - 16, y + 15, `${percent} %`, 'end'),
        ];
      }),
      `<path class="goal" d="M${goal.toFixed(1)} ${top - 8}V${bottom}"/>`,
      text('goalText', goal.toFixed(1), top - 14, `goal: ${COVER_MIN_PERCENT} %`, 'middle'),
    ],
  );
}
