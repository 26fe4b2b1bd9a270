/** One measured value, beside what it is compared with and what it should be. */
export interface BenchRow {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** `value / peerValue`. */
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly met: boolean | null;
  /** Measurements that the value rests on. */
  readonly n: number;
}

export interface BenchReport {
  readonly bench: string;
  readonly seed: number;
  readonly rows: readonly BenchRow[];
  /** How it was measured, for people. */
  readonly notes: readonly string[];
  /** The report in Markdown, where one table of all rows is not what people want to read. */
  readonly markdown?: string;
}

/** What a benchmark gets. */
export interface BenchOptions {
  readonly seed: number;
  /** Repetitions; every benchmark has its default. */
  readonly n: number | undefined;
  /** The benchmark's own options, by name. */
  readonly given: Readonly<Record<string, string>>;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

/** The value below which a share of the values lies, interpolated between neighbours. @param share 0…1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new Error('a quantile of no values');
  return below + (above - below) * (place - Math.floor(place));
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

export function plainRow(measure: string, value: number, unit: string, n: number): BenchRow {
  return { measure, value: rounded(value), unit, peer: null, peerValue: null, ratio: null, goal: null, met: null, n };
}

/** A value that must not pass a maximum. */
export function limitRow(measure: string, value: number, unit: string, maximum: number, n: number): BenchRow {
  return { ...plainRow(measure, value, unit, n), goal: `at most ${maximum}`, met: value <= maximum };
}

export interface Peer {
  readonly name: string;
  readonly value: number;
}

/** A value beside its peer's. @param ratioMax the goal, if there is one */
export function ratioRow(base: BenchRow, peer: Peer, ratioMax?: number): BenchRow {
  const ratio = base.value / peer.value;
  return {
    ...base,
    peer: peer.name,
    peerValue: rounded(peer.value),
    ratio: rounded(ratio),
    goal: ratioMax === undefined ? null : `ratio at most ${ratioMax}`,
    met: ratioMax === undefined ? null : ratio <= ratioMax,
  };
}

function cellsOf(row: BenchRow): string[] {
  return [
    row.measure,
    `${row.value} ${row.unit}`,
    row.peer === null ? '' : `${row.peer}: ${row.peerValue}`,
    row.ratio === null ? '' : row.ratio.toFixed(2),
    row.goal ?? '',
    row.met === null ? '' : row.met ? 'yes' : 'NO',
    String(row.n),
  ];
}

const HEADER = ['measure', 'value', 'peer', 'ratio', 'goal', 'met', 'n'];

/** The report as a table for people. */
export function reportTable(report: BenchReport): string {
  const lines = [HEADER, ...report.rows.map(cellsOf)];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const table = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...table, '', ...report.notes.map((note) => `- ${note}`)].join('\n');
}

export function markdownTable(header: readonly string[], lines: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => '---'), ...lines].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
}

/** The report in Markdown, its notes below. */
export function reportMarkdown(report: BenchReport): string {
  if (report.markdown !== undefined) return report.markdown;
  return [...markdownTable(HEADER, report.rows.map(cellsOf)), '', ...report.notes.map((note) => `- ${note}`)].join(
    '\n',
  );
}

/** The report as one line for programs. */
export function reportJson({ bench, seed, rows }: BenchReport): string {
  return JSON.stringify({ bench, seed, rows });
}
