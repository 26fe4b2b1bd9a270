import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, Provider } from '@smithy/types';

/** A request that the hub, or the network on the way to it, refused; the message is one line for people. */
export class HubRequestError extends Error {
  override readonly name = 'HubRequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface HubClientOptions {
  /** Base URL of the hub's REST API with its stage, e.g. `https://abc.execute-api.eu-west-1.amazonaws.com/v1`. */
  readonly url: string;
  readonly region: string;
  readonly credentials: AwsCredentialIdentity | Provider<AwsCredentialIdentity>;
  /** Milliseconds until a request without an answer is given up. */
  readonly timeoutMillis?: number;
}

export type HubMethod = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** The hub's REST API, called as the AWS identity whose credentials sign the requests. */
export interface HubClient {
  /**
   * @param path from the API's root, with a query if any: `/loans?state=open`
   * @throws HubRequestError when the hub cannot be reached or answers with an error
   */
  readonly send: (method: HubMethod, path: string, body?: unknown) => Promise<unknown>;
}

const DEFAULT_TIMEOUT_MILLIS = 30_000;

function messageOf(payload: unknown, fallback: string): string {
  if (typeof payload !== 'object' || payload === null) return fallback;
  const { message, Message } = payload as { message?: unknown; Message?: unknown };
  const found = message ?? Message;
  return typeof found === 'string' && found !== '' ? found.replaceAll(/\s+/g, ' ') : fallback;
}

function parseBody(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** A client whose requests are signed with AWS Signature Version 4 for the service `execute-api`. */
export function hubClient(options: HubClientOptions): HubClient {
  const signer = new SignatureV4({
    credentials: options.credentials,
    region: options.region,
    service: 'execute-api',
    sha256: Sha256,
  });
  const base = new URL(options.url);

  async function send(method: HubMethod, path: string, body?: unknown): Promise<unknown> {
    const url = new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}`);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...(payload === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(url.port === '' ? {} : { port: Number.parseInt(url.port, 10) }),
      ...(payload === undefined ? {} : { body: payload }),
    });
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      signal: AbortSignal.timeout(options.timeoutMillis ?? DEFAULT_TIMEOUT_MILLIS),
      ...(payload === undefined ? {} : { body: payload }),
    }).catch((error: unknown) => {
      throw new HubRequestError(0, `the hub at ${base.href} cannot be reached: ${causeOf(error)}`);
    });
    const answer = parseBody(await response.text());
    if (response.ok) return answer;
    const reason = messageOf(answer, response.statusText);
    throw new HubRequestError(response.status, `${method} ${path}: ${response.status} ${reason}`);
  }

  return { send };
}
