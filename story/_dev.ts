import { startEmulator } from '../emulator/emulator.ts';
import { playStory } from './story.ts';
import { progress } from './progress.ts';
import { storyAccounts } from './accounts.ts';
import { timeScale } from './time-scale.ts';
import { loadBuiltInTraces, traceWindow } from './traces.ts';
import { storyTables } from './table.ts';
import { reportHtml } from './report.ts';
import { writeFileSync } from 'node:fs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '@smithy/core/checksum';
const traces = loadBuiltInTraces();
const scale = timeScale(300);
const window = traceWindow(traces[0]!.steps, 300);
const plan = { accounts: storyAccounts(traces, window, true), scale, window, builtIn: true, folder: '/work/main/.entangle/dev' };
const e = await startEmulator({ auth: true });
async function logs(account: string, target: string, body: unknown) {
  const u = new URL(e.endpoint);
  const signer = new SignatureV4({ credentials: { accessKeyId: account, secretAccessKey: 'x' }, region: 'us-east-1', service: 'logs', sha256: Sha256 });
  const req = await signer.sign({ method: 'POST', protocol: 'http:', hostname: u.hostname, port: Number(u.port), path: '/', headers: { host: u.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.' + target }, body: JSON.stringify(body) });
  const r = await fetch(e.endpoint + '/', { method: 'POST', headers: req.headers, body: JSON.stringify(body) });
  return r.json() as any;
}
const p = progress((l) => process.stdout.write(l), () => performance.now());
try {
  const r = await playStory(plan, e, p, new AbortController().signal);
  console.log(storyTables(r));
  writeFileSync('/tmp/traces/result.json', JSON.stringify(r));
  writeFileSync('/tmp/traces/report.html', reportHtml(r));
} catch (error) { console.log('FAILED', error); }
const groups = await logs('999999999999', 'DescribeLogGroups', {});
for (const g of groups.logGroups ?? []) {
  const ev = await logs('999999999999', 'FilterLogEvents', { logGroupName: g.logGroupName });
  for (const x of ev.events ?? []) if (/"level":"(ERROR|WARN)/.test(x.message) || process.env.ALL) console.log(g.logGroupName, x.message.slice(0, 1500));
}
await e.stop();
