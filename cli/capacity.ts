import type { PoolCapacity } from '../core/lending/capacity.ts';
import type { Output } from './commands.ts';
import type { HubApi } from './hub-api.ts';
import { UsageError } from './usage.ts';

function lines({
  poolId,
  lendingUnits,
  couldLendUnits,
  couldLendReason,
  borrowingUnits,
  couldBorrowUnits,
  couldBorrowReason,
}: PoolCapacity): string[] {
  return [
    poolId,
    `  lending ${lendingUnits}, could lend ${couldLendUnits}  (${couldLendReason})`,
    `  borrowing ${borrowingUnits}, could borrow ${couldBorrowUnits}  (${couldBorrowReason})`,
  ];
}

/** `entangle capacity`: what the account's pools lend and borrow, and could, in units. */
export async function capacity(api: HubApi, args: readonly string[]): Promise<Output> {
  const [poolId, ...rest] = args;
  if (rest.length > 0) throw new UsageError('expected: entangle capacity [POOL]');
  const capacities = await api.capacities(poolId);
  return { json: { capacities }, text: capacities.flatMap(lines).join('\n') || 'no pools' };
}
