/** A file or a line of input that cannot be used; the message names the file and the line. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** A table of plain comma-separated values, its cells trimmed, with the line that each row stands in. */
export interface Table {
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Reads comma-separated values without quotes, which is all that numbers need. Empty lines are skipped.
 * @throws InputError when a row has more or fewer cells than the header
 */
export function parseCsv(file: string, text: string): Table {
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const lines = body
    .split(/\r?\n/)
    .map((content, index) => ({ line: index + 1, cells: content.split(',').map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.length > 1 || cells[0] !== '');
  const [head, ...rows] = lines;
  if (head === undefined) throw new InputError(`${file}: the file is empty, expected a header and rows`);
  for (const { line, cells } of rows) {
    if (cells.length !== head.cells.length) {
      throw new InputError(
        `${file}:${line}: ${cells.length} values, expected ${head.cells.length} (${head.cells.join(',')})`,
      );
    }
  }
  return { file, header: head.cells.map((cell) => cell.toLowerCase()), rows };
}

/** A cell as a number; an empty one as NaN, which cleaning fills as a gap. @throws InputError on anything else */
export function numberCell(table: Table, row: Table['rows'][number], column: number): number {
  const cell = row.cells[column] ?? '';
  if (cell === '' || cell.toLowerCase() === 'nan') return Number.NaN;
  const value = Number(cell);
  if (Number.isFinite(value)) return value;
  throw new InputError(`${table.file}:${row.line}: ${table.header[column]} "${cell}" is not a number`);
}
