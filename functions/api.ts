/**
 * The accounts' own way in: REST with IAM signatures. Whoever signs is the account that is acted for; nothing in the
 * request can name another one.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import * as z from 'zod';
import { balanceOf } from '../core/billing/ledger.ts';
import type { Consent } from '../core/consent/consent.ts';
import { giveConsent, revokeConsent } from '../core/consent/lifecycle.ts';
import { enrol } from '../core/enrolment.ts';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import { loanFor } from '../core/lending/disclosure.ts';
import type { Loan } from '../core/lending/loan.ts';
import { isOpen } from '../core/lending/loan.ts';
import { creditsOf } from '../core/pairing/credits.ts';
import type { Transition } from '../core/pairing/lifecycle.ts';
import { accept, isRefused, leave } from '../core/pairing/lifecycle.ts';
import type { Pairing, PairingId } from '../core/pairing/pairing.ts';
import { isOpenPairing } from '../core/pairing/pairing.ts';
import { alsoLimited, stateLimit } from '../core/pairing/pairing-limit.ts';
import type { PairingView } from '../core/pairing/pairing-view.ts';
import { pairingFor } from '../core/pairing/pairing-view.ts';
import type { PoolPlan } from '../core/pairing/plan.ts';
import { planForBorrower } from '../core/pairing/plan.ts';
import { RAISES_OWN_CEILING } from '../core/pool.ts';
import { evidenceFromAudit } from '../core/trust/loan-evidence.ts';
import { evidenceOfRecord, isRecordKindOfLoan } from '../core/trust/record.ts';
import { trustOf } from '../core/trust/trust.ts';
import type { AccountId } from '../core/units.ts';
import { pairingsOf, poolsOf, queryAccount, readAccountItems } from './adapters/account-store.ts';
import { readCapacities } from './adapters/capacities.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { auditOf, ledgerOf, recordRefusal, writeConsent, writePool } from './adapters/governance-store.ts';
import { observeGroup } from './adapters/groups.ts';
import type { Caller, Route } from './adapters/http.ts';
import { apiEventSchema, HttpError, respond, route } from './adapters/http.ts';
import { chainKey, consentKey, pairingKey, poolKey, usageKey } from './adapters/keys.ts';
import { recallRoute } from './adapters/lender-recalls.ts';
import { limitOnAcceptance, limitRoutes, statedLimit } from './adapters/limit-routes.ts';
import { LOAN_TABLES, loanStore, loansOf } from './adapters/loan-store.ts';
import { logger, parse } from './adapters/middleware.ts';
import { publishPairingEvents } from './adapters/pairing-events.ts';
import { pauseUntrusted } from './adapters/pairing-pauses.ts';
import { writePairing } from './adapters/pairing-store.ts';
import { requestRoutes } from './adapters/request-routes.ts';
import { raisesOwnCeiling } from './adapters/scaling-policies.ts';
import {
  consentTermsSchema,
  evidenceRecordSchema,
  loanIdSchema,
  pairingIdSchema,
  poolEventsSchema,
  poolSpecSchema,
} from './adapters/schemas.ts';
import { startReturn } from './adapters/starts.ts';
import { recallStopped } from './adapters/stop-duties.ts';
import type { SwitchService } from './adapters/switch-routes.ts';
import { switchRoutes } from './adapters/switch-routes.ts';
import { recallLent, termRoutes } from './adapters/term-routes.ts';
import { evidenceOf, recordEvidence, writeEvidence } from './adapters/trust-store.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_BORROW_STATE_MACHINE_ARN',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_HUB_ACCOUNT_ID',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_PRIORITY_RULES',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const loansTable = env.ENTANGLE_LOANS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const eventRoute = { accountsTable, busName: env.ENTANGLE_EVENT_BUS };
const stepFunctions = new SFNClient({});
const store = loanStore(env);
const recalls = recallRoute(env, store, stepFunctions);

function readOwn(account: AccountId) {
  return readAccountItems(accountsTable, [consentKey(account), usageKey(account), chainKey(account)]);
}

async function refuseAccess(caller: Caller, what: string): Promise<never> {
  const audit = {
    accountId: caller.accountId,
    type: 'access.denied',
    at: now(),
    subject: what,
    actor: caller.userArn,
    detail: { method: caller.method, path: caller.path },
  };
  const { seq } = await recordRefusal(audit, (await readOwn(caller.accountId)).head(caller.accountId), auditTables);
  await writeEvidence(accountsTable, evidenceFromAudit({ ...audit, seq }));
  await pauseUntrusted(caller.accountId, 'api', audit.at, auditTables, eventRoute);
  throw new HttpError(403, `${what} does not belong to account ${caller.accountId}`);
}

async function putPool(caller: Caller) {
  const { events, ...stated } = parse(z.looseObject({ events: poolEventsSchema.exactOptional() }), caller.body, 'body');
  const spec = parse(poolSpecSchema, stated, 'body');
  if (spec.accountId !== caller.accountId) return refuseAccess(caller, `pool ${spec.poolId}`);
  const group = await observeGroup(spec, role);
  if (group === undefined) {
    throw new HttpError(404, `Auto Scaling group ${spec.groupName} does not exist in ${spec.accountId} ${spec.region}`);
  }
  if (await raisesOwnCeiling(spec, role)) throw new HttpError(409, `${spec.poolId}: ${RAISES_OWN_CEILING}`);
  const items = await readAccountItems(accountsTable, [poolKey(spec.poolId), chainKey(caller.accountId)]);
  const previous = items.pool(spec.poolId);
  const { pool, audit } = enrol(previous, spec, group, caller.userArn, now());
  await writePool(pool, events, previous?.version, audit, items.head(caller.accountId), auditTables);
  return { pool };
}

async function putConsent(caller: Caller) {
  const terms = parse(consentTermsSchema, caller.body, 'body');
  const items = await readOwn(caller.accountId);
  const author = { accountId: caller.accountId, madeBy: caller.userArn, at: now() };
  const change = giveConsent(items.consent(caller.accountId), terms, author);
  await writeConsent(change, items.head(caller.accountId), auditTables);
  return { consent: change.consent };
}

async function ownLoans(account: AccountId): Promise<Loan[]> {
  const [borrowed, lent] = await Promise.all([
    loansOf(loansTable, 'by-borrower', account),
    loansOf(loansTable, 'by-lender', account),
  ]);
  const byId = new Map([...borrowed, ...lent].map((loan) => [loan.loanId, loan]));
  return [...byId.values()].sort((a, b) => a.requestedAt - b.requestedAt);
}

/** Revoking ends at once what the account may do; active loans go back, with the notice promised where it lent. */
async function deleteConsent(caller: Caller) {
  const items = await readOwn(caller.accountId);
  const current = items.consent(caller.accountId);
  if (current === undefined || current.status === 'revoked') {
    throw new HttpError(409, `account ${caller.accountId} has no active consent to revoke`);
  }
  const author = { accountId: caller.accountId, madeBy: caller.userArn, at: now() };
  const change = revokeConsent(current, author);
  await writeConsent(change, items.head(caller.accountId), auditTables);
  const active = (await ownLoans(caller.accountId)).filter(({ state }) => state === 'active');
  const lent = active.filter(({ lenderAccountId }) => lenderAccountId === caller.accountId);
  const recalled: string[] = [];
  for (const loan of active.filter((each) => !lent.includes(each))) {
    await startReturn(stepFunctions, env.ENTANGLE_RETURN_STATE_MACHINE_ARN, loan, 'revoked');
    recalled.push(loan.loanId);
  }
  const lentIds = lent.map(({ loanId }) => loanId);
  return {
    consent: change.consent,
    recalled: [...recalled, ...(await recallLent(lentIds, caller.accountId, recalls))],
  };
}

