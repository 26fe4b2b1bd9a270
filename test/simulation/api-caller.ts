/** Calls the hub's API as an account's people do. */
import type { World } from './world.ts';

/** A call is made again so many times when it fails for no reason of the caller's. */
const CALL_ATTEMPTS = 20;

export interface ApiCall {
  readonly method: string;
  /** As in the API: `/loans/{loanId}`. */
  readonly resource: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class ApiCaller {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Calls the API as an account, again when it fails inside. @returns the status and body of the last answer */
  async call(account: string, call: ApiCall): Promise<ApiAnswer> {
    const event = {
      httpMethod: call.method,
      resource: call.resource,
      path: call.resource,
      pathParameters: call.parameters ?? null,
      queryStringParameters: null,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      requestContext: { identity: { accountId: account, userArn: `arn:aws:iam::${account}:role/owner` } },
    };
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#world.lambda.invoke('api', event);
      const answer = outcome.ok ? (outcome.result as { statusCode: number; body: string }) : undefined;
      if (answer !== undefined && answer.statusCode < 500) {
        const body = JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
        return { status: answer.statusCode, body };
      }
      if (attempt === CALL_ATTEMPTS) return { status: 500, body: {} };
      await this.#world.engine.sleep(2_000);
    }
  }

  /** A call that has to be taken: what a world begins with. */
  async mustCall(account: string, call: ApiCall): Promise<void> {
    const { status, body } = await this.call(account, call);
    // 409: an answer that was lost, and the same once more.
    if (status === 200 || status === 409) return;
    this.#world.defect(`${call.method} ${call.resource} of ${account}: ${status} ${JSON.stringify(body)}`);
  }
}
