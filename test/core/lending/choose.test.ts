import { describe, expect, it } from '@jest/globals';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { Choice } from '../../../core/lending/choose.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { Candidate, ChoiceInput } from '../../../core/lending/lender-finding.ts';
import type { LoanReason } from '../../../core/lending/loan.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { Partner } from '../../../core/pairing/plan.ts';
import type { AccountId } from '../../../core/units.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import {
  BORROWER,
  candidateOf,
  consentOf,
  groupOf,
  LENDER,
  loanOf,
  NOW,
  planOf,
  poolOf,
} from '../../support/fixtures.ts';

const SECOND = accountId('333333333333');

function partnerOf({ pool }: Candidate): Partner {
  return {
    lenderPoolId: pool.spec.poolId,
    lenderAccountId: pool.spec.accountId,
    score: 1.2,
    confidence: 0.9,
    expectedUnits: 3,
    expectedSavingMicroUsd: microUsd(0),
    reasons: ['same region eu-west-1'],
    metricReasons: ['covers 50 % of the forecast shortage (P95)'],
    lenderDataAccess: 'none',
  };
}

function allActive(candidates: readonly Candidate[]): ChoiceInput['pairings'] {
  return Object.fromEntries(candidates.map(({ pool }) => [pool.spec.poolId, { state: 'active' }]));
}

function choose(candidates: readonly Candidate[], overrides: Partial<ChoiceInput> = {}): Choice {
  return chooseLender({
    snapshotLoan: loanOf(),
    unitsStillNeeded: 2,
    borrowerPool: poolOf(BORROWER),
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    borrowerConsent: consentOf(BORROWER),
    borrowerUsage: emptyUsage(BORROWER),
    partners: candidates.map(partnerOf),
    pairings: allActive(candidates),
    candidates,
    now: NOW,
    latencyMillis,
    ...overrides,
  });
}

function reasonOf(choice: Choice): string {
  return choice.outcome === 'refuse' || choice.outcome === 'busy' ? choice.reason : `outcome ${choice.outcome}`;
}

/** The texts that one account may read. */
function readBy(account: AccountId, choice: Choice): string {
  const reasons = choice.outcome === 'refuse' ? choice.reasons : [];
  return reasons.flatMap(({ text, onlyFor }) => (onlyFor === account ? [text] : [])).join(' | ');
}

