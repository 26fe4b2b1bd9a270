import type { AuditEvent } from './audit/chain.ts';
import type { GroupObservation, Pool, PoolSpec } from './pool.ts';
import type { EpochMillis } from './units.ts';
import { invariant } from './units.ts';

/**
 * Enrols a group, or changes what is stated of it. The owner's ceiling is what the group has now, without what loans have
 * added to it or taken from it.
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
  const pool: Pool = {
    ...previous,
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
