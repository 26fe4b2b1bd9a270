import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { MiddlewareObj } from '@middy/core';
import middy from '@middy/core';
import type { ZodType } from 'zod';

export const logger = new Logger();

/** What entered a function is not what it takes; the message names each field. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/** Every fault of a value by path: `pools.0.region: expected …`. */
export function describeFaults(faults: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]) {
  return faults.map((fault) => `${fault.path.map(String).join('.') || '(body)'}: ${fault.message}`).join('; ');
}

/** Parses an external value. @throws InvalidInput */
export function parse<Value>(schema: ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(`${what}: ${describeFaults(parsed.error.issues)}`);
}

function logFailures(): MiddlewareObj<unknown, unknown> {
  return {
    onError: ({ error }) => {
      logger.error('failed', error ?? new Error('unknown'));
    },
  };
}

/**
 * A function of the hub: its event is parsed, its failures are logged with the request's id and then thrown on, so that
 * Step Functions sees them by name.
 */
export function lambda<Input, Output>(schema: ZodType<Input>, run: (input: Input) => Promise<Output>) {
  return middy()
    .use(injectLambdaContext(logger))
    .use(logFailures())
    .handler((event: unknown) => run(parse(schema, event, 'event')));
}
