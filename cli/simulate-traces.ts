import type { Traces } from '../core/whatif/traces.ts';
import { InputError, momentOf } from './forecast-csv.ts';

const HEADER = 'pool_id,timestamp,demand_units';
const BYTE_ORDER_MARK = '\uFEFF';
const MILLIS_PER_SECOND = 1_000;
const LEAST_STEP_SECONDS = 60;
const MOST_STEP_SECONDS = 86_400;
/** Longer gaps are refused: nobody knows what a pool needed in them. */
const LONGEST_GAP_SECONDS = 3_600;
/** Fewer days say nothing about what a forecast has learned. */
const LEAST_DAYS = 2;
const SECONDS_A_DAY = 86_400;
const MOST_UNITS = 1_000_000;
const DECIMAL = /^\+?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The rows of a pool as they are read. */
class PoolRows {
  readonly firstLine: number;
  /** Milliseconds since the epoch, rising. */
  readonly atMillis: number[] = [];
  /** Not a number: left empty. */
  readonly units: number[] = [];
  lastLine: number;
  /** The first line that is further than a step from the one before, by distance in milliseconds. */
  readonly lineOfGap = new Map<number, number>();
  leastDistance = Number.POSITIVE_INFINITY;

  constructor(line: number) {
    this.firstLine = line;
    this.lastLine = line;
  }

  /** @throws InputError when the row is not later than the one before */
  add(atMillis: number, units: number, line: number, text: string): void {
    const before = this.atMillis.at(-1);
    if (before !== undefined) {
      const distance = atMillis - before;
      if (distance === 0) {
        throw new InputError(
          `line ${line}: timestamp ${text} twice for this pool (line ${this.lastLine}): expected it once`,
        );
      }
      if (distance < 0) {
        throw new InputError(
          `line ${line}: timestamp ${text} is before that of line ${this.lastLine}: expected the rows of a pool in order of time`,
        );
      }
      this.leastDistance = Math.min(this.leastDistance, distance);
      if (!this.lineOfGap.has(distance)) this.lineOfGap.set(distance, line);
    }
    this.atMillis.push(atMillis);
    this.units.push(units);
    this.lastLine = line;
  }
}

/** @throws InputError unless the cell is a number of units, or empty: NaN */
function unitsOf(cell: string, line: number): number {
  if (cell === '') return Number.NaN;
  const units = DECIMAL.test(cell) ? Number(cell) : Number.NaN;
  if (units <= MOST_UNITS) return units;
  throw new InputError(
    `line ${line}: demand_units "${cell}": expected a number of units from 0 to ${MOST_UNITS}, or nothing for a missing one`,
  );
}

function checkHeader(line: string): void {
  const names = (line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line).split(',').map((name) => name.trim());
  if (names.join(',') !== HEADER) throw new InputError(`line 1: "${names.join(',')}": expected the header ${HEADER}`);
}

/** What a name in the file stands for: a pool's id, or undefined when the fleet has no such pool. */
export type PoolNames = (name: string) => string | undefined;

/** @throws InputError at the first wrong row */
async function readRows(lines: AsyncIterable<string>, poolNamed: PoolNames): Promise<Map<string, PoolRows>> {
  const rows = new Map<string, PoolRows>();
  const ids = new Map<string, string>();
  // Timestamps come back for every pool.
  const moments = new Map<string, number>();
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    if (line === 1) {
      checkHeader(text);
      continue;
    }
    const cells = text.split(',');
    const [name = '', moment = '', units = ''] = cells.map((cell) => cell.trim());
    if (cells.length !== 3) throw new InputError(`line ${line}: ${cells.length} values: expected 3, as in the header`);
    const id = ids.get(name) ?? poolNamed(name);
    if (id === undefined) {
      throw new InputError(
        `line ${line}: pool_id "${name}": expected a pool of the fleet, such as account/region/group`,
      );
    }
    ids.set(name, id);
    const atMillis = moments.get(moment) ?? momentOf(moment, line);
    moments.set(moment, atMillis);
    const own = rows.get(id) ?? new PoolRows(line);
    rows.set(id, own);
    own.add(atMillis, unitsOf(units, line), line, moment);
  }
  if (rows.size === 0) throw new InputError(`no rows: expected the header ${HEADER} and at least one row`);
  return rows;
}

