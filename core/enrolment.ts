import type { AuditEvent } from './audit/chain.ts';
import type { GroupObservation, Pool, PoolSpec } from './pool.ts';
import { RAISES_OWN_CEILING } from './pool.ts';
import type { EpochMillis } from './units.ts';
import { invariant } from './units.ts';

/**
 * Enrols a group, or changes what is stated of it. The owner's ceiling is what the group has now, without what loans have
 * added to it or taken from it. A group whose own scaling raises it is not enrolled: who enrols has looked.
 */
export function enrol(
  previous: Pool | undefined,
  spec: PoolSpec,
  group: GroupObservation,
  actor: string,
  at: EpochMillis,
): { readonly pool: Pool; readonly audit: AuditEvent } {
  const lentUnits = previous?.lentUnits ?? 0;
  const borrowedUnits = previous?.borrowedUnits ?? 0;
  const provisionedUnits = previous?.provisionedUnits ?? 0;
  const ownedUnits = group.maxSize + lentUnits - borrowedUnits - provisionedUnits;
  invariant(ownedUnits >= 0, `the owner's ceiling of ${spec.poolId} is not negative`);
  const { raisesOwnCeiling: _looked, ...kept }: Partial<Pool> = previous ?? {};
  const pool: Pool = {
    ...kept,
    spec,
    ownedUnits,
    lentUnits,
    borrowedUnits,
    provisionedUnits,
    ...(previous?.ceilingDriftUnits === undefined ? {} : { ceilingDriftUnits: 0 }),
    version: (previous?.version ?? 0) + 1,
  };
  const type = previous === undefined ? 'pool.enrolled' : 'pool.changed';
  return { pool, audit: { accountId: spec.accountId, type, at, subject: spec.poolId, actor, detail: { ownedUnits } } };
}

/**
 * Notes whether the group of an enrolled pool has a scaling policy that raises its own ceiling: with one it is paired with nobody.
 * @param actor name of the function that saw it
 * @returns undefined when that was known
 */
export function noteCeiling(
  pool: Pool,
  raisesOwnCeiling: boolean,
  actor: string,
  at: EpochMillis,
): { readonly pool: Pool; readonly audit: AuditEvent } | undefined {
  const { raisesOwnCeiling: before, ...kept } = pool;
  if ((before === true) === raisesOwnCeiling) return undefined;
  const { poolId, accountId } = pool.spec;
  const type = raisesOwnCeiling ? 'pool.ceiling-not-fixed' : 'pool.ceiling-fixed';
  return {
    pool: { ...kept, ...(raisesOwnCeiling ? { raisesOwnCeiling } : {}), version: pool.version + 1 },
    audit: {
      accountId,
      type,
      at,
      subject: poolId,
      actor,
      detail: raisesOwnCeiling ? { reason: RAISES_OWN_CEILING } : {},
    },
  };
}
