import { describe, expect, it } from '@jest/globals';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { pairingIdOf } from '../../../core/pairing/pairing.ts';
import type { Calibration } from '../../../core/pairing/reliability.ts';
import { calibrationOf, NO_VERDICTS, tallied } from '../../../core/pairing/reliability.ts';
import { BORROWER, consentOf, LENDER, NOW, planOf, poolOf } from '../../support/fixtures.ts';
import { sha256Hex } from '../../support/memory-store.ts';

/** The lender has 9 to lend or up to 3 less, by how its forecast turns out; the borrower lacks 2 in the first hour. */
function plan(calibration?: Calibration) {
  const pools = [poolOf(LENDER), poolOf(BORROWER)];
  const [lender, borrower] = pools.map(({ spec }) => spec.poolId);
  if (lender === undefined || borrower === undefined) throw new Error('two pools were made');
  const lends = planOf(lender, Array<number>(48).fill(5));
  return planBucket({
    pools,
    forecasts: {
      [lender]: {
        ...lends,
        neededUnits: {
          '0.5': lends.neededUnits['0.5'],
          '0.9': Array<number>(48).fill(8),
          '0.95': Array<number>(48).fill(8),
        },
      },
      [borrower]: planOf(borrower, [12, ...Array<number>(47).fill(3)]),
    },
    consents: Object.fromEntries(
      [LENDER, BORROWER].map((account) => [account, { consent: consentOf(account), usage: emptyUsage(account) }]),
    ),
    existing: [],
    pairingIdOf: (one, other) => pairingIdOf(one, other, sha256Hex),
    actor: 'pair',
    now: NOW,
    ...(calibration === undefined ? {} : { calibration }),
  });
}

describe('the confidence of a plan', () => {
  const lent = ({ merge }: ReturnType<typeof plan>) =>
    merge.changes.map(({ pairing }) => pairing).find(({ lenderAccountId }) => lenderAccountId === LENDER);

  it('predicts what loans are expected of each pairing on the first day', () => {
    const { predictions } = plan();
    expect(predictions).toHaveLength(1);
    expect(predictions[0]).toMatchObject({
      lenderOwnUnits: 9,
      borrowerOwnUnits: 10,
      startMillis: NOW,
      stepSeconds: 3_600,
    });
    expect(predictions[0]?.expectedUnitsBySlot).toHaveLength(24);
    expect(predictions[0]?.expectedUnitsBySlot.slice(1)).toEqual(Array<number>(23).fill(0));
  });

  it('is corrected by past verdicts and says by how many; what is judged next is not', () => {
    const before = plan();
    const stated = before.predictions[0]?.forecastConfidence ?? Number.NaN;
    expect(lent(before)?.confidence).toBe(stated);
    expect(lent(before)?.metricReasons.join()).not.toContain('verdict');
    const failed = Array.from({ length: 30 }, () => ({ predicted: stated, cameTrue: false }));
    const after = plan(calibrationOf(tallied(NO_VERDICTS, failed)));
    expect(lent(after)?.confidence).toBeCloseTo((10 * stated) / 40, 6);
    expect(lent(after)?.metricReasons).toContain('confidence is corrected by 30 verdicts on earlier days');
    expect(after.predictions).toEqual(before.predictions);
    // The borrower may lend too where it is idle: nothing is expected of that, and nothing was ever judged.
    const other = ({ merge }: typeof after) =>
      merge.changes.map(({ pairing }) => pairing).find(({ lenderAccountId }) => lenderAccountId === BORROWER);
    expect(other(after)?.confidence).toBe(other(before)?.confidence);
  });
});
