import { criticalityFrom } from '../../core/allocation/priority.ts';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import { capacityOf, couldBorrow, couldLend, requestNow } from '../../core/lending/capacity.ts';
import type { Candidate, HeldUnits } from '../../core/lending/lender-finding.ts';
import { pairingObjection } from '../../core/lending/lender-finding.ts';
import type { CountedLimit } from '../../core/lending/limits.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { LimitedPair } from '../../core/lending/pair-limits.ts';
import { roomUnits } from '../../core/lending/quota.ts';
import { stopObjection } from '../../core/lending/stops.ts';
import { latencyMillis } from '../../core/pairing/latency.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import type { GroupObservation, Pool } from '../../core/pool.ts';
import { RAISES_OWN_CEILING } from '../../core/pool.ts';
import type { PoolId } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { readAccountItems } from './account-store.ts';
import { now } from './clock.ts';
import { observeGroup } from './groups.ts';
import { pairingIdFor } from './ids.ts';
import { consentKey, outlookKey, pairingKey, planKey, poolKey, usageKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import { lenderFacts, pairingsWith } from './lender-facts.ts';
import { readLimits, readMemberships } from './limit-store.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { logger } from './middleware.ts';
import type { PriorityRules } from './priority-rules.ts';
import { tierOf } from './priority-rules.ts';
import type { QueueTables } from './queue-store.ts';
import { heldOf, requestsInQueues } from './queue-store.ts';
import { raisesOwnCeiling } from './scaling-policies.ts';
import { readStops } from './stop-store.ts';
import { vcpuQuota } from './vcpu-quota.ts';

type Observed = ReturnType<typeof observeGroup>;

/** Looks at each group once, whoever's partner it is. One that cannot be read is as if it were not there. */
class GroupsSeen {
  readonly #role: RoleInLinkedAccount;
  readonly #seen = new Map<PoolId, Observed>();
  readonly #objections = new Map<PoolId, Promise<string | undefined>>();

  constructor(role: RoleInLinkedAccount) {
    this.#role = role;
  }

  of({ spec }: Pool): Observed {
    const seen = this.#seen.get(spec.poolId);
    if (seen !== undefined) return seen;
    const observed = observeGroup(spec, this.#role).catch((error: unknown) => {
      logger.warn('a group could not be read', { poolId: spec.poolId, error: error as Error });
      return undefined;
    });
    this.#seen.set(spec.poolId, observed);
    return observed;
  }

  /** Why its capacity is not Entangle's to move; undefined where it is, or where that could not be read. */
  objection({ spec }: Pool): Promise<string | undefined> {
    const known = this.#objections.get(spec.poolId);
    if (known !== undefined) return known;
    const found = raisesOwnCeiling(spec, this.#role).then(
      (raises) => (raises ? RAISES_OWN_CEILING : undefined),
      () => undefined,
    );
    this.#objections.set(spec.poolId, found);
    return found;
  }
}

/** Where requests wait, and who of them comes first. */
export interface CapacityTables extends QueueTables {
  readonly rules: PriorityRules;
}

interface Seen {
  readonly items: AccountItems;
  readonly heldOf: (lender: PoolId, borrower: Pool, group: GroupObservation) => Promise<HeldUnits | undefined>;
  readonly roomUnits: (pool: Pool) => Promise<number>;
  readonly groups: GroupsSeen;
  readonly stoppedBy: (id: PoolId) => string | undefined;
  readonly limitsOf: (pairs: readonly LimitedPair[]) => Promise<readonly (readonly CountedLimit[])[]>;
}

/** The partners that a pool has an active pairing with, as they are now. */
async function candidatesOf(
  borrower: Pool,
  group: GroupObservation,
  pairings: Readonly<Record<string, Pairing>>,
  seen: Seen,
): Promise<Candidate[]> {
  const active = Object.keys(pairings).filter((id) => pairingObjection(pairings[id]) === undefined) as PoolId[];
  const found = await Promise.all(
    active.map(async (id): Promise<Candidate[]> => {
      const pool = seen.items.pool(id);
      if (pool === undefined) return [];
      const unavailable = seen.stoppedBy(id) ?? (await seen.groups.objection(pool));
      const [limits] = await seen.limitsOf([{ lender: pool, borrower, pairing: pairings[id] }]);
      return [
        {
          ...lenderFacts(pool, seen.items),
          group: await seen.groups.of(pool),
          limits,
          unavailable,
          held: await seen.heldOf(id, borrower, group),
        },
      ];
    }),
  );
  return found.flat();
}

