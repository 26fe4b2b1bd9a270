/** What holds of a loan whatever it moves: the same cases for ceilings and for reserved capacity, on the deployed stacks. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Fault } from '../../emulator/control.ts';
import type { Fleet } from './deployment.ts';
import { until } from './deployment.ts';
import type { FleetPool } from './lending-fleet.ts';
import { idOf } from './lending-fleet.ts';
import { booksOf, borrow, calm, ended, giveBack, loanIn, overload, trailOf } from './loan-story.ts';

/** As often as Step Functions tries a step of the borrow saga: the undoing after it finds the service well again. */
const ALL_TRIES = 5;
/** More than any step is tried. */
const ALWAYS = 60;
/** Each try of a step that fails starts a process anew, which takes seconds on a machine that is busy. */
export const UNDONE_SECONDS = 300;

export interface LentPools {
  readonly lender: FleetPool;
  readonly borrower: FleetPool;
}

/** The loan that an overload asks for, once its making was undone. */
export async function undone(fleet: Fleet, borrower: FleetPool): Promise<LoanView> {
  const since = await overload(fleet, borrower);
  return until(
    `a loan of ${borrower.groupName} was undone`,
    async () => {
      const loans = await fleet.loansOf(borrower.account);
      return loans.find(
        (loan) => loan.borrowerPoolId === idOf(borrower) && loan.requestedAt >= since && loan.endedAt !== undefined,
      );
    },
    UNDONE_SECONDS,
  );
}

/** A call that changes a group of an account fails. */
function refuseMove(accountId: string, times: number): Fault {
  return {
    service: 'autoscaling',
    action: 'UpdateAutoScalingGroup',
    accountId,
    errorCode: 'ScalingActivityInProgress',
    times,
  };
}

/** @param standing what else a loan of this kind changes for its time: the same before and after */
export function capacityContract(
  kind: LoanView['kind'],
  fleet: Fleet,
  { lender, borrower }: LentPools,
  standing: () => Promise<unknown>,
): void {
  const both = [lender, borrower];
  const everything = async () => ({ books: await booksOf(fleet, both), standing: await standing() });

  describe(`a ${kind} loan`, () => {
    beforeEach(() => calm(fleet, borrower));
    afterEach(() => fleet.control.clearFaults());

    it("lowers the lender's ceiling by what the borrower's rises, and comes back", async () => {
      const before = await everything();
      const loan = await borrow(fleet, borrower);
      expect(loan.kind).toBe(kind);
      expect((await fleet.group(idOf(lender))).maxSize).toBe(lender.sizes.maxSize - loan.units);
      expect((await fleet.group(idOf(borrower))).maxSize).toBe(borrower.sizes.maxSize + loan.units);
      const end = await giveBack(fleet, loan);
      expect(end.state).toBe('returned');
      expect(await everything()).toEqual(before);
      expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
    });

    it.each([
      ['take', lender, 'failed'],
      ['give', borrower, 'compensated'],
    ] as const)('leaves everything as before when it cannot %s', async (_step, pool, endState) => {
      const before = await everything();
      await fleet.control.addFault(refuseMove(pool.account, ALL_TRIES));
      const loan = await undone(fleet, borrower);
      expect(loan).toMatchObject({ kind, state: endState });
      expect(await everything()).toEqual(before);
      expect(await trailOf(fleet, loan)).toEqual(loan.history.map(({ state }) => `loan.${state}`));
    });

    it.each([
      ['taking back', borrower],
      ['giving back', lender],
    ] as const)('is finished by reconciling when %s fails', async (_step, pool) => {
      const before = await everything();
      const loan = await borrow(fleet, borrower);
      await fleet.control.addFault(refuseMove(pool.account, ALWAYS));
      await fleet.api(borrower.account, 'POST', `/loans/${loan.loanId}/return`);
      await loanIn(fleet, borrower, loan.requestedAt, 'returning', 'draining', 'reclaimed');
      await fleet.control.clearFaults();
      await calm(fleet, borrower);
      await fleet.invoke('reconcile', {});
      expect(await ended(fleet, borrower.account, loan.loanId)).toMatchObject({ state: 'returned' });
      expect(await everything()).toEqual(before);
    });
  });
}
