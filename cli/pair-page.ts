import { markupText, numberText } from './forecast-chart.ts';
import { PageFile } from './page-file.ts';
import { pageHead, pageLegend, pageStyle } from './page-shell.ts';
import { heatMap, MAX_LINKS, MAX_ROWS, servesChart, totalsChart } from './pair-chart.ts';
import type { PairReport } from './pair-output.ts';
import type { FleetPlan } from './pair-plan.ts';
import { boundShareText, fairnessText, mostExpected, savingText } from './pair-table.ts';
import { percentText } from './percent.ts';

/** Rows of the table at most. */
const MAX_LISTED = 500;

const shades = (name: string, colour: string) =>
  [0.2, 0.4, 0.6, 0.8, 1].map(
    (opacity, at) => `.${name}${at + 1} { fill: var(--${colour}); fill-opacity: ${opacity}; }`,
  );

const STYLE = pageStyle(
  { idle: '#1f6fd1', short: '#c2362b', lent: '#2f8f5b' },
  { idle: '#6aa9ff', short: '#ff8f86', lent: '#63c48f' },
  `section { overflow-x: auto; } th, td { vertical-align: top; padding: 2px 16px 2px 0; } td.number { white-space: nowrap; } path { stroke: none; }
.name { fill: var(--muted); font-size: 10.5px; } .lent { fill: var(--lent); fill-opacity: .45; }
.idle-line { fill: none; stroke: var(--idle); stroke-width: 1.6; } .short-line { fill: none; stroke: var(--short); stroke-width: 1.8; }
.link { fill: none; stroke: var(--lent); stroke-opacity: .5; } .link:hover { stroke-opacity: 1; }
${[...shades('idle', 'idle'), ...shades('short', 'short')].join(' ')}
`,
);

const LEGEND = pageLegend([
  ['<path class="idle4" d="M0 0H26V10H0Z"/>', 'could be lent'],
  ['<path class="short4" d="M0 0H26V10H0Z"/>', 'short'],
  ['<path class="lent" d="M0 0H26V10H0Z"/>', 'served by pairings'],
]);

function summary(report: PairReport): string {
  const { pairings, bound, churn, refusedCount, emptyReason } = report;
  if (pairings.length === 0) return `<p>No pairings: ${markupText(emptyReason ?? 'nothing is short')}.</p>`;
  const fairness = fairnessText(report);
  const changed =
    churn === undefined ? '' : ` In force before: ${churn.kept} kept, ${churn.started} started, ${churn.ended} ended.`;
  return [
    `<p>${pairings.length} pairings serve ${numberText(bound.served)} of the ${numberText(bound.unlimitedPartners)} unit-slots that unlimited partners could serve (${boundShareText(bound.share ?? 0)}); short are ${numberText(bound.short)}. ${refusedCount} pairs are refused.`,
    ...(fairness === undefined ? [] : [` ${fairness}`]),
    `${changed}</p>`,
  ].join('');
}

function pairingsTable({ pairings }: PairReport): string {
  const rows = pairings.slice(0, MAX_LISTED).map((pairing) => {
    const { borrowerPoolId, lenderPoolId, confidence, expectedUnits, savingUsd, reasons } = pairing;
    const numbers = [mostExpected(expectedUnits), percentText(confidence), savingText(savingUsd)];
    const cells = numbers.map((text) => `<td class="number">${text}</td>`).join('');
    const why = reasons.map((reason) => markupText(reason)).join('<br>');
    return `<tr><td>${markupText(borrowerPoolId)}</td><td>${markupText(lenderPoolId)}</td>${cells}<td>${why}</td></tr>`;
  });
  const head = ['borrower', 'lender', 'units at most', 'confidence', 'saving USD (P10 to P90)', 'why'];
  const cut = pairings.length > MAX_LISTED ? `<p class="muted">The first ${MAX_LISTED} are listed.</p>` : '';
  return `<table><tr>${head.map((text) => `<th>${text}</th>`).join('')}</tr>${rows.join('')}</table>${cut}`;
}

function circlesSection({ circles }: PairReport): string {
  if (circles === undefined) return '';
  const rows = circles.map(
    ({ poolIds, servedUnitSlots }) =>
      `<li>${numberText(servedUnitSlots)} unit-slots: ${poolIds.map((id) => markupText(id)).join(', ')}</li>`,
  );
  return `<section><h2>Circles</h2><ul>${rows.join('') || '<li>none</li>'}</ul></section>\n`;
}

/** One page with all that is drawn of a plan, without scripts. */
export function pairPage(plan: FleetPlan, report: PairReport): string {
  const title = `Pairings of ${plan.pools.length} pools`;
  const sections: string[] = [];
  if (plan.curves.grid.slots > 0) {
    sections.push(
      `<section><h2>All pools together, units by slot</h2>${totalsChart(plan)}</section>`,
      `<section><h2>Pool by pool</h2><p class="muted">Stronger colour: more of what the pool has at most.${plan.pools.length > MAX_ROWS ? ` The ${MAX_ROWS} pools with most are drawn.` : ''}</p>${heatMap(plan)}</section>`,
    );
  }
  if (report.pairings.length > 0) {
    const cut = report.pairings.length > MAX_LINKS ? ` The ${MAX_LINKS} pairings that serve most are drawn.` : '';
    sections.push(
      `<section><h2>Who serves whom</h2><p class="muted">Lenders on the left, borrowers on the right.${cut}</p>${servesChart(plan)}</section>`,
      `<section><h2>Pairings</h2>${pairingsTable(report)}</section>`,
    );
  }
  return `${pageHead(title, STYLE)}<h1>${title}</h1>
${summary(report)}
<p class="muted">At P95 of the forecasts. Times are UTC.</p>
<p class="muted legend">${LEGEND}</p>
${sections.join('\n')}
${circlesSection(report)}</body></html>
`;
}

/** Writes the page. @throws UsageError when it cannot be written */
export async function writePairPage(path: string, plan: FleetPlan, report: PairReport): Promise<void> {
  const file = await PageFile.begin(path, pairPage(plan, report));
  await file.end();
}
