import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { bestAssignment } from '../../../../core/pairing/matching/assignment.ts';

/** The most that rows can get, trying every way. */
function tryAll(values: readonly (readonly number[])[], row: number, taken: ReadonlySet<number>): number {
  if (row === values.length) return 0;
  const without = values.length > (values[0]?.length ?? 0) ? tryAll(values, row + 1, taken) : Number.NEGATIVE_INFINITY;
  return (values[row] ?? []).reduce((most, value, column) => {
    if (taken.has(column)) return most;
    return Math.max(most, value + tryAll(values, row + 1, new Set([...taken, column])));
  }, without);
}

const tables = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
  fc.array(fc.array(fc.nat({ max: 20 }), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  }),
);

describe('bestAssignment', () => {
  it('adds up to as much as the best of all assignments, each column taken once', () => {
    fc.assert(
      fc.property(tables, (values) => {
        const columns = values[0]?.length ?? 0;
        const table = { rows: values.length, columns, values: Float64Array.from(values.flat()) };
        const columnOf = [...bestAssignment(table)];
        const taken = columnOf.filter((column) => column >= 0);
        expect(taken).toHaveLength(Math.min(values.length, columns));
        expect(new Set(taken).size).toBe(taken.length);
        const sum = columnOf.reduce((total, column, row) => total + (values[row]?.[column] ?? 0), 0);
        expect(sum).toBe(tryAll(values, 0, new Set()));
      }),
    );
  });
});
