const FREE = -1;

/** Values of rows × columns, row by row. */
export interface ValueTable {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Dual prices and who holds which column, while rows are placed one after the other, and room for one search. */
interface Placement {
  readonly rowPrice: Float64Array;
  readonly columnPrice: Float64Array;
  readonly rowOf: Int32Array;
  readonly distance: Float64Array;
  readonly cameFrom: Int32Array;
  /** Columns in the order in which they were reached, then those that were not. */
  readonly order: Int32Array;
}

function placementOf({ rows, columns }: ValueTable): Placement {
  return {
    rowPrice: new Float64Array(rows),
    columnPrice: new Float64Array(columns),
    rowOf: new Int32Array(columns).fill(FREE),
    distance: new Float64Array(columns),
    cameFrom: new Int32Array(columns),
    order: Int32Array.from({ length: columns }, (_, column) => column),
  };
}

/** Looks for the cheapest path of moves from a row to a free column (Dijkstra over reduced costs). @returns columns reached */
function reachFree({ columns, values }: ValueTable, placement: Placement, first: number): number {
  const { rowPrice, columnPrice, rowOf, distance, cameFrom, order } = placement;
  distance.fill(Number.POSITIVE_INFINITY);
  let row = first;
  let cameBy = FREE;
  let reached = 0;
  for (let count = 0; ; count += 1) {
    const base = reached - (rowPrice[row] as number);
    let nearest = count;
    let least = Number.POSITIVE_INFINITY;
    for (let place = count; place < columns; place += 1) {
      const at = order[place] as number;
      const through = base - (values[row * columns + at] as number) - (columnPrice[at] as number);
      let known = distance[at] as number;
      if (through < known) {
        known = through;
        distance[at] = through;
        cameFrom[at] = cameBy;
      }
      if (known < least) {
        least = known;
        nearest = place;
      }
    }
    cameBy = order[nearest] as number;
    order[nearest] = order[count] as number;
    order[count] = cameBy;
    reached = least;
    row = rowOf[cameBy] as number;
    if (row === FREE) return count + 1;
  }
}

/** Places one more row: everybody on the path moves on by one column. */
function placeRow(table: ValueTable, placement: Placement, first: number): void {
  const { rowPrice, columnPrice, rowOf, distance, cameFrom, order } = placement;
  const count = reachFree(table, placement, first);
  let column = order[count - 1] as number;
  const reached = distance[column] as number;
  for (let place = 0; place < count; place += 1) {
    const at = order[place] as number;
    const gap = reached - (distance[at] as number);
    columnPrice[at] = (columnPrice[at] as number) - gap;
    const holder = rowOf[at] as number;
    if (holder !== FREE) rowPrice[holder] = (rowPrice[holder] as number) + gap;
  }
  rowPrice[first] = (rowPrice[first] as number) + reached;
  while (column !== FREE) {
    const before = cameFrom[column] as number;
    rowOf[column] = before === FREE ? first : (rowOf[before] as number);
    column = before;
  }
}

/**
 * The assignment of rows to columns, one to one, whose values add up to most: the Hungarian method with shortest augmenting paths
 * (Kuhn 1955; Jonker and Volgenant 1987), exact, `O(rows² × columns)`.
 * @returns the column of each row, or −1 for a row that has none because there are fewer columns
 */
export function bestAssignment(table: ValueTable): Int32Array {
  const { rows, columns, values } = table;
  if (rows > columns) {
    const turned = new Float64Array(values.length);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1)
        turned[column * rows + row] = values[row * columns + column] as number;
    }
    const columnsRow = bestAssignment({ rows: columns, columns: rows, values: turned });
    const result = new Int32Array(rows).fill(FREE);
    columnsRow.forEach((row, column) => {
      result[row] = column;
    });
    return result;
  }
  const placement = placementOf(table);
  for (let row = 0; row < rows; row += 1) placeRow(table, placement, row);
  const result = new Int32Array(rows).fill(FREE);
  placement.rowOf.forEach((row, column) => {
    if (row !== FREE) result[row] = column;
  });
  return result;
}
