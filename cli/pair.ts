import { readFile } from 'node:fs/promises';
import type { ForecastStreams } from './forecast.ts';
import { tellMistakes } from './mistakes.ts';
import { STANDARD_INPUT } from './offline-options.ts';
import { explainPool, poolNamed } from './pair-explain.ts';
import type { Fleet } from './pair-input.ts';
import { FleetError, fleetJsonSchema, parseFleet } from './pair-input.ts';
import { pairOptions, parsePair } from './pair-options.ts';
import { pairReport, pairReportJsonSchema } from './pair-output.ts';
import { writePairPage } from './pair-page.ts';
import { planFleet } from './pair-plan.ts';
import { pairTable } from './pair-table.ts';
import { helpText, UsageError } from './usage.ts';

async function bytesOf(input: string, standardInput: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  try {
    if (input !== STANDARD_INPUT) return await readFile(input);
    const pieces: Uint8Array[] = [];
    for await (const piece of standardInput ?? []) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    throw new UsageError(`--input ${input}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws FleetError */
function fleetOf(bytes: Uint8Array): Fleet {
  let parsed: unknown;
  try {
    // A byte order mark is skipped, bytes that are no text are refused.
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FleetError([
      `the file: expected JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  return parseFleet(parsed);
}

/**
 * Plans the pairings of a fleet that stands in a file.
 * @returns false when the content of the file is wrong; every mistake has been told then, and nothing has been written
 * @throws UsageError when the command is wrong, or a file cannot be read or written
 */
export async function runPair(argv: readonly string[], streams: ForecastStreams): Promise<boolean> {
  const values = parsePair(argv);
  if (values.help || values.schema || values['input-schema']) {
    const schema = () => (values.schema ? pairReportJsonSchema() : fleetJsonSchema());
    await streams.out(values.help ? helpText('pair') : schema());
    return true;
  }
  const options = pairOptions(values);
  const name = options.input === STANDARD_INPUT ? 'standard input' : options.input;
  const bytes = await bytesOf(options.input, streams.input);
  const startedMillis = performance.now();
  let fleet: Fleet;
  try {
    fleet = fleetOf(bytes);
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    tellMistakes(error.lines, `${name}: `, streams);
    return false;
  }
  const explained = options.explain === undefined ? undefined : poolNamed(fleet.input.pools, options.explain);
  const plan = planFleet(fleet, options);
  const explanation = explained === undefined ? undefined : explainPool(plan, explained);
  const report = pairReport(plan, explanation, performance.now() - startedMillis);
  if (options.plotFile !== undefined) await writePairPage(options.plotFile, plan, report);
  await streams.out(options.json ? `${JSON.stringify(report)}\n` : pairTable(report));
  return true;
}
