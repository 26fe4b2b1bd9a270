#!/usr/bin/env node
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { COMMANDS } from './commands.ts';
import { hubApi } from './hub-api.ts';
import { hubClient } from './hub-client.ts';
import { COMMAND_NAMES, helpText, isCommand, UsageError } from './usage.ts';

const FAILED = 1;
const WRONG_USAGE = 2;

export interface Streams {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        open: { type: 'boolean', default: false },
        url: { type: 'string' },
        region: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
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

async function execute(argv: readonly string[], env: Readonly<NodeJS.ProcessEnv>, streams: Streams): Promise<number> {
  const { values, positionals } = parse(argv);
  const [name, ...args] = positionals;
  if (values.help || name === undefined) {
    streams.out(helpText(name));
    return values.help ? 0 : WRONG_USAGE;
  }
  const command = COMMANDS[name];
  if (!isCommand(name) || command === undefined) {
    throw new UsageError(`unknown command "${name}": expected ${COMMAND_NAMES.join(', ')}`);
  }
  const url = hubUrl(values.url, env);
  const client = hubClient({
    url: url.href,
    region: hubRegion(url, values.region, env),
    credentials: defaultProvider(),
  });
  const output = await command(hubApi(client), args, { open: values.open });
  streams.out(`${values.json ? JSON.stringify(output.json) : output.text}\n`);
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

const isEntry = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isEntry) {
  process.exitCode = await runCli(process.argv.slice(2), process.env, {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
  });
}
