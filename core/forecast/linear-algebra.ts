/** A column of a regression: a series, this many steps before the step that is explained. */
export interface LagColumn {
  readonly series: Float64Array;
  readonly lag: number;
}

/**
 * Sums of products of the columns of a regression over any number of rows: what least squares needs of them. Column 0 is the
 * constant and the last is the target. Only the lower triangle is kept.
 */
export interface Gram {
  readonly width: number;
  readonly sums: Float64Array;
}

/** By how far `b` is behind `a`: the latest product sum of such a pair, and the lag of `a` in it; -1 before the first. */
interface PairSums {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly lags: Int32Array;
  readonly sums: Float64Array;
}

function productSum(a: Float64Array, b: Float64Array, from: number, to: number, behind: number): number {
  let sum = 0;
  for (let step = from; step < to; step += 1) sum += (a[step] ?? 0) * (b[step - behind] ?? 0);
  return sum;
}

function columnSum({ series, lag }: LagColumn, from: number, to: number): number {
  let sum = 0;
  for (let step = from - lag; step < to - lag; step += 1) sum += series[step] ?? 0;
  return sum;
}

/** The product sum of two columns: most of it is what is known of a pair that is as far apart. */
function pairSum({ a, b, lags, sums }: PairSums, lag: number, behind: number, from: number, to: number): number {
  const place = behind + (lags.length - 1) / 2;
  const last = lags[place] ?? -1;
  let sum: number;
  if (last < 0 || 2 * (lag - last) > to - from) {
    sum = productSum(a, b, from - lag, to - lag, behind);
  } else {
    const entering = productSum(a, b, from - lag, from - last, behind);
    sum = (sums[place] ?? 0) + entering - productSum(a, b, to - lag, to - last, behind);
  }
  lags[place] = lag;
  sums[place] = sum;
  return sum;
}

/**
 * The sums over the steps from `from` to before `to`, of a constant, the columns and the target. Pairs of lags that are equally
 * far apart have nearly the same products: one sum follows from the other by the few at the ends. So 30 lags cost some 60
 * passes over the values, not 500.
 * @param columns ascending by lag within each series
 * @param from at least the largest lag
 */
export function laggedGram(columns: readonly LagColumn[], target: Float64Array, from: number, to: number): Gram {
  const width = columns.length + 2;
  const sums = new Float64Array(width * width);
  // The target first: its lag of 0 begins every chain of equal distances.
  const all: readonly LagColumn[] = [{ series: target, lag: 0 }, ...columns];
  const place = (index: number): number => (index === 0 ? width - 1 : index);
  const reach = Math.max(...all.map(({ lag }) => lag));
  const known: PairSums[] = [];
  const pairSums = (a: Float64Array, b: Float64Array): PairSums => {
    let found = known.find((pair) => pair.a === a && pair.b === b);
    if (found === undefined) {
      found = { a, b, lags: new Int32Array(2 * reach + 1).fill(-1), sums: new Float64Array(2 * reach + 1) };
      known.push(found);
    }
    return found;
  };
  sums[0] = to - from;
  for (let i = 0; i < all.length; i += 1) {
    const a = all[i] ?? { series: target, lag: 0 };
    sums[place(i) * width] = columnSum(a, from, to);
    let pair: PairSums | undefined;
    for (let j = i; j < all.length; j += 1) {
      const b = all[j] ?? a;
      if (pair?.b !== b.series) pair = pairSums(a.series, b.series);
      const sum = pairSum(pair, a.lag, b.lag - a.lag, from, to);
      sums[Math.max(place(i), place(j)) * width + Math.min(place(i), place(j))] = sum;
    }
  }
  return { width, sums };
}

/** The sums over the rows of both, which have the same columns. */
export function addedGrams(a: Gram, b: Gram): Gram {
  return { width: a.width, sums: a.sums.map((sum, index) => sum + (b.sums[index] ?? 0)) };
}

/** Replaces the lower triangle of a symmetric matrix by its Cholesky factor. @returns false when it is not positive definite */
function factorise(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i += 1) {
    const row = i * size;
    for (let j = 0; j <= i; j += 1) {
      const other = j * size;
      let sum = matrix[row + j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (matrix[row + k] ?? 0) * (matrix[other + k] ?? 0);
      if (i === j && !(sum > 0)) return false;
      matrix[row + j] = i === j ? Math.sqrt(sum) : sum / (matrix[other + j] ?? 1);
    }
  }
  return true;
}

function substitute(factor: Float64Array, size: number, right: Float64Array): void {
  for (let i = 0; i < size; i += 1) {
    let sum = right[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (factor[i * size + k] ?? 0) * (right[k] ?? 0);
    right[i] = sum / (factor[i * size + i] ?? 1);
  }
  for (let i = size - 1; i >= 0; i -= 1) {
    let sum = right[i] ?? 0;
    for (let k = i + 1; k < size; k += 1) sum -= (factor[k * size + i] ?? 0) * (right[k] ?? 0);
    right[i] = sum / (factor[i * size + i] ?? 1);
  }
}

/**
 * Ridge regression of the last column on `columns`: least squares with a penalty on the squared coefficients, the constant's
 * excepted, solved by Cholesky factorisation of the normal equations.
 * Source: Hoerl & Kennard 1970, Ridge Regression: Biased Estimation for Nonorthogonal Problems, Technometrics 12.
 * @param columns 0 is the constant
 * @param ridge the penalty, as a share of the columns' mean sum of squares
 * @returns a coefficient for each of `columns`; undefined when the columns cannot be told apart
 */
export function solveRidge({ width, sums }: Gram, columns: readonly number[], ridge: number): Float64Array | undefined {
  const size = columns.length;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  let trace = 0;
  let penalised = 0;
  for (let i = 0; i < size; i += 1) {
    const row = columns[i] ?? 0;
    for (let j = 0; j <= i; j += 1) {
      const column = columns[j] ?? 0;
      matrix[i * size + j] = sums[Math.max(row, column) * width + Math.min(row, column)] ?? 0;
    }
    right[i] = sums[(width - 1) * width + row] ?? 0;
    if (row === 0) continue;
    trace += matrix[i * size + i] ?? 0;
    penalised += 1;
  }
  const penalty = (ridge * trace) / Math.max(1, penalised);
  for (let i = 0; i < size; i += 1) {
    if (columns[i] !== 0) matrix[i * size + i] = (matrix[i * size + i] ?? 0) + penalty;
  }
  if (!factorise(matrix, size)) return undefined;
  substitute(matrix, size, right);
  return right.every(Number.isFinite) ? right : undefined;
}