describe('chooseLender', () => {
  it('takes the first partner that fits, at its price, for the longest term that both accept', () => {
    const candidates = [candidateOf(), candidateOf(SECOND)];
    const choice = choose(candidates, {
      borrowerConsent: consentOf(BORROWER, { shortestTermSeconds: 900, longestTermSeconds: 7_200 }),
    });
    expect(choice).toMatchObject({
      outcome: 'partner',
      offer: {
        units: 2,
        priceMicroUsdPerUnitHour: 40_000,
        termSeconds: 3_600,
        shortestTermSeconds: 900,
        lender: { pool: { spec: { accountId: LENDER } }, consent: { version: 1 } },
      },
    });
  });

  it('halves the term until the forecast and the hours that are left allow it', () => {
    const busySoon = candidateOf(LENDER, { plan: planOf(poolOf(LENDER).spec.poolId, [3, 9], { stepSeconds: 1_800 }) });
    expect(choose([busySoon])).toMatchObject({ outcome: 'partner', offer: { termSeconds: 1_800 } });
    // 1 h of 1,000 unit-hours is left: 2 units for half an hour.
    const usage = { ...emptyUsage(LENDER), lentUnitSeconds: { '2026-11': 999 * 3_600 } };
    expect(choose([candidateOf(LENDER, { usage })])).toMatchObject({
      outcome: 'partner',
      offer: { termSeconds: 1_800 },
    });
  });

  it('tries the shortest term itself, though no halving meets it', () => {
    const soon = candidateOf(LENDER, { plan: planOf(poolOf(LENDER).spec.poolId, [3, 9], { stepSeconds: 700 }) });
    // 3600, 1800 and 900 s meet the second slot; 450 would be too short.
    expect(choose([soon])).toMatchObject({ outcome: 'partner', offer: { termSeconds: 600 } });
  });

  it('tells the lender its arithmetic, both the loan and what the pools are, and what forecasts say apart', () => {
    const choice = choose([candidateOf()]);
    expect(choice.outcome === 'partner' && choice.offer.reasons).toEqual([
      { text: '222222222222/eu-west-1/web lends 2 units for 3600 s' },
      {
        text: '222222222222/eu-west-1/web: ceiling 10, desired 4, P95 of forecast need 3, reserve 1: 5 lendable for 3600 s',
        onlyFor: LENDER,
      },
      { text: 'score 1.2, confidence 0.9', fromMetrics: true },
      { text: 'covers 50 % of the forecast shortage (P95)', fromMetrics: true },
      { text: 'same region eu-west-1' },
    ]);
  });

  const limitedTo = (maxUnits: number) => {
    const limits = { maxUnits, maxSharePercent: 100, maxUnitHoursPerMonth: 1_000 };
    return consentOf(LENDER, {
      lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(0), recallNoticeSeconds: 60 },
    });
  };
  const cases: readonly [string, Partial<Candidate>, string, readonly LoanReason[]][] = [
    [
      'its group is not tagged',
      { group: groupOf({ lendingEnabled: false }) },
      'not tagged entangle:lending=enabled',
      [],
    ],
    ['it could not be read', { unavailable: 'its account could not be read' }, 'its account could not be read', []],
    ['its group could not be read', { group: undefined }, 'its Auto Scaling group could not be read', []],
    [
      'it has no consent',
      { consent: undefined },
      'the consent of 222222222222 does not cover it (no-consent)',
      [{ text: 'consent of 222222222222, consent: the account has made no consent', onlyFor: LENDER }],
    ],
    [
      'it has no forecast',
      { plan: undefined },
      'it cannot lend 2 units now',
      [{ text: '2 units needed: there is no forecast of its demand', onlyFor: LENDER }],
    ],
    [
      'it has too little',
      { group: groupOf({ desiredCapacity: 8 }) },
      'it cannot lend 2 units now',
      [
        {
          text: '2 units needed: ceiling 10, desired 8, P95 of forecast need 3, reserve 1: 1 lendable for 600 s',
          onlyFor: LENDER,
        },
      ],
    ],
    [
      'its platform differs',
      { pool: poolOf(LENDER, {}, { platform: 'Windows' }) },
      "the lender's platform is Windows",
      [],
    ],
    [
      'its consent has no room',
      { consent: limitedTo(1) },
      'the consent of 222222222222 does not cover it (units-exceeded)',
      [
        {
          text: 'consent of 222222222222, lend.maxUnits: the consent allows 1 units at a time, 0 are in use and 2 are wanted',
          onlyFor: LENDER,
        },
      ],
    ],
    [
      'its price is too high',
      { consent: dear() },
      'the consent of 111111111111 does not cover it (price-too-high)',
      [
        {
          text: 'consent of 111111111111, borrow.maxPriceMicroUsdPerUnitHour: the consent pays at most 90000 micro-dollars a unit-hour, the lender asks for more',
          onlyFor: BORROWER,
        },
      ],
    ],
    [
      'no term suits both',
      { consent: consentOf(LENDER, { shortestTermSeconds: 9_000, longestTermSeconds: 9_000 }) },
      'no term suits both consents',
      [
        { text: 'the consent accepts terms of 9000 to 9000 s', onlyFor: LENDER },
        { text: 'the consent accepts terms of 600 to 3600 s', onlyFor: BORROWER },
      ],
    ],
  ];
  it.each(cases)(
    'passes a lender over because %s, and says so to the borrower, figures to their owners',
    (_why, overrides, said, figures) => {
      const refused = choose([candidateOf(LENDER, overrides)]);
      const prefixed = figures.map(({ text, onlyFor }) => ({ text: `222222222222/eu-west-1/web: ${text}`, onlyFor }));
      const passedOver = [
        { text: expect.stringContaining(`222222222222/eu-west-1/web: `), onlyFor: BORROWER },
        ...prefixed,
      ];
      expect(reasonOf(refused)).toContain(said);
      expect(refused).toMatchObject({ outcome: 'refuse', reasons: expect.arrayContaining(passedOver) });
      const second = choose([candidateOf(LENDER, overrides), candidateOf(SECOND)]);
      expect(second).toMatchObject({
        outcome: 'partner',
        offer: { lender: { pool: { spec: { accountId: SECOND } } }, reasons: expect.arrayContaining(passedOver) },
      });
    },
  );

  it('counts what is lent from the pool already against its share', () => {
    const limits = { maxUnits: 8, maxSharePercent: 30, maxUnitHoursPerMonth: 1_000 };
    const consent = consentOf(LENDER, {
      lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(0), recallNoticeSeconds: 60 },
    });
    expect(choose([candidateOf(LENDER, { consent })]).outcome).toBe('partner');
    const pool = poolOf(LENDER, { lentUnits: 2 });
    const group = groupOf({ maxSize: 8, desiredCapacity: 2 });
    const choice = choose([candidateOf(LENDER, { consent, pool, group })]);
    expect(reasonOf(choice)).toContain('(share-exceeded)');
    expect(readBy(LENDER, choice)).toContain("30 % of the pool's 10 units, 2 are in use");
    expect(readBy(BORROWER, choice)).not.toContain('30 %');
  });

  it('waits for a lender that would fit but is being moved, unless another fits', () => {
    const moved = candidateOf(LENDER, { pool: poolOf(LENDER, { movingLoanId: 'ln-other' }) });
    expect(reasonOf(choose([moved]))).toBe('222222222222/eu-west-1/web: it is just being moved by another loan');
    expect(choose([moved, candidateOf(SECOND)]).outcome).toBe('partner');
    const full = candidateOf(LENDER, { pool: poolOf(LENDER, { movingLoanId: 'ln-other', lentUnits: 5 }) });
    expect(choose([full]).outcome).toBe('refuse');
  });

  it('waits while the borrower is being moved by another loan, not by its own', () => {
    const moved = (movingLoanId: string) =>
      choose([candidateOf()], { borrowerPool: poolOf(BORROWER, { movingLoanId }) });
    expect(moved('ln-other').outcome).toBe('busy');
    expect(moved(loanOf().loanId).outcome).toBe('partner');
  });

  it('refuses when nothing is missing any more', () => {
    expect(reasonOf(choose([candidateOf()], { unitsStillNeeded: 0 }))).toContain('no unit is missing');
  });

  it('passes over a partner that is no longer enrolled', () => {
    const gone = candidateOf();
    const left = { partners: [partnerOf(gone)], pairings: allActive([gone]) };
    expect(reasonOf(choose([], left))).toContain('no longer enrolled');
  });

  const inactive: readonly [string, ChoiceInput['pairings'][string] | undefined, string][] = [
    ['is only proposed', { state: 'proposed' }, 'the pairing is proposed: both accounts have to accept it first'],
    [
      'one side has accepted',
      { state: 'accepted-by-one' },
      'the pairing is accepted-by-one: both accounts have to accept it first',
    ],
    ['is paused', { state: 'paused', pausedFor: 'trust-lost' }, 'the pairing is paused (trust-lost)'],
    ['has ended', { state: 'ended' }, 'the pairing has ended'],
    ['is not there', undefined, 'the pairing has ended'],
  ];
  it.each(inactive)('passes over a partner whose pairing %s, for the next', (_case, pairing, message) => {
    const [first, second] = [candidateOf(), candidateOf(SECOND)];
    const pairings = { ...allActive([second]), ...(pairing && { [first.pool.spec.poolId]: pairing }) };
    expect(choose([first, second], { pairings })).toMatchObject({
      outcome: 'partner',
      offer: { lender: { pool: { spec: { accountId: SECOND } } } },
    });
    expect(reasonOf(choose([first], { pairings }))).toContain(`${first.pool.spec.poolId}: ${message}`);
  });

  it('holds both sides to the trust that the other asks for', () => {
    expect(reasonOf(choose([candidateOf(LENDER, { trust: 0.4 })]))).toContain('does not cover it (trust-too-low)');
    const distrusted = choose([candidateOf()], { borrowerTrust: 0.4 });
    expect(reasonOf(distrusted)).toContain('the consent of 222222222222 does not cover it (trust-too-low)');
    expect(readBy(LENDER, distrusted)).toContain("a trust of 0.5, the counterparty's is 0.40");
    expect(readBy(BORROWER, distrusted)).not.toContain('0.40');
    expect(choose([candidateOf(LENDER, { trust: 0.6 })], { borrowerTrust: 0.6 }).outcome).toBe('partner');
  });
});

