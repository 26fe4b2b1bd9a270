/** Stands the stacks of the fleet up on an emulator of their own, ready to lend: for the tests and the benchmarks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { ResourceType } from '../../core/units.ts';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import { startEmulator } from '../../emulator/emulator.ts';
import { deployAll } from '../../infra/deploy.ts';
import type { DeployedFleet } from './deployment.ts';
import { clientOptions, Fleet, SPECS } from './deployment.ts';
import type { FleetPool } from './lending-fleet.ts';
import { ALL_POOLS, firstTermsOf, fleetConfig, fleetSamples, idOf } from './lending-fleet.ts';

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

async function prepare(fleet: Fleet, pools: readonly FleetPool[], termsOf: typeof firstTermsOf): Promise<void> {
  for (const pool of pools) {
    await seedHistory(fleet.deployed.endpoint, pool);
    await fleet.api(pool.account, 'PUT', '/pools', SPECS.get(idOf(pool)));
  }
  for (const account of new Set(pools.map((pool) => pool.account))) {
    const terms = termsOf(account);
    if (terms !== undefined) await fleet.api(account, 'PUT', '/consent', terms);
  }
  await fleet.plan();
}

export interface StandingFleet {
  readonly deployed: DeployedFleet;
  /** Ends the emulator and removes the files. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StandUpOptions {
  /** Pools to deploy with their accounts; the hub is always there. Default: all. */
  /** Settings of the hub besides those of the tests. */
  readonly hub?: object;
  readonly pools?: readonly FleetPool[];
  /** The consent that each account gives to begin with. Default: those of the tests. */
  readonly termsOf?: typeof firstTermsOf;
  readonly emulatorEnv?: EmulatorOptions['env'];
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Starts an emulator that enforces IAM, deploys hub, linked accounts and sample groups with `cdk`, seeds the history,
 * enrols the pools, records the consents and plans.
 */
export async function standUpFleet(options: StandUpOptions = {}): Promise<StandingFleet> {
  const { pools = ALL_POOLS, hub = {}, termsOf = firstTermsOf, emulatorEnv, onProgress, signal } = options;
  const emulator = await startEmulator({ auth: true, ...(emulatorEnv === undefined ? {} : { env: emulatorEnv }) });
  const outdir = mkdtempSync(join(tmpdir(), 'entangle-fleet-'));
  try {
    const configPath = join(outdir, 'entangle.json');
    writeFileSync(configPath, JSON.stringify(fleetConfig(pools, hub)));
    const { endpoint, logFile = 'no log: the endpoint is not ours' } = emulator;
    const deployment = await deployAll({
      configPath,
      endpoint,
      samples: fleetSamples(pools),
      outdir,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    const deployed = { endpoint, logFile, ...deployment };
    await prepare(new Fleet(deployed), pools, termsOf);
    const stop = async (): Promise<void> => {
      await emulator.stop();
      rmSync(outdir, { recursive: true, force: true });
    };
    return { deployed, stop };
  } catch (error) {
    // The logs of `cdk`, which the error names, stay.
    await emulator.stop();
    throw error;
  }
}
