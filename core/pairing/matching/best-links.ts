import { bestAssignment } from './assignment.ts';
import type { Network } from './network.ts';

/** Gains below this many weighted unit-slots are not worth a link. */
export const LEAST_GAIN = 1e-6;

interface Best {
  readonly lender: number;
  readonly gain: number;
}

const NOBODY: Best = { lender: -1, gain: 0 };

function bestLender(network: Network, borrower: number, lenders: readonly number[]): Best {
  if (!network.mayBorrow(borrower)) return NOBODY;
  let best = NOBODY;
  let most = LEAST_GAIN;
  for (const lender of lenders) {
    if (!network.mayLend(lender) || network.isOpen(lender, borrower)) continue;
    const gain = network.gain(lender, borrower);
    if (gain > most) {
      most = gain;
      best = { lender, gain };
    }
  }
  return best;
}

/**
 * Opens the link that adds most, again and again, until none is worth it. As links open, what another would add falls; so a
 * borrower's best lender is looked for again only when it seems the best of all.
 */
export function openBestLinks(network: Network, lenders: readonly number[], borrowers: readonly number[]): void {
  const best = borrowers.map((borrower) => bestLender(network, borrower, lenders));
  for (;;) {
    let at = -1;
    let most = 0;
    for (let index = 0; index < best.length; index += 1) {
      const { gain } = best[index] as Best;
      if (gain > most) {
        at = index;
        most = gain;
      }
    }
    if (at < 0) return;
    const borrower = borrowers[at] as number;
    const { lender } = best[at] as Best;
    if (network.fits(lender, borrower) && network.gain(lender, borrower) >= most) network.open(lender, borrower);
    best[at] = bestLender(network, borrower, lenders);
  }
}

/**
 * Gives each borrower at most one more lender, and each lender one more borrower, so that the links together add most: exact where
 * each pool has one partner, a start that is hard to find link by link elsewhere.
 */
export function openBestAssignment(network: Network, lenders: readonly number[], borrowers: readonly number[]): void {
  const [rows, columns] = [
    borrowers.filter((pool) => network.mayBorrow(pool)),
    lenders.filter((pool) => network.mayLend(pool)),
  ];
  if (rows.length === 0 || columns.length === 0) return;
  const values = new Float64Array(rows.length * columns.length);
  rows.forEach((borrower, row) => {
    columns.forEach((lender, column) => {
      if (network.isOpen(lender, borrower)) return;
      values[row * columns.length + column] = Math.max(0, network.gain(lender, borrower));
    });
  });
  bestAssignment({ rows: rows.length, columns: columns.length, values }).forEach((column, row) => {
    if (column < 0 || (values[row * columns.length + column] as number) <= LEAST_GAIN) return;
    network.open(columns[column] as number, rows[row] as number);
  });
}
