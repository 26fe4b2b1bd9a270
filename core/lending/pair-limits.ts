/** Which limits beside those of consents a loan between two pools counts against. */
import type { UnitAbove } from '../organisation.ts';
import { unitsCrossed } from '../organisation.ts';
import type { Pairing } from '../pairing/pairing.ts';
import type { Pool } from '../pool.ts';
import type { LoanDirection, UnitLimit } from '../unit-limits.ts';
import type { AccountId } from '../units.ts';
import type { AppliedLimit, LimitedNode, NodeUsage } from './limits.ts';

/** The organisation units above an account, the nearest first, and who stated their limits. */
export interface Membership {
  readonly unitsAbove: readonly UnitAbove[];
  readonly statedBy: AccountId;
}

/** Accounts that are in no unit are not in it. */
export type Memberships = ReadonlyMap<AccountId, Membership>;

/** Two pools that may come to lend to each other, and their pairing. */
export interface LimitedPair {
  readonly lender: Pool;
  readonly borrower: Pool;
  readonly pairing?: Pick<Pairing, 'pairingId' | 'limits'> | undefined;
}

function limitsOfSide(direction: LoanDirection, pair: LimitedPair, memberships: Memberships): AppliedLimit[] {
  const [own, other] = direction === 'lend' ? [pair.lender, pair.borrower] : [pair.borrower, pair.lender];
  const { accountId, poolId, limits } = own.spec;
  const found: AppliedLimit[] = [];
  const add = (node: LimitedNode, limit: UnitLimit | undefined, ownerAccountId: AccountId): void => {
    if (limit !== undefined) found.push({ node, direction, limit, ownerAccountId });
  };
  add({ kind: 'pool', poolId }, limits?.[direction], accountId);
  const stated = pair.pairing?.limits?.find((limit) => limit.accountId === accountId);
  if (pair.pairing !== undefined && stated !== undefined) {
    const { accountId: _side, ...limit } = stated;
    add({ kind: 'pairing', pairingId: pair.pairing.pairingId, accountId }, limit, accountId);
  }
  const [membership, others] = [memberships.get(accountId), memberships.get(other.spec.accountId)];
  for (const { name, limits: ofUnit } of unitsCrossed(membership?.unitsAbove ?? [], others?.unitsAbove ?? [])) {
    add({ kind: 'organisation-unit', name }, ofUnit?.[direction], membership?.statedBy ?? accountId);
  }
  return found;
}

/** The limits of both sides: of the pools, of the pairing, and of each organisation unit that the loan leaves or enters. */
export function limitsOfPair(pair: LimitedPair, memberships: Memberships): AppliedLimit[] {
  return [...limitsOfSide('lend', pair, memberships), ...limitsOfSide('borrow', pair, memberships)];
}

/** A pool knows what it has lent and borrowed itself: also what it had before a limit was stated, and nothing was counted. */
export function usageOfLimit(applied: AppliedLimit, counted: NodeUsage, { lender, borrower }: LimitedPair): NodeUsage {
  if (applied.node.kind !== 'pool') return counted;
  const inPool = applied.direction === 'lend' ? lender.lentUnits : borrower.borrowedUnits;
  return { ...counted, units: Math.max(counted.units, inPool) };
}
