/**
 * At the end of a term, or shortly before: a loan that is still needed, and that its lender can spare for longer, gets a longer term.
 * Otherwise it ends on time.
 */
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { Recovery } from '../core/lending/recovery.ts';
import { hasRecovered } from '../core/lending/recovery.ts';
import type { TermObservation } from '../core/lending/term.ts';
import { isDue, renewal } from '../core/lending/term.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { StaleSnapshot } from '../core/ports.ts';
import type { EpochMillis } from '../core/units.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { EXPIRY_ROUTE, expiryTarget, moveExpiry } from './adapters/expiry.ts';
import { observeGroup } from './adapters/groups.ts';
import { consentKey, outlookKey, planKey, usageKey } from './adapters/keys.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { publishEvents } from './adapters/pairing-events.ts';
import { commitStep } from './adapters/saga-step.ts';
import { loanIdSchema } from './adapters/schemas.ts';
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

async function observe(snapshot: LoanSnapshot): Promise<TermObservation> {
  const { loan, lenderPool } = snapshot;
  const parties = [loan.borrowerAccountId, ...(loan.lenderAccountId === undefined ? [] : [loan.lenderAccountId])];
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    ...parties.flatMap((account) => [consentKey(account), usageKey(account)]),
    ...(lenderPool === undefined ? [] : [planKey(lenderPool.spec.poolId), outlookKey(lenderPool.spec.poolId)]),
  ]);
  const at = now();
  const { lenderAccountId, borrowerAccountId } = loan;
  const [recovery, lenderGroup] = await Promise.all([
    recoveryOf(snapshot, at),
    lenderPool === undefined ? undefined : groupOf(lenderPool),
  ]);
  return {
    snapshot,
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
async function tryRenewal(snapshot: LoanSnapshot): Promise<Renewed | undefined> {
  const { loan } = snapshot;
  const decided = renewal(await observe(snapshot));
  if (decided.action === 'end') return { outcome: isDue(loan, now()) ? 'ends' : 'kept', detail: decided.reason };
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
    const snapshot = await store.readSnapshot(loanId);
    if (snapshot === undefined) return { outcome: 'kept', detail };
    const { loan } = snapshot;
    if (loan.state !== 'active') {
      // A return that stands still goes on where it was.
      return { outcome: reason === 'expired' ? 'ends' : 'kept', detail: `it is ${loan.state}` };
    }
    if (reason === 'expired' && !isDue(loan, now())) {
      // The schedule of a term that was renewed; that of the new one may not have been made.
      await moveExpiry(scheduler, loan, target);
      return { outcome: 'kept', detail: `its term ends at ${loan.dueAt ?? 'an unknown moment'} ms` };
    }
    const done = await tryRenewal(snapshot);
    if (done !== undefined) {
      logger.info('end of a term', { loanId, ...done });
      return done;
    }
    detail = 'it changes just now';
  }
  return { outcome: reason === 'expired' ? 'ends' : 'kept', detail };
});
