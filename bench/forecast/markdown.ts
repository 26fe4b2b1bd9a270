import type { BenchRow } from '../report.ts';
import { markdownTable } from '../report.ts';
import type { Comparison } from './comparison.ts';
import { brierSkill, calibrationError } from './measures.ts';
import type { Scores, SetOutcome } from './outcome.ts';
import { naiveError, scoresOf, toldEvents, worstOf } from './outcome.ts';

const number = (value: number | undefined, digits = 3): string => (value === undefined ? '' : value.toFixed(digits));

function besideOf({ peer, peerValue, ratio }: BenchRow): string {
  if (peer === null) return '';
  return ratio === null ? `${peer}: ${peerValue}` : `${peer}: ${peerValue}, ratio ${number(ratio)}`;
}

function goalTable(rows: readonly BenchRow[]): string[] {
  const cells = rows
    .filter(({ met }) => met !== null)
    .map((row) => [
      row.measure,
      `${row.value} ${row.unit}`,
      besideOf(row),
      row.goal ?? '',
      row.met === true ? 'yes' : 'NO',
      String(row.n),
    ]);
  return markdownTable(['measure', 'value', 'beside', 'goal', 'reached', 'n'], cells);
}

function setTable(outcomes: readonly SetOutcome[]): string[] {
  const cells = outcomes.map(({ set, forecasts }) => {
    const scores = scoresOf(forecasts);
    const told = forecasts.flatMap(toldEvents);
    return [
      set.role === 'development' ? set.name : `${set.name} (check)`,
      String(scores.n),
      number(scores.owa),
      number(scores.rel),
      number(scores.mase),
      number(scores.smape, 2),
      number(scores.spl),
      number(scores.coverage80, 2),
      number(scores.coverage95, 2),
      number(brierSkill(told)),
      number(calibrationError(told)),
      number(scores.cpuMillis, 1),
    ];
  });
  const header = ['windows', 'n', 'OWA', 'rel', 'MASE', 'sMAPE %', 'SPL', 'in 80 %', 'in 95 %', 'BSS', 'ECE', 'CPU ms'];
  return markdownTable(header, cells);
}

function peerTable(comparisons: readonly Comparison[]): string[] {
  const cells = comparisons.map(({ peer, every, windows, ours, theirs }) => {
    const both = (measure: (scores: Scores) => number | undefined, digits = 3) =>
      measure(ours) === undefined ? '' : `${number(measure(ours), digits)} / ${number(measure(theirs), digits)}`;
    return [
      peer.title,
      every === 1 ? windows : `${windows}, 1 in ${every}`,
      String(ours.n),
      both(({ owa }) => owa),
      both(({ rel }) => rel),
      both(({ spl }) => spl),
      both(({ coverage80 }) => coverage80, 2),
      both(({ coverage95 }) => coverage95, 2),
      both(({ cpuMillis }) => cpuMillis, 1),
    ];
  });
  return markdownTable(['ours / theirs', 'windows', 'n', 'OWA', 'rel', 'SPL', 'in 80 %', 'in 95 %', 'CPU ms'], cells);
}

function worstTable(outcomes: readonly SetOutcome[]): string[] {
  const cells = outcomes.flatMap(({ set, forecasts }) =>
    worstOf(forecasts).map(({ window, error }) => [
      set.name,
      `\`${window.id}\``,
      number(error, 2),
      number(naiveError(window), 2),
    ]),
  );
  return markdownTable(['windows', 'series@origin', 'MASE', 'MASE of seasonal naive'], cells);
}

/** Everything that was measured, as tables for docs/forecasting.md. */
export function forecastMarkdown(
  rows: readonly BenchRow[],
  outcomes: readonly SetOutcome[],
  comparisons: readonly Comparison[],
  notes: readonly string[],
): string {
  const beside =
    comparisons.length === 0 ? [] : ['', 'Beside others, on the same windows:', '', ...peerTable(comparisons)];
  return [
    'Goals:',
    '',
    ...goalTable(rows),
    '',
    'By set:',
    '',
    ...setTable(outcomes),
    ...beside,
    '',
    'The worst windows of each set:',
    '',
    ...worstTable(outcomes),
    '',
    ...notes.map((note) => `- ${note}`),
  ].join('\n');
}
