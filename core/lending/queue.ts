/** A need as a whole: how much of it is still missing, whether what was made is worth keeping, and who comes first for a lender. */
import { fairShares } from '../allocation/loan-history.ts';
import type { OrderRule, RankedRequest } from '../allocation/priority.ts';
import {
  DEFAULT_CRITICALITY,
  DEFAULT_ORDER_RULES,
  DEFAULT_SLA_TIER,
  explainOrder,
  orderRequests,
} from '../allocation/priority.ts';
import type { ConsentUsage, FillMinimum } from '../consent/consent.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { forecastEndMillis, neededUnitsOver } from '../forecast/pool-forecast.ts';
import { creditsOf } from '../pairing/credits.ts';
import type { Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND } from '../units.ts';
import type { HeldUnits } from './lender-finding.ts';
import type { Loan } from './loan.ts';
import { isAsked, isOpen } from './loan.ts';

/** The fewest units of a need that are worth having. */
export function minimumUnitsOf(fill: FillMinimum | undefined, wantedUnits: number): number {
  if (fill === undefined) return wantedUnits;
  const share = Math.ceil((wantedUnits * (fill.minimumSharePercent ?? 0)) / 100);
  return Math.min(wantedUnits, Math.max(1, fill.minimumUnits ?? 0, share));
}

/** How a request stands, by the ceiling that its pool has now. */
export interface Standing {
  /** Of this part; less than it asked for when others have brought something meanwhile. */
  readonly missingUnits: number;
  /** Of the whole need, brought by whatever it was. */
  readonly filledUnits: number;
}

/**
 * What is missing now of what a request asked for. All parts of a need, and other requests of the same pool, raise one ceiling: what
 * any of them brings, no other brings again.
 */
export function standingOf(loan: Loan, pool: Pool): Standing {
  const { request } = loan;
  if (request === undefined) return { missingUnits: loan.units, filledUnits: 0 };
  const missing = request.ceilingUnits - ceilingUnits(pool);
  return {
    missingUnits: Math.min(loan.units, missing),
    filledUnits: Math.min(request.wantedUnits, Math.max(0, request.wantedUnits - missing)),
  };
}

/**
 * What becomes of a need by its parts: `open` while one of them is still being made or waits; `below-minimum` when all that could be
 * had is less than the borrower finds worth having. A part that was in use counts, however it ended.
 * @param parts all of one request
 */
export function fillOf(parts: readonly Loan[]): 'open' | 'enough' | 'below-minimum' {
  const had = (loan: Loan): boolean => loan.activeAt !== undefined;
  if (parts.some((loan) => isOpen(loan) && !had(loan))) return 'open';
  const units = parts.filter(had).reduce((sum, loan) => sum + loan.units, 0);
  const minimumUnits = parts[0]?.request?.minimumUnits ?? 0;
  return units >= minimumUnits ? 'enough' : 'below-minimum';
}

/** How the rules and past loans rank requests. */
export interface Ranking {
  readonly rules: readonly OrderRule[];
  readonly now: EpochMillis;
  /** Of the accounts that ask; an account that is not in it has neither lent nor borrowed. */
  readonly usages: ReadonlyMap<AccountId, ConsentUsage>;
}

/** A request as the rules look at it. */
function rankedRequest(loan: Loan, shares: ReadonlyMap<string, number>): RankedRequest {
  const { request } = loan;
  return {
    id: loan.loanId,
    accountId: loan.borrowerAccountId,
    tier: request?.slaTier ?? DEFAULT_SLA_TIER,
    criticality: request?.criticality ?? DEFAULT_CRITICALITY,
    requestedAtMillis: loan.waiting?.since ?? loan.requestedAt,
    deficitUnits: loan.units,
    fairShare: shares.get(loan.borrowerAccountId) ?? 0,
    ...(loan.forecastNeed === undefined ? {} : { ahead: true as const }),
  };
}

