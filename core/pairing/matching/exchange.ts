import type { RandomSource } from '../../forecast/random.ts';
import { LEAST_GAIN } from './best-links.ts';
import type { Link, Network } from './network.ts';
import type { Potential } from './potential.ts';

export interface ExchangeOptions {
  readonly potential: Potential;
  readonly rounds: number;
  readonly random: RandomSource;
}

/** Pools that an exchange touches, by role. */
interface Touched {
  readonly lenders: Set<number>;
  readonly borrowers: Set<number>;
}

/** Share of the rounds that close a link of the pool they start at, and of full or free partners that lose one. */
const CLOSE_OWN = 0.8;
const CLOSE_FREE = 0.3;
const MOST_PARTNERS = 3;
/** Gains are blurred by this much in half of the rounds, so that not only the nearest exchanges are found. */
const BLUR = 0.3;
const ROUNDING = 1e-9;

function pick<T>(list: ArrayLike<T>, random: RandomSource): T | undefined {
  return list[Math.floor(random() * list.length)];
}

/** Opens the best links between a few lenders and a few borrowers. */
function reopen(network: Network, { lenders, borrowers }: Touched, blur: number, random: RandomSource): void {
  const useless = new Set<string>();
  for (;;) {
    let most = LEAST_GAIN;
    let found: { readonly lender: number; readonly borrower: number } | undefined;
    for (const lender of lenders) {
      if (!network.mayLend(lender)) continue;
      for (const borrower of borrowers) {
        if (!network.mayBorrow(borrower) || network.isOpen(lender, borrower)) continue;
        if (useless.size > 0 && useless.has(`${lender} ${borrower}`)) continue;
        const gain = network.gain(lender, borrower) * (1 - blur * random());
        if (gain > most) {
          most = gain;
          found = { lender, borrower };
        }
      }
    }
    if (found === undefined) return;
    const before = network.objective;
    network.open(found.lender, found.borrower);
    if (network.objective <= before) useless.add(`${found.lender} ${found.borrower}`);
  }
}

function closeOne(network: Network, links: readonly Link[], touched: Touched, random: RandomSource): void {
  const link = pick(links, random);
  if (link === undefined) return;
  touched.lenders.add(link.lender);
  touched.borrowers.add(link.borrower);
  network.close(link);
}

/** Closes links round a pool and takes in partners that might serve better. */
function loosen(network: Network, potential: Potential, random: RandomSource): Touched {
  const touched: Touched = { lenders: new Set(), borrowers: new Set() };
  const asBorrower = random() < 0.5;
  const start = pick(asBorrower ? potential.borrowers : potential.lenders, random);
  if (start === undefined) return touched;
  (asBorrower ? touched.borrowers : touched.lenders).add(start);
  if (random() < CLOSE_OWN) {
    closeOne(network, (asBorrower ? network.borrowing : network.lending)[start] as Link[], touched, random);
  }
  const partners = 1 + Math.floor(random() * MOST_PARTNERS);
  for (let count = 0; count < partners; count += 1) {
    const borrows = count === 0 ? asBorrower : random() < 0.5;
    const from = count === 0 ? start : pick([...(borrows ? touched.borrowers : touched.lenders)], random);
    if (from === undefined) continue;
    const partner = borrows ? potential.drawLender(from, random) : potential.drawBorrower(from, random);
    if (partner === undefined) continue;
    (borrows ? touched.lenders : touched.borrowers).add(partner);
    const hasRoom = borrows ? network.mayLend(partner) : network.mayBorrow(partner);
    if (!hasRoom || random() < CLOSE_FREE) {
      closeOne(network, (borrows ? network.lending : network.borrowing)[partner] as Link[], touched, random);
    }
  }
  return touched;
}

/**
 * Closes a few links round a pool and opens the best ones among the pools that this touches, again and again; what makes the
 * objective smaller is taken back. (Large neighbourhood search: Shaw, CP 1998, with neighbourhoods of a few links.)
 */
export function exchangeLinks(network: Network, { potential, rounds, random }: ExchangeOptions): void {
  for (let round = 0; round < rounds; round += 1) {
    const before = network.objective;
    network.begin();
    const touched = loosen(network, potential, random);
    reopen(network, touched, random() < 0.5 ? 0 : BLUR, random);
    if (network.objective >= before - ROUNDING) network.keep();
    else network.undo();
  }
}
