import type { PairingId } from '../../core/pairing/pairing.ts';
import type { AccountId, EpochMillis, PoolId } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';

/** Key of any item of the accounts table: not all are an account's. docs/data-model.md lists the access patterns. */
export interface ItemKey {
  readonly accountId: string;
  readonly item: string;
}

/** Everything of one account stands under one partition key. */
export interface AccountKey extends ItemKey {
  readonly accountId: AccountId;
}

/** Items of the organisation as a whole: no account has this id. */
export const wholeKey = (item: 'SWITCH' | 'UNITS' | 'HARM'): ItemKey => ({ accountId: 'ORGANISATION', item });

function pooled(prefix: 'POOL' | 'EVENTS' | 'FORECAST' | 'PLAN' | 'OUTLOOK' | 'QUEUED', poolId: PoolId): AccountKey {
  const { accountId, region, groupName } = poolIdParts(poolId);
  return { accountId, item: `${prefix}#${region}#${groupName}` };
}

export const poolKey = (poolId: PoolId): AccountKey => pooled('POOL', poolId);
export const eventsKey = (poolId: PoolId): AccountKey => pooled('EVENTS', poolId);
export const forecastKey = (poolId: PoolId): AccountKey => pooled('FORECAST', poolId);
export const planKey = (poolId: PoolId): AccountKey => pooled('PLAN', poolId);
export const outlookKey = (poolId: PoolId): AccountKey => pooled('OUTLOOK', poolId);
/** How often the queue of a lender's pool was entered. */
export const queuedKey = (lender: PoolId): AccountKey => pooled('QUEUED', lender);
export const consentKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'CONSENT' });
export const usageKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'USAGE' });
export const chainKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'CHAIN' });

/** Up to where the account's chain has been audited. */
export const auditedKey = (accountId: AccountId): AccountKey => ({ accountId, item: 'AUDITED' });

/** One version of a consent; never changed once written. */
export const consentVersionKey = (accountId: AccountId, version: number): AccountKey => ({
  accountId,
  item: `CONSENT#${String(version).padStart(6, '0')}`,
});

/** That a request was refused of which there is no loan: its step may be repeated, and is on record once. */
export const refusalKey = (accountId: AccountId, loanId: string): AccountKey => ({
  accountId,
  item: `REFUSAL#${loanId}`,
});

/** A pairing stands under both of its accounts: each reads its own partition only. */
export const pairingKey = (accountId: AccountId, pairingId: PairingId): AccountKey => ({
  accountId,
  item: `PAIRING#${pairingId}`,
});

/** The state of a pairing alone, under its borrower's account: a loan is conditional on it, and a check is billed by the size of its item. */
export const pairingStateKey = (borrower: AccountId, pairingId: PairingId): AccountKey => ({
  accountId: borrower,
  item: `PAIRSTATE#${pairingId}`,
});

/** Partitions of what the predictions of buckets came to: one for each, so that no item is everybody's. */
export const RELIABILITY_PREFIX = 'BUCKET#';

export const reliabilityKey = (bucket: string): ItemKey => ({
  accountId: `${RELIABILITY_PREFIX}${bucket}`,
  item: 'RELIABILITY',
});

const EPOCH_MILLIS_DIGITS = 15;

/** Partitions of events that are still to be put on the bus: apart from the accounts' own, so that removing from them can be allowed alone. */
export const OUTBOX_PREFIX = 'OUTBOX#';

/** Where an event waits to be put on the bus, under the account whose change it tells of; without an id: where those from a moment on begin. */
export const outboxKey = (account: AccountId, at: EpochMillis, eventId = ''): ItemKey => ({
  accountId: `${OUTBOX_PREFIX}${account}`,
  item: `EVENT#${String(at).padStart(EPOCH_MILLIS_DIGITS, '0')}#${eventId}`,
});

/** Partitions of who waits for a lender's pool: apart from the accounts' own, so that removing from them can be allowed alone. */
export const QUEUE_PREFIX = 'QUEUE#';

/** That a request waits for a pool; without a loan: where those that do begin. */
export const queueKey = (lender: PoolId, loanId = ''): ItemKey => ({
  accountId: `${QUEUE_PREFIX}${lender}`,
  item: `REQUEST#${loanId}`,
});

/** Where evidence of an account begins that is from a moment on; the id of a piece of evidence follows it. */
export const evidenceItem = (at: EpochMillis, evidenceId = ''): string =>
  `EVIDENCE#${String(at).padStart(EPOCH_MILLIS_DIGITS, '0')}#${evidenceId}`;

/** Pools that can be compatible at all share a bucket: region and instance family. Planning fans out over buckets. */
export function bucketOf(region: string, instanceType: string): string {
  return `${region}#${instanceType.split('.')[0] ?? instanceType}`;
}
