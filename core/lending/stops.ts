import type { AuditEvent } from '../audit/chain.ts';
import type { Pairing } from '../pairing/pairing.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import type { Loan } from './loan.ts';

/** The kill switch: no new loan is made while it is on, for all accounts or for one. A pairing has its own: pairing/stops.ts. */
export interface Stop {
  /** The same for all accounts that one command stops; a command that is repeated leaves no second record. */
  readonly stopId: string;
  /** Why, in the words of who stopped. */
  readonly reason: string;
  /** ARN of the principal that stopped. */
  readonly actor: string;
  readonly at: EpochMillis;
  /** Whether loans that are open are recalled too. */
  readonly recall: boolean;
}

/**
 * Who has stopped an account. `organisation`: the operator of the hub stopped all accounts. `operator`: it stopped this one. `owner`: the
 * account stopped itself. Each is lifted by who set it, and loans are made again when none is left.
 */
export const STOPPED_BY = ['organisation', 'operator', 'owner'] as const;
export type StoppedBy = (typeof STOPPED_BY)[number];
export type AccountStops = Readonly<Partial<Record<StoppedBy, Stop>>>;

/** What changes of an account's switch, with its audit record. */
export interface StopChange {
  readonly accountId: AccountId;
  readonly by: StoppedBy;
  /** Absent: it is lifted. */
  readonly stop?: Stop;
  readonly audit: AuditEvent;
}

/** Whether any stop is on. */
export function isStopped(stops: AccountStops | undefined): boolean {
  return STOPPED_BY.some((by) => stops?.[by] !== undefined);
}

/** Whether open loans of the account are to go back. */
function recallsLoans(stops: AccountStops | undefined): boolean {
  return STOPPED_BY.some((by) => stops?.[by]?.recall === true);
}

/** Why no loan is made with an account, without who stopped it nor why: its counterparties read it. `undefined`: it is not stopped. */
export function stopObjection(account: AccountId, stops: AccountStops | undefined): string | undefined {
  if (!isStopped(stops)) return undefined;
  return stops?.organisation === undefined
    ? `the account ${account} is stopped: no new loans`
    : 'lending is stopped for all accounts: no new loans';
}

/** Who acts. The owner of an account reads of others that they are the operator, not which of its principals. */
function shownActor(by: StoppedBy, actor: string): string {
  return by === 'owner' ? actor : 'operator of the hub';
}

/** The stop that stands, where it does all that is wanted; a command that is repeated then goes on with it. Else the wanted one. */
export function stopToKeep(standing: Stop | undefined, wanted: Stop): Stop {
  return standing !== undefined && (standing.recall || !wanted.recall) ? standing : wanted;
}

/**
 * Stops an account.
 * @param at when it is written: a stop of all accounts reaches each of them a moment later
 * @returns what is to be written, or `undefined` when this very stop stands already
 */
export function stopAccount(
  accountId: AccountId,
  by: StoppedBy,
  stop: Stop,
  stops: AccountStops | undefined,
  at: EpochMillis,
): StopChange | undefined {
  const standing = stops?.[by];
  if (standing?.stopId === stop.stopId) return undefined;
  const { reason, recall, actor } = stop;
  const audit = {
    accountId,
    type: 'lending.stopped',
    at,
    subject: `account ${accountId}`,
    actor: shownActor(by, actor),
    detail: { by, reason, recall },
  };
  return { accountId, by, stop, audit };
}

/** Who lifts a stop, and why. */
export interface Resumption {
  /** ARN of the principal. */
  readonly actor: string;
  readonly reason: string;
  readonly at: EpochMillis;
}

/** Lifts a stop. @returns what is to be written, or `undefined` when it is not on */
export function resumeAccount(
  accountId: AccountId,
  by: StoppedBy,
  author: Resumption,
  stops: AccountStops | undefined,
): StopChange | undefined {
  if (stops?.[by] === undefined) return undefined;
  const { actor, at, reason } = author;
  const audit = {
    accountId,
    type: 'lending.resumed',
    at,
    subject: `account ${accountId}`,
    actor: shownActor(by, actor),
    detail: { by, reason },
  };
  return { accountId, by, audit };
}

/** Why a stop recalls a loan, in words that both of its parties may read; `undefined` when none does. */
export function recallByStop(
  loan: Pick<Loan, 'borrowerAccountId' | 'lenderAccountId'>,
  stopsOf: (account: AccountId) => AccountStops,
  pairing: Pick<Pairing, 'pairingId' | 'stops'> | undefined,
): string | undefined {
  const { borrowerAccountId, lenderAccountId } = loan;
  const parties = [borrowerAccountId, ...(lenderAccountId === undefined ? [] : [lenderAccountId])];
  if (parties.some((account) => stopsOf(account).organisation?.recall === true)) {
    return 'lending is stopped for all accounts, and loans are recalled';
  }
  const stopped = parties.find((account) => recallsLoans(stopsOf(account)));
  if (stopped !== undefined) return `the account ${stopped} is stopped, and its loans are recalled`;
  const stop = pairing?.stops?.find(({ recall }) => recall);
  if (pairing === undefined || stop === undefined) return undefined;
  return `account ${stop.accountId} has stopped pairing ${pairing.pairingId}, and its loans are recalled`;
}
