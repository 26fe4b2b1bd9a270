/** A file of series that cannot be used; the message names the line and says what would be right. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The rows of one series, in the order of the file. */
export interface RawSeries {
  readonly seriesId: string;
  /** The line of its first row, counted from 1 with the header. */
  readonly firstLine: number;
  /** By row: milliseconds since the epoch. */
  readonly atMillis: readonly number[];
  /** By row; null: empty, NaN or infinite. */
  readonly values: readonly (number | null)[];
  /** By name of a column `x_NAME` and by row; null as in `values`. */
  readonly regressors: Readonly<Record<string, readonly (number | null)[]>>;
  /** By row: whether the value is empty, not NaN or another word, while a column `x_NAME` has a number. */
  readonly onlyRegressors: readonly boolean[];
}

/** What a file holds besides its series. */
interface Header {
  readonly columns: number;
  readonly series: number;
  readonly timestamp: number;
  readonly value: number;
  /** Places of the columns that begin with `x_`, by name. */
  readonly regressors: readonly (readonly [string, number])[];
}

const HEADER = 'series_id,timestamp,value';
const BYTE_ORDER_MARK = '\uFEFF';
/** A file without line ends must not fill the memory. */
const MAX_LINE_CHARACTERS = 1_000_000;
/** So that no difference of two values leaves the range of numbers. */
const MAX_MAGNITUDE = 1e300;

/** The lines of a text that comes in pieces, without their ends. @throws InputError for one of a million characters */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  let line = 1;
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) yield each.endsWith('\r') ? each.slice(0, -1) : each;
    line += lines.length;
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new InputError(
        `line ${line}: longer than ${MAX_LINE_CHARACTERS} characters: expected comma-separated values`,
      );
    }
  }
  if (rest !== '') yield rest;
}

/** The cells of a line; a quoted one may hold commas, and quotes written twice. */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim());
  const cells = line.matchAll(/(?<=^|,)\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))/g);
  return [...cells].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
}

function headerOf(line: string): Header {
  const names = cellsOf(line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line);
  for (const [place, name] of names.entries()) {
    const isKnown = HEADER.split(',').includes(name) || /^x_./.test(name);
    if (!isKnown) throw new InputError(`line 1: column "${name}": expected ${HEADER} and columns named x_NAME`);
    if (names.indexOf(name) !== place) throw new InputError(`line 1: column "${name}" twice: expected it once`);
  }
  const missing = HEADER.split(',').find((name) => !names.includes(name));
  if (missing !== undefined) throw new InputError(`line 1: no column "${missing}": expected the header ${HEADER}`);
  return {
    columns: names.length,
    series: names.indexOf('series_id'),
    timestamp: names.indexOf('timestamp'),
    value: names.indexOf('value'),
    regressors: names.flatMap((name, place) => (name.startsWith('x_') ? [[name, place] as const] : [])),
  };
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?:Z|\+00:00)?)?$/;

/** @throws InputError unless the cell is a moment in ISO 8601, in UTC */
export function momentOf(cell: string, line: number): number {
  const [, date = '', time = '00:00'] = TIMESTAMP.exec(cell) ?? [];
  const atMillis = Date.parse(`${date}T${time}Z`);
  // The 30th of February would be taken for a day in March.
  if (Number.isNaN(atMillis) || !new Date(atMillis).toISOString().startsWith(date)) {
    throw new InputError(`line ${line}: timestamp "${cell}": expected ISO 8601 in UTC, such as 2026-03-01T13:00:00Z`);
  }
  return atMillis;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const MISSING = /^(?:|nan|null|na|[+-]?inf(?:inity)?)$/i;

/** @throws InputError when the cell is neither a number nor one of the words for a missing one */
function valueOf(cell: string, column: string, line: number): number | null {
  if (MISSING.test(cell)) return null;
  if (!DECIMAL.test(cell)) {
    throw new InputError(`line ${line}: ${column} "${cell}": expected a number, or nothing for a missing one`);
  }
  const value = Number(cell);
  return Math.abs(value) <= MAX_MAGNITUDE ? value : null;
}

/** A series that is being read. */
class Rows implements RawSeries {
  readonly seriesId: string;
  readonly firstLine: number;
  readonly atMillis: number[] = [];
  readonly values: (number | null)[] = [];
  readonly regressors: Record<string, (number | null)[]>;
  readonly onlyRegressors: boolean[] = [];

  constructor(seriesId: string, firstLine: number, header: Header) {
    this.seriesId = seriesId;
    this.firstLine = firstLine;
    this.regressors = Object.fromEntries(header.regressors.map(([name]) => [name, []]));
  }

  add(cells: readonly string[], header: Header, line: number): void {
    const text = cells[header.value] ?? '';
    this.atMillis.push(momentOf(cells[header.timestamp] ?? '', line));
    this.values.push(valueOf(text, 'value', line));
    let known = false;
    for (const [name, place] of header.regressors) {
      const value = valueOf(cells[place] ?? '', name, line);
      known ||= value !== null;
      this.regressors[name]?.push(value);
    }
    this.onlyRegressors.push(text === '' && known);
  }
}

/**
 * The series of a file, one at a time: a series is handed over when the row after it has been read, and forgotten. Of those
 * before it only the names are kept.
 * @throws InputError at the first wrong row, or when a series goes on after another one began
 */
export async function* readSeries(lines: AsyncIterable<string>): AsyncGenerator<RawSeries> {
  const seen = new Set<string>();
  let header: Header | undefined;
  let current: Rows | undefined;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    if (header === undefined) {
      header = headerOf(text);
      continue;
    }
    const cells = cellsOf(text);
    if (cells.length !== header.columns) {
      throw new InputError(`line ${line}: ${cells.length} values: expected ${header.columns}, as in the header`);
    }
    const seriesId = cells[header.series] ?? '';
    if (seriesId === '') throw new InputError(`line ${line}: no series_id: expected a name`);
    if (current?.seriesId !== seriesId) {
      if (seen.has(seriesId)) {
        throw new InputError(
          `line ${line}: series "${seriesId}" goes on after another one: expected its rows together; sort the file by series_id`,
        );
      }
      if (current !== undefined) yield current;
      seen.add(seriesId);
      current = new Rows(seriesId, line, header);
    }
    current.add(cells, header, line);
  }
  if (current === undefined) throw new InputError(`no rows: expected the header ${HEADER} and at least one row`);
  yield current;
}
