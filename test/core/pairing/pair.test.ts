import { describe, expect, it } from '@jest/globals';
import type { Consent } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { PoolForecast } from '../../../core/forecast/pool-forecast.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { PairingInput } from '../../../core/pairing/pair.ts';
import { pairingIdOf } from '../../../core/pairing/pairing.ts';
import type { PoolPlan } from '../../../core/pairing/plan.ts';
import { planForBorrower } from '../../../core/pairing/plan.ts';
import type { Pool, PoolSpec } from '../../../core/pool.ts';
import type { AccountId, PoolId } from '../../../core/units.ts';
import { accountId, epochMillis, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, planOf, poolOf, specOf } from '../../support/fixtures.ts';
import { sha256Hex } from '../../support/memory-store.ts';

const THIRD = accountId('333333333333');

function inputOf(
  pools: readonly Pool[],
  needs: readonly (readonly number[])[],
  consents: readonly Consent[] = [],
): PairingInput {
  const accounts = [...new Set(pools.map(({ spec }) => spec.accountId))];
  const consentBy = (account: AccountId) =>
    consents.find((consent) => consent.accountId === account) ?? consentOf(account);
  const forecasts: Record<string, PoolForecast> = {};
  for (const [index, { spec }] of pools.entries()) {
    const needed = needs[index];
    if (needed !== undefined) forecasts[spec.poolId] = planOf(spec.poolId, needed);
  }
  return {
    pools,
    forecasts,
    consents: Object.fromEntries(
      accounts.map((account) => [account, { consent: consentBy(account), usage: emptyUsage(account) }]),
    ),
    now: NOW,
  };
}

function plansOf(input: PairingInput): readonly PoolPlan[] {
  const pairingId = (lender: PoolId, borrower: PoolId) => pairingIdOf(lender, borrower, sha256Hex);
  return planBucket({ ...input, existing: [], pairingIdOf: pairingId, actor: 'pair' }).plans;
}

function planFor(account: AccountId, input: PairingInput) {
  return plansOf(input).find(({ poolId }) => poolId.startsWith(account));
}