function dear() {
  const limits = { maxUnits: 8, maxSharePercent: 100, maxUnitHoursPerMonth: 1_000 };
  return consentOf(LENDER, {
    lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(90_001), recallNoticeSeconds: 120 },
  });
}

describe('chooseLender without a partner', () => {
  const consent = consentOf(BORROWER, { whenNoPartner: 'provision' });
  const provisioning = (provisionedUnits: number) => {
    return choose([], {
      borrowerConsent: consent,
      borrowerPool: poolOf(BORROWER, { provisionedUnits }, { provisioningLimitUnits: 3 }),
    });
  };

  it('provisions up to the limit of the pool, free of charge between accounts', () => {
    expect(provisioning(1)).toMatchObject({
      outcome: 'provision',
      offer: { units: 2, priceMicroUsdPerUnitHour: 0, termSeconds: 3_600, shortestTermSeconds: 600 },
    });
    expect(provisioning(1)).not.toHaveProperty('offer.lender');
  });

  it('refuses past the limit, with every reason', () => {
    const reason = reasonOf(provisioning(2));
    expect(reason).toContain('no partner is planned for 111111111111/eu-west-1/web');
    expect(reason).toContain('the provisioning limit of 111111111111/eu-west-1/web is too low');
    expect(readBy(BORROWER, provisioning(2))).toContain(
      'provisioningLimitUnits: the limit is 3, 2 are in use and 2 are wanted',
    );
  });

  it('refuses when the consent says so, or does not stand', () => {
    expect(readBy(BORROWER, choose([]))).toContain('whenNoPartner: it says refuse, not provision');
    expect(reasonOf(choose([], { borrowerConsent: undefined }))).toContain('(no-consent)');
    const revoked = consentOf(BORROWER, { whenNoPartner: 'provision' }, { status: 'revoked' });
    expect(reasonOf(choose([candidateOf()], { borrowerConsent: revoked }))).toContain('(consent-revoked)');
  });
});
