/**
 * Sums of products of the columns of a regression, added to row by row: what least squares needs of any number of rows.
 * Column 0 is the constant and the last is the target. Only the lower triangle is kept.
 */
export interface Gram {
  readonly width: number;
  readonly sums: Float64Array;
}

export function emptyGram(width: number): Gram {
  return { width, sums: new Float64Array(width * width) };
}

/** Adds one observation of all columns. */
export function addRow({ width, sums }: Gram, row: Float64Array): void {
  for (let i = 0; i < width; i += 1) {
    const value = row[i] ?? 0;
    if (value === 0) continue;
    const base = i * width;
    for (let j = 0; j <= i; j += 1) sums[base + j] = (sums[base + j] ?? 0) + value * (row[j] ?? 0);
  }
}

/** Replaces the lower triangle of a symmetric matrix by its Cholesky factor. @returns false when it is not positive definite */
function factorise(matrix: Float64Array, size: number): boolean {
  for (let j = 0; j < size; j += 1) {
    for (let i = j; i < size; i += 1) {
      let sum = matrix[i * size + j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (matrix[i * size + k] ?? 0) * (matrix[j * size + k] ?? 0);
      if (i === j) {
        if (!(sum > 0)) return false;
        matrix[j * size + j] = Math.sqrt(sum);
      } else {
        matrix[i * size + j] = sum / (matrix[j * size + j] ?? 1);
      }
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
 * Ridge regression of the last column on the constant and `columns` (ascending): least squares with a penalty on the squared
 * coefficients, the constant's excepted, solved by Cholesky factorisation of the normal equations.
 * Source: Hoerl & Kennard 1970, Ridge Regression: Biased Estimation for Nonorthogonal Problems, Technometrics 12.
 * @param ridge the penalty, as a share of the columns' mean sum of squares
 * @returns the constant, then a coefficient for each of `columns`; undefined when the columns cannot be told apart
 */
export function solveRidge({ width, sums }: Gram, columns: readonly number[], ridge: number): Float64Array | undefined {
  const size = columns.length + 1;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  let trace = 0;
  for (let i = 0; i < size; i += 1) {
    const row = i === 0 ? 0 : (columns[i - 1] ?? 0);
    for (let j = 0; j <= i; j += 1) {
      const column = j === 0 ? 0 : (columns[j - 1] ?? 0);
      matrix[i * size + j] = sums[row * width + column] ?? 0;
    }
    if (i > 0) trace += matrix[i * size + i] ?? 0;
    right[i] = sums[(width - 1) * width + row] ?? 0;
  }
  const penalty = (ridge * trace) / Math.max(1, columns.length);
  for (let i = 1; i < size; i += 1) matrix[i * size + i] = (matrix[i * size + i] ?? 0) + penalty;
  if (!factorise(matrix, size)) return undefined;
  substitute(matrix, size, right);
  return right.every(Number.isFinite) ? right : undefined;
}
