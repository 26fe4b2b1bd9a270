/** The command that a user begins with, to its end, on traces of the user's own. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../support/temporary-folder.ts';

const STEP_SECONDS = 900;
const STEPS_A_DAY = 96;
const DAYS = 4;
const STORY_MILLIS = 400_000;
const main = fileURLToPath(new URL('../../story/main.ts', import.meta.url));

const folder = temporaryFolder('story');

/** CPU in percent with a peak at one hour of each day; in the hours that are replayed it is higher than it has ever been. */
function writeTrace(name: string, peakHour: number): void {
  const lines = Array.from({ length: DAYS * STEPS_A_DAY }, (_, step) => {
    const hour = ((step % STEPS_A_DAY) * 24) / STEPS_A_DAY;
    const fromPeak = ((hour - peakHour + 36) % 24) - 12;
    const isReplayed = step >= (DAYS - 0.5) * STEPS_A_DAY;
    const percent = 25 + (isReplayed ? 80 : 50) * Math.exp(-(fromPeak ** 2) / 8) + ((step * 7_919) % 13) / 4;
    return `${1_700_000_100 + step * STEP_SECONDS},${percent.toFixed(2)}`;
  });
  writeFileSync(join(folder, `${name}.csv`), `timestamp,value\n${lines.join('\n')}\n`);
}

interface StoryReport {
  readonly ok: boolean;
  readonly completedLoans: number;
  readonly ledgerBalanceMicroUsd: number;
  readonly report: string;
}

describe('npm start', () => {
  it(
    'lends what an account asks for, takes it back, bills it and leaves everything as it was',
    async () => {
      for (const [name, peakHour] of [
        ['day', 4],
        ['evening', 12],
        ['night', 22],
      ] as const) {
        writeTrace(name, peakHour);
      }
      const options = ['--traces', folder, '--speed', String(STEP_SECONDS), '--out', folder, '--json'];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...options]);
      const told = JSON.parse(stdout) as StoryReport;
      expect({ ok: told.ok, stderr: told.ok ? '' : stderr }).toEqual({ ok: true, stderr: '' });
      expect({ completed: told.completedLoans > 0, stderr: told.completedLoans > 0 ? '' : stderr }).toEqual({
        completed: true,
        stderr: '',
      });
      expect(told.ledgerBalanceMicroUsd).toBe(0);
      expect(stderr).toContain('may borrow from');
      expect(readFileSync(told.report, 'utf8')).toContain('</html>');
    },
    STORY_MILLIS,
  );
});