describe('a plan of planBucket', () => {
  it('scores by the shortage that is covered, the peaks that differ and the zone that is shared', () => {
    // Short by 2 and 4 in the last two hours; the lender has 10 − 1 − need = 1, 6, 3.
    const input = inputOf(
      [poolOf(BORROWER), poolOf(LENDER)],
      [
        [4, 12, 14],
        [8, 3, 6],
      ],
    );
    const [partner] = planFor(BORROWER, input)?.partners ?? [];
    // Coverage (2 + 3) / 6, peak reduction 1 − 20 / (14 + 8), both × 1.25 for the zone.
    expect(partner).toMatchObject({
      lenderPoolId: '222222222222/eu-west-1/web',
      // The forecasts leave nothing open, and the lender gives what is expected of it.
      confidence: 1,
      expectedUnits: 2.5,
      expectedSavingMicroUsd: 0,
      reasons: ['shares the Availability Zone euw1-az1'],
      metricReasons: [
        'covers 83 % of the forecast shortage (P95)',
        'median peaks are 2 h apart; together they peak 9 % lower than apart',
      ],
      lenderDataAccess: 'none',
    });
    expect(partner?.score).toBeCloseTo((5 / 6 + 2 / 22) * 1.25, 5);
  });

  it('scores by headroom when no shortage is forecast', () => {
    const input = inputOf(
      [poolOf(BORROWER), poolOf(LENDER)],
      [
        [5, 5],
        [9, 4],
      ],
    );
    expect(planFor(BORROWER, input)?.partners[0]).toMatchObject({ confidence: 0.5, expectedUnits: 0 });
  });

  it('ranks a lender that covers more first, and a shared zone before another zone', () => {
    const far = poolOf(THIRD, {}, { azIds: ['euw1-az3'] });
    const equal = inputOf([poolOf(BORROWER), far, poolOf(LENDER)], [[12], [2], [2]]);
    expect(planFor(BORROWER, equal)?.partners.map((partner) => partner.lenderAccountId)).toEqual([LENDER, THIRD]);
    const richer = inputOf([poolOf(BORROWER), far, poolOf(LENDER)], [[14], [2], [8]]);
    expect(planFor(BORROWER, richer)?.partners.map((partner) => partner.lenderAccountId)).toEqual([THIRD, LENDER]);
  });

  it('looks at slots to come only', () => {
    const input = {
      ...inputOf(
        [poolOf(BORROWER), poolOf(LENDER)],
        [
          [14, 5],
          [2, 2],
        ],
      ),
      now: epochMillis(NOW + 3_600_000),
    };
    expect(planFor(BORROWER, input)?.partners[0]?.metricReasons[0]).toContain('no shortage is forecast');
  });

  it.each([
    ['region', { region: 'us-east-1' }],
    ['instance-type', { instanceType: 'm5.xlarge' }],
    ['platform', { platform: 'Windows' }],
    ['tenancy', { tenancy: 'dedicated' }],
    ['storage-type', { storageType: 'io2' }],
    ['network', { networkGbps: 9.9 }],
  ] as [string, Partial<PoolSpec>][])('refuses another %s, naming it', (gate, spec) => {
    const input = inputOf([poolOf(BORROWER), poolOf(LENDER, {}, spec)], [[12], [2]]);
    const plan = planFor(BORROWER, input);
    expect(plan?.partners).toEqual([]);
    expect(plan?.refused).toMatchObject([{ gate, field: Object.keys(spec)[0] }]);
  });

  it('lets a lender have more bandwidth than the borrower needs', () => {
    const input = inputOf([poolOf(BORROWER), poolOf(LENDER, {}, { networkGbps: 25 })], [[12], [2]]);
    expect(planFor(BORROWER, input)?.partners).toHaveLength(1);
    expect(planFor(LENDER, input)?.refused).toMatchObject([{ gate: 'network' }]);
  });

  it('refuses pools of the same account, and never lists a pool for itself', () => {
    const input = inputOf([poolOf(BORROWER), poolOf(BORROWER, {}, { groupName: 'batch' })], [[12], [2]]);
    for (const plan of plansOf(input)) {
      expect(plan.refused).toMatchObject([{ gate: 'same-account', field: 'accountId' }]);
      expect(plan.refused[0]?.lenderPoolId).not.toBe(plan.poolId);
    }
  });

  it.each([
    ['consent', 'lender.deniedCounterparties', consentOf(LENDER, { deniedCounterparties: [BORROWER] })],
    ['consent', 'lender.status', consentOf(LENDER, {}, { status: 'revoked' })],
    ['latency', 'borrower.maxLatencyMillis', consentOf(BORROWER, { maxLatencyMillis: 0 })],
    ['terms', 'shortestTermSeconds', consentOf(BORROWER, { shortestTermSeconds: 7_200, longestTermSeconds: 7_200 })],
  ])('refuses what a consent does not cover: %s, %s', (gate, field, consent) => {
    const input = inputOf([poolOf(BORROWER), poolOf(LENDER)], [[12], [2]], [consent]);
    expect(planFor(BORROWER, input)?.refused).toMatchObject([{ gate, field }]);
  });

  it("keeps the values of the lender's consent out of the plan", () => {
    const lender = consentOf(LENDER, { trustFloor: 0.777 });
    const input = { ...inputOf([poolOf(BORROWER), poolOf(LENDER)], [[12], [2]], [lender]), trust: { [BORROWER]: 0.6 } };
    const plan = planFor(BORROWER, input);
    expect(plan?.refused).toMatchObject([{ gate: 'trust', field: 'lender.trustFloor' }]);
    expect(JSON.stringify(plan)).not.toContain('0.777');
  });

  it('keeps as many partners as the borrower prefers', () => {
    const lenders = [2, 3, 4, 5].map((digit) => poolOf(accountId(String(digit).repeat(12))));
    const partnersWith = (consents: readonly Consent[]) =>
      planFor(BORROWER, inputOf([poolOf(BORROWER), ...lenders], [[12], [2], [2], [2], [2]], consents))?.partners;
    expect(partnersWith([])).toHaveLength(3);
    expect(partnersWith([consentOf(BORROWER, { maxPartners: 2 })])).toHaveLength(2);
    expect(partnersWith([consentOf(BORROWER, { maxPartners: 4 })])).toHaveLength(4);
  });

  it('puts the cheaper of two equal lenders first, and says nothing of the price', () => {
    const { lend } = consentOf(THIRD).terms;
    invariant(lend !== undefined, 'the third lends');
    const cheap = consentOf(THIRD, { lend: { ...lend, minPriceMicroUsdPerUnitHour: microUsd(1_000) } });
    const pools = [poolOf(BORROWER), poolOf(LENDER), poolOf(THIRD)];
    const [first, second] = planFor(BORROWER, inputOf(pools, [[12], [2], [2]], [cheap]))?.partners ?? [];
    expect(first?.lenderAccountId).toBe(THIRD);
    expect(first?.score).toBe(second?.score);
  });

  it("tells the borrower its own consent's values, of the lender's a code", () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    const refusedWith = (...consents: Consent[]) =>
      planFor(BORROWER, inputOf(pools, [[12], [2]], consents))?.refused[0]?.detail;
    expect(refusedWith(consentOf(LENDER, { allowedApplications: ['billing'] }))).toBe(
      "the lender's consent does not cover it (application-not-allowed)",
    );
    expect(refusedWith(consentOf(BORROWER, { allowedApplications: ['billing'] }))).toBe(
      'the consent allows the applications billing, not shop',
    );
    expect(refusedWith(consentOf(LENDER, { shortestTermSeconds: 7_200, longestTermSeconds: 7_300 }))).toBe(
      "no term suits both consents; the borrower's accepts 600 to 3600 s",
    );
    const { lend } = consentOf(LENDER).terms;
    invariant(lend !== undefined, 'the lender lends');
    const dear = consentOf(LENDER, { lend: { ...lend, minPriceMicroUsdPerUnitHour: microUsd(90_001) } });
    expect(refusedWith(dear)).toBe(
      'the consent pays at most 90000 micro-dollars a unit-hour, the lender asks for more',
    );
  });

  it('refuses a lender without forecast or without headroom in any slot', () => {
    const pools = [poolOf(BORROWER), poolOf(LENDER)];
    expect(planFor(BORROWER, inputOf(pools, [[12]]))?.refused).toMatchObject([{ gate: 'headroom' }]);
    expect(planFor(BORROWER, inputOf(pools, [[12], [9]]))?.refused).toMatchObject([{ gate: 'headroom' }]);
    expect(planFor(BORROWER, inputOf(pools, [[12], [8]]))?.partners).toHaveLength(1);
  });

  it('plans for a borrower that has no forecast yet', () => {
    const [plan] = plansOf(inputOf([poolOf(BORROWER), poolOf(LENDER)], [undefined as never, [2, 9]]));
    expect(plan).not.toHaveProperty('forecast');
    expect(plan?.partners).toMatchObject([{ confidence: 0.5 }]);
  });

  it('keeps a plan within the size of an item', () => {
    const accounts = Array.from({ length: 150 }, (_, index) => accountId(String(100_000_000_000 + index)));
    const input = inputOf(
      accounts.map((account, index) => poolOf(account, {}, { platform: `p${index}` })),
      accounts.map(() => [2]),
    );
    const [plan] = plansOf(input);
    expect(plan).toMatchObject({ refusedCount: 149, refusedByGate: { platform: 149 } });
    expect(plan?.refused).toHaveLength(20);
  });
});

