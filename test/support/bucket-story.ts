/** Buckets that are planned again and again, each plan on what the one before left in the store. */
import type { Consent, ConsentUsage } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import type { BucketInput, BucketPlan } from '../../core/pairing/bucket.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import { pairingIdOf } from '../../core/pairing/pairing.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { accountId } from '../../core/units.ts';
import { consentOf, NOW, planOf, poolOf } from './fixtures.ts';
import { sha256Hex } from './memory-store.ts';

/** The n-th account of a bucket, from 0. */
export function bucketAccount(index: number): AccountId {
  return accountId(String(index + 1).padStart(12, '1'));
}

/** What a bucket holds: one pool of ten units an account. */
export interface BucketScene {
  /** Needed units by slot, one list a pool. */
  readonly needs: readonly (readonly number[])[];
  /** By account; others consent to everything. */
  readonly consents?: Readonly<Record<number, Consent>>;
  readonly usages?: Readonly<Record<number, ConsentUsage>>;
  readonly creditStrength?: number;
  readonly existing?: readonly Pairing[];
  readonly now?: EpochMillis;
}

export function bucketOf(scene: BucketScene): BucketInput {
  const { needs, consents = {}, usages = {}, creditStrength, existing = [], now = NOW } = scene;
  const pools = needs.map((_, index) => poolOf(bucketAccount(index)));
  return {
    pools,
    forecasts: Object.fromEntries(
      pools.map(({ spec }, index) => [spec.poolId, planOf(spec.poolId, needs[index] ?? [], { startMillis: now })]),
    ),
    consents: Object.fromEntries(
      pools.map(({ spec: { accountId: account } }, index) => [
        account,
        { consent: consents[index] ?? consentOf(account), usage: usages[index] ?? emptyUsage(account) },
      ]),
    ),
    ...(creditStrength === undefined ? {} : { creditStrength }),
    existing,
    pairingIdOf: (lender, borrower) => pairingIdOf(lender, borrower, sha256Hex),
    actor: 'pair',
    now,
  };
}

/** What a store holds once a plan is written. */
export function storedAfter(existing: readonly Pairing[], { merge }: BucketPlan): Pairing[] {
  const stored = new Map(existing.map((pairing) => [pairing.pairingId, pairing]));
  for (const { pairing, expectedVersion } of [...merge.changes, ...merge.refreshed]) {
    if (stored.get(pairing.pairingId)?.version !== expectedVersion) {
      throw new Error(`pairing ${pairing.pairingId} is not at version ${expectedVersion}`);
    }
    stored.set(pairing.pairingId, pairing);
  }
  return [...stored.values()];
}
