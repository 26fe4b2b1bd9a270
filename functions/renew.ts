/**
 * At the end of a term, or shortly before: a loan that is still needed, and that its lender can spare for longer, gets a longer term.
 * Otherwise it ends on time.
 */
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { CountedLimit } from '../core/lending/limits.ts';
import { reservedAt } from '../core/lending/limits.ts';
import type { Loan } from '../core/lending/loan.ts';
import type { Recovery } from '../core/lending/recovery.ts';
import { hasRecovered } from '../core/lending/recovery.ts';
import type { TermObservation } from '../core/lending/term.ts';
import { isDue, renewal } from '../core/lending/term.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { StaleSnapshot } from '../core/ports.ts';
import type { EpochMillis } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { EXPIRY_ROUTE, expiryTarget, moveExpiry } from './adapters/expiry.ts';
import { observeGroup } from './adapters/groups.ts';
import { pairingIdFor } from './adapters/ids.ts';
import { consentKey, outlookKey, pairingKey, planKey, usageKey } from './adapters/keys.ts';
import { membershipsAmong, organisationKey, readLimits } from './adapters/limit-store.ts';
import { LOAN_TABLES, loanStore, loansById } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { publishEvents } from './adapters/pairing-events.ts';
import { commitStep } from './adapters/saga-step.ts';
import { loanIdSchema } from './adapters/schemas.ts';
import { snapshotKeys, snapshotOf } from './adapters/snapshot.ts';
import { latestMetrics } from './adapters/telemetry.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  ...EXPIRY_ROUTE,
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const scheduler = new SchedulerClient({});
const target = expiryTarget(env);
const eventRoute = { accountsTable: env.ENTANGLE_ACCOUNTS_TABLE, busName: env.ENTANGLE_EVENT_BUS };
const store = loanStore(env);

interface Renewed {
  /** `renewed`: it has a longer term. `kept`: its term goes on, or it is on its way back already. `ends`: its term is over. */
  readonly outcome: 'renewed' | 'kept' | 'ends';
  readonly detail: string;
  /** Of a term that is over, as it was decided on: the way back begins from it. */
  readonly snapshot?: LoanSnapshot;
}

/** An account that cannot be read does not end a loan: what is not known counts as need, and as a lender that is not sure. */
async function groupOf(pool: Pool): Promise<GroupObservation | undefined> {
  try {
    return await observeGroup(pool.spec, role);
  } catch (error) {
    logger.warn('a group could not be read', { poolId: pool.spec.poolId, error: error as Error });
    return undefined;
  }
}

async function recoveryOf({ loan, borrowerPool: pool }: LoanSnapshot, at: EpochMillis): Promise<Recovery | undefined> {
  const group = await groupOf(pool);
  if (group === undefined) return undefined;
  try {
    return hasRecovered({ pool, group, metrics: await latestMetrics(pool.spec, at, role), loan, now: at });
  } catch (error) {
    logger.warn('the metrics of a borrower could not be read', { loanId: loan.loanId, error: error as Error });
    return undefined;
  }
}

/** All that is stored of a loan and that its renewal rests on, read in one go. */
function readFor(loan: Loan): Promise<AccountItems> {
  const { borrowerAccountId, lenderAccountId, lenderPoolId } = loan;
  const parties = [borrowerAccountId, ...(lenderAccountId === undefined ? [] : [lenderAccountId])];
  return readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    ...snapshotKeys(loan),
    ...parties.flatMap((account) => [consentKey(account), usageKey(account), organisationKey(account)]),
    ...(lenderPoolId === undefined
      ? []
      : [
          planKey(lenderPoolId),
          outlookKey(lenderPoolId),
          pairingKey(borrowerAccountId, pairingIdFor(lenderPoolId, loan.borrowerPoolId)),
        ]),
  ]);
}

