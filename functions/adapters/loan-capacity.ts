import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { CapacityMoves } from './capacity-moves.ts';
import { nominalMoves } from './capacity-moves.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';

/** The moves of one loan. */
type LoanCapacity = { readonly [Step in keyof CapacityMoves]: () => ReturnType<CapacityMoves[Step]> };

/**
 * What a loan moves besides the ceilings. The clients for reserved capacity are large, so only the loans that need them load them.
 */
export async function capacityOf(
  { loan, lenderPool, borrowerPool }: LoanSnapshot,
  role: RoleInLinkedAccount,
): Promise<LoanCapacity> {
  const lender = lenderPool?.spec ?? borrowerPool.spec;
  const parties = { loan, lender, borrower: borrowerPool.spec };
  const physical = loan.kind === 'physical' && lenderPool !== undefined;
  const moves = physical ? (await import('./capacity-reservations.ts')).physicalMoves(role) : nominalMoves;
  return {
    lend: () => moves.lend(parties),
    admit: () => moves.admit(parties),
    dismiss: () => moves.dismiss(parties),
    reclaim: () => moves.reclaim(parties),
    restore: () => moves.restore(parties),
  };
}

/** Instances that run in what was lent, as the lender's account sees it; undefined when the loan lends no reserved capacity. */
export async function unitsInLentCapacity(
  { loan, lenderPool }: LoanSnapshot,
  role: RoleInLinkedAccount,
): Promise<number | undefined> {
  if (loan.kind !== 'physical' || lenderPool === undefined) return undefined;
  const { unitsInUse } = await import('./reservation-views.ts');
  return (await unitsInUse(loan, lenderPool.spec, role)) ?? 0;
}
