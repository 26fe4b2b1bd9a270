import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ForecastLine } from '../../cli/forecast-line.ts';
import { runCli } from '../../cli/main.ts';

export const HEADER = 'series_id,timestamp,value';
const HOUR_MILLIS = 3_600_000;
const START_MILLIS = Date.UTC(2026, 2, 1);

/** The rows of a series of hours. */
export function hours(seriesId: string, values: readonly (number | string)[]): string[] {
  return values.map(
    (value, hour) => `${seriesId},${new Date(START_MILLIS + hour * HOUR_MILLIS).toISOString()},${value}`,
  );
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  /** The texts as they were written. */
  readonly written: readonly string[];
}

/** Models that need neither a thread nor weights, unless others are named. */
function withModels(argv: readonly string[]): readonly string[] {
  return argv.includes('--models') ? argv : [...argv, '--models', 'arima,theta'];
}

/** Runs the command on a text as its standard input. */
export async function forecastText(text: string, ...argv: string[]): Promise<Ran> {
  const written: string[] = [];
  let error = '';
  const code = await runCli(
    ['forecast', '--input', '-', ...withModels(argv)],
    {},
    {
      out: (piece) => void written.push(piece),
      error: (piece) => void (error += piece),
      input: (async function* () {
        yield Buffer.from(text);
      })(),
    },
  );
  return { code, out: written.join(''), error, written };
}

/** Runs the command on a file with these rows. */
export async function forecastFile(rows: readonly string[], ...argv: string[]): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'entangle-forecast-test-'));
  const path = join(folder, 'series.csv');
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`);
  const written: string[] = [];
  let error = '';
  try {
    const streams = { out: (text: string) => void written.push(text), error: (text: string) => void (error += text) };
    const code = await runCli(['forecast', '--input', path, ...withModels(argv)], {}, streams);
    return { code, out: written.join(''), error: error.replaceAll(path, 'FILE'), written };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The lines of JSON of an output. */
export function linesOfOutput({ out }: Pick<Ran, 'out'>): ForecastLine[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ForecastLine);
}

/** The forecast of one series, as JSON. @throws when the command failed */
export async function forecastOf(rows: readonly string[], ...argv: string[]): Promise<ForecastLine> {
  const ran = await forecastFile(rows, '--json', '--horizon', '3', ...argv);
  const [line] = linesOfOutput(ran);
  if (ran.code !== 0 || line === undefined) throw new Error(`exit code ${ran.code}: ${ran.error}`);
  return line;
}
