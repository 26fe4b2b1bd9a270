import { numberText } from './forecast-chart.ts';
import type { ReportedMeasures, SimulationReport } from './simulate-report.ts';

/** Accounts that are listed at most. */
const MOST_ACCOUNTS = 20;

export const shareText = (value: number | null): string => (value === null ? '–' : `${value.toFixed(2)} %`);

/** What a simulation is compared by: a name, and its values for lending, for a perfect forecast, for the oracle and for one pool. */
export function comparedRows(report: SimulationReport): string[][] {
  const { lending, perfectForecast, oracle, pooled, noLending } = report;
  const row = (name: string, of: (measures: ReportedMeasures) => string, none: string, ...bounds: string[]) => {
    return [name, none, of(lending), of(perfectForecast), bounds[0] ?? '', bounds[1] ?? ''];
  };
  return [
    row(
      'cover',
      (m) => shareText(m.coverPercent),
      '0 %',
      shareText(oracle.coverPercent),
      shareText(pooled.coverPercent),
    ),
    row('of the pooled bound', (m) => shareText(m.ofPooledPercent), '0 %', shareText(oracle.ofPooledPercent), '100 %'),
    row('harm', (m) => shareText(m.harmPercent), ''),
    row('fully rescued minutes', (m) => `${numberText(m.rescuedMinutes)} (${shareText(m.rescuedPercent)})`, '0'),
    row('unit-hours served', (m) => numberText(m.servedUnitHours), '0'),
    row('unit-hours lent', (m) => numberText(m.lentUnitHours), '0'),
    row('of them needed', (m) => shareText(m.usedOfLentPercent), ''),
    row('loans a day', (m) => numberText(m.loansPerDay), '0'),
    row('recalls a day', (m) => numberText(m.recallsPerDay), '0'),
    row('utilisation', (m) => shareText(m.utilisationPercent), shareText(noLending.utilisationPercent)),
  ];
}

export const COMPARED_HEAD = ['', 'no lending', 'lending', 'perfect forecast', 'oracle', 'one pool'];

const SUMMED = [
  'lentUnitHours',
  'borrowedUnitHours',
  'harmedUnitHours',
  'earnedUsd',
  'paidUsd',
  'avoidedUsd',
  'netUsd',
] as const;

/** What all accounts have together. */
export function totalOf({ accounts }: SimulationReport): Record<(typeof SUMMED)[number], number> {
  const sums = SUMMED.map((key) => [key, accounts.reduce((sum, account) => sum + account[key], 0)]);
  return Object.fromEntries(sums) as Record<(typeof SUMMED)[number], number>;
}

/** All accounts together, then each with its money, those with most at stake first. */
export function accountRows(report: SimulationReport, most = MOST_ACCOUNTS): string[][] {
  const sorted = report.accounts.toSorted(
    (a, b) => Math.abs(b.netUsd) - Math.abs(a.netUsd) || (a.accountId < b.accountId ? -1 : 1),
  );
  return [{ ...totalOf(report), accountId: 'all' }, ...sorted.slice(0, most)].map((account) => [
    account.accountId,
    numberText(account.lentUnitHours),
    numberText(account.borrowedUnitHours),
    numberText(account.harmedUnitHours),
    ...[account.earnedUsd, account.paidUsd, account.avoidedUsd, account.netUsd].map((usd) => usd.toFixed(2)),
  ]);
}

export const ACCOUNT_HEAD = [
  'account',
  'lent unit-hours',
  'borrowed unit-hours',
  'harm unit-hours',
  'earned USD',
  'paid USD',
  'avoided USD',
  'net USD',
];

function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The report as a table for people. */
export function simulationTable(report: SimulationReport): string {
  const { pools, accounts, measuredFrom, endAt, stepSeconds, shortUnitHours, notes } = report;
  const cut =
    accounts.length > MOST_ACCOUNTS ? `the ${MOST_ACCOUNTS} of ${accounts.length} accounts with most at stake\n` : '';
  return [
    `${pools.length} pools, measured from ${measuredFrom} to ${endAt}, steps of ${stepSeconds} s, ${numberText(shortUnitHours)} unit-hours short`,
    ...notes.map((note) => `- ${note}`),
    '',
    table([COMPARED_HEAD, ...comparedRows(report)]),
    '',
    `${cut}${table([ACCOUNT_HEAD, ...accountRows(report)])}`,
    '',
  ].join('\n');
}
