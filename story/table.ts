import { ACCOUNT_COLUMNS, accountRows, cellsOf, LOAN_COLUMNS, loanRows, SAVING_NOTE } from './facts.ts';
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
  const loans = cellsOf(LOAN_COLUMNS, loanRows(result));
  const accounts = cellsOf(ACCOUNT_COLUMNS, accountRows(result));
  const findings = judge(result).statements.map(({ holds, text }) => `${holds ? '✓' : '✗'} ${text}`);
  return [
    loans.length === 0 ? 'No loan was asked for.' : textTable(LOAN_COLUMNS, loans),
    textTable(ACCOUNT_COLUMNS, accounts),
    findings.join('\n'),
    ...(loans.length === 0 ? [] : [SAVING_NOTE]),
  ].join('\n\n');
}
