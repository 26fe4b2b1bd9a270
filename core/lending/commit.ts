import type { AuditEvent, ChainHead } from '../audit/chain.ts';
import type { LedgerEntry } from '../billing/ledger.ts';
import { assertBalanced } from '../billing/ledger.ts';
import type { Pool } from '../pool.ts';
import type { TrustEvidence } from '../trust/evidence.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import { invariant } from '../units.ts';
import type { LimitedNode } from './limits.ts';
import type { Loan } from './loan.ts';
import type { LoanEvent } from './loan-event.ts';

/**
 * What the steps of a loan hand to each other: everything read so far. It may be out of date; every write is conditional
 * on the versions in it, so that acting on an old snapshot fails instead of overwriting.
 */
export interface LoanSnapshot {
  readonly loan: Loan;
  readonly borrowerPool: Pool;
  readonly lenderPool?: Pool;
  /** Heads of the audit chains by account: a hint that saves a read; a wrong one is corrected by the write itself. */
  readonly heads: Readonly<Record<string, ChainHead>>;
}

/** A change of a pool's counters, conditional on the version that it was computed from. */
export interface PoolChange {
  readonly accountId: AccountId;
  readonly poolId: PoolId;
  readonly expectedVersion: number;
  readonly lentUnits?: number;
  readonly borrowedUnits?: number;
  readonly provisionedUnits?: number;
  /** `acquire`: no other loan may be moving this pool. `release`: this loan must be the one that moves it. */
  readonly moving: 'acquire' | 'release' | 'held' | 'none';
  readonly coolDownUntil?: EpochMillis;
  readonly aheadAgainAt?: EpochMillis;
  /** All of them, in place of those that stand. */
  readonly partnerCoolDowns?: Readonly<Record<PoolId, EpochMillis>>;
  readonly lendAgainAt?: EpochMillis;
  readonly ceilingDriftUnits?: number;
  /** Whether this loan becomes the one that waits for the pool, or ceases to be. */
  readonly waiting?: 'begin' | 'end';
}

/** A loan that a commit asks for besides its own: the rest of a need that one lender cannot fill. */
export interface BornLoan {
  readonly loan: Loan;
  readonly audit: AuditEvent;
}

/** A consent that must be current, active and unexpired when the commit happens. */
export interface ConsentCondition {
  readonly accountId: AccountId;
  readonly version: number;
}

/** Two pools that must be in an active pairing when the commit happens: a party that has ended it meanwhile wins. */
export interface PairCondition {
  readonly lenderPoolId: PoolId;
  readonly borrowerPoolId: PoolId;
}

/** A change of what is used under a consent; a rise carries the maximum that must not be passed. */
export interface UsageChange {
  readonly accountId: AccountId;
  /** What is counted: a limit beside the consent's. Absent: the consent of the account. */
  readonly node?: LimitedNode;
  readonly direction: 'lend' | 'borrow';
  readonly units: number;
  readonly unitSeconds: number;
  /** `YYYY-MM` (UTC) that the unit-seconds count in. */
  readonly month: string;
  /** Units in use before the change must not exceed this. Absent on a release. */
  readonly unitsBeforeAtMost?: number;
  readonly unitSecondsBeforeAtMost?: number;
  /** What a loan that ends adds to the account's credits: the lender's units while it had them, less than 0 for the borrower. */
  readonly credit?: { readonly month: string; readonly unitSeconds: number };
}

/** Everything that one step of a loan writes: all of it or nothing. */
export interface LoanCommit {
  readonly loan: Loan;
  /** The version that must stand in the store; absent: the loan must not exist. */
  readonly expectedVersion?: number;
  readonly pools: readonly PoolChange[];
  readonly consents: readonly ConsentCondition[];
  readonly pairs: readonly PairCondition[];
  /** Accounts that must not be stopped when the commit happens: stops.ts. Absent: none is looked at. */
  readonly notStopped?: readonly AccountId[];
  readonly usage: readonly UsageChange[];
  readonly ledger: readonly LedgerEntry[];
  readonly audit: AuditEvent;
  /** What the parties are told on the bus: kept until it is told. Absent: nothing. */
  readonly events?: readonly LoanEvent[];
  readonly rest?: BornLoan;
  /** What the end of the loan shows of its parties. Absent: nothing. */
  readonly evidence?: readonly TrustEvidence[];
}

/** What is asked for besides is a new request for what this loan does not bring. */
function assertRest({ loan, rest }: LoanCommit): void {
  if (rest === undefined) return;
  const { loan: born, audit } = rest;
  invariant(born.version === 1 && born.state === 'requested', 'the rest of a need is a new request');
  invariant(Number.isSafeInteger(born.units) && born.units > 0, 'the rest is a positive whole number of units');
  invariant(born.request?.requestId === loan.request?.requestId, 'the rest belongs to the same request');
  invariant(audit.subject === born.loanId, 'the audit record of the rest is about it');
}

/** Asserts what must hold for every commit, whoever built it. @throws InvariantViolation */
export function assertCommit(commit: LoanCommit): void {
  const { loan, expectedVersion } = commit;
  invariant(loan.version === (expectedVersion ?? 0) + 1, 'a commit raises the version of its loan by one');
  invariant(loan.history.at(-1)?.state === loan.state, 'the last state in the history is the state of the loan');
  invariant(Number.isSafeInteger(loan.units) && loan.units > 0, 'a loan is of a positive whole number of units');
  const { lenderUnits } = loan;
  invariant(
    lenderUnits === undefined ||
      (Number.isSafeInteger(lenderUnits) && lenderUnits > 0 && loan.lenderPoolId !== undefined),
    'a loan takes a positive whole number of units from its lender',
  );
  assertBalanced(commit.ledger);
  const credits = commit.usage.reduce((sum, { credit }) => sum + (credit?.unitSeconds ?? 0), 0);
  invariant(credits === 0, 'the credits of one commit sum to zero');
  const pools = new Set(commit.pools.map((change) => change.poolId));
  invariant(pools.size === commit.pools.length, 'a commit changes a pool at most once');
  invariant(commit.audit.subject === loan.loanId, 'the audit record of a commit is about its loan');
  assertRest(commit);
  const shown = (commit.evidence ?? []).every(({ subject, at }) => subject === loan.loanId && at === loan.endedAt);
  invariant(shown, 'a commit keeps the evidence of the end of its own loan');
}
