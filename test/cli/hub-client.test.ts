import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { hubApi } from '../../cli/hub-api.ts';
import { hubClient } from '../../cli/hub-client.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const servers: Server[] = [];

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A hub that answers every request alike and keeps what it saw. */
async function fakeHub(
  answer: (path: string) => { status: number; body: string },
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: await readBody(request) });
    const { status, body } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const server = createServer((request, response) => void respond(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, seen };
}

function clientOf(url: string) {
  const credentials = { accessKeyId: '111111111111', secretAccessKey: 'secret', sessionToken: 'token' };
  return hubClient({ url, region: 'eu-west-1', credentials, timeoutMillis: 5_000 });
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('hubClient', () => {
  it('signs for execute-api with the caller’s credentials and sends the body as JSON', async () => {
    const hub = await fakeHub(() => ({ status: 200, body: '{"pool":{}}' }));
    await clientOf(hub.url).send('PUT', '/pools', { groupName: 'grüppe' });
    const [request] = hub.seen;
    expect(request?.url).toBe('/v1/pools');
    expect(request?.body).toBe('{"groupName":"grüppe"}');
    expect(request?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=111111111111\/\d{8}\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=[^,]*content-type[^,]*host[^,]*, Signature=[0-9a-f]{64}$/,
    );
    expect(request?.headers['x-amz-security-token']).toBe('token');
  });

  it('passes the query on', async () => {
    const hub = await fakeHub(() => ({ status: 200, body: '{"loans":[]}' }));
    await clientOf(hub.url).send('GET', '/loans?state=open');
    expect(hub.seen[0]?.url).toBe('/v1/loans?state=open');
  });

  it('tells what the hub refused, in one line', async () => {
    const hub = await fakeHub(() => ({ status: 403, body: '{"message":"pool x does not\\n belong to you"}' }));
    await expect(clientOf(hub.url).send('PUT', '/pools', {})).rejects.toThrow(
      'PUT /pools: 403 pool x does not belong to you',
    );
  });

  it('tells when nobody is there', async () => {
    const hub = await fakeHub(() => ({ status: 200, body: '{}' }));
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    await expect(clientOf(hub.url).send('GET', '/loans')).rejects.toThrow(/the hub at .* cannot be reached/);
  });
});

describe('hubApi', () => {
  it('refuses the answer of something that is not a hub', async () => {
    const page = await fakeHub(() => ({ status: 200, body: '<html>' }));
    await expect(hubApi(clientOf(page.url)).loans()).rejects.toThrow('the answer has no "loans"');
  });

  it('reads an audit chain page by page up to the head that it saw first', async () => {
    const pages: Record<string, string> = {
      '/v1/audit?after=0': '{"records":[{"seq":1},{"seq":2}],"head":{"seq":3,"hash":"c"}}',
      '/v1/audit?after=2': '{"records":[{"seq":3},{"seq":4}],"head":{"seq":4,"hash":"d"}}',
    };
    const hub = await fakeHub((path) => ({ status: 200, body: pages[path] ?? '{}' }));
    const { records, head } = await hubApi(clientOf(hub.url)).audit();
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(head?.seq).toBe(3);
  });

  it('stops reading an audit chain that ends before its head', async () => {
    const hub = await fakeHub((path) => ({
      status: 200,
      body: path.endsWith('=0') ? '{"records":[{"seq":1}],"head":{"seq":9,"hash":"c"}}' : '{"records":[],"head":null}',
    }));
    const { records } = await hubApi(clientOf(hub.url)).audit();
    expect(records).toHaveLength(1);
  });
});
