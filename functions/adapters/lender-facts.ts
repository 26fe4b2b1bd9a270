import type { LenderFacts } from '../../core/lending/lender-finding.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import type { Pool, PoolSpec } from '../../core/pool.ts';
import type { PoolId } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { pairingIdFor } from './ids.ts';

/** What is stored of a pool that may lend. */
export function lenderFacts(pool: Pool, items: AccountItems): LenderFacts {
  const { accountId, poolId } = pool.spec;
  const plan = items.plan(poolId);
  return {
    pool,
    consent: items.consent(accountId),
    usage: items.usage(accountId),
    plan: plan?.forecast,
    outlook: items.outlook(poolId),
    trust: plan?.trust,
  };
}

/** The pairings of a borrower's pool with its partners that were read, by the lender's pool. */
export function pairingsWith(
  { accountId, poolId }: Pick<PoolSpec, 'accountId' | 'poolId'>,
  partners: readonly PoolId[],
  items: AccountItems,
): Record<string, Pairing> {
  return Object.fromEntries(
    partners.flatMap((id) => {
      const pairing = items.pairing(accountId, pairingIdFor(id, poolId));
      return pairing === undefined ? [] : [[id, pairing] as const];
    }),
  );
}
