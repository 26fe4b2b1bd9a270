/** Deploys the stacks once for all test files of the project "lending", and ends the emulator after them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { ResourceType } from '../../core/units.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { startEmulator } from '../../emulator/emulator.ts';
import { deployAll } from '../../infra/deploy.ts';
import { clientOptions, DEPLOYED_FLEET_VARIABLE, Fleet, SPECS } from './deployment.ts';
import type { FleetPool } from './lending-fleet.ts';
import { ALL_POOLS, fleetConfig, fleetSamples, idOf, LINKED, openTerms, SILENT } from './lending-fleet.ts';

const HISTORY_STEPS = 40;
const STEP_MILLIS = 60_000;

/** A flat hour of history: what the forecast then says is known beforehand. */
async function seedHistory(endpoint: string, pool: FleetPool): Promise<void> {
  const client = new CloudWatchClient(clientOptions({ endpoint }, pool.account));
  const spec = SPECS.get(idOf(pool));
  if (spec === undefined) throw new Error(`${idOf(pool)} is not in the configuration`);
  const dimensions = [{ Name: 'AutoScalingGroupName', Value: pool.groupName }];
  const times = Array.from({ length: HISTORY_STEPS }, (_, step) => new Date(Date.now() - (step + 1) * STEP_MILLIS));
  const put = (namespace: string, name: string, value: number) =>
    client.send(
      new PutMetricDataCommand({
        Namespace: namespace,
        MetricData: times.map((at) => ({ MetricName: name, Dimensions: dimensions, Timestamp: at, Value: value })),
      }),
    );
  await put('AWS/AutoScaling', 'GroupInServiceInstances', pool.sizes.desiredCapacity);
  for (const type of Object.keys(spec.resources) as ResourceType[]) {
    const metric = spec.resources[type];
    if (metric === undefined) continue;
    await put(metric.namespace, metric.metricName, (pool.historyPercent / 100) * metric.fullUsePerUnit);
  }
}

async function prepare(fleet: Fleet): Promise<void> {
  for (const pool of ALL_POOLS) {
    await seedHistory(fleet.deployed.endpoint, pool);
    await fleet.api(pool.account, 'PUT', '/pools', SPECS.get(idOf(pool)));
  }
  for (const account of LINKED) {
    if (account !== SILENT) await fleet.api(account, 'PUT', '/consent', openTerms());
  }
  await fleet.plan();
}

let emulator: Emulator | undefined;
let outdir: string | undefined;

export default async function deployFleet(): Promise<void> {
  emulator = await startEmulator({ auth: true, env: { SFN_WAIT_SCALE: '0.05' } });
  outdir = mkdtempSync(join(tmpdir(), 'entangle-fleet-'));
  try {
    mkdirSync(outdir, { recursive: true });
    const configPath = join(outdir, 'entangle.json');
    writeFileSync(configPath, JSON.stringify(fleetConfig()));
    const { endpoint, logFile = 'no log: the endpoint is not ours' } = emulator;
    const deployment = await deployAll({ configPath, endpoint, samples: fleetSamples(), outdir });
    const deployed = { endpoint, logFile, ...deployment };
    process.env[DEPLOYED_FLEET_VARIABLE] = JSON.stringify(deployed);
    await prepare(new Fleet(deployed));
  } catch (error) {
    // The logs of `cdk`, which the error names, stay.
    await emulator.stop();
    throw error;
  }
}

export async function endFleet(): Promise<void> {
  await emulator?.stop();
  if (outdir !== undefined) rmSync(outdir, { recursive: true, force: true });
}