describe('planForBorrower', () => {
  const shown = (dataAccess: 'none' | 'metrics-only') => {
    const input = inputOf([poolOf(BORROWER), poolOf(LENDER)], [[12], [2]], [consentOf(LENDER, { dataAccess })]);
    const plan = planFor(BORROWER, input);
    invariant(plan !== undefined, 'each pool has a plan');
    return planForBorrower(plan).partners[0];
  };

  it("shows what was derived from the lender's metrics where its consent lets it", () => {
    expect(shown('metrics-only')).toMatchObject({
      score: expect.any(Number),
      confidence: 1,
      expectedUnits: 2,
      reasons: [
        expect.stringContaining('of the forecast shortage'),
        expect.stringContaining('peak'),
        'shares the Availability Zone euw1-az1',
      ],
    });
  });

  it("keeps what a physical loan saves, which follows from the lender's need, to those who may see metrics", () => {
    const reserved = poolOf(
      LENDER,
      {},
      { lendsAs: 'physical', commitments: [{ kind: 'capacity-reservation', units: 10 }] },
    );
    const borrower = poolOf(BORROWER, {}, { withoutLending: 'on-demand', launchesIntoReservations: true });
    const view = (dataAccess: 'none' | 'metrics-only') => {
      const plan = planFor(BORROWER, inputOf([borrower, reserved], [[12], [2]], [consentOf(LENDER, { dataAccess })]));
      invariant(plan !== undefined, 'each pool has a plan');
      return planForBorrower(plan).partners[0];
    };
    expect(view('metrics-only')).toMatchObject({ substance: 'physical', expectedSavingMicroUsd: 214_000 });
    expect(Object.keys(view('none') ?? {}).sort()).toEqual(['lenderAccountId', 'lenderPoolId', 'reasons', 'substance']);
  });

  it('shows of another partner who it is, and what enrolling says', () => {
    expect(shown('none')).toEqual({
      lenderPoolId: '222222222222/eu-west-1/web',
      lenderAccountId: LENDER,
      expectedSavingMicroUsd: 0,
      reasons: ['shares the Availability Zone euw1-az1'],
    });
  });
});

describe('latencyMillis', () => {
  it('goes by zone id, then by region', () => {
    const here = specOf(BORROWER, { azIds: ['euw1-az1', 'euw1-az2'] });
    expect(latencyMillis(here, specOf(LENDER, { azIds: ['euw1-az2'] }))).toBe(1);
    expect(latencyMillis(here, specOf(LENDER, { azIds: ['euw1-az3'] }))).toBe(2);
    expect(latencyMillis(here, specOf(LENDER, { region: 'us-east-1' }))).toBe(71);
    expect(latencyMillis(here, specOf(LENDER, { region: 'xx-nowhere-1' }))).toBe(400);
  });
});
