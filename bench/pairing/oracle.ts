import { createRequire } from 'node:module';
import type { Highs, Model } from 'highs';
import type { MatchingPool, PairWeight } from '../../core/pairing/matching/market.ts';

// Its types say that the ES module exports an object; what is required is the function that they describe.
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>;

/** A mixed-integer program that is put together row by row; all columns are 0 or more, all rows at most their limit. */
class Program {
  readonly #costs: number[] = [];
  readonly #uppers: number[] = [];
  readonly #integers: number[] = [];
  readonly #limits: number[] = [];
  readonly #entries: { readonly columns: number[]; readonly values: number[] }[] = [];

  column(cost: number, upper: number, integer = false): number {
    this.#costs.push(cost);
    this.#uppers.push(upper);
    return this.#integers.push(integer ? 1 : 0) - 1;
  }

  row(limit: number): number {
    this.#entries.push({ columns: [], values: [] });
    return this.#limits.push(limit) - 1;
  }

  put(row: number, column: number, value: number): void {
    this.#entries[row]?.columns.push(column);
    this.#entries[row]?.values.push(value);
  }

  /** @returns the optimum, or undefined when it was not found in time */
  maximum(highs: Highs, timeLimitSeconds: number): number | undefined {
    const [numCols, numRows] = [this.#costs.length, this.#limits.length];
    if (numCols === 0) return 0;
    const starts = [0];
    for (const { columns } of this.#entries) starts.push((starts.at(-1) ?? 0) + columns.length);
    const model = {
      numCols,
      numRows,
      sense: highs.constants.objectiveSense.maximize,
      colCost: this.#costs,
      colLower: new Float64Array(numCols),
      colUpper: this.#uppers,
      rowLower: new Float64Array(numRows).fill(-highs.infinity),
      rowUpper: this.#limits,
      matrix: {
        format: 'csr' as const,
        numRows,
        numCols,
        starts,
        indices: this.#entries.flatMap(({ columns }) => columns),
        values: this.#entries.flatMap(({ values }) => values),
      },
      ...(this.#integers.includes(1) ? { integrality: Int32Array.from(this.#integers) } : {}),
    };
    return highs.withModel(model, (solver: Model) => {
      solver.options.set({ output_flag: false, time_limit: timeLimitSeconds, mip_rel_gap: 0 });
      solver.run();
      if (solver.getModelStatus() !== highs.constants.modelStatus.optimal) return undefined;
      return solver.getObjectiveValue();
    });
  }
}

/** Rows that are made when first asked for. */
function rowsOnce(program: Program): (key: string, limit: number) => number {
  const rows = new Map<string, number>();
  return (key, limit) => {
    const row = rows.get(key) ?? program.row(limit);
    rows.set(key, row);
    return row;
  };
}

/**
 * The most unit-slots that pairings can serve, by HiGHS. A column for each pair and slot says what flows, at most what one has and
 * the other lacks; with limits, a column of 0 or 1 for each pair says whether it is open, and what flows is at most that much of it.
 */
export class Oracle {
  readonly #highs: Highs;
  readonly #timeLimitSeconds: number;

  constructor(highs: Highs, timeLimitSeconds: number) {
    this.#highs = highs;
    this.#timeLimitSeconds = timeLimitSeconds;
  }

  static async load(timeLimitSeconds: number): Promise<Oracle> {
    return new Oracle(await loadHighs(), timeLimitSeconds);
  }

  /** @param limited with the pools' limits (a MILP), or with unlimited partners (an LP) */
  served(pools: readonly MatchingPool[], limited: boolean, weight?: PairWeight): number | undefined {
    const program = new Program();
    const row = rowsOnce(program);
    for (const lender of pools) {
      for (const borrower of pools) {
        if (lender === borrower || (weight?.(lender.id, borrower.id) ?? 1) <= 0) continue;
        const most = Array.from(lender.surplus, (units, slot) => Math.min(units, borrower.deficit[slot] ?? 0));
        if (most.every((units) => units === 0)) continue;
        const open = limited ? program.column(0, 1, true) : undefined;
        if (open !== undefined) {
          program.put(row(`lends ${lender.id}`, lender.maxBorrowers), open, 1);
          program.put(row(`borrows ${borrower.id}`, borrower.maxLenders), open, 1);
        }
        most.forEach((units, slot) => {
          if (units === 0) return;
          const flow = program.column(1, units);
          program.put(row(`surplus ${slot} ${lender.id}`, lender.surplus[slot] ?? 0), flow, 1);
          program.put(row(`deficit ${slot} ${borrower.id}`, borrower.deficit[slot] ?? 0), flow, 1);
          if (open === undefined) return;
          const only = program.row(0);
          program.put(only, flow, 1);
          program.put(only, open, -units);
        });
      }
    }
    return program.maximum(this.#highs, this.#timeLimitSeconds);
  }

  /** The most that one lender for each borrower, and one borrower for each lender, can serve: an assignment, whole without being told. */
  oneToOne(pools: readonly MatchingPool[]): number | undefined {
    const program = new Program();
    const row = rowsOnce(program);
    for (const lender of pools) {
      for (const borrower of pools) {
        if (lender === borrower) continue;
        const value = lender.surplus.reduce(
          (sum, units, slot) => sum + Math.min(units, borrower.deficit[slot] ?? 0),
          0,
        );
        if (value === 0) continue;
        const open = program.column(value, 1);
        program.put(row(`lends ${lender.id}`, 1), open, 1);
        program.put(row(`borrows ${borrower.id}`, 1), open, 1);
      }
    }
    return program.maximum(this.#highs, this.#timeLimitSeconds);
  }
}
