import type { Place, RankedRequest } from '../allocation/priority.ts';
import { comparePlaces, DEFAULT_CRITICALITY, DEFAULT_SLA_TIER, placing } from '../allocation/priority.ts';
import { IDLE_SHARE, nearNeed } from '../lending/outlook-rules.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import { LEAST_UNITS } from './lenders.ts';
import type { ReplayMarket } from './market.ts';
import { LOAN_LEAD, RECALL_LEAD } from './market.ts';

/** Chance that a borrower needs a loan again at once, below which it goes back. */
const STILL_NEEDED = 0.5;

/** What a pool asks for at a step. */
export interface ReplayRequest {
  readonly place: number;
  /** Units that are missing by now; 0: none yet. */
  readonly units: number;
  /** Units that its forecast asks for beyond them. */
  readonly aheadUnits: number;
}

/** Ends loans that are no longer needed after their shortest term, those whose longest is over and those that consents end. */
export function returnLoans(market: ReplayMarket, step: number): void {
  const { book, scenario, isOpen } = market;
  for (const loan of book.running) {
    if (step < loan.keptUntilStep) continue;
    const { borrower, lender } = loan;
    const isOver = step >= loan.dueStep || isOpen[lender] === 0 || isOpen[borrower] === 0 || market.isUsedUp(loan);
    const last = market.lastDemand(borrower, step);
    const likely = market.outlooks[borrower]?.unitsAt(step, RECALL_LEAD, STILL_NEEDED) ?? 0;
    const before = scenario.forecast === 'short-term' ? likely : market.lastDemand(borrower, step - 1);
    const without = market.pool(borrower).ownedUnits + (book.borrowed[borrower] as number) - loan.units;
    if (!isOver && Math.max(last, before) > without) continue;
    book.giveBack(loan, loan.units, step, step + market.recallSteps(market.pool(lender)));
  }
  book.tidy();
}

/** Counts how long each pool has been above its ceiling, by the newest demand. */
export function watchCeilings(market: ReplayMarket, step: number): void {
  const { book, stepsAbove } = market;
  for (let place = 0; place < stepsAbove.length; place += 1) {
    const net = (book.borrowed[place] as number) - (book.lent[place] as number);
    const isAbove = market.lastDemand(place, step) > market.pool(place).ownedUnits + net;
    stepsAbove[place] = isAbove ? (stepsAbove[place] as number) + 1 : 0;
  }
}

/** Units that the forecast says a pool will need, held near what it needs now. */
function expectedNeed(market: ReplayMarket, place: number, step: number, recent: number): number {
  const { scenario } = market;
  const outlook = market.outlooks[place];
  if (outlook === undefined || scenario.borrowAhead === undefined) return 0;
  const units = outlook.unitsAt(step, LOAN_LEAD, 1 - scenario.borrowAhead.needLevel);
  if (scenario.forecast === 'perfect') return units;
  const owned = market.pool(place).ownedUnits;
  return nearNeed({ forecast: units, last: market.lastDemand(place, step), recent, owned });
}

function requestOf(market: ReplayMarket, place: number, step: number): ReplayRequest | undefined {
  const { book, scenario, times, stepsAbove, isOpen } = market;
  const pool = market.pool(place);
  if (pool.borrow === undefined || isOpen[place] === 0) return undefined;
  if ((book.lent[place] as number) - (book.returning[place] as number) > LEAST_UNITS) return undefined;
  const lent = book.lent[place] as number;
  const ceiling = pool.ownedUnits + (book.borrowed[place] as number) + (book.starting[place] as number) - lent;
  const last = market.lastDemand(place, step);
  const alarmed = (stepsAbove[place] as number) >= times.alarmSteps;
  const ahead = scenario.borrowAhead;
  const expects =
    alarmed ||
    (ahead !== undefined &&
      last > IDLE_SHARE * pool.ownedUnits &&
      (market.outlooks[place]?.probabilityAbove(step, RECALL_LEAD, ceiling) ?? 0) >= ahead.atProbability);
  if (!expects) return undefined;
  let recent = last;
  for (let back = 2; back <= times.alarmSteps; back += 1) {
    recent = Math.max(recent, market.lastDemand(place, step - back + 1));
  }
  const need =
    alarmed && scenario.forecast === 'perfect'
      ? (market.outlooks[place]?.unitsAt(step, LOAN_LEAD, 0) ?? recent)
      : recent;
  const units = alarmed ? Math.max(0, market.asked(need - ceiling)) : 0;
  const wanted = Math.max(0, market.asked(expectedNeed(market, place, step, recent) - ceiling));
  const room = Math.max(0, market.lendable(market.borrowRoom(place, Math.max(units, wanted))));
  const now = Math.min(units, room);
  const aheadUnits = Math.max(0, Math.min(wanted, room) - now);
  return now + aheadUnits > LEAST_UNITS ? { place, units: now, aheadUnits } : undefined;
}

/** What pools ask for at a step. */
export function requests(market: ReplayMarket, step: number): ReplayRequest[] {
  return market.participants.pools.flatMap((_, place) => requestOf(market, place, step) ?? []);
}

/** Requests with something to ask for, in the order in which the scenario's rules serve them. */
export function inOrder(
  market: ReplayMarket,
  asking: readonly ReplayRequest[],
  step: number,
  unitsOf: (request: ReplayRequest) => number,
): ReplayRequest[] {
  const { scenario, traces, stepsAbove } = market;
  const now = market.atMillis(step);
  const placeOf = placing(scenario.orderRules, now);
  const ranked = (request: ReplayRequest): RankedRequest => {
    const { poolId } = market.pool(request.place);
    return {
      id: poolId,
      accountId: market.participants.accounts[market.pool(request.place).account] ?? '',
      tier: scenario.slaTiers[poolId] ?? DEFAULT_SLA_TIER,
      criticality: scenario.criticalities[poolId] ?? DEFAULT_CRITICALITY,
      requestedAtMillis: now - (stepsAbove[request.place] as number) * traces.stepSeconds * MILLIS_PER_SECOND,
      deficitUnits: unitsOf(request),
    };
  };
  const places = asking
    .filter((request) => unitsOf(request) > 0)
    .map((request): { request: ReplayRequest; place: Place } => ({ request, place: placeOf(ranked(request)) }));
  return places.sort((a, b) => comparePlaces(a.place, b.place)).map(({ request }) => request);
}
