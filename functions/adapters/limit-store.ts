import { utcMonth } from '../../core/calendar.ts';
import type { CountedLimit, LimitedNode, NodeUsage } from '../../core/lending/limits.ts';
import type { LimitedPair, Membership, Memberships } from '../../core/lending/pair-limits.ts';
import { limitsOfPair, usageOfLimit } from '../../core/lending/pair-limits.ts';
import type { LoanDirection } from '../../core/unit-limits.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { batchGet, readAccountItems } from './account-store.ts';

/** What is used of limits beside the consents': an item for each node that is limited, and none for any other. */

type Item = Readonly<Record<string, unknown>>;

/** Partitions of organisation units: one for each, so that no item is everybody's. */
const UNIT_PREFIX = 'UNIT#';
const ORGANISATION_ITEM = 'ORGANISATION';

/** Where the use of a limit is counted: a pool's and a pairing's side under its account, a unit's under its own key. */
export function limitKey(node: LimitedNode): { readonly accountId: string; readonly item: string } {
  switch (node.kind) {
    case 'pool': {
      const { accountId, region, groupName } = poolIdParts(node.poolId);
      return { accountId, item: `LIMIT#POOL#${region}#${groupName}` };
    }
    case 'pairing':
      return { accountId: node.accountId, item: `LIMIT#${node.pairingId}` };
    case 'organisation-unit':
      return { accountId: `${UNIT_PREFIX}${node.name}`, item: 'LIMIT' };
  }
}

/** Where the units above an account stand. */
export const organisationKey = (accountId: AccountId) => ({ accountId, item: ORGANISATION_ITEM });

/** The organisation units above accounts, among items that were read by `organisationKey`; accounts in none are not in it. */
export function membershipsAmong(items: Pick<AccountItems, 'other'>, accounts: readonly AccountId[]): Memberships {
  return new Map(
    accounts.flatMap((account) => {
      const { unitsAbove, statedBy } = (items.other(organisationKey(account)) ?? {}) as unknown as Partial<Membership>;
      if (unitsAbove === undefined || statedBy === undefined) return [];
      return [[account, { unitsAbove, statedBy }] as const];
    }),
  );
}

/** Reads the organisation units above accounts. */
export async function readMemberships(table: string, accounts: readonly AccountId[]): Promise<Memberships> {
  return membershipsAmong(await readAccountItems(table, accounts.map(organisationKey)), accounts);
}

function usageIn(item: Item | undefined, direction: LoanDirection, month: string): NodeUsage {
  const units = item?.[direction === 'lend' ? 'lentUnits' : 'borrowedUnits'];
  return { units: Number(units ?? 0), unitSeconds: Number(item?.[`${direction}#${month}`] ?? 0) };
}

/**
 * The limits beside the consents' that a loan of each pair counts against, with what is used of them. Where nothing is limited nothing is
 * read.
 * @returns in the order of `pairs`
 */
export async function readLimits(
  table: string,
  pairs: readonly LimitedPair[],
  memberships: Memberships,
  at: EpochMillis,
): Promise<CountedLimit[][]> {
  const uncounted = pairs.map((pair) => limitsOfPair(pair, memberships));
  const textOf = (key: Item): string => `${String(key['accountId'])} ${String(key['item'])}`;
  const keys = new Map(uncounted.flat().map(({ node }) => [textOf(limitKey(node)), limitKey(node)]));
  const read = keys.size === 0 ? [] : await batchGet(table, [...keys.values()]);
  const items = new Map(read.map((item) => [textOf(item), item]));
  const month = utcMonth(at);
  return pairs.map((pair, index) =>
    (uncounted[index] ?? []).map((limit) => {
      const counted = usageIn(items.get(textOf(limitKey(limit.node))), limit.direction, month);
      return { ...limit, usage: usageOfLimit(limit, counted, pair) };
    }),
  );
}
