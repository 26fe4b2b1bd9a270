import { markupText, momentText, numberText } from './forecast-chart.ts';
import type { PlannedPair } from './pair-matching.ts';
import type { FleetPlan } from './pair-plan.ts';

const WIDTH = 960;
const LEFT = 230;
const RIGHT = 12;
const AXIS = 26;
const ROW = 13;
const CURVES_HEIGHT = 200;
const TOP = 12;
const X_TICKS = 6;
const Y_PARTS = 4;
/** Columns of a chart at most: more slots are averaged. */
const MAX_COLUMNS = 336;
/** Pools and pairings that are drawn at most: no screen shows more. */
export const MAX_ROWS = 60;
export const MAX_LINKS = 120;
const SHADES = 5;
const NAME_LETTERS = 34;
const LINK_ROW = 18;
const THICKEST = 12;

interface Columns {
  readonly count: number;
  /** Slots in a column. */
  readonly slots: number;
  readonly x: (column: number) => number;
}

function columnsOf(slots: number): Columns {
  const inOne = Math.max(1, Math.ceil(slots / MAX_COLUMNS));
  const count = Math.ceil(slots / inOne);
  return { count, slots: inOne, x: (column) => LEFT + (column / Math.max(1, count)) * (WIDTH - LEFT - RIGHT) };
}

/** Means of the slots of each column. */
function byColumn(curve: ArrayLike<number>, { count, slots }: Columns): number[] {
  return Array.from({ length: count }, (_, column) => {
    let [sum, seen] = [0, 0];
    for (let slot = column * slots; slot < Math.min(curve.length, (column + 1) * slots); slot += 1) {
      sum += curve[slot] ?? 0;
      seen += 1;
    }
    return seen === 0 ? 0 : sum / seen;
  });
}

function timeAxis({ curves: { grid } }: FleetPlan, y: number): string {
  return Array.from({ length: X_TICKS }, (_, tick) => {
    const part = (tick + 0.5) / X_TICKS;
    const x = LEFT + part * (WIDTH - LEFT - RIGHT);
    const at = grid.startMillis + part * grid.slots * grid.stepMillis;
    return `<text class="tick" x="${x.toFixed(1)}" y="${y}" text-anchor="middle">${momentText(at)}</text>`;
  }).join('');
}

function svg(height: number, title: string, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img"><title>${markupText(title)}</title>${body}</svg>`;
}

function nameText(id: string, x: number, y: number, anchor: 'start' | 'end'): string {
  // The end of an id tells more than its beginning.
  const shown = id.length > NAME_LETTERS ? `…${id.slice(1 - NAME_LETTERS)}` : id;
  const label = `<title>${markupText(id)}</title>${markupText(shown)}`;
  return `<text class="name" x="${x}" y="${y.toFixed(1)}" text-anchor="${anchor}">${label}</text>`;
}

/** The next 1, 2, 3, 4, 5 or 8 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 3, 4, 5, 8, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

/** What the fleet could lend, what it lacks and what the pairings serve, by slot. */
export function totalsChart(plan: FleetPlan): string {
  const { grid, surplus, deficit } = plan.curves;
  const columns = columnsOf(grid.slots);
  const total = (curve: Float64Array) => {
    const sums = new Float64Array(grid.slots);
    for (const [at, units] of curve.entries()) sums[at % grid.slots] = (sums[at % grid.slots] ?? 0) + units;
    return byColumn(sums, columns);
  };
  const served = new Float64Array(grid.slots);
  for (const { unitsBySlot } of plan.pairings) {
    for (const [slot, units] of unitsBySlot.entries()) served[slot] = (served[slot] ?? 0) + units;
  }
  const [lendable, short, lent] = [total(surplus), total(deficit), byColumn(served, columns)];
  const step = roundStep(Math.max(1, ...short, ...lent, ...lendable) / Y_PARTS);
  const most = step * Y_PARTS;
  const bottom = TOP + CURVES_HEIGHT;
  const y = (units: number) => (bottom - (units / most) * CURVES_HEIGHT).toFixed(1);
  const steps = (curve: readonly number[]) =>
    curve.map((units, at) => `${columns.x(at).toFixed(1)} ${y(units)}H${columns.x(at + 1).toFixed(1)}`).join('L');
  const area = `M${LEFT} ${bottom}L${steps(lent)}V${bottom}Z`;
  const rows = Array.from({ length: Y_PARTS + 1 }, (_, part) => {
    const units = part * step;
    return `<path class="grid" d="M${LEFT} ${y(units)}H${WIDTH - RIGHT}"/><text class="tick" x="${LEFT - 8}" y="${y(units)}" dy="4" text-anchor="end">${numberText(units)}</text>`;
  });
  return svg(
    bottom + AXIS,
    'Units that could be lent, that are short and that are served, by slot',
    `${rows.join('')}<path class="lent" d="${area}"/><path class="idle-line" d="M${steps(lendable)}"/><path class="short-line" d="M${steps(short)}"/>${timeAxis(plan, bottom + 18)}`,
  );
}

