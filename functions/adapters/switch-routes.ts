import * as z from 'zod';
import type { Loan } from '../../core/lending/loan.ts';
import type { AccountStops, Resumption, Stop, StoppedBy } from '../../core/lending/stops.ts';
import { isRefused } from '../../core/pairing/lifecycle.ts';
import type { Pairing, PairingId } from '../../core/pairing/pairing.ts';
import { pairingFor } from '../../core/pairing/pairing-view.ts';
import { liftPairingStop, stopPairing } from '../../core/pairing/stops.ts';
import type { AccountId } from '../../core/units.ts';
import { pairingsOf, readAccountItems } from './account-store.ts';
import { now } from './clock.ts';
import type { Caller, Route } from './http.ts';
import { HttpError } from './http.ts';
import { sha256Hex } from './ids.ts';
import { chainKey, consentKey, pairingKey } from './keys.ts';
import { parse } from './middleware.ts';
import type { EventRoute } from './pairing-events.ts';
import { publishPairingEvents } from './pairing-events.ts';
import { writePairing } from './pairing-store.ts';
import { accountIdSchema, pairingIdSchema } from './schemas.ts';
import type { RecalledLoans } from './stop-duties.ts';
import { organisationSwitch, storedStops } from './stop-store.ts';
import type { StoppedLoan } from './switches.ts';
import {
  allAccounts,
  loansToRecall,
  openLoansOf,
  resumeOne,
  resumeOrganisation,
  stopOne,
  stopOrganisation,
} from './switches.ts';
import type { AuditTables } from './transaction.ts';

/** What the routes of the kill switch need of the function that serves them. */
export interface SwitchService {
  readonly tables: AuditTables;
  readonly loansTable: string;
  readonly hubAccount: AccountId;
  readonly events: EventRoute;
  readonly recall: (loans: readonly StoppedLoan[], withinMillis: number) => Promise<RecalledLoans>;
  /** Records that a caller asked for what is not its own, and refuses. */
  readonly refuse: (caller: Caller, what: string) => Promise<never>;
}

const target = {
  all: z.literal(true).exactOptional(),
  accountId: accountIdSchema.exactOptional(),
  pairingId: pairingIdSchema.exactOptional(),
};
const reason = z.string().trim().min(1).max(500);

function isOneTarget(body: { all?: true; accountId?: AccountId; pairingId?: PairingId }): boolean {
  return [body.all, body.accountId, body.pairingId].filter((each) => each !== undefined).length === 1;
}

const ONE_TARGET = 'expected exactly one of `all`: true, `accountId` and `pairingId`';

/** Bodies of `POST /switches/stop` and `POST /switches/resume`. */
const stopSchema = z
  .strictObject({ ...target, reason, recall: z.boolean().default(false) })
  .refine(isOneTarget, ONE_TARGET);
const resumeSchema = z.strictObject({ ...target, reason }).refine(isOneTarget, ONE_TARGET);

const STOP_ID_HEX_DIGITS = 24;

function stopOf(caller: Caller, why: string, recall: boolean): Stop {
  const at = now();
  const stopId = `st-${sha256Hex([caller.userArn, at, why].join('\n')).slice(0, STOP_ID_HEX_DIGITS)}`;
  return { stopId, reason: why, actor: caller.userArn, at, recall };
}

/** As whom a caller acts on an account: its owner's word and the operator's stand side by side. */
async function roleFor(
  caller: Caller,
  account: AccountId,
  service: SwitchService,
): Promise<Exclude<StoppedBy, 'organisation'>> {
  if (caller.accountId === account) return 'owner';
  if (caller.accountId === service.hubAccount) return 'operator';
  return service.refuse(caller, `the switch of account ${account}`);
}

async function ownPairing(caller: Caller, pairingId: PairingId, { tables }: SwitchService) {
  const { accountId } = caller;
  const first = await readAccountItems(tables.accountsTable, [pairingKey(accountId, pairingId)]);
  const pairing = first.pairing(accountId, pairingId);
  if (pairing === undefined) throw new HttpError(404, `account ${accountId} has no pairing ${pairingId}`);
  const accounts = [pairing.lenderAccountId, pairing.borrowerAccountId];
  const items = await readAccountItems(tables.accountsTable, [...accounts.map(consentKey), ...accounts.map(chainKey)]);
  return { pairing, items, accounts };
}

/** Changes a pairing's switch. @returns the pairing as the caller may see it */
async function changePairing(
  caller: Caller,
  pairingId: PairingId,
  change: { readonly why: string; readonly recall?: boolean },
  service: SwitchService,
) {
  const { tables, events } = service;
  const { accountId, userArn: actor } = caller;
  const { pairing, items, accounts } = await ownPairing(caller, pairingId, service);
  const at = now();
  const { why, recall } = change;
  const parties = accounts.map((account) => ({ accountId: account, actor, consent: items.consent(account) }));
  const changed =
    recall === undefined
      ? liftPairingStop(pairing, { accountId, actor }, parties, why, at)
      : stopPairing(pairing, { accountId, actor, at, reason: why, recall });
  if (isRefused(changed)) throw new HttpError(409, changed.reason);
  const heads = Object.fromEntries(accounts.map((account) => [account, items.head(account)]));
  await writePairing(changed, heads, tables);
  await publishPairingEvents([changed], events);
  return changed.pairing;
}

