import { accountRows, loanRows, SAVING_NOTE } from './facts.ts';
import type { StoryResult } from './result.ts';
import { judge } from './result.ts';

export interface TextColumn {
  readonly title: string;
  readonly right?: boolean;
}

/** A table in plain text: columns as wide as their widest cell, two spaces between them. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ right }, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        return right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

/** The end of the story in plain text. */
export function storyTables(result: StoryResult): string {
  const loans = loanRows(result).map((row) => [
    row.lender,
    row.borrower,
    row.what,
    row.asked,
    row.active,
    row.ended,
    row.duration,
    row.why,
    row.end,
    row.price,
  ]);
  const loanColumns = [
    { title: 'lender' },
    { title: 'borrower' },
    { title: 'what', right: true },
    { title: 'asked' },
    { title: 'active' },
    { title: 'given back' },
    { title: 'lent for', right: true },
    { title: 'why' },
    { title: 'how it ended' },
    { title: 'billed', right: true },
  ];
  const accounts = accountRows(result).map((row) => [
    row.account,
    row.before,
    row.during,
    row.after,
    row.owed,
    row.audit,
  ]);
  const accountColumns = [
    { title: 'account' },
    { title: 'ceiling before', right: true },
    { title: 'during', right: true },
    { title: 'after', right: true },
    { title: 'ledger (+ owed to it)', right: true },
    { title: 'audit chain' },
  ];
  const findings = judge(result).statements.map(({ holds, text }) => `${holds ? '✓' : '✗'} ${text}`);
  return [
    loans.length === 0 ? 'No loan was asked for.' : textTable(loanColumns, loans),
    textTable(accountColumns, accounts),
    findings.join('\n'),
    ...(loans.length === 0 ? [] : [SAVING_NOTE]),
  ].join('\n\n');
}
