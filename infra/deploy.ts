import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CdkRun } from './cdk-cli.ts';
import { cdk } from './cdk-cli.ts';
import { loadConfig } from './config.ts';
import { hubStackName, linkedAccountStackName, sampleWorkloadStackName } from './names.ts';
import type { Samples } from './samples.ts';

export interface DeployOptions {
  /** The configuration file. */
  readonly configPath: string;
  /** Endpoint of the emulator. */
  readonly endpoint: string;
  /** Sizes of the sample groups by pool id; pools that are not named get no group. */
  readonly samples: Samples;
  /** Folder for assemblies, outputs and the logs of the `cdk` runs. */
  readonly outdir: string;
  readonly onProgress?: (message: string) => void;
  /** Ends all `cdk` runs. */
  readonly signal?: AbortSignal;
}

export interface Deployment {
  /** Where the hub's API is reached on the emulator, with a slash at its end. */
  readonly apiUrl: string;
  /** Outputs of the hub's stack by their names. */
  readonly hub: Readonly<Record<string, string>>;
}

type Run = Pick<CdkRun, 'endpoint' | 'outdir' | 'signal'>;

const NO_QUESTIONS = ['--require-approval', 'never', '--method', 'direct', '--exclusively'];

/**
 * Deploys the hub, every linked account and the sample groups to an emulator with the `cdk` command line: one synthesis,
 * then all accounts at the same time.
 * @throws ConfigError for a wrong configuration, Error with the name of the log when `cdk` fails
 */
export async function deployAll(options: DeployOptions): Promise<Deployment> {
  const { configPath, endpoint, outdir, signal, onProgress: tell = () => {} } = options;
  const config = loadConfig(configPath);
  const run: Run = { endpoint, outdir, ...(signal === undefined ? {} : { signal }) };
  mkdirSync(outdir, { recursive: true });
  const { accountId, region } = config.hub;
  tell(`synthesizing, and bootstrapping account ${accountId}`);
  const [product, samples] = await Promise.all([
    synthesize('product', 'node infra/app.ts', run, { ENTANGLE_CONFIG: configPath }),
    synthesize('samples', 'node infra/sample-app.ts', run, {
      ENTANGLE_CONFIG: configPath,
      ENTANGLE_SAMPLES: writeSamples(outdir, options.samples),
    }),
    // Away from cdk.json: bootstrapping would synthesize the app that it names.
    cdk({
      ...run,
      log: 'bootstrap',
      accountId,
      region,
      cwd: outdir,
      arguments: ['bootstrap', `aws://${accountId}/${region}`],
    }),
  ]);
  const hubStack = hubStackName(region);
  const deploy = async (assembly: string, account: string, inRegion: string, stack: string): Promise<void> => {
    tell(`deploying ${stack}`);
    await deployStack(assembly, { ...run, log: stack, accountId: account, region: inRegion });
    tell(`deployed ${stack}`);
  };
  await Promise.all([
    deploy(product, accountId, region, hubStack),
    ...config.linkedAccounts.map(async (linked) => {
      await deploy(samples, linked.accountId, linked.region, sampleWorkloadStackName(linked.accountId, linked.region));
      await deploy(product, linked.accountId, linked.region, linkedAccountStackName(linked.accountId, linked.region));
    }),
  ]);
  const hub = readOutputs(outdir, hubStack);
  return { hub, apiUrl: `${endpoint}/restapis/${hub['ApiId']}/v1/_user_request_/` };
}

async function synthesize(name: string, app: string, run: Run, env: Record<string, string>): Promise<string> {
  const output = join(run.outdir, name);
  const unprotected = ['--context', 'deletionProtection=false'];
  await cdk({
    ...run,
    log: `synth-${name}`,
    env,
    arguments: ['synth', '--quiet', '--app', app, '--output', output, ...unprotected],
  });
  return output;
}

async function deployStack(assembly: string, run: Omit<CdkRun, 'arguments'>): Promise<void> {
  const outputs = ['--outputs-file', outputsPath(run.outdir, run.log)];
  await cdk({ ...run, arguments: ['deploy', run.log, '--app', assembly, ...NO_QUESTIONS, ...outputs] });
}

function writeSamples(outdir: string, samples: Samples): string {
  const path = join(outdir, 'samples.json');
  writeFileSync(path, JSON.stringify(samples));
  return path;
}

function outputsPath(outdir: string, stack: string): string {
  return join(outdir, `${stack}.outputs.json`);
}

function readOutputs(outdir: string, stack: string): Record<string, string> {
  const all = JSON.parse(readFileSync(outputsPath(outdir, stack), 'utf8')) as Record<string, Record<string, string>>;
  const outputs = all[stack];
  if (outputs === undefined) throw new Error(`cdk deploy wrote no outputs of ${stack}`);
  return outputs;
}
