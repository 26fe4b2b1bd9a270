import type { ChainHead } from '../core/audit/chain.ts';
import type { PoolForecast } from '../core/forecast/pool-forecast.ts';
import { planBucket } from '../core/pairing/bucket.ts';
import type { Merge } from '../core/pairing/merge.ts';
import type { Pairing, PairingChange } from '../core/pairing/pairing.ts';
import { isOpenPairing } from '../core/pairing/pairing.ts';
import { bucketOfPart } from '../core/pairing/parts.ts';
import type { BucketReliability, PairPrediction } from '../core/pairing/verdicts.ts';
import { awaiting, calibrationFor, predictionsOf, takesPredictions } from '../core/pairing/verdicts.ts';
import type { Pool } from '../core/pool.ts';
import { trustOf } from '../core/trust/trust.ts';
import type { AccountId, EpochMillis, PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import { pairingsOf, readAccountItems, writePlan } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { pairingIdFor } from './adapters/ids.ts';
import { bucketOf, chainKey, consentKey, forecastKey, poolKey, usageKey } from './adapters/keys.ts';
import { inLanes } from './adapters/lanes.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { publishPairingEvents } from './adapters/pairing-events.ts';
import { refreshPairing, writePairing } from './adapters/pairing-store.ts';
import { readPartPools } from './adapters/plan-store.ts';
import { readReliability, writePredictions, writeReliability } from './adapters/reliability-store.ts';
import { partInputSchema } from './adapters/schemas.ts';
import { ConditionsFailed } from './adapters/transaction.ts';
import { evidenceOf } from './adapters/trust-store.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_AUDIT_TABLE',
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_HISTORY_BUCKET',
  'ENTANGLE_CREDIT_STRENGTH',
);
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const ACTOR = 'pair';

interface Known {
  readonly trust: Readonly<Record<string, number>>;
  /** Pairings that pools of the bucket borrow by. */
  readonly existing: readonly Pairing[];
  /** By pool: open pairings in which pools of the bucket lend to pools of other parts of it. */
  readonly lentElsewhere: Readonly<Record<string, number>>;
}

async function known(accounts: readonly AccountId[], poolIds: readonly PoolId[], at: EpochMillis): Promise<Known> {
  const trust: Record<string, number> = {};
  const existing: Pairing[] = [];
  const lentElsewhere: Record<string, number> = {};
  const own = new Set(poolIds);
  await inLanes(accounts, async (account) => {
    const [evidence, pairings] = await Promise.all([
      evidenceOf(accountsTable, account, at),
      pairingsOf(accountsTable, account),
    ]);
    trust[account] = trustOf(evidence, at).score;
    for (const pairing of pairings) {
      const { borrowerAccountId, borrowerPoolId, lenderAccountId, lenderPoolId } = pairing;
      if (borrowerAccountId === account && own.has(borrowerPoolId)) existing.push(pairing);
      if (lenderAccountId !== account || !own.has(lenderPoolId) || own.has(borrowerPoolId)) continue;
      if (isOpenPairing(pairing)) lentElsewhere[lenderPoolId] = (lentElsewhere[lenderPoolId] ?? 0) + 1;
    }
  });
  return { trust, existing, lentElsewhere };
}

/** Lenders of other parts of a bucket that pools of this one have open pairings with. */
function guestsOf(existing: readonly Pairing[], poolIds: readonly PoolId[]): PoolId[] {
  const own = new Set(poolIds);
  const lenders = existing.filter(isOpenPairing).map(({ lenderPoolId }) => lenderPoolId);
  return [...new Set(lenders)].filter((id) => !own.has(id));
}

/** Trust in the accounts of guests: what they borrow by is planned elsewhere. */
async function trustIn(accounts: readonly AccountId[], at: EpochMillis): Promise<Record<string, number>> {
  const trust: Record<string, number> = {};
  await inLanes(accounts, async (account) => {
    trust[account] = trustOf(await evidenceOf(accountsTable, account, at), at).score;
  });
  return trust;
}

const accountsOf = (poolIds: readonly PoolId[]): AccountId[] => [
  ...new Set(poolIds.map((id) => poolIdParts(id).accountId)),
];

/** Runs writes of one pairing. What somebody else has changed meanwhile stays: the next plan sees it. */
async function unlessChanged(pairingId: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ConditionsFailed)) throw error;
    logger.warn('a pairing changed while it was planned', { pairingId, reason: error.message });
  }
}

function partiesOf({ pairing }: PairingChange): AccountId[] {
  return [...new Set([pairing.lenderAccountId, pairing.borrowerAccountId])];
}

