import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { kueueRows } from '../../../bench/allocation/agreement.ts';
import type { KueueCase } from '../../../bench/allocation/kueue-cases.ts';
import { readKueueCases } from '../../../bench/allocation/kueue-cases.ts';

const directory = mkdtempSync(join(tmpdir(), 'kueue-cases-'));
afterAll(() => rmSync(directory, { recursive: true }));

function written(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

const UNLIMITED = 2 ** 63;
const queue = (name: string, nominal: number, usage: number) => ({
  name,
  nominal,
  borrowingLimit: null,
  lendingLimit: null,
  usage,
  policy: { within: 'lower', reclaim: 'any', borrow: { policy: 'never', maxPriority: null } },
});

function cohortCase(question: KueueCase['question'], expected: KueueCase['expected'], nominal = 4): KueueCase {
  const queues = [queue('q1', nominal, 0), queue('q2', 0, 3)];
  const cohort = {
    name: 'k1',
    nominal: 0,
    borrowingLimit: null,
    lendingLimit: null,
    declared: false,
    cohorts: [],
    queues,
  };
  return { id: 'case', kind: 'mine', tree: { queues: [], cohorts: [cohort] }, resource: 'cpu', question, expected };
}

const available = (expected: number, nominal?: number) =>
  cohortCase({ ask: 'available', queues: ['q2'] }, { q2: { available: expected } }, nominal);
const victims = (reasons: Readonly<Record<string, string | null>>, policy?: string) =>
  cohortCase(
    {
      ask: 'victims',
      mode: 'classical',
      pending: { name: 'p', queue: policy === undefined ? 'q1' : 'nobody', priority: 0, request: 4 },
      admitted: [{ name: 'w1', queue: 'q2', priority: 0, usage: 3, admittedAt: 0 }],
    },
    { victims: ['w1'], reasons },
  );

describe('kueueRows', () => {
  it('agrees with a case that is right', () => {
    const [row, ...more] = kueueRows([
      available(1),
      available(UNLIMITED, UNLIMITED),
      victims({ w1: 'reclaim' }),
      victims({ w1: null }),
    ]);
    expect(row).toMatchObject({ measure: "Kueue's cases that agree: mine", value: 1, met: true, n: 4 });
    expect(more).toEqual([]);
  });

  it('gives a row with its reason to each that differs', () => {
    const rows = kueueRows([available(1), available(2), victims({ w1: 'fair' })]);
    expect(rows.map(({ measure }) => measure)).toEqual([
      "Kueue's cases that agree: mine",
      'differs: case: q2.available: expected 2, ours is 1',
      'differs: case: reasons.w1: expected "fair", ours is "reclaim"',
    ]);
    expect(rows[0]).toMatchObject({ value: 0.33333, met: false });
  });

  it('counts what is not offered as different', () => {
    const unknown = { ...available(1), question: { ask: 'flavours' } };
    expect(kueueRows([unknown, victims({}, 'none')]).map(({ measure }) => measure)).toEqual([
      "Kueue's cases that agree: mine",
      'differs: case: the question "flavours" is not offered',
      'differs: case: the queue states no policy',
    ]);
  });
});

describe('readKueueCases', () => {
  it('reads a file of cases', () => {
    expect(readKueueCases(written('good.json', JSON.stringify({ cases: [available(1)] })))).toHaveLength(1);
  });

  it('refuses what is none', () => {
    expect(() => readKueueCases(join(directory, 'none.json'))).toThrow(/^--kueue-cases .*none.json: .*ENOENT/);
    expect(() => readKueueCases(written('text', 'cases'))).toThrow(/^--kueue-cases /);
    expect(() => readKueueCases(written('empty.json', '{"cases": []}'))).toThrow(
      'expected an object with a list "cases"',
    );
  });
});