/** The rows of the heat map: pools with most to lend or most short, by id. */
function heatRows({ pools, curves: { grid, surplus, deficit } }: FleetPlan) {
  const rows = pools.map(({ spec }, index) => {
    const [from, to] = [index * grid.slots, (index + 1) * grid.slots];
    const [idle, short] = [surplus.subarray(from, to), deficit.subarray(from, to)];
    const volume = idle.reduce((sum, units, slot) => sum + units + (short[slot] ?? 0), 0);
    return { id: spec.poolId, idle, short, volume };
  });
  const largest = rows.sort((a, b) => b.volume - a.volume || (a.id < b.id ? -1 : 1)).slice(0, MAX_ROWS);
  return largest.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Pools by slots: blue where a pool could lend, red where it is short, each shade a fifth of the most of its row. */
export function heatMap(plan: FleetPlan): string {
  const columns = columnsOf(plan.curves.grid.slots);
  const rows = heatRows(plan);
  const cells = new Map<string, string>();
  for (const [at, { idle, short }] of rows.entries()) {
    const y = TOP + at * ROW;
    for (const [name, curve] of [
      ['idle', byColumn(idle, columns)],
      ['short', byColumn(short, columns)],
    ] as const) {
      const most = Math.max(...curve);
      let from = 0;
      const shadeAt = (column: number) =>
        most > 0 ? Math.min(SHADES, Math.ceil(((curve[column] ?? 0) / most) * SHADES)) : 0;
      for (let column = 1; column <= columns.count; column += 1) {
        const shade = shadeAt(from);
        if (column < columns.count && shadeAt(column) === shade) continue;
        if (shade > 0) {
          const [x0, x1] = [columns.x(from), columns.x(column)];
          const cell = `M${x0.toFixed(1)} ${y}H${x1.toFixed(1)}v${ROW - 2}H${x0.toFixed(1)}Z`;
          cells.set(`${name}${shade}`, `${cells.get(`${name}${shade}`) ?? ''}${cell}`);
        }
        from = column;
      }
    }
  }
  const paths = [...cells].sort(([a], [b]) => (a < b ? -1 : 1));
  const names = rows.map(({ id }, at) => nameText(id, LEFT - 8, TOP + at * ROW + ROW - 4, 'end'));
  const bottom = TOP + rows.length * ROW;
  return svg(
    bottom + AXIS,
    'What each pool could lend and what it lacks, by slot',
    `${names.join('')}${paths.map(([name, d]) => `<path class="${name}" d="${d}"/>`).join('')}${timeAxis(plan, bottom + 18)}`,
  );
}

const served = ({ unitsBySlot }: PlannedPair) => unitsBySlot.reduce((sum, units) => sum + units, 0);

/** The borrowers, each about where its lenders are, so that few lines cross. */
function besideLenders(pairings: readonly PlannedPair[], lenders: readonly string[]): string[] {
  const placeOf = new Map(lenders.map((id, place) => [id, place]));
  const places = new Map<string, number[]>();
  for (const { candidate } of pairings) {
    const id = candidate.borrower.spec.poolId;
    places.set(id, [...(places.get(id) ?? []), placeOf.get(candidate.lender.spec.poolId) ?? 0]);
  }
  const middles = [...places].map(([id, of]) => ({
    id,
    middle: of.reduce((sum, place) => sum + place, 0) / of.length,
  }));
  return middles.sort((a, b) => a.middle - b.middle || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
}

/** Lenders on the left, borrowers on the right; a line is as thick as what is served. */
export function servesChart(plan: FleetPlan): string {
  const shown = plan.pairings.toSorted((a, b) => served(b) - served(a)).slice(0, MAX_LINKS);
  const lenders = [...new Set(shown.map(({ candidate }) => candidate.lender.spec.poolId as string))].sort();
  const borrowers = besideLenders(shown, lenders);
  const height = Math.max(lenders.length, borrowers.length) * LINK_ROW + 2 * TOP;
  const placeOf = (ids: readonly string[]) => {
    const gap = (height - 2 * TOP) / Math.max(1, ids.length);
    return new Map(ids.map((id, at) => [id, TOP + (at + 0.5) * gap]));
  };
  const [lenderAt, borrowerAt] = [placeOf(lenders), placeOf(borrowers)];
  const most = Math.max(1e-9, ...shown.map(served));
  const [from, to] = [LEFT, WIDTH - LEFT];
  const bend = (to - from) / 2;
  const links = shown.map((pairing) => {
    const { lender, borrower } = pairing.candidate;
    const [lends, borrows] = [lender.spec.poolId, borrower.spec.poolId];
    const [y0, y1] = [lenderAt.get(lends) ?? 0, borrowerAt.get(borrows) ?? 0];
    const thickness = Math.max(1, (served(pairing) / most) * THICKEST).toFixed(1);
    const title = `${markupText(lends)} lends ${numberText(served(pairing))} unit-slots to ${markupText(borrows)}`;
    return `<path class="link" stroke-width="${thickness}" d="M${from} ${y0.toFixed(1)}C${from + bend} ${y0.toFixed(1)} ${to - bend} ${y1.toFixed(1)} ${to} ${y1.toFixed(1)}"><title>${title}</title></path>`;
  });
  const names = [
    ...lenders.map((id) => nameText(id, from - 8, (lenderAt.get(id) ?? 0) + 4, 'end')),
    ...borrowers.map((id) => nameText(id, to + 8, (borrowerAt.get(id) ?? 0) + 4, 'start')),
  ];
  return svg(height, 'Who serves whom', `${links.join('')}${names.join('')}`);
}
