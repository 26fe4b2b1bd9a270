import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RawSeries } from './forecast-csv.ts';
import { linesOf, readSeries } from './forecast-csv.ts';
import { STANDARD_INPUT } from './offline-options.ts';
import { UsageError } from './usage.ts';

/**
 * A file that can be read twice: itself, or a copy on disk of what comes through a pipe, without a name.
 * @throws UsageError when it cannot be read
 */
export async function openInput(
  input: string,
  standardInput: AsyncIterable<Uint8Array> | undefined,
): Promise<FileHandle> {
  try {
    const isPipe = input === STANDARD_INPUT || !(await stat(input)).isFile();
    if (!isPipe) return await open(input);
    const source: AsyncIterable<Uint8Array> | readonly Uint8Array[] =
      input === STANDARD_INPUT ? (standardInput ?? []) : createReadStream(input);
    const folder = await mkdtemp(join(tmpdir(), 'entangle-forecast-'));
    try {
      const copy = await open(join(folder, 'input.csv'), 'wx+', 0o600);
      for await (const piece of source) await copy.appendFile(piece);
      return copy;
    } finally {
      await rm(folder, { recursive: true });
    }
  } catch (error) {
    throw new UsageError(`--input ${input}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The series of an open file, from its beginning. @throws InputError at a wrong row */
export function seriesOf(file: FileHandle): AsyncGenerator<RawSeries> {
  const pieces = file.createReadStream({ start: 0, autoClose: false, encoding: 'utf8' }) as AsyncIterable<string>;
  return readSeries(linesOf(pieces));
}