/** Changes of one pairing follow one another; those of different ones do not wait. */
async function writeMerge({ changes, refreshed }: Merge, heads: Map<AccountId, ChainHead>): Promise<void> {
  const byPairing = new Map<string, Merge['changes'][number][]>();
  for (const change of changes) {
    const { pairingId } = change.pairing;
    byPairing.set(pairingId, [...(byPairing.get(pairingId) ?? []), change]);
  }
  const written: PairingChange[] = [];
  try {
    await inLanes(
      [...byPairing],
      ([pairingId, course]) =>
        unlessChanged(pairingId, async () => {
          for (const change of course) {
            const parties = partiesOf(change).flatMap((account) => {
              const head = heads.get(account);
              return head === undefined ? [] : [[account, head] as const];
            });
            const moved = await writePairing(change, Object.fromEntries(parties), auditTables);
            for (const [account, head] of Object.entries(moved)) heads.set(account as AccountId, head);
            written.push(change);
          }
        }),
      // All of them append to the chains of both accounts.
      ([, course]) => course.slice(0, 1).flatMap(partiesOf),
    );
    await inLanes(refreshed, ({ pairing, expectedVersion }) =>
      unlessChanged(pairing.pairingId, () => refreshPairing(accountsTable, pairing, expectedVersion)),
    );
  } finally {
    // What was written is told, whatever came after it.
    await publishPairingEvents(written, { accountsTable, busName: env.ENTANGLE_EVENT_BUS });
  }
}

/** Keeps what a plan expects of its pairings until it can be judged. The plan stands without it. */
async function keepPredictions(
  bucket: string,
  before: BucketReliability,
  pairs: readonly PairPrediction[],
  at: EpochMillis,
): Promise<void> {
  const predictions = predictionsOf(pairs, at);
  if (predictions === undefined || !takesPredictions(before, at)) return;
  try {
    await writePredictions(env.ENTANGLE_HISTORY_BUCKET, bucket, predictions);
    const isWritten = await writeReliability(accountsTable, bucket, awaiting(before, predictions));
    if (!isWritten) logger.info('another run keeps its predictions', { bucket });
  } catch (error) {
    logger.error('predictions not kept', { bucket, error: error instanceof Error ? error : String(error) });
  }
}

/**
 * Pairs the pools of one bucket, or of a part of one: proposes pairings, takes up, pauses and ends those that there are, and writes each pool's plan: its
 * forecast, its partners with their reasons, and the refused ones with theirs.
 */
export const handler = lambda(partInputSchema, async ({ bucket, poolsKey }) => {
  const at = now();
  const poolIds = await readPartPools(env.ENTANGLE_HISTORY_BUCKET, poolsKey);
  const own = accountsOf(poolIds);
  const { trust, ...stored } = await known(own, poolIds, at);
  const guestIds = guestsOf(stored.existing, poolIds);
  const all = [...poolIds, ...guestIds];
  const accounts = accountsOf(all);
  const items = await readAccountItems(accountsTable, [
    ...all.flatMap((id) => [poolKey(id), forecastKey(id)]),
    ...accounts.flatMap((account) => [consentKey(account), usageKey(account), chainKey(account)]),
  ]);
  const forecasts: Record<string, PoolForecast> = {};
  for (const id of all) {
    const forecast = items.forecast(id);
    if (forecast !== undefined) forecasts[id] = forecast;
  }
  const inBucket = ({ spec }: Pool) => bucketOf(spec.region, spec.instanceType) === bucketOfPart(bucket);
  const reliability = await readReliability(accountsTable, bucket);
  const { plans, merge, predictions } = planBucket({
    pools: poolIds.flatMap((id) => items.pool(id) ?? []),
    guests: guestIds.flatMap((id) => items.pool(id) ?? []).filter(inBucket),
    ...stored,
    trust: {
      ...trust,
      ...(await trustIn(
        accounts.filter((account) => trust[account] === undefined),
        at,
      )),
    },
    forecasts,
    consents: Object.fromEntries(
      accounts.map((account) => {
        const consent = items.consent(account);
        return [account, { usage: items.usage(account), ...(consent === undefined ? {} : { consent }) }];
      }),
    ),
    calibration: calibrationFor(reliability),
    pairingIdOf: pairingIdFor,
    creditStrength: env.ENTANGLE_CREDIT_STRENGTH,
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
  await keepPredictions(bucket, reliability, predictions, at);
  return {
    bucket,
    pools: plans.length,
    pairings: plans.reduce((sum, plan) => sum + plan.partners.length, 0),
    refused: plans.reduce((sum, plan) => sum + plan.refused.length, 0),
    changes: merge.changes.length,
    churn: merge.churn,
  };
});