async function capacity(pool: Pool, group: GroupObservation | undefined, seen: Seen): Promise<PoolCapacity> {
  const { poolId } = pool.spec;
  const { items } = seen;
  const at = now();
  const facts = lenderFacts(pool, items);
  const stopped = seen.stoppedBy(poolId) ?? (await seen.groups.objection(pool));
  const [limits] = await seen.limitsOf([{ lender: pool, borrower: pool }]);
  const lend = couldLend({ ...facts, group, limits, stopped, now: at });
  if (group === undefined) {
    return capacityOf(pool, lend, { units: 0, reason: 'its Auto Scaling group could not be read' }, at);
  }
  const partners = items.plan(poolId)?.partners ?? [];
  const lenders = partners.map(({ lenderPoolId }) => lenderPoolId);
  const pairings = pairingsWith(pool.spec, lenders, items);
  const borrow = couldBorrow(
    {
      borrowerPool: pool,
      borrowerGroup: group,
      borrowerConsent: facts.consent,
      borrowerUsage: facts.usage,
      borrowerTrust: facts.trust,
      partners,
      pairings,
      candidates: await candidatesOf(pool, group, pairings, seen),
      now: at,
      latencyMillis,
    },
    stopped,
    await seen.roomUnits(pool),
  );
  return capacityOf(pool, lend, borrow, at);
}

/** As a request of the pool would be ranked now. The queue of a lender is read once, however many may borrow from it. */
function heldWith({ rules, ...tables }: CapacityTables): Seen['heldOf'] {
  const queues = new Map<PoolId, Promise<Loan[]>>();
  return (lender, borrower, group) => {
    const queued = queues.get(lender) ?? requestsInQueues([lender], tables);
    queues.set(lender, queued);
    const standing = {
      slaTier: tierOf(rules, borrower.spec.accountId, group.slaTierTag),
      criticality: criticalityFrom(group.criticalityTag),
    };
    return heldOf(lender, requestNow(borrower, group, now(), standing), rules.order, tables, queued);
  };
}

function roomWith(role: RoleInLinkedAccount): Seen['roomUnits'] {
  return async ({ spec }) => {
    try {
      return roomUnits(spec, await vcpuQuota(spec, now(), role));
    } catch (error) {
      logger.warn('a vCPU quota could not be read', { poolId: spec.poolId, error: error as Error });
      return Number.POSITIVE_INFINITY;
    }
  };
}

/**
 * What pools lend, borrow, and could lend and borrow now. Looks at their groups and at those of their partners, each once.
 * @returns in the order of `ids`; pools that are not enrolled are left out
 */
export async function readCapacities(
  tables: CapacityTables,
  ids: readonly PoolId[],
  role: RoleInLinkedAccount,
): Promise<PoolCapacity[]> {
  const { accountsTable: table } = tables;
  const own = await readAccountItems(
    table,
    ids.flatMap((id) => [poolKey(id), planKey(id)]),
  );
  const partnersOf = (id: PoolId) => (own.plan(id)?.partners ?? []).map(({ lenderPoolId }) => lenderPoolId);
  const pools = [...new Set(ids.flatMap((id) => [id, ...partnersOf(id)]))];
  const accounts = [...new Set(pools.map((id) => poolIdParts(id).accountId))];
  const [items, stops, memberships] = await Promise.all([
    readAccountItems(table, [
      ...pools.flatMap((id) => [poolKey(id), planKey(id), outlookKey(id)]),
      ...accounts.flatMap((account) => [consentKey(account), usageKey(account)]),
      ...ids.flatMap((id) =>
        partnersOf(id).map((partner) => pairingKey(poolIdParts(id).accountId, pairingIdFor(partner, id))),
      ),
    ]),
    readStops(table, accounts),
    readMemberships(table, accounts),
  ]);
  const stoppedBy = (id: PoolId) => {
    const { accountId } = poolIdParts(id);
    return stopObjection(accountId, stops.of(accountId));
  };
  const limitsOf = (pairs: readonly LimitedPair[]) => readLimits(table, pairs, memberships, now());
  const groups = new GroupsSeen(role);
  const seen: Seen = { items, groups, stoppedBy, limitsOf, heldOf: heldWith(tables), roomUnits: roomWith(role) };
  const found = new Map<PoolId, PoolCapacity>();
  await inLanes(ids, async (id) => {
    const pool = items.pool(id);
    if (pool !== undefined) found.set(id, await capacity(pool, await seen.groups.of(pool), seen));
  });
  return ids.flatMap((id) => found.get(id) ?? []);
}
