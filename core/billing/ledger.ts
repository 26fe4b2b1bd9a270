import type { AccountId, EpochMillis, LoanId, MicroUsd } from '../units.ts';
import { capacityCost, invariant, microUsd, sumMicroUsd } from '../units.ts';

/** Two-phase bookkeeping: reserved money is pending, then posted for what was used; the rest is voided. */
export type LedgerPhase = 'pending' | 'posted' | 'voided';

/**
 * One side of a double entry. Entries are only ever added: the pending amount of a loan is closed by a `voided` entry
 * of the opposite sign, and what was used is a `posted` entry of its own.
 */
export interface LedgerEntry {
  /** Whose book it stands in. */
  readonly accountId: AccountId;
  /** `<loan>#<phase>`, of a renewal `<loan>#pending#<its number>`: none can be written twice. */
  readonly entryId: string;
  readonly loanId: LoanId;
  readonly counterpartyAccountId: AccountId;
  readonly phase: LedgerPhase;
  /** Positive: owed to this account. Negative: owed by it. */
  readonly amountMicroUsd: MicroUsd;
  readonly at: EpochMillis;
}

export interface LoanParties {
  readonly loanId: LoanId;
  readonly borrowerAccountId: AccountId;
  readonly lenderAccountId: AccountId;
}

/** The two sides of one movement from borrower to lender; their sum is zero by construction. */
function doubleEntry(
  parties: LoanParties,
  phase: LedgerPhase,
  amount: MicroUsd,
  at: EpochMillis,
  renewal = 0,
): LedgerEntry[] {
  const side = (accountId: AccountId, counterpartyAccountId: AccountId, signed: number): LedgerEntry => ({
    accountId,
    entryId: `${parties.loanId}#${phase}${renewal === 0 ? '' : `#${renewal}`}`,
    loanId: parties.loanId,
    counterpartyAccountId,
    phase,
    amountMicroUsd: microUsd(signed === 0 ? 0 : signed),
    at,
  });
  return [
    side(parties.borrowerAccountId, parties.lenderAccountId, 0 - amount),
    side(parties.lenderAccountId, parties.borrowerAccountId, amount),
  ];
}

/**
 * Entries that reserve the price of the full term, or of the time that a renewal adds.
 * @param renewal 1 for the first renewal of the loan; 0 for the term itself
 */
export function pendingEntries(parties: LoanParties, amount: MicroUsd, at: EpochMillis, renewal = 0): LedgerEntry[] {
  invariant(amount >= 0, 'a pending amount is not negative');
  return doubleEntry(parties, 'pending', amount, at, renewal);
}

/**
 * Entries that close a loan's pending amount: all of it voided, and what was used posted.
 * A loan that was never active posts nothing.
 */
export function settlementEntries(
  parties: LoanParties,
  pending: MicroUsd,
  used: MicroUsd,
  at: EpochMillis,
): LedgerEntry[] {
  const voided = doubleEntry(parties, 'voided', microUsd(0 - pending), at);
  return used === 0 ? voided : [...voided, ...doubleEntry(parties, 'posted', used, at)];
}

/**
 * What a loan costs for the time that it was active: `price × units of the lender's × (until − active)`, rounded half up to whole
 * micro-dollars. Never more than was reserved: a return that comes late through no doing of the borrower is not billed to it.
 */
export function usedAmount(
  loan: {
    readonly priceMicroUsdPerUnitHour: MicroUsd;
    readonly lenderUnits: number;
    readonly activeAt?: EpochMillis;
    readonly dueAt?: EpochMillis;
  },
  until: EpochMillis,
): MicroUsd {
  if (loan.activeAt === undefined) return microUsd(0);
  const billedUntil = Math.min(until, loan.dueAt ?? until);
  return capacityCost(loan.priceMicroUsdPerUnitHour, loan.lenderUnits, Math.max(0, billedUntil - loan.activeAt));
}

/**
 * What a unit-hour of its own costs the borrower: `price × units of the lender's ÷ units of the borrower's`, rounded up to whole
 * micro-dollars. So it passes a whole maximum exactly when the unrounded price does.
 */
export function borrowedUnitPrice(priceMicroUsdPerUnitHour: MicroUsd, lenderUnits: number, units: number): MicroUsd {
  invariant(priceMicroUsdPerUnitHour >= 0 && lenderUnits > 0 && units > 0, 'a price of units that are there');
  const borrowed = BigInt(units);
  const total = BigInt(priceMicroUsdPerUnitHour) * BigInt(lenderUnits);
  return microUsd(Number((total + borrowed - 1n) / borrowed));
}

export interface AccountBalance {
  /** Still reserved: pending plus voided. */
  readonly pendingMicroUsd: MicroUsd;
  readonly postedMicroUsd: MicroUsd;
}

/** The balance of one account's entries. */
export function balanceOf(entries: readonly LedgerEntry[]): AccountBalance {
  const total = (phases: readonly LedgerPhase[]) =>
    sumMicroUsd(entries.filter((entry) => phases.includes(entry.phase)).map((entry) => entry.amountMicroUsd));
  return { pendingMicroUsd: total(['pending', 'voided']), postedMicroUsd: total(['posted']) };
}

/** Asserts that a set of entries written together balances to zero. @throws InvariantViolation */
export function assertBalanced(entries: readonly LedgerEntry[]): void {
  invariant(
    sumMicroUsd(entries.map((entry) => entry.amountMicroUsd)) === 0,
    'ledger entries of one commit sum to zero',
  );
}
