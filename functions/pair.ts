import type { ChainHead } from '../core/audit/chain.ts';
import type { PoolForecast } from '../core/forecast/pool-forecast.ts';
import { planBucket } from '../core/pairing/bucket.ts';
import type { Merge } from '../core/pairing/merge.ts';
import type { Pairing, PairingEvent } from '../core/pairing/pairing.ts';
import { trustOf } from '../core/trust/trust.ts';
import type { AccountId, EpochMillis, PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import { pairingsOf, readAccountItems, writePlan } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { pairingIdFor } from './adapters/ids.ts';
import { chainKey, consentKey, forecastKey, poolKey, usageKey } from './adapters/keys.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { publishPairingEvents } from './adapters/pairing-events.ts';
import { refreshPairing, writePairing } from './adapters/pairing-store.ts';
import { bucketInputSchema } from './adapters/schemas.ts';
import { ConditionsFailed } from './adapters/transaction.ts';
import { evidenceOf } from './adapters/trust-store.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE', 'ENTANGLE_AUDIT_TABLE', 'ENTANGLE_EVENT_BUS');
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const ACTOR = 'pair';

/** Calls to the tables at a time: enough to be quick, few enough that one account's chain is not fought for. */
const LANES = 8;

async function inLanes<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

interface Known {
  readonly trust: Readonly<Record<string, number>>;
  /** Pairings that pools of the bucket borrow by. */
  readonly existing: readonly Pairing[];
}

async function known(accounts: readonly AccountId[], poolIds: readonly PoolId[], at: EpochMillis): Promise<Known> {
  const trust: Record<string, number> = {};
  const existing: Pairing[] = [];
  const borrowers = new Set(poolIds);
  await inLanes(accounts, async (account) => {
    const [evidence, pairings] = await Promise.all([
      evidenceOf(accountsTable, account, at),
      pairingsOf(accountsTable, account),
    ]);
    trust[account] = trustOf(evidence, at).score;
    existing.push(
      ...pairings.filter(
        ({ borrowerAccountId, borrowerPoolId }) => borrowerAccountId === account && borrowers.has(borrowerPoolId),
      ),
    );
  });
  return { trust, existing };
}

/** Runs writes of one pairing. What somebody else has changed meanwhile stays: the next plan sees it. */
async function unlessChanged(pairingId: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ConditionsFailed)) throw error;
    logger.warn('a pairing changed while it was planned', { pairingId, reason: error.message });
  }
}

/** Changes of one pairing follow one another; those of different ones do not wait. */
async function writeMerge({ changes, refreshed }: Merge, heads: Map<AccountId, ChainHead>): Promise<void> {
  const byPairing = new Map<string, Merge['changes'][number][]>();
  for (const change of changes) {
    const { pairingId } = change.pairing;
    byPairing.set(pairingId, [...(byPairing.get(pairingId) ?? []), change]);
  }
  const events: PairingEvent[] = [];
  try {
    await inLanes([...byPairing], ([pairingId, course]) =>
      unlessChanged(pairingId, async () => {
        for (const change of course) {
          const { accountId } = change.audit;
          heads.set(accountId, await writePairing(change, heads.get(accountId), auditTables));
          events.push(change.event);
        }
      }),
    );
    await inLanes(refreshed, ({ pairing, expectedVersion }) =>
      unlessChanged(pairing.pairingId, () => refreshPairing(accountsTable, pairing, expectedVersion)),
    );
  } finally {
    // What was written is told, whatever came after it.
    await publishPairingEvents(env.ENTANGLE_EVENT_BUS, events);
  }
}

/**
 * Pairs the pools of one bucket: proposes pairings, takes up, pauses and ends those that there are, and writes each pool's plan: its
 * forecast, its partners with their reasons, and the refused ones with theirs.
 */
export const handler = lambda(bucketInputSchema, async ({ bucket, poolIds }) => {
  const accounts = [...new Set(poolIds.map((id) => poolIdParts(id).accountId))];
  const items = await readAccountItems(accountsTable, [
    ...poolIds.flatMap((id) => [poolKey(id), forecastKey(id)]),
    ...accounts.flatMap((account) => [consentKey(account), usageKey(account), chainKey(account)]),
  ]);
  const forecasts: Record<string, PoolForecast> = {};
  for (const id of poolIds) {
    const forecast = items.forecast(id);
    if (forecast !== undefined) forecasts[id] = forecast;
  }
  const at = now();
  const { plans, merge } = planBucket({
    pools: poolIds.flatMap((id) => items.pool(id) ?? []),
    forecasts,
    consents: Object.fromEntries(
      accounts.map((account) => {
        const consent = items.consent(account);
        return [account, { usage: items.usage(account), ...(consent === undefined ? {} : { consent }) }];
      }),
    ),
    ...(await known(accounts, poolIds, at)),
    pairingIdOf: pairingIdFor,
    actor: ACTOR,
    now: at,
  });
  // Pairings first: a plan that names a partner whose pairing is not there yet could not be borrowed by.
  const heads = accounts.flatMap((account) => {
    const head = items.head(account);
    return head === undefined ? [] : [[account, head] as const];
  });
  await writeMerge(merge, new Map(heads));
  await inLanes(plans, (plan) => writePlan(accountsTable, plan));
  return {
    bucket,
    pools: plans.length,
    pairings: plans.reduce((sum, plan) => sum + plan.partners.length, 0),
    refused: plans.reduce((sum, plan) => sum + plan.refused.length, 0),
    changes: merge.changes.length,
    churn: merge.churn,
  };
});
