import { markupText, momentText, numberText } from './forecast-chart.ts';
import { PageFile } from './page-file.ts';
import { pageHead, pageLegend, pageStyle } from './page-shell.ts';
import type { SimulationReport } from './simulate-report.ts';
import { ACCOUNT_HEAD, accountRows, COMPARED_HEAD, comparedRows, shareText, totalOf } from './simulate-table.ts';

const WIDTH = 960;
const HEIGHT = 260;
const LEFT = 74;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 30;
const Y_PARTS = 4;
const X_PARTS = 6;
const MOST_ACCOUNTS = 200;
const MOST_POOLS = 100;

const STYLE = pageStyle(
  { short: '#c2362b', served: '#2f8f5b', lent: '#1f6fd1' },
  { short: '#ff8f86', served: '#63c48f', lent: '#6aa9ff' },
  `section { overflow-x: auto; }
th, td { text-align: right; padding: 2px 0 2px 16px; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.short { stroke: var(--short); stroke-width: 1.8; } .served { fill: var(--served); fill-opacity: .45; } .lent { stroke: var(--lent); stroke-width: 1.6; }
`,
);

const LEGEND = pageLegend([
  ['<path class="short" d="M0 5H26"/>', 'short without lending'],
  ['<path class="served" d="M0 0H26V10H0Z"/>', 'served by loans'],
  ['<path class="lent" d="M0 5H26"/>', 'lent'],
]);

/** Unit-hours by day: short, served and lent. */
function daysChart({ days }: SimulationReport): string {
  const most = Math.max(1e-9, ...days.map((day) => Math.max(day.shortUnitHours, day.lentUnitHours)));
  const bottom = HEIGHT - BOTTOM;
  const x = (day: number) => (LEFT + (day / Math.max(1, days.length)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (units: number) => (bottom - (units / most) * (bottom - TOP)).toFixed(1);
  const steps = (key: 'shortUnitHours' | 'servedUnitHours' | 'lentUnitHours') =>
    days.map((day, at) => `${x(at)} ${y(day[key])}H${x(at + 1)}`).join('L');
  const rows = Array.from({ length: Y_PARTS + 1 }, (_, part) => {
    const units = (most * part) / Y_PARTS;
    return `<path class="grid" d="M${LEFT} ${y(units)}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 8}" y="${y(units)}" dy="4" text-anchor="end">${numberText(units)}</text>`;
  }).join('');
  const shown = Math.min(X_PARTS, days.length);
  const ticks = Array.from({ length: shown }, (_, tick) => {
    const at = Math.floor((tick * days.length) / shown);
    const text = momentText(Date.parse(days[at]?.at ?? ''));
    return `<text class="tick" x="${x(at)}" y="${HEIGHT - 8}">${text}</text>`;
  }).join('');
  const area = `M${LEFT} ${bottom}L${steps('servedUnitHours')}V${bottom}Z`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><title>Unit-hours short, served and lent by day</title>${rows}<path class="served" d="${area}"/><path class="lent" d="M${steps('lentUnitHours')}"/><path class="short" d="M${steps('shortUnitHours')}"/>${ticks}</svg>`;
}

function markupTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: 'th' | 'td', texts: readonly string[]) =>
    texts.map((text) => `<${tag}>${markupText(text)}</${tag}>`).join('');
  return `<table><tr>${cells('th', head)}</tr>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</table>`;
}

function poolRows({ pools }: SimulationReport): string[][] {
  return pools
    .toSorted((a, b) => b.shortUnitHours - a.shortUnitHours || b.lentUnitHours - a.lentUnitHours)
    .slice(0, MOST_POOLS)
    .map((pool) => [
      pool.poolId,
      numberText(pool.ownedUnits),
      numberText(pool.shortUnitHours),
      shareText(pool.coverPercent),
      numberText(pool.borrowedUnitHours),
      numberText(pool.lentUnitHours),
      numberText(pool.harmedUnitHours),
    ]);
}

const POOL_HEAD = ['pool', 'owned', 'short', 'cover', 'borrowed', 'lent', 'harm'];

/** One page with all that is drawn of a simulation, without scripts. */
export function simulationPage(report: SimulationReport): string {
  const title = `What lending would have done for ${report.pools.length} pools`;
  const notes = report.notes.map((note) => `<li>${markupText(note)}</li>`).join('');
  const most = (count: number, all: number) => (all > count ? ` The ${count} with most of ${all} are listed.` : '');
  return `${pageHead(title, STYLE)}<h1>${title}</h1>
<p>Loans would have served ${shareText(report.lending.coverPercent)} of ${numberText(report.shortUnitHours)} unit-hours short; for each hundred unit-hours lent, lenders would have missed ${report.lending.harmPercent === null ? '–' : report.lending.harmPercent.toFixed(2)}.</p>
<p>All accounts together would have spared ${totalOf(report).netUsd.toFixed(2)} USD of on-demand capacity.</p>
${notes === '' ? '' : `<ul>${notes}</ul>\n`}<p class="muted">Measured from ${momentText(Date.parse(report.measuredFrom))} to ${momentText(Date.parse(report.endAt))} UTC, steps of ${report.stepSeconds} s.</p>
<p class="muted legend">${LEGEND}</p>
<section><h2>Unit-hours by day</h2>${daysChart(report)}</section>
<section><h2>Beside its bounds</h2><p class="muted">Cover: of the shortage, what loans serve. Harm: demand of lenders left unserved by their loans, of what they lent. Perfect forecast: the same rules with the future known. Oracle: the most within the same limits, without any delay. One pool: everything shared.</p>${markupTable(COMPARED_HEAD, comparedRows(report))}</section>
<section><h2>Accounts</h2><p class="muted">Money in USD. Avoided: on-demand capacity not bought, where the lender had paid for the units. Net: avoided and earned, less paid.${most(MOST_ACCOUNTS, report.accounts.length)}</p>${markupTable(ACCOUNT_HEAD, accountRows(report, MOST_ACCOUNTS))}</section>
<section><h2>Pools</h2><p class="muted">In unit-hours.${most(MOST_POOLS, report.pools.length)}</p>${markupTable(POOL_HEAD, poolRows(report))}</section>
</body></html>
`;
}

/** Writes the page. @throws UsageError when it cannot be written */
export async function writeSimulationPage(path: string, report: SimulationReport): Promise<void> {
  const file = await PageFile.begin(path, simulationPage(report));
  await file.end();
}
