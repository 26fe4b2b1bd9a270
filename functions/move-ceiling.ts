/**
 * The only function that changes an Auto Scaling group. Each of its steps can be repeated after a crash at any point:
 * the move was decided and recorded before, and the group itself tells whether it was made.
 */
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import { drain, firmAtOf } from '../core/lending/drain.ts';
import type { CeilingMove, LoanState, ReturnReason } from '../core/lending/loan.ts';
import { giveBackMove, moveStatus, takeBackMove } from '../core/lending/moves.ts';
import { beginReturn, reclaim, recordGiven, recordTaken } from '../core/lending/saga.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { invariant } from '../core/units.ts';
import { now } from './adapters/clock.ts';
import { assertCurrent } from './adapters/current-loan.ts';
import { forceScaleIn } from './adapters/drains.ts';
import { readEnv } from './adapters/env.ts';
import { moveGroup, observeGroup } from './adapters/groups.ts';
import { capacityOf } from './adapters/loan-capacity.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import {
  commitStep,
  ForeignChange,
  InstancesDraining,
  LenderNeedsCapacity,
  onFreshSnapshot,
  StepOutOfOrder,
  TermEnds,
} from './adapters/saga-step.ts';
import { loanIdSchema, returnReasonSchema, snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_EXTERNAL_ID', 'ENTANGLE_ADJUST_ROLE_NAME');
const role = { roleName: env.ENTANGLE_ADJUST_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const store = loanStore(env);

async function mustObserve(pool: Pool): Promise<GroupObservation> {
  const group = await observeGroup(pool.spec, role);
  if (group === undefined) throw new ForeignChange(`group ${pool.spec.poolId} does not exist any more`);
  return group;
}

function refuseForeign(pool: Pool, move: CeilingMove, group: GroupObservation): void {
  if (moveStatus(move, group) !== 'foreign') return;
  throw new ForeignChange(
    `MaxSize of ${pool.spec.poolId} is ${group.maxSize}; it was ${move.fromMaxSize} when the loan was reserved`,
  );
}

function mustBe(snapshot: LoanSnapshot, step: string, state: LoanState): void {
  if (snapshot.loan.state !== state) {
    throw new StepOutOfOrder(
      `${step} needs a loan that is ${state}; ${snapshot.loan.loanId} is ${snapshot.loan.state}`,
    );
  }
}

function hasBeen(snapshot: LoanSnapshot, state: LoanState): boolean {
  return snapshot.loan.history.some((entry) => entry.state === state);
}

/** Lender down. It is looked at once more: a lender that has come to need its capacity keeps it. */
async function take(snapshot: LoanSnapshot): Promise<LoanSnapshot> {
  if (snapshot.loan.state === 'taken') return snapshot;
  mustBe(snapshot, 'take', 'reserved');
  const { lenderPool: pool, loan } = snapshot;
  const move = loan.moves.take;
  invariant(pool !== undefined && move !== undefined, 'a loan from a partner has a lender and a decided take');
  const group = await mustObserve(pool);
  await assertCurrent(env.ENTANGLE_LOANS_TABLE, loan);
  refuseForeign(pool, move, group);
  if (moveStatus(move, group) === 'pending') {
    const kept = group.desiredCapacity + pool.spec.reserveUnits;
    if (kept > move.toMaxSize || !group.lendingEnabled) {
      throw new LenderNeedsCapacity(
        `${pool.spec.poolId} keeps ${kept} of ${group.maxSize} units, or is no longer tagged`,
      );
    }
    await moveGroup(pool.spec, move, role);
  }
  const reservations = await (await capacityOf(snapshot, role)).lend();
  return commitStep(store, snapshot, recordTaken(snapshot, now(), reservations));
}

/** Borrower up. */
async function give(snapshot: LoanSnapshot): Promise<LoanSnapshot> {
  const { loan, borrowerPool: pool } = snapshot;
  if (loan.state === 'given' || loan.state === 'active') return snapshot;
  mustBe(snapshot, 'give', loan.kind === 'provisioned' ? 'reserved' : 'taken');
  const move = loan.moves.give;
  invariant(move !== undefined, 'a reserved loan has a decided give');
  const group = await mustObserve(pool);
  await assertCurrent(env.ENTANGLE_LOANS_TABLE, loan);
  refuseForeign(pool, move, group);
  const launchTargetArn = await (await capacityOf(snapshot, role)).admit();
  if (moveStatus(move, group) === 'pending') {
    // The owner's own scaling may have raised desired capacity since: never lower it here.
    const toDesiredCapacity = Math.max(group.desiredCapacity, move.toDesiredCapacity);
    await moveGroup(pool.spec, { ...move, fromDesiredCapacity: group.desiredCapacity, toDesiredCapacity }, role);
  }
  return commitStep(store, snapshot, recordGiven(snapshot, now(), launchTargetArn));
}

/** Borrower down, wherever the making of the loan had come to. */
async function takeBack(snapshot: LoanSnapshot, reason: ReturnReason): Promise<LoanSnapshot> {
  const { state } = snapshot.loan;
  if (state === 'requested' || state === 'draining' || state === 'reclaimed' || hasEnded(snapshot)) return snapshot;
  const pool = snapshot.borrowerPool;
  const group = await observeGroup(pool.spec, role);
  if (state !== 'returning') {
    const decided = group === undefined ? undefined : takeBackMove(pool, group, snapshot.loan);
    const begun = await commitStep(store, snapshot, beginReturn(snapshot, reason, decided, now()));
    return drainIfNeeded(await lowerBorrower(begun, group), group);
  }
  await assertCurrent(env.ENTANGLE_LOANS_TABLE, snapshot.loan);
  return drainIfNeeded(await lowerBorrower(snapshot, group), group);
}

/** Instances that do not go at once are waited for without holding the borrower's pool. */
async function drainIfNeeded(snapshot: LoanSnapshot, group: GroupObservation | undefined): Promise<LoanSnapshot> {
  const move = snapshot.loan.moves.takeBack;
  if (move === undefined || group === undefined) return snapshot;
  // Reserved capacity comes back after its instances are gone, and AWS warns those two minutes ahead.
  const isGone = group.occupiedUnits <= move.toMaxSize && snapshot.loan.lentReservation === undefined;
  return isGone ? snapshot : commitStep(store, snapshot, drain(snapshot, now()));
}

async function lowerBorrower(snapshot: LoanSnapshot, group: GroupObservation | undefined): Promise<LoanSnapshot> {
  const move = snapshot.loan.moves.takeBack;
  await (await capacityOf(snapshot, role)).dismiss();
  if (move === undefined || group === undefined || group.maxSize <= move.toMaxSize) return snapshot;
  // The owner may have raised the floor since the move was decided: below it Auto Scaling takes no desired capacity.
  const floor = Math.min(group.minSize, move.toMaxSize);
  const toDesiredCapacity = Math.min(group.desiredCapacity, Math.max(move.toDesiredCapacity, floor));
  await moveGroup(
    snapshot.borrowerPool.spec,
    {
      ...move,
      fromDesiredCapacity: group.desiredCapacity,
      toDesiredCapacity,
      ...(group.minSize > move.toMaxSize ? { toMinSize: move.toMaxSize } : {}),
    },
    role,
  );
  return snapshot;
}

/** Lender up, once the borrower's surplus instances are gone. */
async function giveBack(snapshot: LoanSnapshot): Promise<LoanSnapshot> {
  if (snapshot.loan.state === 'requested' || hasEnded(snapshot)) return snapshot;
  const { lenderPool } = snapshot;
  if (snapshot.loan.state === 'reclaimed') {
    return raiseLender(snapshot, lenderPool && (await observeGroup(lenderPool.spec, role)));
  }
  if (snapshot.loan.state !== 'draining') mustBe(snapshot, 'give-back', 'returning');
  const [borrower, lender] = await Promise.all([
    observeGroup(snapshot.borrowerPool.spec, role),
    lenderPool === undefined ? undefined : observeGroup(lenderPool.spec, role),
  ]);
  if (borrower !== undefined && borrower.occupiedUnits > borrower.maxSize) {
    const firmAt = firmAtOf(snapshot.loan);
    if (firmAt !== undefined && now() >= firmAt) {
      await assertCurrent(env.ENTANGLE_LOANS_TABLE, snapshot.loan);
      await forceScaleIn(snapshot.borrowerPool.spec, role);
    }
    throw new InstancesDraining(`${borrower.occupiedUnits} instances of ${borrower.maxSize} are still there`);
  }
  const missing = await (await capacityOf(snapshot, role)).reclaim();
  if (missing !== undefined) throw new InstancesDraining(missing);
  const decided =
    lenderPool === undefined || lender === undefined ? undefined : giveBackMove(lenderPool, lender, snapshot.loan);
  return raiseLender(await commitStep(store, snapshot, reclaim(snapshot, decided, now())), lender);
}

async function raiseLender(snapshot: LoanSnapshot, group: GroupObservation | undefined): Promise<LoanSnapshot> {
  const { lenderPool, loan } = snapshot;
  await (await capacityOf(snapshot, role)).restore();
  const move = loan.moves.giveBack;
  if (lenderPool === undefined || move === undefined || group === undefined) return snapshot;
  const status = moveStatus(move, group);
  if (status === 'foreign')
    logger.warn('the lender changed its ceiling itself; left as found', { loanId: loan.loanId });
  if (status === 'pending' && !group.lendingEnabled)
    logger.warn('the lender has taken the tag off its group; left as found', { loanId: loan.loanId });
  if (status === 'pending' && group.lendingEnabled) await moveGroup(lenderPool.spec, move, role);
  return snapshot;
}

function hasEnded(snapshot: LoanSnapshot): boolean {
  return snapshot.loan.endedAt !== undefined || hasBeen(snapshot, 'refused');
}

const stepSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('take'), snapshot: snapshotSchema }),
  z.object({ step: z.literal('give'), snapshot: snapshotSchema }),
  z.object({
    step: z.literal('take-back'),
    /** From the start of a return, where only the id is known. */
    loanId: loanIdSchema.optional(),
    snapshot: snapshotSchema.optional(),
    reason: returnReasonSchema,
  }),
  z.object({ step: z.literal('give-back'), snapshot: snapshotSchema }),
]);
type Input = z.infer<typeof stepSchema>;

