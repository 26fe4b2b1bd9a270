import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One run of the `cdk` command line against an emulator. */
export interface CdkRun {
  readonly arguments: readonly string[];
  readonly endpoint: string;
  readonly outdir: string;
  /** Name of the log file in `outdir/logs`, without its ending. */
  readonly log: string;
  /** The account to act in; the emulator takes its id for an access key. */
  readonly accountId?: string;
  readonly region?: string;
  /** Where `cdk.json` is looked for. Default: the repository. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const repoRoot = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(repoRoot, 'node_modules', 'aws-cdk', 'bin', 'cdk');

/**
 * Runs `cdk` to its end.
 * @throws Error with the last line that it wrote and the path of its log, when it fails
 */
export async function cdk(run: CdkRun): Promise<void> {
  const logs = join(run.outdir, 'logs');
  mkdirSync(logs, { recursive: true });
  const logPath = join(logs, `${run.log}.log`);
  const log = openSync(logPath, 'w');
  const quiet = ['--no-notices', '--no-color', '--ci', '--no-version-reporting'];
  const child = spawn(process.execPath, [CLI, ...run.arguments, ...quiet], {
    cwd: run.cwd ?? repoRoot,
    env: environment(run),
    stdio: ['ignore', log, log],
    // `cdk` runs the app in a process of its own: one group, so that both end together.
    detached: process.platform !== 'win32',
  });
  closeSync(log);
  const stop = (): void => endGroup(child);
  run.signal?.addEventListener('abort', stop);
  if (run.signal?.aborted === true) stop();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => run.signal?.removeEventListener('abort', stop));
  run.signal?.throwIfAborted();
  if (code !== 0)
    throw new Error(`cdk ${run.arguments[0] ?? ''} (${run.log}) failed: ${lastLine(logPath)} (log: ${logPath})`);
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid, 'SIGTERM');
  } catch (error) {
    // It had ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function lastLine(path: string): string {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.findLast((line) => line.trim() !== '')?.trim() ?? 'it wrote nothing';
}

/** The user's own profile, keys and endpoints never reach a run against an emulator. */
function environment(run: CdkRun): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name));
  const path = [dirname(process.execPath), join(repoRoot, 'node_modules', '.bin'), process.env['PATH'] ?? ''];
  return {
    ...Object.fromEntries(own),
    PATH: path.join(delimiter),
    AWS_ENDPOINT_URL: run.endpoint,
    // A bucket's name becomes part of the host name, which works below localhost but not below an address.
    AWS_ENDPOINT_URL_S3: run.endpoint.replace('//127.0.0.1', '//localhost'),
    AWS_ACCESS_KEY_ID: run.accountId ?? '000000000000',
    AWS_SECRET_ACCESS_KEY: 'emulator',
    AWS_REGION: run.region ?? 'us-east-1',
    AWS_CONFIG_FILE: join(run.outdir, 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(run.outdir, 'no-credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    ...run.env,
  };
}
