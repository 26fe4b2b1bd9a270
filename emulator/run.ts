import { parseArgs } from 'node:util';
import { startEmulator } from './emulator.ts';

const usage = 'usage: node emulator/run.ts [--port N] [--auth]';

function readOptions(): { port?: number; auth?: boolean } {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, auth: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(`${usage}\nRuns the AWS emulator on 127.0.0.1 until Ctrl-C. --auth enforces IAM.`);
    process.exit(0);
  }
  const port = values.port === undefined ? 4566 : Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port must be a whole number from 0 (any free port) to 65535, not ${values.port}`);
  }
  return { port, ...(values.auth === true ? { auth: true } : {}) };
}

async function main(): Promise<void> {
  const emulator = await startEmulator(readOptions());
  if (emulator.external)
    throw new Error(`AWS_ENDPOINT_URL is set to ${emulator.endpoint}: unset it to run the emulator`);
  console.log(`${emulator.endpoint}  (log: ${emulator.logFile}; Ctrl-C ends it)`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void emulator.stop().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  console.error(`emulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
