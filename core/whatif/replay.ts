import { inOrder, requests, returnLoans, watchCeilings } from './borrowers.ts';
import { plannedCircles } from './circles.ts';
import { LEAST_UNITS, offers, recallLoans } from './lenders.ts';
import type { ReplayLoan } from './loan-book.ts';
import { ReplayMarket } from './market.ts';
import type { AccountMoney } from './money.ts';
import { Bills } from './money.ts';
import type { Participants } from './participants.ts';
import type { Scenario } from './scenario.ts';
import type { DayTotals, PoolTotals, ReplayTotals } from './tally.ts';
import { Tally } from './tally.ts';
import type { Traces } from './traces.ts';
import { firstMeasuredStep } from './traces.ts';

/** What lending would have done over the measured part of the traces. */
export interface ReplayResult {
  readonly totals: ReplayTotals;
  readonly pools: PoolTotals;
  readonly days: readonly DayTotals[];
  readonly loans: number;
  readonly recalls: number;
  readonly accounts: readonly AccountMoney[];
  /** Limits of consents that left less than was wanted, with the number of accounts: those of most accounts first. */
  readonly limitedBy: readonly { readonly limit: string; readonly accounts: number }[];
}

/** What is looked at after each step, to check what must always hold. */
export type StepWatcher = (market: ReplayMarket, step: number) => void;

const SECONDS_A_DAY = 86_400;
/** Nothing is lent before so much of the trace has been seen, at most a quarter of it. */
const LEARNED_DAYS = 2;

/** Serves requests in turn, each from the lenders with most to lend first. @returns loans made */
function serve(
  market: ReplayMarket,
  step: number,
  asking: readonly { readonly place: number; readonly units: number }[],
  idle: Float64Array,
): number {
  const order = Array.from(idle.keys())
    .filter((place) => (idle[place] as number) > LEAST_UNITS)
    .sort(
      (a, b) =>
        (idle[b] as number) - (idle[a] as number) || (market.tieOrder[a] as number) - (market.tieOrder[b] as number),
    );
  let made = 0;
  for (const { place, units } of asking) {
    let missing = Math.min(units, market.lendable(market.borrowRoom(place)));
    for (const lender of order) {
      if (missing <= LEAST_UNITS) break;
      if (market.circleOf[lender] !== market.circleOf[place]) continue;
      const lends = Math.min(missing, idle[lender] as number, market.lendable(market.lendRoom(lender)));
      if (lends <= LEAST_UNITS || !market.participants.mayLend(lender, place)) continue;
      const { startUpSteps } = market.times;
      const longest = market.longestSteps(market.pool(lender), market.pool(place));
      if (longest < Math.max(startUpSteps, market.shortestSteps(market.pool(lender), market.pool(place)))) continue;
      market.make(lender, place, lends, step);
      idle[lender] = (idle[lender] as number) - lends;
      missing -= lends;
      made += 1;
    }
  }
  return made;
}

/** Alarms first; what forecasts ask for only where much is left. */
function lend(market: ReplayMarket, step: number): number {
  const asking = requests(market, step);
  if (asking.length === 0) return 0;
  const idle = offers(market, step);
  const urgent = inOrder(market, asking, step, ({ units }) => units);
  let made = serve(market, step, urgent, idle);
  const ahead = market.scenario.borrowAhead;
  const wanted = asking.reduce((sum, { aheadUnits }) => sum + aheadUnits, 0);
  if (ahead === undefined || wanted <= LEAST_UNITS) return made;
  const left = idle.reduce((sum, units) => sum + units, 0);
  if (left < ahead.sparePerUnit * wanted) return made;
  const later = inOrder(market, asking, step, ({ aheadUnits }) => aheadUnits);
  made += serve(
    market,
    step,
    later.map(({ place, aheadUnits }) => ({ place, units: aheadUnits })),
    idle,
  );
  return made;
}

/**
 * Replays demand step by step. At a step only the demand before it is known: loans end and start up, lenders recall what they may
 * need, borrowers give back what they do not, alarms and forecasts ask, and who comes first is served; then the demand of the step
 * is counted. The steps before the measured ones are lived through in the same way, so that forecasts and risks have settled.
 */
export function replay(
  traces: Traces,
  participants: Participants,
  scenario: Scenario,
  watch?: StepWatcher,
): ReplayResult {
  const from = firstMeasuredStep(traces, scenario.trainingSeconds);
  const tally = new Tally(participants.pools.length, from);
  const bills = new Bills(participants.accounts.length);
  const settle = (loan: ReplayLoan, untilStep: number) => {
    bills.settle(market, loan, Math.max(loan.activeStep, from), untilStep);
  };
  const market: ReplayMarket = new ReplayMarket(traces, participants, scenario, (loan) => settle(loan, loan.leftStep));
  const learned = Math.min((LEARNED_DAYS * SECONDS_A_DAY) / traces.stepSeconds, traces.steps / 4);
  let [loans, recalls] = [0, 0];
  for (let step = 1; step < traces.steps; step += 1) {
    market.advance(step);
    if (scenario.partners === 'circles' && (step % market.times.replanSteps === 0 || step === 1)) {
      market.circleOf = plannedCircles(market, step);
    }
    const recalled = recallLoans(market, step);
    returnLoans(market, step);
    watchCeilings(market, step);
    const made = step >= learned ? lend(market, step) : 0;
    market.countHours();
    market.record.observe(market.book.lent, tally.count(market, step));
    tally.countPaid(market, step);
    watch?.(market, step);
    if (step < from) continue;
    loans += made;
    recalls += recalled;
  }
  for (const loan of market.book.open()) settle(loan, Math.min(loan.leftStep, traces.steps));
  const accounts = bills.accounts(market, tally.pools);
  const limitedBy = [...market.limitedBy]
    .map(([limit, { size }]) => ({ limit, accounts: size }))
    .sort((a, b) => b.accounts - a.accounts || (a.limit < b.limit ? -1 : 1));
  return { totals: tally.totals, pools: tally.pools, days: tally.days, loans, recalls, accounts, limitedBy };
}
