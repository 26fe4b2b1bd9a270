import * as z from 'zod';
import type { AccountId } from '../../core/units.ts';
import { accountIdSchema } from './schemas.ts';

/** What of an API Gateway proxy event (REST API, AWS_IAM) is used. */
export const apiEventSchema = z.object({
  httpMethod: z.string(),
  resource: z.string(),
  path: z.string(),
  pathParameters: z.record(z.string(), z.string()).nullish(),
  queryStringParameters: z.record(z.string(), z.string()).nullish(),
  body: z.string().nullish(),
  requestContext: z.object({ identity: z.object({ accountId: accountIdSchema, userArn: z.string().min(1) }) }),
});
type ApiEvent = z.infer<typeof apiEventSchema>;

/** Who calls, as the signature says, and what for. */
export interface Caller {
  readonly accountId: AccountId;
  readonly userArn: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** As in the API's resources: `/loans/{loanId}`. */
  readonly path: string;
  readonly run: (caller: Caller) => Promise<object>;
}

const STATUS_BY_ERROR: Readonly<Record<string, number>> = { InvalidInput: 400, ConditionsFailed: 409 };

/** An answer other than success, with a message for the caller. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** Status and body for any error; what is not the caller's doing says nothing of the inside. */
  static answerTo(error: unknown): [status: number, body: object] {
    if (error instanceof HttpError) return [error.status, { message: error.message }];
    const status = error instanceof Error ? STATUS_BY_ERROR[error.name] : undefined;
    return status === undefined || !(error instanceof Error)
      ? [500, { message: 'internal error; the hub has logged it' }]
      : [status, { message: error.message }];
  }
}

export function respond(statusCode: number, body: object) {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function parseBody(body: string | null | undefined): unknown {
  if (body === null || body === undefined || body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw new HttpError(400, 'body: expected JSON');
  }
}

/** Runs the route of an event. @throws HttpError 404 when there is none */
export async function route(routes: readonly Route[], event: ApiEvent): Promise<object> {
  const found = routes.find((one) => one.method === event.httpMethod && one.path === event.resource);
  if (found === undefined) throw new HttpError(404, `${event.httpMethod} ${event.path}: no such operation`);
  const { accountId, userArn } = event.requestContext.identity;
  return found.run({
    accountId,
    userArn,
    method: event.httpMethod,
    path: event.path,
    parameters: event.pathParameters ?? {},
    query: event.queryStringParameters ?? {},
    body: parseBody(event.body),
  });
}
