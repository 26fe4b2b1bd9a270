import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import { activate } from '../core/lending/saga.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { EXPIRY_ROUTE, expiryTarget, scheduleExpiry } from './adapters/expiry.ts';
import { observeGroup } from './adapters/groups.ts';
import { unitsInLentCapacity } from './adapters/loan-capacity.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda } from './adapters/middleware.ts';
import {
  commitStep,
  ForeignChange,
  InstancesPending,
  onFreshSnapshot,
  QuotaExceeded,
  RestMissing,
  StepOutOfOrder,
} from './adapters/saga-step.ts';
import { snapshotSchema } from './adapters/schemas.ts';
import { launchesExceedQuota } from './adapters/vcpu-quota.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_EXTERNAL_ID', 'ENTANGLE_OBSERVE_ROLE_NAME', ...EXPIRY_ROUTE);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const scheduler = new SchedulerClient({});
const target = expiryTarget(env);
const store = loanStore(env);

async function activated(snapshot: LoanSnapshot): Promise<LoanSnapshot> {
  const { loan, borrowerPool } = snapshot;
  if (loan.state === 'active') return snapshot;
  if (loan.state !== 'given') throw new StepOutOfOrder(`loan ${loan.loanId} is ${loan.state}, not given`);
  const group = await observeGroup(borrowerPool.spec, role);
  if (group === undefined) throw new ForeignChange(`group ${borrowerPool.spec.poolId} does not exist any more`);
  const wanted = loan.inServiceBefore + loan.units;
  if (group.inServiceUnits < wanted) {
    const givenAt = loan.history.findLast(({ state }) => state === 'given')?.at ?? loan.requestedAt;
    if (await launchesExceedQuota(borrowerPool.spec, givenAt, role)) {
      throw new QuotaExceeded(`the vCPU quota of ${borrowerPool.spec.accountId} is used up: VcpuLimitExceeded`);
    }
    throw new InstancesPending(`${group.inServiceUnits} of ${wanted} instances are in service`);
  }
  const inUse = await unitsInLentCapacity(snapshot, role);
  if (inUse !== undefined && inUse < loan.units) {
    throw new InstancesPending(`${inUse} of ${loan.units} instances run in the reservation that was lent`);
  }
  return commitStep(store, snapshot, activate(snapshot, now()));
}

const inputSchema = z.object({
  snapshot: snapshotSchema,
  /** The request for what is missing still, unless it has been started: empty. */
  rest: z.string().default(''),
});

/** The loan is active, and billed, from when the borrower's instances are seen in service; then its expiry is scheduled. */
export const handler = lambda(inputSchema, async (input) => {
  if (input.rest !== '') throw new RestMissing(`${input.rest} asks for what is missing still, and is started first`);
  const snapshot = await onFreshSnapshot(store, input.snapshot, activated);
  await scheduleExpiry(scheduler, snapshot.loan, target);
  return { snapshot };
});
