import { usedAmount } from '../billing/ledger.ts';
import type { MicroUsd } from '../units.ts';
import { capacityCost, invariant, microUsd } from '../units.ts';
import type { ReplayLoan } from './loan-book.ts';
import type { ReplayMarket } from './market.ts';
import type { PoolTotals } from './tally.ts';

/** What lending would have done to an account, in whole micro-dollars. */
export interface AccountMoney {
  readonly accountId: string;
  readonly lentUnitHours: number;
  readonly borrowedUnitHours: number;
  readonly harmedUnitHours: number;
  /** Paid to lenders, and received from borrowers. */
  readonly paidMicroUsd: MicroUsd;
  readonly earnedMicroUsd: MicroUsd;
  /** What it would have bought on demand and did not, where the lender had paid for the capacity anyway. */
  readonly avoidedMicroUsd: MicroUsd;
  /** Avoided and earned, less paid. */
  readonly netMicroUsd: MicroUsd;
}

const MILLIS_PER_SECOND = 1_000;
const SECONDS_AN_HOUR = 3_600;

/** The bills of loans, as the ledger makes them: the lender's price for the time that a loan was active, on both sides. */
export class Bills {
  readonly #paid: number[];
  readonly #earned: number[];

  constructor(accounts: number) {
    this.#paid = Array.from({ length: accounts }, () => 0);
    this.#earned = Array.from({ length: accounts }, () => 0);
  }

  /** Bills a loan for the steps from one to before another, in which the borrower had the units. */
  settle(market: ReplayMarket, loan: ReplayLoan, fromStep: number, untilStep: number): void {
    if (untilStep <= fromStep) return;
    const lender = market.pool(loan.lender);
    const until = market.atMillis(untilStep);
    const whole = Number.isSafeInteger(loan.units);
    const active = { priceMicroUsdPerUnitHour: lender.priceMicroUsdPerUnitHour, activeAt: market.atMillis(fromStep) };
    // Parts of units are billed by unit-time, which is the same product.
    const amount = whole
      ? usedAmount({ ...active, lenderUnits: loan.units }, until)
      : capacityCost(lender.priceMicroUsdPerUnitHour, 1, Math.round(loan.units * (until - active.activeAt)));
    const borrower = market.pool(loan.borrower);
    this.#paid[borrower.account] = microUsd((this.#paid[borrower.account] ?? 0) + amount);
    this.#earned[lender.account] = microUsd((this.#earned[lender.account] ?? 0) + amount);
  }

  /** By account, in the order of the participants. */
  accounts(market: ReplayMarket, pools: PoolTotals): AccountMoney[] {
    const hours = market.traces.stepSeconds / SECONDS_AN_HOUR;
    const ids = market.participants.accounts;
    const sums = ids.map(() => ({ lent: 0, borrowed: 0, harmed: 0, avoided: 0 }));
    for (const [place, pool] of market.participants.pools.entries()) {
      const sum = sums[pool.account];
      if (sum === undefined) continue;
      sum.lent += (pools.lent[place] as number) * hours;
      sum.borrowed += (pools.borrowed[place] as number) * hours;
      sum.harmed += (pools.harmed[place] as number) * hours;
      if (!pool.buysOnDemand) continue;
      const servedMillis = Math.round(
        (pools.servedPaid[place] as number) * market.traces.stepSeconds * MILLIS_PER_SECOND,
      );
      sum.avoided += capacityCost(pool.onDemandMicroUsdPerUnitHour, 1, servedMillis);
    }
    const total = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
    invariant(total(this.#paid) === total(this.#earned), 'what borrowers pay is what lenders receive');
    return ids.map((accountId, place) => {
      const sum = sums[place] ?? { lent: 0, borrowed: 0, harmed: 0, avoided: 0 };
      const [paid, earned] = [this.#paid[place] ?? 0, this.#earned[place] ?? 0];
      return {
        accountId,
        lentUnitHours: sum.lent,
        borrowedUnitHours: sum.borrowed,
        harmedUnitHours: sum.harmed,
        paidMicroUsd: microUsd(paid),
        earnedMicroUsd: microUsd(earned),
        avoidedMicroUsd: microUsd(sum.avoided),
        netMicroUsd: microUsd(sum.avoided + earned - paid),
      };
    });
  }
}
