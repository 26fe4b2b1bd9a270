import type { App } from 'aws-cdk-lib';
import { ConfigError } from './config.ts';

/** The configuration file: `ENTANGLE_CONFIG`, else `entangle.json`. */
export function configPathWithoutContext(otherwise = 'entangle.json'): string {
  return process.env['ENTANGLE_CONFIG'] ?? otherwise;
}

/** The configuration file of an app: `ENTANGLE_CONFIG`, else the context `config`, else `entangle.json`. */
export function configPath(app: App): string {
  const fromContext: unknown = app.node.tryGetContext('config');
  return configPathWithoutContext(typeof fromContext === 'string' ? fromContext : undefined);
}

/** Runs an app; wrong configuration ends it with the lines of its error alone, exit code 1 and nothing synthesized. */
export function synthesizeOrExplain(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
