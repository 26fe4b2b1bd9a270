import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../cli/main.ts';
import type { SimulationReport } from '../../cli/simulate-report.ts';
import { folderIn, temporaryFolder } from '../support/temporary-folder.ts';
import type { Json, Ran } from './pair-command.ts';
import { CONSENT, idAt, poolAt } from './pair-command.ts';

const STEP_MILLIS = 300_000;
/** For what a test of the command writes. */
export const simulateFolder = temporaryFolder('simulate');
const START = Date.UTC(2026, 0, 5);

/** Pools of ten units that all consent. */
export function simulatedFleet(pools: number, more: Json = {}): Json {
  const stated = Array.from({ length: pools }, (_, n) => {
    const { need: _need, ...pool } = poolAt(n, []);
    return {
      ...pool,
      withoutLending: 'on-demand',
      lendsAs: 'physical',
      launchesIntoReservations: true,
      commitments: [{ kind: 'capacity-reservation', units: 10 }],
    };
  });
  return { pools: stated, defaultConsent: CONSENT, ...more };
}

/** Rows of two pools over four days: one is short every night, the other every day. */
export function dayAndNight(days = 4): string[] {
  return Array.from({ length: days * 288 }, (_, step) => {
    const at = new Date(START + step * STEP_MILLIS).toISOString();
    const isDay = step % 288 >= 96 && step % 288 < 216;
    return [`${idAt(0)},${at},${isDay ? 12 : 4}`, `${idAt(1)},${at},${isDay ? 4 : 12}`];
  }).flat();
}

export const csvOf = (rows: readonly string[]): string => `pool_id,timestamp,demand_units\n${rows.join('\n')}\n`;

/** Runs the command on files with these contents, traces as its standard input. */
export async function simulateText(traces: string, fleet: unknown, scenario: unknown, ...argv: string[]): Promise<Ran> {
  const folder = folderIn(simulateFolder);
  const fleetFile = join(folder, 'fleet.json');
  writeFileSync(fleetFile, typeof fleet === 'string' ? fleet : JSON.stringify(fleet));
  const more: string[] = [];
  if (scenario !== undefined) {
    const scenarioFile = join(folder, 'scenario.json');
    writeFileSync(scenarioFile, JSON.stringify(scenario));
    more.push('--scenario', scenarioFile);
  }
  let [out, error] = ['', ''];
  const code = await runCli(
    ['simulate', '--traces', '-', '--fleet', fleetFile, ...more, ...argv],
    {},
    {
      out: (piece) => void (out += piece),
      error: (piece) => void (error += piece),
      input: (async function* () {
        yield Buffer.from(traces);
      })(),
    },
  );
  return { code, out, error: error.replaceAll(folder, '') };
}

/** What is printed with --json. */
export async function simulationOf(traces: string, fleet: unknown, scenario?: unknown): Promise<SimulationReport> {
  const { out, error, code } = await simulateText(traces, fleet, scenario, '--json');
  if (code !== 0) throw new Error(error);
  return JSON.parse(out) as SimulationReport;
}