/** Requests with what the rules look at, in the order in which they are served. */
export function ranked(loans: readonly Loan[], { rules, now, usages }: Ranking): RankedRequest[] {
  const net = new Map(
    [...usages].map(([account, usage]) => [account, { all: -creditsOf(usage, now).balanceUnitHours }] as const),
  );
  const shares = fairShares(net);
  const asking = loans.filter(isAsked).map((loan) => rankedRequest(loan, shares));
  return orderRequests(asking, rules.length === 0 ? DEFAULT_ORDER_RULES : rules, now);
}

/**
 * What others are to have of a lender before a request gets any of it: what those ask for that wait for it and come first. They ask
 * for units of their own; that a unit of the lender's stands in for one of theirs is taken for granted.
 */
export function heldBefore(own: Loan, waiting: readonly Loan[], ranking: Ranking): HeldUnits {
  const others = waiting.filter((loan) => loan.loanId !== own.loanId && loan.borrowerPoolId !== own.borrowerPoolId);
  const order = ranked([own, ...others], ranking);
  const place = order.findIndex(({ id }) => id === own.loanId);
  const self = order[place];
  if (self === undefined) return { units: 0, reasons: [] };
  const before = order.slice(0, place);
  return {
    units: before.reduce((sum, { deficitUnits }) => sum + deficitUnits, 0),
    reasons: before.map((other) => explainOrder(other, self, ranking.rules, ranking.now).text),
  };
}

/** A lender that a waiting request may borrow from, as far as its own figures say when it can lend. */
export interface ExpectedLender {
  readonly pool: Pool;
  readonly plan?: PoolForecast | undefined;
  /** Its open loans. */
  readonly lent: readonly Loan[];
}

/** When a lender is forecast to be idle enough: the first slot from which on it can lend so many units for a term. */
function forecastSlot(
  { pool, plan }: ExpectedLender,
  units: number,
  termSeconds: number,
  now: EpochMillis,
): number | undefined {
  if (plan === undefined) return undefined;
  const stepMillis = plan.stepSeconds * MILLIS_PER_SECOND;
  const termMillis = termSeconds * MILLIS_PER_SECOND;
  const first = plan.startMillis + Math.max(0, Math.ceil((now - plan.startMillis) / stepMillis)) * stepMillis;
  for (let at = first; at + termMillis <= forecastEndMillis(plan); at += stepMillis) {
    const needed = neededUnitsOver(plan, '0.95', at, at + termMillis);
    if (needed !== undefined && ceilingUnits(pool) - needed - pool.spec.reserveUnits >= units) return at;
  }
  return undefined;
}

/** When enough of what it has lent is due back. */
function dueBack({ lent }: ExpectedLender, units: number): number | undefined {
  const coming = lent
    .flatMap((loan) => {
      const at = loan.recall?.firmAt ?? loan.dueAt;
      return at === undefined ? [] : [{ at, units: loan.lenderUnits ?? loan.units }];
    })
    .sort((a, b) => a.at - b.at);
  let sum = 0;
  for (const one of coming) {
    sum += one.units;
    if (sum >= units) return one.at;
  }
  return undefined;
}

/**
 * The earliest moment at which one of its lenders may be able to lend what a waiting request asks for: when enough is due back, or
 * when a forecast shows enough idle. An expectation, no promise: others may come first. Undefined: none is in sight.
 */
export function expectedAt(
  loan: Loan,
  lenders: readonly ExpectedLender[],
  shortestTermSeconds: number,
  now: EpochMillis,
): EpochMillis | undefined {
  const moments = lenders.flatMap((lender) => {
    const found = [forecastSlot(lender, loan.units, shortestTermSeconds, now), dueBack(lender, loan.units)];
    return found.filter((moment) => moment !== undefined);
  });
  return moments.length === 0 ? undefined : epochMillis(Math.max(now, Math.min(...moments)));
}
