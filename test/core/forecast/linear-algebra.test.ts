import { describe, expect, it } from '@jest/globals';
import { addedGrams, laggedGram, solveRidge } from '../../../core/forecast/linear-algebra.ts';
import { noise } from './simulated.ts';

const shock = noise(31);
const x = Float64Array.from({ length: 200 }, shock);
const e = Float64Array.from({ length: 200 }, shock);

describe('laggedGram', () => {
  it('has the sums that adding row by row has', () => {
    const columns = [
      ...[1, 2, 3, 24, 25].map((lag) => ({ series: x, lag })),
      ...[1, 2, 24].map((lag) => ({ series: e, lag })),
    ];
    const { width, sums } = laggedGram(columns, x, 30, 190);
    const expected = new Float64Array(width * width);
    for (let step = 30; step < 190; step += 1) {
      const row = [1, ...columns.map(({ series, lag }) => series[step - lag] ?? 0), x[step] ?? 0];
      for (const [i, a] of row.entries()) {
        for (const [j, b] of row.slice(0, i + 1).entries()) {
          expected[i * width + j] = (expected[i * width + j] ?? 0) + a * b;
        }
      }
    }
    for (const [place, sum] of expected.entries()) expect(sums[place]).toBeCloseTo(sum, 9);
  });

  it('adds up over two parts of the rows', () => {
    const columns = [1, 2, 24].map((lag) => ({ series: x, lag }));
    const parts = addedGrams(laggedGram(columns, x, 24, 100), laggedGram(columns, x, 100, 200));
    for (const [place, sum] of laggedGram(columns, x, 24, 200).sums.entries()) {
      expect(parts.sums[place]).toBeCloseTo(sum, 9);
    }
  });
});

describe('solveRidge', () => {
  it('shrinks coefficients towards 0 as the penalty grows and leaves the constant to the mean', () => {
    const values = Float64Array.from([1, 2, 3, 4, 5]);
    const gram = laggedGram([{ series: values, lag: 1 }], values, 1, 5);
    const free = solveRidge(gram, [0, 1], 0);
    const held = solveRidge(gram, [0, 1], 1e9);
    expect(free?.[0]).toBeCloseTo(1, 9);
    expect(free?.[1]).toBeCloseTo(1, 9);
    expect(held?.[1]).toBeCloseTo(0, 6);
    expect(held?.[0]).toBeCloseTo(3.5, 6);
  });

  it('goes through 0 without the constant', () => {
    const values = Float64Array.from([1, 2, 4, 8]);
    expect(solveRidge(laggedGram([{ series: values, lag: 1 }], values, 1, 4), [1], 0)?.[0]).toBeCloseTo(2, 9);
  });

  it('gives up on columns that cannot be told apart', () => {
    const values = Float64Array.from([2, 2, 2, 2]);
    expect(solveRidge(laggedGram([{ series: values, lag: 1 }], values, 1, 4), [0, 1], 0)).toBeUndefined();
  });
});
