import type { LoanView } from '../core/lending/disclosure.ts';
import type { FactColumn } from './facts.ts';
import {
  ACCOUNT_COLUMNS,
  accountName,
  accountRows,
  cellsOf,
  forecastReasons,
  LOAN_COLUMNS,
  loanRows,
  PEAK_COLUMNS,
  peakRows,
  SAVING_NOTE,
} from './facts.ts';
import type { Chart, ChartBand } from './plot.ts';
import { chartSvg, escapeHtml } from './plot.ts';
import { reportStyle } from './report-style.ts';
import type { StoryResult } from './result.ts';
import { ceilingRange, judge, sampleAt } from './result.ts';
import { describeSizing } from './sizing.ts';
import { describeScale, samplesPerHour, traceTime } from './time-scale.ts';

const HOURS_BETWEEN_TICKS = 2;

/** When the capacity of a loan was away from its lender: from the taking to the giving back. */
function loanSpan(result: StoryResult, loan: LoanView): { fromX: number; toX: number } | undefined {
  const moved = loan.history.find(({ state }) => state === 'taken' || state === 'given');
  if (moved === undefined) return undefined;
  const last = result.frames.at(-1)?.atMillis ?? moved.at;
  return { fromX: sampleAt(result, moved.at), toX: sampleAt(result, loan.endedAt ?? last) };
}

function bandsOf(result: StoryResult, accountId: string): ChartBand[] {
  return result.loans.flatMap((loan) => {
    const span = loanSpan(result, loan);
    if (span === undefined) return [];
    if (loan.borrowerAccountId === accountId) {
      const label = `borrows ${loan.units} from ${accountName(result, loan.lenderAccountId)}`;
      return [{ ...span, className: 'borrowed', label }];
    }
    if (loan.lenderAccountId !== accountId) return [];
    return [
      { ...span, className: 'lent', label: `lends ${loan.units} to ${accountName(result, loan.borrowerAccountId)}` },
    ];
  });
}

function xTicks(result: StoryResult): { x: number; label: string }[] {
  const perHour = samplesPerHour(result.scale);
  const every = perHour * HOURS_BETWEEN_TICKS;
  const [first, last] = [result.frames[0]?.sample ?? 0, result.frames.at(-1)?.sample ?? 0];
  const count = Math.floor((last - first) / every) + 1;
  return Array.from({ length: count }, (_, index) => {
    const x = first + index * every;
    const [day = '', time = ''] = traceTime(result.scale, x).split(', ');
    const newDay = index === 0 || traceTime(result.scale, x - every).split(', ')[0] !== day;
    return { x, label: newDay ? `${day}, ${time}` : time };
  });
}

/** The chart of one account. */
export function accountChart(result: StoryResult, index: number): Chart {
  const account = result.accounts[index];
  const { frames } = result;
  const series = (pick: (frame: (typeof frames)[number]['accounts'][number]) => number) =>
    frames.flatMap((frame) => {
      const observed = frame.accounts[index];
      return observed === undefined ? [] : [{ x: frame.sample, y: pick(observed) }];
    });
  const yesterday = (account?.lastDayNeededUnits ?? [])
    .slice(0, frames.length)
    .flatMap((y, step) => (frames[step] === undefined ? [] : [{ x: frames[step].sample, y }]));
  const name = account?.name ?? '';
  const range = ceilingRange(result, index);
  return {
    id: `chart-${index + 1}`,
    description: `${name}: needed instances against the ceiling, which was ${account?.ceilingBefore ?? 0} before, between ${range.lowest} and ${range.highest} during and ${account?.ceilingAfter ?? 0} after the replay`,
    yTitle: 'instances',
    xTicks: xTicks(result),
    bands: bandsOf(result, account?.accountId ?? ''),
    marks: result.alarms
      .filter(({ accountName: owner, state }) => owner === name && state === 'ALARM')
      .map(({ sample }) => ({ x: sample, label: `alarm, ${traceTime(result.scale, sample)}` })),
    lines: [
      { label: 'needed a day earlier', className: 'yesterday', points: yesterday, steps: false },
      { label: 'in service', className: 'inservice', points: series((frame) => frame.inServiceUnits), steps: true },
      { label: 'needed', className: 'needed', points: series((frame) => frame.neededUnits), steps: false },
      { label: 'ceiling', className: 'ceiling', points: series((frame) => frame.ceilingUnits), steps: true },
    ],
  };
}

