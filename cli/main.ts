#!/usr/bin/env node
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { COMMANDS } from './commands.ts';
import type { ForecastStreams } from './forecast.ts';
import { runForecast } from './forecast.ts';
import { hubApi } from './hub-api.ts';
import { hubClient } from './hub-client.ts';
import { knownOptions } from './offline-options.ts';
import { runPair } from './pair.ts';
import { runSimulate } from './simulate.ts';
import { COMMAND_NAMES, helpText, isCommand, UsageError } from './usage.ts';

const FAILED = 1;
const WRONG_USAGE = 2;

/** Options that only some commands take, with how these are called. */
const RECORD = ['trust record'];
const SWITCH = ['stop', 'resume'];
const OWN_OPTIONS = {
  account: [...RECORD, ...SWITCH],
  kind: RECORD,
  subject: RECORD,
  note: RECORD,
  all: SWITCH,
  pairing: SWITCH,
  reason: [...SWITCH, 'loans recall'],
  recall: ['stop'],
  units: ['pairings limit'],
  'unit-hours': ['pairings limit'],
} as const satisfies Record<string, readonly string[]>;

export type Streams = ForecastStreams;

/** They answer whether all went well. */
const OFFLINE_COMMANDS: ReadonlyMap<string, (argv: readonly string[], streams: Streams) => Promise<boolean>> = new Map([
  ['forecast', runForecast],
  ['pair', runPair],
  ['simulate', runSimulate],
]);

function parse(argv: readonly string[]) {
  return knownOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        open: { type: 'boolean', default: false },
        account: { type: 'string' },
        kind: { type: 'string' },
        subject: { type: 'string' },
        note: { type: 'string' },
        all: { type: 'boolean' },
        pairing: { type: 'string' },
        reason: { type: 'string' },
        recall: { type: 'boolean' },
        units: { type: 'string' },
        'unit-hours': { type: 'string' },
        url: { type: 'string' },
        region: { type: 'string' },
      },
    }),
  );
}

/** The region of the hub: stated, or that of an API Gateway host name, or that of the environment. */
export function hubRegion(url: URL, stated: string | undefined, env: Readonly<NodeJS.ProcessEnv>): string {
  const inHost = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/.exec(url.hostname)?.[1];
  const region = stated ?? inHost ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region === undefined || region === '') throw new UsageError(`the URL ${url.href} names no region: give --region`);
  return region;
}

function hubUrl(stated: string | undefined, env: Readonly<NodeJS.ProcessEnv>): URL {
  const text = stated ?? env['ENTANGLE_API_URL'];
  if (text === undefined || text === '') throw new UsageError('no hub: give --url or set ENTANGLE_API_URL');
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`--url ${text}: expected a URL such as https://abc.execute-api.eu-west-1.amazonaws.com/v1`);
  }
  return new URL(text);
}

/** @throws UsageError for an option that another command takes */
function refuseStrayOptions(name: string, args: readonly string[], values: Readonly<Record<string, unknown>>): void {
  for (const [option, takers] of Object.entries(OWN_OPTIONS)) {
    const isTaken = takers.some((taker) => taker === name || taker === `${name} ${args[0] ?? ''}`);
    if (values[option] === undefined || isTaken) continue;
    throw new UsageError(`--${option}: only ${takers.map((taker) => `"entangle ${taker}"`).join(' and ')} takes it`);
  }
}

async function execute(argv: readonly string[], env: Readonly<NodeJS.ProcessEnv>, streams: Streams): Promise<number> {
  // Offline, and with options of its own.
  const first = argv.findIndex((argument) => !argument.startsWith('-'));
  const offline = OFFLINE_COMMANDS.get(argv[first] ?? '');
  if (offline !== undefined) return (await offline(argv.toSpliced(first, 1), streams)) ? 0 : FAILED;
  const { values, positionals } = parse(argv);
  const [name, ...args] = positionals;
  if (values.help || name === undefined) {
    await streams.out(helpText(name));
    return values.help ? 0 : WRONG_USAGE;
  }
  if (OFFLINE_COMMANDS.has(name)) {
    throw new UsageError(`${name} works offline: name it first, without --url and --region`);
  }
  const command = COMMANDS[name];
  if (!isCommand(name) || command === undefined) {
    throw new UsageError(`unknown command "${name}": expected ${COMMAND_NAMES.join(', ')}`);
  }
  refuseStrayOptions(name, args, values);
  const url = hubUrl(values.url, env);
  const client = hubClient({
    url: url.href,
    region: hubRegion(url, values.region, env),
    credentials: defaultProvider(),
  });
  const output = await command(hubApi(client), args, values);
  await streams.out(`${values.json ? JSON.stringify(output.json) : output.text}\n`);
  return output.failed === true ? FAILED : 0;
}

/** Runs one command line and answers its exit code: 0, 1 when the hub or a check refused, 2 when the usage was wrong. */
export async function runCli(
  argv: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
  streams: Streams,
): Promise<number> {
  try {
    return await execute(argv, env, streams);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    streams.error(`entangle: ${message.replaceAll(/\s*\n\s*/g, '; ')}\n`);
    return error instanceof UsageError ? WRONG_USAGE : FAILED;
  }
}

/** Writes, and waits when the reader is slower: what is printed must not pile up in memory. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

const isEntry = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isEntry) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has seen enough, as `head` does.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await runCli(process.argv.slice(2), process.env, {
    out: print,
    error: (text) => void process.stderr.write(text),
    input: process.stdin,
    ...(process.stderr.isTTY ? { progress: (text: string) => void process.stderr.write(text) } : {}),
  });
}
