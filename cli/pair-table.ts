import type { PairReport } from './pair-output.ts';
import { percentText } from './percent.ts';

const GAP = '  ';

/** Rows with a head, each column as wide as its widest cell; the last one as it is. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  const lineOf = (row: readonly string[]) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join(GAP);
  return rows.map((row) => `${lineOf(row)}\n`).join('');
}

const short = (value: number) => String(Number(value.toPrecision(4)));

/** "1.5 (0 to 4)": the mean, and P10 to P90. */
export function savingText({ low, high, expected }: PairReport['pairings'][number]['savingUsd']): string {
  if (high === 0 && expected === 0) return '0';
  return `${short(expected)} (${short(low)} to ${short(high)})`;
}

/** The mean units lent in the slot in which most are expected. */
export function mostExpected(expectedUnits: readonly number[]): string {
  return short(expectedUnits.reduce((most, units) => Math.max(most, units), 0));
}

/** A share of the bound; 100 % only when it is reached. */
export function boundShareText(share: number): string {
  return `${Math.floor(1_000 * share) / 10} %`;
}

function pairingsText({ pairings, emptyReason, churn }: PairReport): string {
  if (pairings.length === 0) return `No pairings: ${emptyReason ?? 'nothing is short'}.\n`;
  const inForce = churn === undefined ? [] : ['change'];
  const head = ['borrower', 'lender', ...inForce, 'units at most', 'confidence', 'saving USD (P10 to P90)', 'why'];
  const rows = pairings.map(
    ({ borrowerPoolId, lenderPoolId, change, confidence, expectedUnits, savingUsd, reasons }) => [
      borrowerPoolId,
      lenderPoolId,
      ...(change === undefined ? [] : [change]),
      mostExpected(expectedUnits),
      percentText(confidence),
      savingText(savingUsd),
      reasons[1] ?? '',
    ],
  );
  return columns([head, ...rows]);
}

/** What becomes of the pairings in force. */
function churnLines({ churn }: PairReport): string[] {
  if (churn === undefined) return [];
  const { kept, started, ended, share, endedPairings } = churn;
  const of = share === null ? '' : ` (${percentText(share)} of those in force)`;
  return [
    `In force before: ${kept} kept, ${started} started, ${ended} ended${of}.`,
    ...endedPairings.map(
      ({ lenderPoolId, borrowerPoolId, reason }) => `${GAP}ended: ${lenderPoolId} to ${borrowerPoolId}: ${reason}`,
    ),
  ];
}

/** How the benefit is spread. */
export function fairnessText({ fairness: { smallestHalfShare, withoutCredits } }: PairReport): string | undefined {
  if (smallestHalfShare === null) return undefined;
  const without = withoutCredits?.smallestHalfShare ?? undefined;
  const beside = without === undefined ? '' : `; without credits ${percentText(without)}`;
  return `The half of the borrowers with the least gets ${percentText(smallestHalfShare)} of it${beside}.`;
}

function explanationText({ poolId, asBorrower, asLender }: NonNullable<PairReport['explain']>): string {
  const side = (title: string, pairs: typeof asBorrower, other: 'lenderPoolId' | 'borrowerPoolId') => {
    const rows = pairs.map((pair) => [
      pair.verdict === 'paired' ? 'yes' : 'no',
      pair[other],
      pair.verdict === 'refused' ? `${pair.gate} (${pair.field})` : pair.verdict,
      pair.reason,
    ]);
    return `\n${title}\n${rows.length === 0 ? 'there is no other pool\n' : columns(rows)}`;
  };
  return [
    side(`Who may lend to ${poolId}:`, asBorrower, 'lenderPoolId'),
    side(`Whom ${poolId} may lend to:`, asLender, 'borrowerPoolId'),
  ].join('');
}

/** A plan for people. */
export function pairTable(report: PairReport): string {
  const { bound, refusedByGate, refusedCount, circles, explain, elapsedMs } = report;
  const fairness = fairnessText(report);
  const lines = [
    bound.share === null
      ? 'Served: 0 unit-slots; nothing could be served.'
      : `Served: ${short(bound.served)} of the ${short(bound.unlimitedPartners)} unit-slots that unlimited partners could serve (${boundShareText(bound.share)}); short are ${short(bound.short)}.`,
    ...(fairness === undefined ? [] : [fairness]),
    ...churnLines(report),
  ];
  if (refusedCount > 0) {
    const gates = Object.entries(refusedByGate).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    lines.push(`Refused pairs: ${refusedCount} (${gates.map(([gate, count]) => `${gate} ${count}`).join(', ')}).`);
  }
  if (circles !== undefined) {
    lines.push(`Circles: ${circles.length}, which serve ${short(bound.circles ?? 0)} unit-slots.`);
    for (const circle of circles) lines.push(`${GAP}${short(circle.servedUnitSlots)}: ${circle.poolIds.join(', ')}`);
  }
  lines.push(`Planned in ${Math.round(elapsedMs)} ms.`);
  return `${pairingsText(report)}\n${lines.join('\n')}\n${explain === undefined ? '' : explanationText(explain)}`;
}