/** The end of a term, of which it is not decided yet whether it is one. */
const undecidedSchema = z.object({ step: z.literal('take-back'), mayRenew: z.literal(true) });

async function startingPoint(input: Extract<Input, { step: 'take-back' }>): Promise<LoanSnapshot> {
  if (input.snapshot !== undefined) return input.snapshot;
  const loanId = input.loanId;
  const snapshot = loanId === undefined ? undefined : await store.readSnapshot(loanId);
  if (snapshot === undefined) throw new StepOutOfOrder(`loan ${String(loanId)} does not exist`);
  return snapshot;
}

async function run(input: Input): Promise<LoanSnapshot> {
  switch (input.step) {
    case 'take':
      return onFreshSnapshot(store, input.snapshot, take);
    case 'give':
      return onFreshSnapshot(store, input.snapshot, give);
    case 'take-back':
      return onFreshSnapshot(store, await startingPoint(input), (snapshot) => takeBack(snapshot, input.reason));
    case 'give-back':
      return onFreshSnapshot(store, input.snapshot, giveBack);
  }
}

export const handler = lambda(z.union([undecidedSchema, stepSchema]), async (input) => {
  if ('mayRenew' in input) throw new TermEnds('whether the term is renewed is decided before anything moves');
  return { snapshot: await run(input) };
});
