import type { PoolSpec } from '../pool.ts';

export type Gate =
  | 'same-account'
  | 'instance-type'
  | 'platform'
  | 'tenancy'
  | 'storage-type'
  | 'network'
  | 'region'
  | 'consent'
  | 'headroom';

/** Why a pool is no partner of another. */
export interface GateRefusal {
  readonly gate: Gate;
  /** The field of the pool or of the consent that decides. */
  readonly field: string;
  /** For the borrower: what enrolling states of both pools, what its own consent says, of the lender's consent a code. */
  readonly detail: string;
}

const EQUAL_FIELDS = [
  ['region', 'region'],
  ['instance-type', 'instanceType'],
  ['platform', 'platform'],
  ['tenancy', 'tenancy'],
  ['storage-type', 'storageType'],
] as const;

/**
 * The first fact about two pools for which a unit of one cannot stand in for a unit of the other; undefined when it can. Pools of
 * one account need no lending: the owner moves its own ceilings.
 */
export function gateRefusal(lender: PoolSpec, borrower: PoolSpec): GateRefusal | undefined {
  if (lender.accountId === borrower.accountId) {
    const detail = `both pools belong to the account ${lender.accountId}`;
    return { gate: 'same-account', field: 'accountId', detail };
  }
  for (const [gate, field] of EQUAL_FIELDS) {
    if (lender[field] !== borrower[field]) {
      return { gate, field, detail: `the lender's ${field} is ${lender[field]}, the borrower's ${borrower[field]}` };
    }
  }
  if (lender.networkGbps < borrower.networkGbps) {
    const detail = `the lender's bandwidth is ${lender.networkGbps} Gbit/s, the borrower needs ${borrower.networkGbps}`;
    return { gate: 'network', field: 'networkGbps', detail };
  }
  return undefined;
}
