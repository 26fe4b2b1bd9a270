import { describe, expect, it } from '@jest/globals';
import type { Predictions } from '../../core/pairing/verdicts.ts';
import { awaiting, judged, NOTHING_JUDGED } from '../../core/pairing/verdicts.ts';
import { epochMillis } from '../../core/units.ts';
import { bucketOf } from '../../functions/adapters/keys.ts';
import { historyBucketName, tableName } from '../../infra/names.ts';
import { clientOptions, Fleet, SPECS } from '../support/deployment.ts';
import { FLEET, HUB, idOf, REGION } from '../support/lending-fleet.ts';

const fleet = new Fleet();

// The clients of the functions take everything from the environment, when they are loaded.
const { endpoint, region, credentials } = clientOptions(fleet.deployed, HUB);
Object.assign(process.env, {
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
const { readPredictions, readReliability, writePredictions, writeReliability } = await import(
  '../../functions/adapters/reliability-store.ts'
);
const { readHistory } = await import('../../functions/adapters/history-store.ts');

const accounts = tableName('accounts');
const history = historyBucketName(HUB, region);
const { lender, borrower } = FLEET.events;
const bucket = bucketOf(REGION, SPECS.get(idOf(borrower))?.instanceType ?? '');

/** What a plan a while ago may have expected over an hour that has been measured: the borrower asks, the lender has plenty. */
async function pastPredictions(): Promise<Predictions> {
  const { cpu } = await readHistory(history, idOf(borrower));
  if (cpu === undefined) throw new Error('the borrower has no history');
  const stepMillis = cpu.stepSeconds * 1_000;
  const slots = 12;
  const from = epochMillis(cpu.startMillis + (cpu.values.length - 2 * slots) * stepMillis);
  const pair = {
    lenderPoolId: idOf(lender),
    borrowerPoolId: idOf(borrower),
    unitRatio: 1,
    lenderOwnUnits: 1_000,
    borrowerOwnUnits: 0,
    startMillis: from,
    stepSeconds: cpu.stepSeconds,
    expectedUnitsBySlot: Array<number>(slots).fill(1),
    forecastConfidence: 0.6,
  };
  return { from, until: epochMillis(from + slots * stepMillis), pairs: [pair] };
}

describe('the confidence of pairings', () => {
  it('is judged when its day has passed, once, and the next plan is corrected by it', async () => {
    await fleet.plan(idOf(borrower));
    const before = await readReliability(accounts, bucket);
    const predictions = await pastPredictions();
    await writePredictions(history, bucket, predictions);
    expect(await writeReliability(accounts, bucket, awaiting(before, predictions))).toBe(true);
    await fleet.plan(idOf(borrower));
    const after = await readReliability(accounts, bucket);
    expect(after.verdicts).toBe(before.verdicts + 1);
    expect(after.judgedUntil).toBe(predictions.until);
    expect(after.tally[12]).toEqual({ count: 1, predicted: 0.6, cameTrue: 1 });
    await fleet.plan(idOf(borrower));
    expect((await readReliability(accounts, bucket)).verdicts).toBe(after.verdicts);
    expect(await fleet.invoke('judge-pairings', { bucket, poolIds: [] })).toEqual({ bucket, verdicts: 0 });
  });

  it('counts a day once when two runs judge it at the same time', async () => {
    const own = `${REGION}#test-${Date.now()}`;
    expect(await readReliability(accounts, own)).toEqual(NOTHING_JUDGED);
    expect(await readPredictions(history, own)).toBeUndefined();
    const predictions = await pastPredictions();
    const pending = awaiting(NOTHING_JUDGED, predictions);
    const kept = await Promise.all([pending, pending].map((each) => writeReliability(accounts, own, each)));
    expect(kept.filter(Boolean)).toHaveLength(1);
    const verdict = { predicted: 0.6, cameTrue: true };
    const both = [judged(pending, [verdict], predictions.until), judged(pending, [verdict], predictions.until)];
    const written = await Promise.all(both.map((each) => writeReliability(accounts, own, each)));
    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await readReliability(accounts, own)).toEqual(both[0]);
    await writePredictions(history, own, predictions);
    expect(await readPredictions(history, own)).toEqual(predictions);
  });
});
