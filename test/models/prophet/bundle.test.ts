import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { PROPHET_THREAD_BUILD, prophetFiles, prophetThread } from '../../../models/prophet/files.ts';
import { createProphet } from '../../../models/prophet/prophet.ts';

const folder = mkdtempSync(join(tmpdir(), 'entangle-prophet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const series = {
  values: Array.from({ length: 120 }, (_, step) => 5 + Math.sin((2 * Math.PI * step) / 24) + (step % 5) / 10),
  stepSeconds: 3_600,
  startMillis: 0,
  seasons: [24],
};

it('a bundle with the files that it names beside it forecasts as the repository does, and its process ends', async () => {
  const thread = prophetThread();
  buildSync({ ...PROPHET_THREAD_BUILD, entryPoints: [thread.path], outfile: join(folder, thread.name) });
  for (const { name, path } of prophetFiles()) cpSync(path, join(folder, name));
  const member = fileURLToPath(new URL('../../../models/prophet/prophet.ts', import.meta.url));
  const entry = `import { createProphet } from ${JSON.stringify(member)};
    const [forecast] = await createProphet({ fitSeconds: 60 }).forecastFrom(${JSON.stringify(series)}, [120], 24);
    console.log(JSON.stringify(forecast.points));`;
  writeFileSync(join(folder, 'entry.ts'), entry);
  const entryPoints = [join(folder, 'entry.ts')];
  buildSync({
    entryPoints,
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
  });
  const printed = execFileSync(process.execPath, [join(folder, 'index.mjs')], { encoding: 'utf8', timeout: 60_000 });
  const prophet = createProphet({ fitSeconds: 60 });
  const [expected] = await prophet.forecastFrom(series, [120], 24);
  await prophet.close();
  expect(JSON.parse(printed)).toEqual(expected?.points);
}, 60_000);