/** The limits of the pair beside the consents', as they stand now, with what is used of them in the month that the loan counts in. */
async function limitsOf(
  { loan, borrowerPool: borrower, lenderPool: lender }: LoanSnapshot,
  items: AccountItems,
): Promise<readonly CountedLimit[]> {
  if (lender === undefined) return [];
  const { accountId: borrowerAccountId, poolId } = borrower.spec;
  const pairing = items.pairing(borrowerAccountId, pairingIdFor(lender.spec.poolId, poolId));
  const memberships = membershipsAmong(items, [borrowerAccountId, lender.spec.accountId]);
  const pair = { lender, borrower, pairing };
  const [limits = []] = await readLimits(env.ENTANGLE_ACCOUNTS_TABLE, [pair], memberships, reservedAt(loan));
  return limits;
}

async function observe(snapshot: LoanSnapshot, items: AccountItems): Promise<TermObservation> {
  const { loan, lenderPool } = snapshot;
  const at = now();
  const { lenderAccountId, borrowerAccountId } = loan;
  const [recovery, lenderGroup, limits] = await Promise.all([
    recoveryOf(snapshot, at),
    lenderPool === undefined ? undefined : groupOf(lenderPool),
    limitsOf(snapshot, items),
  ]);
  return {
    snapshot,
    limits,
    borrowerConsent: items.consent(borrowerAccountId),
    borrowerUsage: items.usage(borrowerAccountId),
    ...(lenderAccountId === undefined
      ? {}
      : { lenderConsent: items.consent(lenderAccountId), lenderUsage: items.usage(lenderAccountId) }),
    ...(lenderPool === undefined
      ? {}
      : {
          lenderPlan: items.plan(lenderPool.spec.poolId)?.forecast,
          lenderOutlook: items.outlook(lenderPool.spec.poolId),
          lenderGroup,
        }),
    recovery,
    now: at,
  };
}

/** Renews, or says why not. What has changed in between is a reason too: the term ends as it was agreed. */
async function tryRenewal(loan: Loan): Promise<Renewed | undefined> {
  const items = await readFor(loan);
  const snapshot = snapshotOf(loan, items);
  if (snapshot === undefined) throw new Error(`pool ${loan.borrowerPoolId} is not enrolled`);
  const decided = renewal(await observe(snapshot, items));
  if (decided.action === 'end') {
    const { reason: detail } = decided;
    return isDue(loan, now()) ? { outcome: 'ends', detail, snapshot } : { outcome: 'kept', detail };
  }
  try {
    const { loan: renewed } = await commitStep(store, snapshot, decided.commit);
    await moveExpiry(scheduler, renewed, target);
    const events = decided.commit.events ?? [];
    await publishEvents(
      events.map((event) => ({ account: renewed.borrowerAccountId, event })),
      eventRoute,
    );
    return { outcome: 'renewed', detail: `its term ends at ${renewed.dueAt ?? 'an unknown moment'} ms` };
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    logger.info('not renewed as it was read', { loanId: loan.loanId, reason: error.message });
    return undefined;
  }
}

const inputSchema = z.object({
  loanId: loanIdSchema,
  /** `expired`: its schedule went off. `renew`: somebody asks before that. */
  reason: z.enum(['expired', 'renew']),
});

export const handler = lambda(inputSchema, async ({ loanId, reason }): Promise<Renewed> => {
  let detail = `loan ${loanId} does not exist`;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const [loan] = await loansById(env.ENTANGLE_LOANS_TABLE, [loanId]);
    if (loan === undefined) return { outcome: 'kept', detail };
    if (loan.state !== 'active') {
      // A return that stands still goes on where it was.
      return { outcome: reason === 'expired' ? 'ends' : 'kept', detail: `it is ${loan.state}` };
    }
    if (reason === 'expired' && !isDue(loan, now())) {
      // The schedule of a term that was renewed; that of the new one may not have been made.
      await moveExpiry(scheduler, loan, target);
      return { outcome: 'kept', detail: `its term ends at ${loan.dueAt ?? 'an unknown moment'} ms` };
    }
    const done = await tryRenewal(loan);
    if (done !== undefined) {
      logger.info('end of a term', { loanId, outcome: done.outcome, detail: done.detail });
      return done;
    }
    detail = 'it changes just now';
  }
  return { outcome: reason === 'expired' ? 'ends' : 'kept', detail };
});
