import type { Loan } from '../../core/lending/loan.ts';
import { isAsked } from '../../core/lending/loan.ts';
import { expectedAt } from '../../core/lending/queue.ts';
import { cancel } from '../../core/lending/request.ts';
import type { QueuePlace, RequestView } from '../../core/lending/request-view.ts';
import { placeOf, requestView } from '../../core/lending/request-view.ts';
import type { LoanStore } from '../../core/ports.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { now } from './clock.ts';
import type { Caller, Route } from './http.ts';
import { HttpError } from './http.ts';
import { consentKey, planKey, poolKey } from './keys.ts';
import { lentLoansOf } from './lent-loans.ts';
import { loansById, loansOf } from './loan-store.ts';
import { logger, parse } from './middleware.ts';
import type { PriorityRules } from './priority-rules.ts';
import { serveWaiting } from './queue-service.ts';
import { requestsInQueues, usagesOf } from './queue-store.ts';
import type { RequestRoute } from './request-parts.ts';
import { giveBackTooLittle, partsOf } from './request-parts.ts';
import { commitStep } from './saga-step.ts';
import { loanIdSchema } from './schemas.ts';

/** What the routes about requests need of the function that serves them. */
export interface RequestService {
  readonly store: LoanStore;
  readonly accountsTable: string;
  readonly route: RequestRoute;
  readonly rules: PriorityRules;
  /** Answers who asks for what is another account's, and records it. */
  readonly refuse: (caller: Caller, what: string) => Promise<never>;
}

/** When one of the lenders that a request waits for may have enough: a moment, and no figure of theirs. */
async function expectedFor(
  loan: Loan,
  account: AccountId,
  service: RequestService,
  at: EpochMillis,
): Promise<EpochMillis | undefined> {
  const ids = loan.waiting?.lenderPoolIds ?? [];
  const keys = ids.flatMap((id) => [poolKey(id), planKey(id)]);
  const items = await readAccountItems(service.accountsTable, [...keys, consentKey(account)]);
  const lenders = await Promise.all(
    ids.flatMap((id) => {
      const pool = items.pool(id);
      if (pool === undefined) return [];
      const plan = items.plan(id)?.forecast;
      return [lentLoansOf(service.route.loansTable, pool).then((lent) => ({ pool, plan, lent }))];
    }),
  );
  return expectedAt(loan, lenders, items.consent(account)?.terms.shortestTermSeconds ?? 0, at);
}

async function placeIn(loan: Loan, account: AccountId, service: RequestService): Promise<QueuePlace | undefined> {
  const at = now();
  const tables = { accountsTable: service.accountsTable, loansTable: service.route.loansTable };
  const [waiting, expected] = await Promise.all([
    requestsInQueues(loan.waiting?.lenderPoolIds ?? [], tables),
    expectedFor(loan, account, service, at),
  ]);
  const usages = await usagesOf(
    service.accountsTable,
    [loan, ...waiting].map(({ borrowerAccountId }) => borrowerAccountId),
  );
  return placeOf(loan, waiting, { rules: service.rules.order, now: at, usages }, expected);
}

/** Requests of which a part is open still. */
async function listRequests({ accountId }: Caller, service: RequestService): Promise<object> {
  const open = await loansOf(service.route.loansTable, 'open', accountId);
  const byRequest = new Map(open.map((loan) => [loan.request?.requestId ?? loan.loanId, loan]));
  const requests: RequestView[] = [];
  for (const loan of byRequest.values()) {
    const parts = await partsOf(service.route.loansTable, loan);
    const waiting = parts.find(({ state }) => state === 'waiting');
    const place = waiting === undefined ? undefined : await placeIn(waiting, accountId, service);
    const view = requestView(parts, place);
    if (view !== undefined) requests.push(view);
  }
  return { requests };
}

/** A request that comes first holds units back from others: without it they look at once. Reconciling finds those that are missed. */
async function serveOthers(cancelled: Loan, { accountsTable, route, rules }: RequestService): Promise<void> {
  try {
    await serveWaiting(cancelled, { ...route, rules, tables: { accountsTable, loansTable: route.loansTable } });
  } catch (error) {
    logger.error('those that wait were not served', { loanId: cancelled.loanId, error: error as Error });
  }
}

/** Ends what is asked for still. What has been made stays, unless it is less than the account finds worth having. */
async function cancelRequest(caller: Caller, service: RequestService): Promise<object> {
  const requestId = parse(loanIdSchema, caller.parameters['requestId'], 'path');
  const [named] = await loansById(service.route.loansTable, [requestId]);
  if (named === undefined) throw new HttpError(404, `request ${requestId} does not exist`);
  if (named.borrowerAccountId !== caller.accountId) return service.refuse(caller, `request ${requestId}`);
  const asked = (await partsOf(service.route.loansTable, named)).find(isAsked);
  if (asked === undefined) throw new HttpError(409, `request ${requestId} asks for nothing any more`);
  const snapshot = await service.store.readSnapshot(asked.loanId);
  if (snapshot === undefined || !isAsked(snapshot.loan)) {
    throw new HttpError(409, `request ${requestId} asks for nothing any more`);
  }
  try {
    const { loan } = await commitStep(service.store, snapshot, cancel(snapshot, caller.userArn, now()));
    const givenBack = await giveBackTooLittle(loan, service.route);
    await serveOthers(loan, service);
    return { requestId, cancelled: loan.loanId, units: loan.units, givenBack };
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    throw new HttpError(409, `request ${requestId} has just changed: look again`);
  }
}

/** The queue as an account sees it. */
export function requestRoutes(service: RequestService): Route[] {
  return [
    { method: 'GET', path: '/requests', run: (caller) => listRequests(caller, service) },
    { method: 'DELETE', path: '/requests/{requestId}', run: (caller) => cancelRequest(caller, service) },
  ];
}
