import type { BenchRow } from '../report.ts';
import { plainRow } from '../report.ts';
import { answerOf, NotOffered } from './kueue-answers.ts';
import type { KueueCase } from './kueue-cases.ts';

interface Disagreement {
  readonly id: string;
  readonly reason: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const UNLIMITED_FROM = 2 ** 62;

/** Victims are a set; every other list has an order. */
function sorted(path: string, value: unknown): unknown {
  return path.endsWith('.victims') && Array.isArray(value) ? value.map(String).sort() : value;
}

/** Where an answer differs from what is expected; only what is expected is looked at, and a reason of null is not stated. */
function difference(expected: unknown, answer: unknown, path: string): string | undefined {
  if (isRecord(expected)) {
    const of = isRecord(answer) ? answer : {};
    const isReasons = path.endsWith('.reasons');
    for (const [key, value] of Object.entries(expected)) {
      if (isReasons && value === null) continue;
      const found = difference(value, of[key], `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof expected === 'number' && expected >= UNLIMITED_FROM && answer === Infinity) return undefined;
  const [theirs, ours] = [JSON.stringify(sorted(path, expected)), JSON.stringify(sorted(path, answer))];
  return theirs === ours ? undefined : `${path.slice(1)}: expected ${theirs}, ours is ${ours}`;
}

function disagreementOf(each: KueueCase): Disagreement | undefined {
  try {
    const reason = difference(each.expected, answerOf(each), '');
    return reason === undefined ? undefined : { id: each.id, reason };
  } catch (error) {
    if (error instanceof NotOffered || error instanceof RangeError) return { id: each.id, reason: error.message };
    throw error;
  }
}

function agreementRows(name: string, cases: readonly KueueCase[]): BenchRow[] {
  if (cases.length === 0) return [];
  const disagreements = cases.map(disagreementOf).filter((each) => each !== undefined);
  const share = 1 - disagreements.length / cases.length;
  return [
    { ...plainRow(`Kueue's cases that agree: ${name}`, share, 'share', cases.length), goal: '1', met: share === 1 },
    ...disagreements.map(({ id, reason }) => plainRow(`differs: ${id}: ${reason}`, 1, 'case', 1)),
  ];
}

/** The share of Kueue's cases in which we come to the same, by kind; a row more for each that differs, with where. */
export function kueueRows(cases: readonly KueueCase[]): BenchRow[] {
  const kindOf = ({ kind, question }: KueueCase): string =>
    kind !== 'preemption'
      ? kind
      : question.mode === undefined
        ? 'preemption, policies and order'
        : `preemption, ${question.mode}`;
  const kinds = [...new Set(cases.map(kindOf))];
  return kinds.flatMap((kind) =>
    agreementRows(
      kind,
      cases.filter((each) => kindOf(each) === kind),
    ),
  );
}