/** The step of all pools. @throws InputError when there is none */
function stepMillisOf(rows: ReadonlyMap<string, PoolRows>): number {
  let step = Number.POSITIVE_INFINITY;
  for (const { leastDistance } of rows.values()) step = Math.min(step, leastDistance);
  const seconds = step / MILLIS_PER_SECOND;
  if (!(seconds >= LEAST_STEP_SECONDS && seconds <= MOST_STEP_SECONDS)) {
    throw new InputError(
      `timestamps at least ${seconds} s apart: expected a step from ${LEAST_STEP_SECONDS} to ${MOST_STEP_SECONDS} s`,
    );
  }
  for (const [poolId, { lineOfGap }] of rows) {
    for (const [distance, line] of lineOfGap) {
      if (distance % step !== 0) {
        throw new InputError(
          `line ${line}: ${distance / MILLIS_PER_SECOND} s after the row before: expected a multiple of the step of ${seconds} s`,
        );
      }
      if (distance > Math.max(step, LONGEST_GAP_SECONDS * MILLIS_PER_SECOND)) {
        throw new InputError(
          `line ${line}: a gap of ${distance / MILLIS_PER_SECOND} s in ${poolId}: expected at most ${LONGEST_GAP_SECONDS} s, which are filled with the value before`,
        );
      }
    }
  }
  return step;
}

/** A pool on the grid: gaps and empty values take the value before. */
function onGrid(
  own: PoolRows,
  poolId: string,
  grid: { startMillis: number; stepMillis: number; steps: number },
): Float64Array {
  const demand = new Float64Array(grid.steps).fill(Number.NaN);
  let known = Number.NaN;
  for (const [row, at] of own.atMillis.entries()) {
    const offset = (at - grid.startMillis) / grid.stepMillis;
    if (!Number.isInteger(offset)) {
      throw new InputError(`${poolId}: its timestamps lie between those of other pools: expected the same ones`);
    }
    const units = own.units[row] ?? Number.NaN;
    if (offset < 0) known = Number.isNaN(units) ? known : units;
    else if (offset < grid.steps) demand[offset] = units;
  }
  const longest = Math.max(1, Math.floor((LONGEST_GAP_SECONDS * MILLIS_PER_SECOND) / grid.stepMillis));
  let since = 0;
  for (let step = 0; step < grid.steps; step += 1) {
    const units = demand[step] as number;
    since = Number.isNaN(units) ? since + 1 : 0;
    if (Number.isNaN(units) && (Number.isNaN(known) || since > longest)) {
      const at = new Date(grid.startMillis + step * grid.stepMillis).toISOString();
      throw new InputError(
        `${poolId}: no demand at ${at}: expected values at least every ${LONGEST_GAP_SECONDS} s, from the first row on`,
      );
    }
    if (!Number.isNaN(units)) known = units;
    demand[step] = known;
  }
  return demand;
}

/** What was read, and what is to be told about it. */
export interface ReadTraces {
  readonly traces: Traces;
  readonly notes: readonly string[];
}

/**
 * Demand of pools on one grid, from lines of `pool_id,timestamp,demand_units`. Rows of a pool are in order of time; those of
 * different pools may be mixed. What is simulated is the time that all pools have in common. Gaps of up to an hour take the value
 * before, longer ones are refused.
 * @param poolNamed the pool that a name stands for
 * @throws InputError with the line that is wrong and what would be right
 */
export async function readTraces(lines: AsyncIterable<string>, poolNamed: PoolNames): Promise<ReadTraces> {
  const rows = await readRows(lines, poolNamed);
  const stepMillis = stepMillisOf(rows);
  let [startMillis, endMillis, first, last] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  for (const { atMillis } of rows.values()) {
    const [from, until] = [atMillis[0] ?? 0, atMillis.at(-1) ?? 0];
    startMillis = Math.max(startMillis, from);
    endMillis = Math.min(endMillis, until);
    first = Math.min(first, from);
    last = Math.max(last, until);
  }
  const steps = Math.floor((endMillis - startMillis) / stepMillis) + 1;
  if (steps * stepMillis < LEAST_DAYS * SECONDS_A_DAY * MILLIS_PER_SECOND) {
    throw new InputError(
      `the pools have ${Math.max(0, (steps * stepMillis) / MILLIS_PER_SECOND / 3_600).toFixed(1)} hours in common: expected at least ${LEAST_DAYS} days, better weeks`,
    );
  }
  const poolIds = [...rows.keys()].sort();
  const grid = { startMillis, stepMillis, steps };
  const demand = poolIds.map((id) => {
    const own = rows.get(id) as PoolRows;
    const units = onGrid(own, id, grid);
    // What stood in the file is no longer needed: hundreds of pools are many numbers.
    rows.delete(id);
    return units;
  });
  const iso = (at: number) => new Date(at).toISOString();
  const notes =
    first === startMillis && last === endMillis
      ? []
      : [
          `pools begin and end at different times: simulated is ${iso(startMillis)} to ${iso(endMillis)}, which all have`,
        ];
  const traces = { poolIds, startMillis, stepSeconds: stepMillis / MILLIS_PER_SECOND, steps, demand };
  return { traces, notes };
}