async function ownSnapshot(caller: Caller): Promise<LoanSnapshot> {
  const loanId = parse(loanIdSchema, caller.parameters['loanId'], 'path');
  const snapshot = await store.readSnapshot(loanId);
  if (snapshot === undefined) throw new HttpError(404, `loan ${loanId} does not exist`);
  const { loan } = snapshot;
  if (loan.borrowerAccountId === caller.accountId || loan.lenderAccountId === caller.accountId) return snapshot;
  return refuseAccess(caller, `loan ${loanId}`);
}

/** The borrower may give back at any time; the lender recalls. */
async function returnLoan(caller: Caller) {
  const snapshot = await ownSnapshot(caller);
  const { loan } = snapshot;
  if (loan.borrowerAccountId !== caller.accountId) {
    throw new HttpError(
      409,
      'only the borrower gives a loan back; a lender recalls it with POST /loans/{loanId}/recall',
    );
  }
  if (loan.state !== 'active') throw new HttpError(409, `loan ${loan.loanId} is ${loan.state}, not active`);
  await startReturn(stepFunctions, env.ENTANGLE_RETURN_STATE_MACHINE_ARN, loan, 'requested-by-owner', { snapshot });
  return { loanId: loan.loanId, returning: true };
}

async function listLoans(caller: Caller) {
  const loans = await ownLoans(caller.accountId);
  const shown = caller.query['state'] === 'open' ? loans.filter(isOpen) : loans;
  return { loans: shown.map((loan) => loanFor(caller.accountId, loan)) };
}

