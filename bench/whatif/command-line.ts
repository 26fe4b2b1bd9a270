import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SimulationReport } from '../../cli/simulate-report.ts';
import { percentileOf } from '../../core/whatif/traces.ts';
import type { Demand } from './fleet.ts';

const START = Date.UTC(2026, 0, 5);
const MILLIS_PER_SECOND = 1_000;
const FIRST_ACCOUNT = 100_000_000_000;
const MOST_OUTPUT_BYTES = 1e9;
const CLI = join(import.meta.dirname, '../../cli/main.ts');

/** Consents of somebody who wants to know what lending could do: their limits are far away. */
const NO_LIMITS = { maxUnits: 1_000_000, maxUnitHoursPerMonth: 1e9 };
const CONSENT = {
  lend: { ...NO_LIMITS, maxSharePercent: 100, minPriceMicroUsdPerUnitHour: 10_000, recallNoticeSeconds: 120 },
  borrow: { ...NO_LIMITS, maxSharePercent: 100_000, maxPriceMicroUsdPerUnitHour: 90_000, minRecallNoticeSeconds: 60 },
  longestTermSeconds: 604_800,
};

const nameAt = (place: number) => `vm-${place}`;

function fleetFile(demand: readonly Float64Array[], percentile: number, isWhole: boolean) {
  const pools = demand.map((values, place) => {
    const owned = percentileOf(values.slice(0, values.length >> 1), percentile);
    return {
      accountId: String(FIRST_ACCOUNT + place),
      region: 'eu-west-1',
      groupName: nameAt(place),
      azIds: ['euw1-az1'],
      instanceType: 'm7g.large',
      networkGbps: 12.5,
      ownedUnits: isWhole ? Math.round(owned) : owned,
      onDemandUsdPerUnitHour: 0.09,
    };
  });
  return { defaultConsent: CONSENT, pools };
}

async function writeTraces(file: string, { demand, stepSeconds }: Demand): Promise<void> {
  const out = createWriteStream(file);
  out.write('pool_id,timestamp,demand_units\n');
  for (const [place, values] of demand.entries()) {
    const lines = Array.from(values, (units, step) => {
      const at = new Date(START + step * stepSeconds * MILLIS_PER_SECOND).toISOString();
      return `${nameAt(place)},${at},${units.toFixed(3)}`;
    });
    if (!out.write(`${lines.join('\n')}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** One run of the command on a fleet that owns a percentile of its training weeks. */
export interface CommandRun {
  readonly percentile: number;
  /** Whole units are owned, and so lent. */
  readonly isWhole: boolean;
  readonly scenario?: Readonly<Record<string, unknown>>;
}

/** Runs `entangle simulate` on files of its own, one run after the other. */
export async function runCommand(demand: Demand, runs: readonly CommandRun[]): Promise<SimulationReport[]> {
  const folder = mkdtempSync(join(tmpdir(), 'whatif-'));
  const [traces, fleet, scenarioFile] = ['traces.csv', 'fleet.json', 'scenario.json'].map((name) => join(folder, name));
  if (traces === undefined || fleet === undefined || scenarioFile === undefined) return [];
  try {
    await writeTraces(traces, demand);
    const reports: SimulationReport[] = [];
    for (const { percentile, isWhole, scenario } of runs) {
      writeFileSync(fleet, JSON.stringify(fleetFile(demand.demand, percentile, isWhole)));
      writeFileSync(scenarioFile, JSON.stringify(scenario ?? {}));
      const more = scenario === undefined ? [] : ['--scenario', scenarioFile];
      const argv = [CLI, 'simulate', '--traces', traces, '--fleet', fleet, ...more, '--json'];
      const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: MOST_OUTPUT_BYTES });
      reports.push(JSON.parse(stdout) as SimulationReport);
    }
    return reports;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