function isOfPairing(loan: Loan, { lenderPoolId, borrowerPoolId }: Pairing): boolean {
  return loan.lenderPoolId === lenderPoolId && loan.borrowerPoolId === borrowerPoolId;
}

/** API Gateway waits for 29 s: what is not recalled by then is for the same command once more, or for reconciling. */
const RECALL_MILLIS = 18_000;

async function recallAmong(loans: readonly Loan[], recall: boolean, service: SwitchService): Promise<RecalledLoans> {
  if (!recall) return { recalled: [], left: 0 };
  return service.recall(await loansToRecall(service.tables.accountsTable, loans), RECALL_MILLIS);
}

async function stopWhat(caller: Caller, service: SwitchService): Promise<object> {
  const body = parse(stopSchema, caller.body, 'body');
  const { tables, loansTable, hubAccount } = service;
  const wanted = stopOf(caller, body.reason, body.recall);
  if (body.pairingId !== undefined) {
    const change = { why: body.reason, recall: body.recall };
    const pairing = await changePairing(caller, body.pairingId, change, service);
    const borrowed = body.recall ? await openLoansOf(loansTable, [pairing.borrowerAccountId], false) : [];
    const loans = borrowed.filter((loan) => isOfPairing(loan, pairing));
    const recalled = await recallAmong(loans, body.recall, service);
    return { pairing: pairingFor(caller.accountId, pairing, 'none'), ...recalled };
  }
  if (body.accountId !== undefined) {
    const by = await roleFor(caller, body.accountId, service);
    const stop = await stopOne(body.accountId, by, wanted, tables);
    const loans = body.recall ? await openLoansOf(loansTable, [body.accountId], true) : [];
    return { accountId: body.accountId, by, stop, ...(await recallAmong(loans, body.recall, service)) };
  }
  if (caller.accountId !== hubAccount) return service.refuse(caller, 'the switch of the organisation');
  const { stop, accounts } = await stopOrganisation(wanted, hubAccount, tables);
  const loans = body.recall ? await openLoansOf(loansTable, accounts, false) : [];
  return { stop, accounts: accounts.length, ...(await recallAmong(loans, body.recall, service)) };
}

async function resumeWhat(caller: Caller, service: SwitchService): Promise<object> {
  const body = parse(resumeSchema, caller.body, 'body');
  const { tables, hubAccount } = service;
  const lifted: Resumption = { actor: caller.userArn, reason: body.reason, at: now() };
  if (body.pairingId !== undefined) {
    const pairing = await changePairing(caller, body.pairingId, { why: body.reason }, service);
    return { pairing: pairingFor(caller.accountId, pairing, 'none') };
  }
  if (body.accountId !== undefined) {
    const by = await roleFor(caller, body.accountId, service);
    if (!(await resumeOne(body.accountId, by, lifted, tables))) {
      throw new HttpError(409, `account ${body.accountId} is not stopped by its ${by}`);
    }
    return { accountId: body.accountId, by };
  }
  if (caller.accountId !== hubAccount) return service.refuse(caller, 'the switch of the organisation');
  const { accounts } = await resumeOrganisation(lifted, hubAccount, tables);
  return { accounts: accounts.length };
}

/** An owner reads of the operator's stops that they are on and since when, and their reasons; not which principal made them. */
function shownStops(stops: AccountStops, isOperator: boolean): object {
  const shown: Record<string, object> = {};
  for (const [by, { actor, ...stop }] of Object.entries(stops)) {
    shown[by] = isOperator || by === 'owner' ? { ...stop, actor } : stop;
  }
  return shown;
}

/** The switches that are on: of the caller's account and pairings; for the operator of the hub those of every account too. */
async function listSwitches({ accountId }: Caller, { tables, hubAccount }: SwitchService): Promise<object> {
  const isOperator = accountId === hubAccount;
  const { accountsTable } = tables;
  const [organisation, pairings] = await Promise.all([
    organisationSwitch(accountsTable),
    pairingsOf(accountsTable, accountId),
  ]);
  const accounts = isOperator ? await allAccounts(accountsTable, hubAccount) : [accountId];
  const stored = await storedStops(accountsTable, accounts);
  const stop = organisation.stop;
  const all = stop === undefined ? {} : (shownStops({ organisation: stop }, isOperator) as { organisation: object });
  const found = [...stored].filter(([, stops]) => Object.keys(stops).length > 0);
  return {
    organisation: 'organisation' in all ? all.organisation : null,
    accounts: found.map(([account, stops]) => ({ accountId: account, ...shownStops(stops, isOperator) })),
    pairings: pairings
      .filter(({ stops = [] }) => stops.length > 0)
      .map((pairing) => {
        const { pairingId, lenderPoolId, borrowerPoolId, stops } = pairingFor(accountId, pairing, 'none');
        return { pairingId, lenderPoolId, borrowerPoolId, stops };
      }),
  };
}

/** The routes of the kill switch: `/switches`. */
export function switchRoutes(service: SwitchService): readonly Route[] {
  return [
    { method: 'GET', path: '/switches', run: (caller) => listSwitches(caller, service) },
    { method: 'POST', path: '/switches/stop', run: (caller) => stopWhat(caller, service) },
    { method: 'POST', path: '/switches/resume', run: (caller) => resumeWhat(caller, service) },
  ];
}