async function showLoan(caller: Caller) {
  return { loan: loanFor(caller.accountId, (await ownSnapshot(caller)).loan) };
}

async function listAudit(caller: Caller) {
  const after = parse(z.coerce.number().int().min(0), caller.query['after'] ?? '0', 'query after');
  // The head is read first: a record appended in between is then beyond it, never missing before it.
  const head = (await readOwn(caller.accountId)).head(caller.accountId) ?? null;
  const records = await auditOf(env.ENTANGLE_AUDIT_TABLE, caller.accountId, after);
  return { head, records: records.filter((record) => head !== null && record.seq <= head.seq) };
}

async function listBills(caller: Caller) {
  const entries = await ledgerOf(env.ENTANGLE_LEDGER_TABLE, caller.accountId);
  return { balance: balanceOf(entries), entries };
}

async function showPlan(caller: Caller) {
  const plans = await queryAccount(accountsTable, caller.accountId, 'PLAN#');
  return { plans: plans.map(({ item: _item, ...plan }) => planForBorrower(plan as unknown as PoolPlan)) };
}

/** Pairings as their account may see them: what comes from the metrics of both as each counterparty's consent lets it. */
async function viewsOf(account: AccountId, pairings: readonly Pairing[]): Promise<PairingView[]> {
  const others = pairings.map(({ lenderAccountId, borrowerAccountId }) =>
    account === lenderAccountId ? borrowerAccountId : lenderAccountId,
  );
  const items = await readAccountItems(accountsTable, others.map(consentKey));
  const dataAccessOf = (other: AccountId | undefined) => {
    const consent = other === undefined ? undefined : items.consent(other);
    return consent?.status === 'active' ? consent.terms.dataAccess : 'none';
  };
  return pairings.map((pairing, index) => pairingFor(account, pairing, dataAccessOf(others[index])));
}

async function listPairings({ accountId, query }: Caller) {
  const pairings = await pairingsOf(accountsTable, accountId);
  const shown = query['state'] === 'open' ? pairings.filter(isOpenPairing) : pairings;
  return { pairings: await viewsOf(accountId, shown) };
}

/** Changes a pairing of the caller's. Another account's is not under the caller's key: it is as if there were none. */
async function changePairing(
  caller: Caller,
  change: (pairing: Pairing, consent: Consent | undefined) => Transition,
): Promise<{ readonly pairing: PairingView | undefined }> {
  const { accountId } = caller;
  const pairingId: PairingId = parse(pairingIdSchema, caller.parameters['pairingId'], 'path');
  const items = await readAccountItems(accountsTable, [
    pairingKey(accountId, pairingId),
    consentKey(accountId),
    chainKey(accountId),
  ]);
  const pairing = items.pairing(accountId, pairingId);
  if (pairing === undefined) throw new HttpError(404, `account ${accountId} has no pairing ${pairingId}`);
  const changed = change(pairing, items.consent(accountId));
  if (isRefused(changed)) throw new HttpError(409, changed.reason);
  await writePairing(changed, { [accountId]: items.head(accountId) }, auditTables);
  await publishPairingEvents([changed], eventRoute);
  const [view] = await viewsOf(accountId, [changed.pairing]);
  return { pairing: view };
}

function acceptPairing(caller: Caller) {
  const { accountId, userArn: actor } = caller;
  const limit = limitOnAcceptance(caller);
  return changePairing(caller, (pairing, consent) => {
    const accepted = accept(pairing, { accountId, actor, consent }, 'explicit', now());
    return limit === undefined || isRefused(accepted) ? accepted : alsoLimited(accepted, accountId, limit);
  });
}

/** Declines a proposal, or ends a pairing: no new loan is made of it, those that are open go on. */
function leavePairing(caller: Caller) {
  const { accountId, userArn: actor } = caller;
  return changePairing(caller, (pairing) => leave(pairing, { accountId, actor }, now()));
}

/** What the caller allows at most of a pairing of its own. */
function limitPairing(caller: Caller) {
  const { accountId, userArn: actor } = caller;
  const limit = statedLimit(caller);
  return changePairing(caller, (pairing) => stateLimit(pairing, { accountId, actor }, limit, now()));
}

async function showTrust({ accountId }: Caller) {
  const at = now();
  const [evidence, items] = await Promise.all([
    evidenceOf(accountsTable, accountId, at),
    readAccountItems(accountsTable, [usageKey(accountId)]),
  ]);
  return { trust: trustOf(evidence, at), credits: creditsOf(items.usage(accountId), at) };
}