function htmlTable<Row extends { readonly [Key in keyof Row]: string }>(
  columns: readonly FactColumn<Row>[],
  rows: readonly Row[],
): string {
  const cell = (tag: string, text: string, index: number) =>
    `<${tag}${columns[index]?.right === true ? ' class="number"' : ''}${tag === 'th' ? ' scope="col"' : ''}>${escapeHtml(text)}</${tag}>`;
  const head = columns.map(({ title }, index) => cell('th', title, index)).join('');
  const body = cellsOf(columns, rows)
    .map((row) => `<tr>${row.map((text, index) => cell('td', text, index)).join('')}</tr>`)
    .join('');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const LEGEND: readonly { readonly className: string; readonly text: string }[] = [
  { className: 'needed', text: 'needed: instances that hold the busiest resource at the target' },
  { className: 'ceiling', text: 'ceiling (MaxSize)' },
  { className: 'inservice', text: 'in service' },
  { className: 'yesterday', text: 'needed at the same time a day earlier' },
];

function legend(): string {
  const lines = LEGEND.map(
    ({ className, text }) =>
      `<span><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><path class="line ${className}" d="M1 5H27"/></svg>${escapeHtml(text)}</span>`,
  );
  const areas = [
    { className: 'borrowed', text: 'borrowed' },
    { className: 'lent', text: 'lent' },
  ].map(
    ({ className, text }) =>
      `<span><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><rect class="band ${className}" x="1" y="0" width="26" height="10"/></svg>${text}</span>`,
  );
  const mark = `<span><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><path class="mark" d="M14 0L9 10L19 10Z"/></svg>alarm</span>`;
  return `<p class="legend">${[...lines, ...areas, mark].join('')}</p>`;
}

function headline(result: StoryResult): string {
  const loans = result.loans.filter((loan) => loan.activeAt !== undefined);
  const [first] = loans;
  if (first === undefined) return 'No capacity was lent in these hours.';
  const text = `${accountName(result, first.borrowerAccountId)} borrowed ${first.units} instance${first.units === 1 ? '' : 's'} from ${accountName(result, first.lenderAccountId)}`;
  const more = loans.length > 1 ? `, and ${loans.length - 1} more loan${loans.length > 2 ? 's' : ''} followed` : '';
  return `${text}${more}.`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

function loanSection(result: StoryResult): string {
  const rows = loanRows(result);
  if (rows.length === 0) return '<p>No loan was asked for: no alarm fired in the replayed hours.</p>';
  const reasons = result.loans.flatMap((loan) =>
    loan.reasons.map((reason) => `${accountName(result, loan.borrowerAccountId)}: ${reason}`),
  );
  return `${htmlTable(LOAN_COLUMNS, rows)}${reasons.length === 0 ? '' : `<h3>Reasons given</h3>${list(reasons)}<p class="muted">In the hub's own words; durations in them are of the clock, not of the traces.</p>`}`;
}

function forecastSection(result: StoryResult): string {
  const rows = peakRows(result);
  if (rows.length === 0) return '<p>Nothing was forecast.</p>';
  const reasons = forecastReasons(result);
  return `${htmlTable(PEAK_COLUMNS, rows)}${reasons.length === 0 ? '' : `<h3>What the forecasts rest on</h3>${list(reasons)}`}`;
}

function accountSection(result: StoryResult): string {
  return htmlTable(ACCOUNT_COLUMNS, accountRows(result));
}

function sources(result: StoryResult): string {
  return list(
    result.accounts.map((account) => {
      const cleaning = account.cleaning.length === 0 ? 'nothing to clean' : account.cleaning.join('; ');
      return `${account.name}: ${account.source}; ${cleaning}`;
    }),
  );
}

/** The whole story as one HTML page: no script, nothing loaded from elsewhere. */
export function reportHtml(result: StoryResult): string {
  const verdict = judge(result);
  const charts = result.accounts.map(
    (account, index) =>
      `<figure><figcaption><strong>${escapeHtml(account.name)}</strong> <span class="muted">account ${account.accountId}, group ${escapeHtml(account.groupName)}</span></figcaption>${chartSvg(accountChart(result, index))}</figure>`,
  );
  const findings = verdict.statements.map(
    ({ holds, text }) =>
      `<li class="${holds ? 'holds' : 'broken'}"><b>${holds ? '✓' : '✗'}</b> ${escapeHtml(text)}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Entangle: capacity lent between ${result.accounts.length} accounts</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(headline(result))}</h1>
<p class="muted">${result.accounts.length} accounts on the embedded emulator, ${escapeHtml(result.startedAt)}, ${Math.round(result.seconds)} s in all</p>
</header>
<section><ul class="findings">${findings.join('')}</ul></section>
<section><h2>Demand against ceiling</h2>${legend()}${charts.join('')}
<p class="muted">The vertical axes do not start at zero. The horizontal axis is trace time, counted from the first sample of the traces.</p></section>
<section><h2>Loans</h2>${loanSection(result)}</section>
<section><h2>Expected peaks</h2>${forecastSection(result)}</section>
<section><h2>Accounts</h2>${accountSection(result)}${result.loans.length === 0 ? '' : `<p class="note">${escapeHtml(SAVING_NOTE)}</p>`}</section>
<section><h2>How to read this</h2><h3>Time</h3>${list(describeScale(result.scale))}<h3>Sizes</h3>${list(describeSizing())}<h3>Traces</h3>${sources(result)}</section>
</main>
</body>
</html>
`;
}
