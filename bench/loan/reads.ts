/** Which items the functions read for a loan. The log of calls has no bodies, so this follows the functions' code. */
import type { Loan } from '../../core/lending/loan.ts';
import { poolIdParts } from '../../core/units.ts';
import { pairingIdFor } from '../../functions/adapters/ids.ts';
import {
  chainKey,
  consentKey,
  outlookKey,
  pairingKey,
  planKey,
  poolKey,
  queuedKey,
  usageKey,
} from '../../functions/adapters/keys.ts';
import { organisationKey } from '../../functions/adapters/limit-store.ts';
import type { FunctionName } from '../../infra/names.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { idOf } from '../../test/support/lending-fleet.ts';

/** What one BatchGetItem reads. */
export interface BatchRead {
  readonly table: 'accounts' | 'loans';
  readonly keys: readonly object[];
}

const switchKey = (accountId: string) => ({ accountId, item: 'SWITCH' });

function choiceReads(borrower: FleetPool, lenders: readonly FleetPool[]): BatchRead[] {
  const pools = [borrower, ...lenders];
  const accounts = pools.map(({ account }) => account);
  const facts = pools.flatMap((pool) => [
    poolKey(idOf(pool)),
    planKey(idOf(pool)),
    consentKey(pool.account),
    usageKey(pool.account),
    chainKey(pool.account),
  ]);
  const ofLenders = lenders.flatMap((pool) => [
    outlookKey(idOf(pool)),
    queuedKey(idOf(pool)),
    pairingKey(borrower.account, pairingIdFor(idOf(pool), idOf(borrower))),
  ]);
  const ofAll = [...accounts, 'ORGANISATION'].map(switchKey);
  return [{ table: 'accounts', keys: [...facts, ...ofLenders, ...ofAll, ...accounts.map(organisationKey)] }];
}

/**
 * The batches that a function reads for a loan, in its order.
 * @param pools the borrower's first, then those of its lenders
 * @throws Error when there is no borrower
 */
export function batchReadsOf(
  by: FunctionName,
  [borrower, ...lenders]: readonly FleetPool[],
  { loanId }: Pick<Loan, 'loanId'>,
): BatchRead[] {
  if (borrower === undefined) throw new Error('a loan has a borrower');
  const own = idOf(borrower);
  const { accountId } = poolIdParts(own);
  const loan: BatchRead = { table: 'loans', keys: [{ loanId }] };
  const parties = [borrower, ...lenders].flatMap((pool) => [poolKey(idOf(pool)), chainKey(pool.account)]);
  switch (by) {
    case 'assess':
      return [
        {
          table: 'accounts',
          keys: [
            poolKey(own),
            consentKey(accountId),
            usageKey(accountId),
            planKey(own),
            outlookKey(own),
            chainKey(accountId),
          ],
        },
      ];
    case 'choose':
      return choiceReads(borrower, lenders);
    case 'move-ceiling':
      return [loan];
    case 'on-recovery':
      return [loan, { table: 'accounts', keys: parties }];
    case 'serve-queue':
      return [{ table: 'accounts', keys: [borrower, ...lenders].map((pool) => queuedKey(idOf(pool))) }];
    default:
      return [{ table: 'accounts', keys: parties }];
  }
}
