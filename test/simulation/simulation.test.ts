import { describe, expect, it } from '@jest/globals';
import { FUNCTION_NAMES, STATE_MACHINE_KINDS } from '../../infra/names.ts';
import { expectedGrants, start } from '../infra/expected-grants.ts';
import { STARTERS } from './checks/checks.ts';
import { MUTANTS } from './mutants.ts';
import { runInProcesses } from './processes.ts';
import type { SeedResult } from './run-seed.ts';

const PATIENCE_MILLIS = 300_000;

async function results(firstSeed: number, seeds: number, bug?: string): Promise<SeedResult[]> {
  const found: SeedResult[] = [];
  const replacements = MUTANTS.find(({ name }) => name === bug)?.replacements ?? [];
  const job = { firstSeed, seeds, processes: 1, replacements, stopsAtViolation: bug !== undefined };
  await runInProcesses(job, (result) => found.push(result));
  return found;
}

describe('simulated worlds', () => {
  it(
    'hold what must always hold, and lend',
    async () => {
      const found = await results(1, 10);
      expect(found.map(({ violation }) => violation?.what)).toEqual(found.map(() => undefined));
      expect(found.reduce((sum, { loansActive }) => sum + loansActive, 0)).toBeGreaterThan(10);
    },
    PATIENCE_MILLIS,
  );

  it(
    'are the same for the same seed, whatever ran before in the process',
    async () => {
      const [afterOthers, alone] = await Promise.all([results(41, 3), results(43, 1)]);
      expect(afterOthers.at(-1)).toEqual(alone[0]);
      expect(alone[0]?.events).toBeGreaterThan(100);
      expect(afterOthers[0]?.digest).not.toBe(alone[0]?.digest);
    },
    PATIENCE_MILLIS,
  );

  it.each([
    ['not-taken', 'conservation'],
    ['lock-kept', 'counters'],
    ['record-missing', 'audit'],
  ])(
    'show the bug %s',
    async (bug, invariant) => {
      const found = await results(1, 40, bug);
      expect(found.at(-1)?.violation?.invariant).toBe(invariant);
    },
    PATIENCE_MILLIS,
  );

  it('fail loudly when the text that a bug replaces is not there', async () => {
    const replacements = [{ file: 'core/units.ts', from: 'nowhere to be found', to: '' }];
    const job = { firstSeed: 1, seeds: 1, processes: 1, replacements, stopsAtViolation: true };
    await expect(runInProcesses(job, () => {})).rejects.toThrow('is there 0 times, not once');
  });
});

describe('who may start a workflow in the simulation', () => {
  it.each([...STATE_MACHINE_KINDS])('is who is granted it: %s', (kind) => {
    const [grant = ''] = start(kind);
    const granted = FUNCTION_NAMES.filter((name) => expectedGrants(name).includes(grant));
    expect([...(STARTERS[kind] ?? [])].sort()).toEqual([...granted].sort());
  });
});
