import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { PairingInput } from '../core/pairing/pair.ts';
import type { WhatIf } from '../core/whatif/compare.ts';
import { whatIf } from '../core/whatif/compare.ts';
import type { Participants } from '../core/whatif/participants.ts';
import { participantsOf } from '../core/whatif/participants.ts';
import type { ReplayResult } from '../core/whatif/replay.ts';
import type { Scenario } from '../core/whatif/scenario.ts';
import type { ForecastStreams } from './forecast.ts';
import { InputError, linesOf } from './forecast-csv.ts';
import { tellMistakes } from './mistakes.ts';
import { STANDARD_INPUT } from './offline-options.ts';
import { FleetError } from './pair-input.ts';
import { fleetOfSimulation, poolNames } from './simulate-fleet.ts';
import type { SimulateOptions } from './simulate-options.ts';
import { parseSimulate, simulateOptions } from './simulate-options.ts';
import { writeSimulationPage } from './simulate-page.ts';
import { simulationJsonSchema, simulationReport } from './simulate-report.ts';
import { parseScenario, ScenarioError, scenarioJsonSchema } from './simulate-scenario.ts';
import { simulationTable } from './simulate-table.ts';
import type { ReadTraces } from './simulate-traces.ts';
import { readTraces } from './simulate-traces.ts';
import { helpText, UsageError } from './usage.ts';

/** Points of cover that limits of consents cost before it is told. */
const LEAST_LOST_POINTS = 0.5;

/** Something in the content of a named file is wrong. */
class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly lines: readonly string[];

  constructor(file: string, lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines.map((line) => `${file === STANDARD_INPUT ? 'standard input' : file}: ${line}`);
  }
}

async function* textOf(file: string, option: string, input: AsyncIterable<Uint8Array> | undefined) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const piece of file === STANDARD_INPUT ? (input ?? []) : createReadStream(file)) {
      yield decoder.decode(piece as Uint8Array, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new InputError('expected text in UTF-8');
    throw new UsageError(`--${option} ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function parsedJson(file: string, option: string, streams: ForecastStreams): Promise<unknown> {
  let text = '';
  if (file === STANDARD_INPUT) for await (const piece of textOf(file, option, streams.input)) text += piece;
  else {
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
    } catch (error) {
      if (error instanceof TypeError) throw new ContentError(file, ['expected text in UTF-8']);
      throw new UsageError(`--${option} ${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ContentError(file, [`expected JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

async function fleetFrom(options: SimulateOptions, streams: ForecastStreams): Promise<PairingInput> {
  const parsed = await parsedJson(options.fleet, 'fleet', streams);
  try {
    return fleetOfSimulation(parsed);
  } catch (error) {
    if (error instanceof FleetError) throw new ContentError(options.fleet, error.lines);
    throw error;
  }
}

async function scenarioFrom(
  options: SimulateOptions,
  fleet: PairingInput,
  streams: ForecastStreams,
): Promise<Scenario> {
  const { scenario, seed } = options;
  const parsed = scenario === undefined ? {} : await parsedJson(scenario, 'scenario', streams);
  try {
    return parseScenario(parsed, new Set(fleet.pools.map(({ spec }) => spec.poolId)), seed);
  } catch (error) {
    if (error instanceof ScenarioError) throw new ContentError(scenario ?? '', error.lines);
    throw error;
  }
}

async function tracesFrom(
  options: SimulateOptions,
  fleet: PairingInput,
  streams: ForecastStreams,
): Promise<ReadTraces> {
  try {
    return await readTraces(linesOf(textOf(options.traces, 'traces', streams.input)), poolNames(fleet));
  } catch (error) {
    if (error instanceof InputError) throw new ContentError(options.traces, [error.message]);
    throw error;
  }
}

/** What a person should know before believing the numbers. */
function notesOf(fleet: PairingInput, read: ReadTraces, scenario: Scenario, participants: Participants): string[] {
  const notes = [...read.notes];
  const traced = new Set(read.traces.poolIds);
  const without = fleet.pools.filter(({ spec }) => !traced.has(spec.poolId)).length;
  if (without > 0) notes.push(`${without} pools of the fleet have no demand in the traces and are left out`);
  if (!participants.pools.some(({ lend }) => lend !== undefined))
    notes.push('no account consents to lend: nothing is lent');
  if (!participants.pools.some(({ borrow }) => borrow !== undefined)) {
    notes.push('no account consents to borrow: nothing is lent');
  }
  const shortest = Math.min(scenario.alarmSeconds, scenario.startUpSeconds, scenario.recallSeconds);
  if (read.traces.stepSeconds > shortest) {
    notes.push(
      `steps of ${read.traces.stepSeconds} s are longer than the shortest duration of the scenario (${shortest} s): durations count as whole steps`,
    );
  }
  return notes;
}

/** How much the limits of consents cost, and which ones they are; nothing where it is little. */
function limitNotes({ lending, withoutLimits }: WhatIf): string[] {
  if (withoutLimits === undefined || lending.totals.short === 0) return [];
  const cover = ({ totals }: ReplayResult) => (100 * totals.served) / totals.short;
  const lost = cover(withoutLimits) - cover(lending);
  if (lost < LEAST_LOST_POINTS) return [];
  const which = lending.limitedBy.map(({ limit, accounts }) => `${limit} of ${accounts} accounts`).join(', ');
  return [
    `limits of consents hold loans back: cover is ${cover(lending).toFixed(1)} %, without them ${cover(withoutLimits).toFixed(1)} % (${which})`,
  ];
}

async function simulate(options: SimulateOptions, streams: ForecastStreams): Promise<void> {
  const startedMillis = performance.now();
  const fleet = await fleetFrom(options, streams);
  const scenario = await scenarioFrom(options, fleet, streams);
  const read = await tracesFrom(options, fleet, streams);
  const participants = participantsOf(fleet, read.traces, scenario);
  const unlimited = () => participantsOf(fleet, read.traces, { ...scenario, usageLimits: 'ignored' });
  const result = whatIf(read.traces, participants, scenario, unlimited);
  const report = simulationReport({
    traces: read.traces,
    participants,
    scenario,
    result,
    notes: [...limitNotes(result), ...notesOf(fleet, read, scenario, participants)],
    elapsedMs: performance.now() - startedMillis,
  });
  if (options.plotFile !== undefined) await writeSimulationPage(options.plotFile, report);
  await streams.out(options.json ? `${JSON.stringify(report)}\n` : simulationTable(report));
}

/**
 * Says what lending would have done to demand that stands in a file.
 * @returns false when the content of a file is wrong; it has been told then, and nothing has been written
 * @throws UsageError when the command is wrong, or a file cannot be read or written
 */
export async function runSimulate(argv: readonly string[], streams: ForecastStreams): Promise<boolean> {
  const values = parseSimulate(argv);
  if (values.help || values.schema || values['scenario-schema']) {
    const schema = () => (values.schema ? simulationJsonSchema() : scenarioJsonSchema());
    await streams.out(values.help ? helpText('simulate') : schema());
    return true;
  }
  const options = simulateOptions(values);
  try {
    await simulate(options, streams);
    return true;
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    tellMistakes(error.lines, '', streams);
    return false;
  }
}