/** Keeps what a lender or the operator of the hub has seen of an account, once; what it costs in trust pauses pairings at once. */
async function recordTrust(caller: Caller) {
  const record = parse(evidenceRecordSchema, caller.body, 'body');
  const recorder = { accountId: caller.accountId, isOperator: caller.accountId === env.ENTANGLE_HUB_ACCOUNT_ID };
  const at = now();
  const loan = isRecordKindOfLoan(record.kind) ? await loanNamed(record.subject) : undefined;
  const evidence = evidenceOfRecord(record, loan, recorder, at);
  if ('refused' in evidence) {
    if (evidence.refused === 'denied') return refuseAccess(caller, `what is recorded of ${record.subject}`);
    throw new HttpError(evidence.refused === 'invalid' ? 400 : 409, evidence.reason);
  }
  const { recorded } = await recordEvidence(evidence, env.ENTANGLE_HUB_ACCOUNT_ID, at, auditTables);
  if (recorded) await pauseUntrusted(evidence.accountId, 'api', at, auditTables, eventRoute);
  return { evidence, recorded };
}

async function loanNamed(subject: string): Promise<Loan> {
  const loanId = parse(loanIdSchema, subject, 'subject');
  const snapshot = await store.readSnapshot(loanId);
  if (snapshot === undefined) throw new HttpError(404, `loan ${loanId} does not exist`);
  return snapshot.loan;
}

/** Figures of the caller's own pools; of its partners only what they could lend together. */
async function showCapacity({ accountId, query }: Caller) {
  const own = (await poolsOf(accountsTable, accountId)).map(({ spec }) => spec.poolId);
  const { pool } = query;
  const wanted = pool === undefined ? own : own.filter((id) => id === pool);
  if (pool !== undefined && wanted.length === 0) throw new HttpError(404, `account ${accountId} has no pool ${pool}`);
  return {
    capacities: await readCapacities({ accountsTable, loansTable, rules: env.ENTANGLE_PRIORITY_RULES }, wanted, role),
  };
}

async function showConsent(caller: Caller) {
  const items = await readOwn(caller.accountId);
  return { consent: items.consent(caller.accountId) ?? null, usage: items.usage(caller.accountId) };
}

const switches: SwitchService = {
  tables: auditTables,
  loansTable,
  hubAccount: env.ENTANGLE_HUB_ACCOUNT_ID as AccountId,
  events: eventRoute,
  recall: (stopped, withinMillis) => recallStopped(stopped, recalls, withinMillis),
  refuse: refuseAccess,
};

const routes: readonly Route[] = [
  { method: 'PUT', path: '/pools', run: putPool },
  { method: 'GET', path: '/pools', run: async ({ accountId }) => ({ pools: await poolsOf(accountsTable, accountId) }) },
  { method: 'PUT', path: '/consent', run: putConsent },
  { method: 'GET', path: '/consent', run: showConsent },
  { method: 'DELETE', path: '/consent', run: deleteConsent },
  { method: 'GET', path: '/loans', run: listLoans },
  { method: 'GET', path: '/loans/{loanId}', run: showLoan },
  { method: 'POST', path: '/loans/{loanId}/return', run: returnLoan },
  { method: 'GET', path: '/bills', run: listBills },
  { method: 'GET', path: '/audit', run: listAudit },
  { method: 'GET', path: '/plan', run: showPlan },
  { method: 'GET', path: '/pairings', run: listPairings },
  { method: 'POST', path: '/pairings/{pairingId}/accept', run: acceptPairing },
  { method: 'PUT', path: '/pairings/{pairingId}/limit', run: limitPairing },
  { method: 'DELETE', path: '/pairings/{pairingId}', run: leavePairing },
  { method: 'GET', path: '/trust', run: showTrust },
  { method: 'POST', path: '/trust/records', run: recordTrust },
  ...termRoutes({ recalls, ownSnapshot }),
  { method: 'GET', path: '/capacity', run: showCapacity },
  ...switchRoutes(switches),
  ...limitRoutes(switches),
  ...requestRoutes({
    store,
    accountsTable,
    route: {
      loansTable,
      stepFunctions,
      borrowMachineArn: env.ENTANGLE_BORROW_STATE_MACHINE_ARN,
      returnMachineArn: env.ENTANGLE_RETURN_STATE_MACHINE_ARN,
    },
    rules: env.ENTANGLE_PRIORITY_RULES,
    refuse: refuseAccess,
  }),
];

export const handler = middy().handler(async (event: unknown) => {
  try {
    return respond(200, await route(routes, parse(apiEventSchema, event, 'event')));
  } catch (error) {
    if (!(error instanceof HttpError) && !isExpected(error)) logger.error('failed', error as Error);
    return respond(...HttpError.answerTo(error));
  }
});

function isExpected(error: unknown): boolean {
  return error instanceof Error && ['InvalidInput', 'ConditionsFailed'].includes(error.name);
}
