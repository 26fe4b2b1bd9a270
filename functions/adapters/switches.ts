import type { Loan } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import type { Resumption, Stop, StopChange, StoppedBy } from '../../core/lending/stops.ts';
import { recallByStop, resumeAccount, stopAccount, stopToKeep } from '../../core/lending/stops.ts';
import type { AccountId } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import { poolsByAccount, poolsByBucket, readAccountItems } from './account-store.ts';
import { now } from './clock.ts';
import { pairingIdFor } from './ids.ts';
import { chainKey, pairingKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import { loansOf } from './loan-store.ts';
import { logger } from './middleware.ts';
import type { OrganisationSwitch } from './stop-store.ts';
import { organisationSwitch, readStops, storedStops, writeOrganisationSwitch, writeStop } from './stop-store.ts';
import type { AuditTables } from './transaction.ts';
import { ConditionsFailed } from './transaction.ts';

/** A loan that a stop recalls, with why. */
export interface StoppedLoan {
  readonly loan: Loan;
  readonly reason: string;
}

/** Every account that has a pool, and the hub's own. */
export async function allAccounts(table: string, hubAccount: AccountId): Promise<AccountId[]> {
  const pools = [...(await poolsByBucket(table)).values()].flat();
  return [...new Set([hubAccount, ...poolsByAccount(pools).keys()])].sort();
}

/** Writes what changes of one account's switch. Somebody else who was quicker has done the same, or something newer. */
async function write(change: StopChange, standing: Stop | undefined, tables: AuditTables): Promise<boolean> {
  const { accountId } = change;
  const items = await readAccountItems(tables.accountsTable, [chainKey(accountId)]);
  try {
    await writeStop(change, standing, items.head(accountId), tables);
    return true;
  } catch (error) {
    if (!(error instanceof ConditionsFailed)) throw error;
    logger.warn('a switch changed meanwhile', { accountId, reason: error.message });
    return false;
  }
}

/**
 * Brings the organisation's switch to the items of accounts. Running it again changes nothing more: what a command that crashed has left
 * undone is found by the next reconciling.
 * @returns the accounts whose switch has changed
 */
export async function spreadOrganisationSwitch(
  accounts: readonly AccountId[],
  { stop, lifted }: OrganisationSwitch,
  tables: AuditTables,
): Promise<AccountId[]> {
  const stored = await storedStops(tables.accountsTable, accounts);
  const changed: AccountId[] = [];
  await inLanes(accounts, async (account) => {
    const stops = stored.get(account);
    const unknown = { actor: 'operator of the hub', reason: 'lifted', at: epochMillis(0) };
    const change =
      stop === undefined
        ? resumeAccount(account, 'organisation', { ...(lifted ?? unknown), at: now() }, stops)
        : stopAccount(account, 'organisation', stop, stops, now());
    if (change !== undefined && (await write(change, stops?.organisation, tables))) changed.push(account);
  });
  return changed.sort();
}

/** Stops every account. From the first write on nothing new is chosen; then each account gets its own item and its record. */
export async function stopOrganisation(
  wanted: Stop,
  hubAccount: AccountId,
  tables: AuditTables,
): Promise<{ readonly stop: Stop; readonly accounts: readonly AccountId[] }> {
  const standing = await organisationSwitch(tables.accountsTable);
  const stop = stopToKeep(standing.stop, wanted);
  if (stop !== standing.stop) await writeOrganisationSwitch(tables.accountsTable, { stop });
  const accounts = await allAccounts(tables.accountsTable, hubAccount);
  await spreadOrganisationSwitch(accounts, { stop }, tables);
  return { stop, accounts };
}

/** Lifts the stop of all accounts; stops of single accounts and of pairings stay. */
export async function resumeOrganisation(
  lifted: Resumption,
  hubAccount: AccountId,
  tables: AuditTables,
): Promise<{ readonly accounts: readonly AccountId[] }> {
  await writeOrganisationSwitch(tables.accountsTable, { lifted });
  const accounts = await allAccounts(tables.accountsTable, hubAccount);
  return { accounts: await spreadOrganisationSwitch(accounts, { lifted }, tables) };
}

/** Stops one account. @returns the stop that stands then */
export async function stopOne(
  account: AccountId,
  by: Exclude<StoppedBy, 'organisation'>,
  wanted: Stop,
  tables: AuditTables,
): Promise<Stop> {
  const stops = (await storedStops(tables.accountsTable, [account])).get(account);
  const stop = stopToKeep(stops?.[by], wanted);
  const change = stopAccount(account, by, stop, stops, now());
  if (change !== undefined && !(await write(change, stops?.[by], tables))) {
    throw new ConditionsFailed([`the switch of account ${account} is as it was read`]);
  }
  return stop;
}

/** Lifts the stop of one account. @returns whether it was on */
export async function resumeOne(
  account: AccountId,
  by: Exclude<StoppedBy, 'organisation'>,
  lifted: Resumption,
  tables: AuditTables,
): Promise<boolean> {
  const stops = (await storedStops(tables.accountsTable, [account])).get(account);
  const change = resumeAccount(account, by, lifted, stops);
  return change !== undefined && (await write(change, stops?.[by], tables));
}

/** The loans among these that a stop recalls: of the organisation, of a party, or of their pairing. */
export async function loansToRecall(table: string, loans: readonly Loan[]): Promise<StoppedLoan[]> {
  const active = loans.filter(({ state }) => state === 'active');
  if (active.length === 0) return [];
  const pairOf = ({ lenderPoolId, borrowerPoolId, borrowerAccountId }: Loan) =>
    lenderPoolId === undefined ? undefined : ([borrowerAccountId, pairingIdFor(lenderPoolId, borrowerPoolId)] as const);
  const [stops, items] = await Promise.all([
    readStops(
      table,
      active.flatMap(({ borrowerAccountId, lenderAccountId }) => [
        borrowerAccountId,
        lenderAccountId ?? borrowerAccountId,
      ]),
    ),
    readAccountItems(
      table,
      active.flatMap((loan) => {
        const pair = pairOf(loan);
        return pair === undefined ? [] : [pairingKey(...pair)];
      }),
    ),
  ]);
  return active.flatMap((loan) => {
    const pair = pairOf(loan);
    const reason = recallByStop(loan, (account) => stops.of(account), pair && items.pairing(...pair));
    return reason === undefined ? [] : [{ loan, reason }];
  });
}

/** Open loans that accounts have borrowed, and where `alsoLent` those that they have lent: each once. */
export async function openLoansOf(table: string, accounts: readonly AccountId[], alsoLent: boolean): Promise<Loan[]> {
  const found = new Map<string, Loan>();
  await inLanes(accounts, async (account) => {
    const borrowed = await loansOf(table, 'open', account);
    const lent = alsoLent ? await loansOf(table, 'by-lender', account) : [];
    for (const loan of [...borrowed, ...lent].filter(isOpen)) found.set(loan.loanId, loan);
  });
  return [...found.values()];
}
