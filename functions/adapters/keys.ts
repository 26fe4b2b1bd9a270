import type { PairingId } from '../../core/pairing/pairing.ts';
import type { AccountId, EpochMillis, PoolId } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';

/** Keys of the accounts table: everything of one account under one partition key. docs/data-model.md lists the access patterns. */
export interface AccountKey {
  readonly accountId: AccountId;
  readonly item: string;
}

function pooled(prefix: 'POOL' | 'EVENTS' | 'FORECAST' | 'PLAN', poolId: PoolId): AccountKey {
  const { accountId, region, groupName } = poolIdParts(poolId);
  return { accountId, item: `${prefix}#${region}#${groupName}` };
}

export const poolKey = (poolId: PoolId): AccountKey => pooled('POOL', poolId);
export const eventsKey = (poolId: PoolId): AccountKey => pooled('EVENTS', poolId);
export const forecastKey = (poolId: PoolId): AccountKey => pooled('FORECAST', poolId);
export const planKey = (poolId: PoolId): AccountKey => pooled('PLAN', poolId);
export const consentKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'CONSENT' });
export const usageKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'USAGE' });
export const chainKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'CHAIN' });

/** One version of a consent; never changed once written. */
export const consentVersionKey = (accountId: AccountId, version: number): AccountKey => ({
  accountId,
  item: `CONSENT#${String(version).padStart(6, '0')}`,
});

/** A pairing stands under both of its accounts: each reads its own partition only. */
export const pairingKey = (accountId: AccountId, pairingId: PairingId): AccountKey => ({
  accountId,
  item: `PAIRING#${pairingId}`,
});

const EPOCH_MILLIS_DIGITS = 15;

/** Where evidence of an account begins that is from a moment on; the id of a piece of evidence follows it. */
export const evidenceItem = (at: EpochMillis, evidenceId = ''): string =>
  `EVIDENCE#${String(at).padStart(EPOCH_MILLIS_DIGITS, '0')}#${evidenceId}`;

/** Pools that can be compatible at all share a bucket: region and instance family. Planning fans out over buckets. */
export function bucketOf(region: string, instanceType: string): string {
  return `${region}#${instanceType.split('.')[0] ?? instanceType}`;
}
