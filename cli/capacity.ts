import type { PoolCapacity } from '../core/lending/capacity.ts';
import { MILLIS_PER_HOUR } from '../core/units.ts';
import type { Output } from './commands.ts';
import type { HubApi } from './hub-api.ts';
import { UsageError } from './usage.ts';

const MILLIS_PER_MINUTE = 60_000;
/** Above this ages are told in hours. */
const MOST_MINUTES = 120;

function ageText(millis: number): string {
  const minutes = Math.max(0, Math.round(millis / MILLIS_PER_MINUTE));
  return minutes <= MOST_MINUTES ? `${minutes} min old` : `${Math.round(millis / MILLIS_PER_HOUR)} h old`;
}

/** The forecast that a pool could lend by, and how old it is. */
function forecastText({ couldLendBy, at }: PoolCapacity): string {
  if (couldLendBy === undefined) return '';
  return `, by its ${couldLendBy.by}, ${ageText(at - couldLendBy.madeAt)}`;
}

function lines(capacity: PoolCapacity): string[] {
  const { poolId, lendingUnits, couldLendUnits, couldLendReason } = capacity;
  const { borrowingUnits, couldBorrowUnits, couldBorrowReason } = capacity;
  return [
    poolId,
    `  lending ${lendingUnits}, could lend ${couldLendUnits}${forecastText(capacity)}  (${couldLendReason})`,
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
