import { createHash, createHmac } from 'node:crypto';
import { type Credentials, region } from './support.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Calls a REST API stage through the emulator, signed for `execute-api` with the caller's credentials. */
export async function signedGet(url: string, caller: Credentials): Promise<{ status: number; body: unknown }> {
  const { host, pathname } = new URL(url);
  const stamp = new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const scope = `${stamp.slice(0, 8)}/${region}/execute-api/aws4_request`;
  const headers: Record<string, string> = {
    host,
    'x-amz-date': stamp,
    ...(caller.sessionToken === undefined ? {} : { 'x-amz-security-token': caller.sessionToken }),
  };
  const names = Object.keys(headers).join(';');
  const canonical = [
    'GET',
    pathname,
    '',
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(''),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const dateKey = hmac(`AWS4${caller.secretAccessKey}`, stamp.slice(0, 8));
  const key = ['execute-api', 'aws4_request'].reduce((last, part) => hmac(last, part), hmac(dateKey, region));
  const signature = hmac(key, toSign).toString('hex');
  const { host: _host, ...sent } = headers;
  const response = await fetch(url, {
    headers: {
      ...sent,
      authorization: `AWS4-HMAC-SHA256 Credential=${caller.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    },
  });
  return { status: response.status, body: await response.json() };
}
