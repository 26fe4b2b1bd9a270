import type { Criticality, SlaTier } from '../allocation/priority.ts';
import { explainOrder } from '../allocation/priority.ts';
import type { EpochMillis, LoanId, PoolId } from '../units.ts';
import type { Loan } from './loan.ts';
import { isAsked } from './loan.ts';
import type { Ranking } from './queue.ts';
import { ranked } from './queue.ts';

/** A request as its own account sees it. */
export interface RequestView {
  readonly requestId: LoanId;
  readonly poolId: PoolId;
  /** `asking`: a lender is being looked for. `waiting`: it has a place in the queue. `filled`: nothing is asked for any more. */
  readonly state: 'asking' | 'waiting' | 'filled';
  readonly wantedUnits: number;
  readonly minimumUnits: number;
  /** Units that loans have brought or are bringing. */
  readonly filledUnits: number;
  /** Units that are asked for still. */
  readonly missingUnits: number;
  readonly slaTier: SlaTier;
  readonly criticality: Criticality;
  readonly requestedAt: EpochMillis;
  readonly parts: readonly Pick<Loan, 'loanId' | 'state' | 'units' | 'kind'>[];
  /** Of a request that waits. */
  readonly place?: QueuePlace;
}

/** A place in the queue, at the lenders that a request may borrow from. */
export interface QueuePlace {
  readonly since: EpochMillis;
  readonly until: EpochMillis;
  /** 1: nobody comes before it. */
  readonly rank: number;
  /** Who comes before it, and why; no figure of another account. */
  readonly before: readonly string[];
  /** When a lender may be able to lend enough; absent: nothing says so. */
  readonly expectedAt?: EpochMillis;
}

/**
 * Where a request stands among those that wait for the same lenders.
 * @param waiting those, with or without the request itself
 */
export function placeOf(
  loan: Loan,
  waiting: readonly Loan[],
  ranking: Ranking,
  expectedAt: EpochMillis | undefined,
): QueuePlace | undefined {
  if (loan.waiting === undefined) return undefined;
  const others = waiting.filter(({ loanId, state }) => loanId !== loan.loanId && state === 'waiting');
  const order = ranked([loan, ...others], ranking);
  const index = order.findIndex(({ id }) => id === loan.loanId);
  const own = order[index];
  if (own === undefined) return undefined;
  const before = order.slice(0, index).map((other) => explainOrder(other, own, ranking.rules, ranking.now).text);
  const { since, until } = loan.waiting;
  return { since, until, rank: index + 1, before, ...(expectedAt === undefined ? {} : { expectedAt }) };
}

/** @param parts all loans of one request, first to last; at least one, each with its `request` */
export function requestView(parts: readonly Loan[], place: QueuePlace | undefined): RequestView | undefined {
  const [first] = parts;
  if (first?.request === undefined) return undefined;
  const { requestId, wantedUnits, minimumUnits, slaTier, criticality } = first.request;
  const asked = parts.filter(isAsked);
  const made = parts.filter(
    ({ state, endedAt, activeAt }) => !isAsked({ state }) && (endedAt === undefined || activeAt !== undefined),
  );
  const sum = (loans: readonly Loan[]): number => loans.reduce((units, loan) => units + loan.units, 0);
  const isWaiting = asked.some(({ state }) => state === 'waiting');
  return {
    requestId,
    poolId: first.borrowerPoolId,
    state: isWaiting ? 'waiting' : asked.length > 0 ? 'asking' : 'filled',
    wantedUnits,
    minimumUnits,
    filledUnits: sum(made),
    missingUnits: sum(asked),
    slaTier,
    criticality,
    requestedAt: first.requestedAt,
    parts: parts.map(({ loanId, state, units, kind }) => ({ loanId, state, units, kind })),
    ...(place === undefined ? {} : { place }),
  };
}
