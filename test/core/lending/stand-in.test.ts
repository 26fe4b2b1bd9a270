import { describe, expect, it } from '@jest/globals';
import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { applyCommit } from '../../../core/lending/apply.ts';
import type { Choice } from '../../../core/lending/choose.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import { loanFor } from '../../../core/lending/disclosure.ts';
import { giveBackMove, takeBackMove } from '../../../core/lending/moves.ts';
import { reclaim, reserve, settle } from '../../../core/lending/saga.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { PoolSpec } from '../../../core/pool.ts';
import { epochMillis, microUsd } from '../../../core/units.ts';
import {
  BORROWER,
  consentOf,
  groupOf,
  LENDER,
  loanOf,
  NOW,
  partnerOf,
  planOf,
  poolOf,
  termsOf,
} from '../../support/fixtures.ts';

function limitsOf<Direction extends 'lend' | 'borrow'>(direction: Direction): NonNullable<ConsentTerms[Direction]> {
  const limits = termsOf()[direction];
  if (limits === undefined) throw new Error(`the terms of the fixtures agree to ${direction}`);
  return limits;
}
const [lend, borrow] = [limitsOf('lend'), limitsOf('borrow')];

/** Half of an `m5.xlarge` stands in for one `m5.large`, two `m5.medium` do. */
const substitutions = [
  { from: 'm5.large', to: 'm5.xlarge', unitRatio: 0.5 },
  { from: 'm5.large', to: 'm5.medium', unitRatio: 2 },
];

interface Scene {
  readonly units: number;
  readonly lender?: Partial<PoolSpec>;
  readonly lendTerms?: Partial<ConsentTerms>;
  readonly borrowTerms?: Partial<ConsentTerms>;
}

/** The lender has 10 − 4 − 1 = 5 units to lend. */
function choose({ units, lender: spec = {}, lendTerms = {}, borrowTerms = {} }: Scene): Choice {
  const lender = poolOf(LENDER, {}, spec);
  const { poolId } = lender.spec;
  return chooseLender({
    snapshotLoan: loanOf({ units }),
    unitsStillNeeded: units,
    borrowerPool: poolOf(BORROWER),
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    borrowerConsent: consentOf(BORROWER, { borrow: { ...borrow, substitutions }, ...borrowTerms }),
    borrowerUsage: emptyUsage(BORROWER),
    partners: [partnerOf(lender)],
    pairings: { [poolId]: { state: 'active' } },
    candidates: [
      {
        pool: lender,
        group: groupOf({ desiredCapacity: 4 }),
        consent: consentOf(LENDER, lendTerms),
        usage: emptyUsage(LENDER),
        plan: planOf(poolId, [3, 3]),
      },
    ],
    now: NOW,
    latencyMillis,
  });
}

const reasonOf = (choice: Choice): string => ('reason' in choice ? choice.reason : choice.outcome);
const smaller = { instanceType: 'm5.medium' };
const larger = { instanceType: 'm5.xlarge' };

describe('a lender of another instance type', () => {
  it.each([
    ['twice as large', 4, larger, 2],
    ['twice as large, in whole units', 3, larger, 2],
    ['half as large', 2, smaller, 4],
    ['the same', 3, {}, 3],
  ])('that is %s lends what stands in for %i units', (_size, units, lender, lenderUnits) => {
    expect(choose({ units, lender })).toMatchObject({
      outcome: 'partner',
      offer: { units, lenderUnits, priceMicroUsdPerUnitHour: 40_000 },
    });
  });

  it('lends nothing that the borrower has not declared', () => {
    const refused = choose({ units: 2, lender: { instanceType: 'm5.2xlarge' } });
    expect(reasonOf(refused)).toContain("instanceType: the lender's instanceType is m5.2xlarge");
    expect(reasonOf(choose({ units: 2, lender: smaller, borrowTerms: { borrow } }))).toContain('m5.medium');
  });

  it('is held to what it has idle in its own units', () => {
    expect(choose({ units: 2, lender: smaller }).outcome).toBe('partner');
    expect(reasonOf(choose({ units: 3, lender: smaller }))).toContain(
      'it cannot lend 6 units of m5.medium (for 3 of m5.large) now',
    );
    expect(choose({ units: 8, lender: larger, borrowTerms: {} }).outcome).toBe('partner');
  });

  it('is held to its consent in its own units, the borrower in its own', () => {
    const lendAtMost = (maxUnits: number) => ({ lend: { ...lend, maxUnits } });
    const borrowAtMost = (maxUnits: number) => ({ borrow: { ...borrow, maxUnits, substitutions } });
    expect(choose({ units: 2, lender: smaller, lendTerms: lendAtMost(4) }).outcome).toBe('partner');
    expect(reasonOf(choose({ units: 2, lender: smaller, lendTerms: lendAtMost(3) }))).toContain('units-exceeded');
    expect(choose({ units: 2, lender: smaller, borrowTerms: borrowAtMost(2) }).outcome).toBe('partner');
    expect(reasonOf(choose({ units: 4, lender: larger, borrowTerms: borrowAtMost(3) }))).toContain('units-exceeded');
  });

  it('costs the borrower, for a unit of its own, what all of the units that stand in for it cost', () => {
    const payAtMost = (micros: number) => ({
      borrow: { ...borrow, substitutions, maxPriceMicroUsdPerUnitHour: microUsd(micros) },
    });
    // 40,000 for each of two smaller ones, for half of a larger one, and for two larger ones that stand in for three.
    expect(choose({ units: 2, lender: smaller, borrowTerms: payAtMost(80_000) }).outcome).toBe('partner');
    expect(reasonOf(choose({ units: 2, lender: smaller, borrowTerms: payAtMost(79_999) }))).toContain('price-too-high');
    expect(choose({ units: 2, lender: larger, borrowTerms: payAtMost(20_000) }).outcome).toBe('partner');
    expect(choose({ units: 3, lender: larger, borrowTerms: payAtMost(26_667) }).outcome).toBe('partner');
    expect(reasonOf(choose({ units: 3, lender: larger, borrowTerms: payAtMost(26_666) }))).toContain('price-too-high');
  });

  it('says so to both', () => {
    const choice = choose({ units: 3, lender: larger });
    expect(choice.outcome === 'partner' && choice.offer.reasons[0]?.text).toBe(
      '222222222222/eu-west-1/web lends 2 units of m5.xlarge (for 3 of m5.large) for 3600 s',
    );
  });
});

describe('a lender of another region', () => {
  const elsewhere = { region: 'eu-central-1', azIds: ['euc1-az1'] };
  const accepts = { otherRegions: 'accept', maxLatencyMillis: 100 } as const;

  it('lends where both consents accept it, and its ceiling is what is lent', () => {
    expect(choose({ units: 2, lender: elsewhere, lendTerms: accepts, borrowTerms: accepts }).outcome).toBe('partner');
    const physical = { ...elsewhere, lendsAs: 'physical' } as const;
    const refused = choose({ units: 2, lender: physical, lendTerms: accepts, borrowTerms: accepts });
    expect(reasonOf(refused)).toContain('region:');
  });

  it('lends nothing where one does not, or is nearer than it accepts', () => {
    const message = "region: the lender's region is eu-central-1, the borrower's eu-west-1";
    expect(reasonOf(choose({ units: 2, lender: elsewhere, lendTerms: accepts }))).toContain(message);
    expect(reasonOf(choose({ units: 2, lender: elsewhere, borrowTerms: accepts }))).toContain(message);
    const near = { ...accepts, maxLatencyMillis: 3 };
    const far = choose({ units: 2, lender: elsewhere, lendTerms: near, borrowTerms: accepts });
    expect(reasonOf(far)).toContain('latency-too-long');
  });
});

describe('the units of both sides', () => {
  const moved = loanOf({ units: 3, lenderUnits: 2, lenderAccountId: LENDER });

  it('go back as they came', () => {
    const lender = poolOf(LENDER, { lentUnits: 2 }, larger);
    expect(giveBackMove(lender, groupOf({ maxSize: 8 }), moved).toMaxSize).toBe(10);
    const borrower = poolOf(BORROWER, { borrowedUnits: 3 });
    expect(takeBackMove(borrower, groupOf({ maxSize: 13 }), moved).toMaxSize).toBe(10);
  });

  it('are shown to both parties', () => {
    for (const party of [BORROWER, LENDER]) {
      expect(loanFor(party, moved)).toMatchObject({ units: 3, lenderUnits: 2 });
    }
  });

  it('cannot be reserved otherwise than declared', () => {
    const choice = choose({ units: 3, lender: larger });
    if (choice.outcome !== 'partner') throw new Error(`outcome ${choice.outcome}`);
    const snapshot = { loan: loanOf({ units: 3 }), borrowerPool: poolOf(BORROWER), heads: {} };
    const { lenderUnits: _, ...unstated } = choice.offer;
    expect(reserve(snapshot, choice.offer, NOW).loan).toMatchObject({ units: 3, lenderUnits: 2 });
    expect(() => reserve(snapshot, unstated, NOW)).toThrow('what stands in for the units of the borrower');
    expect(() => reserve(snapshot, { ...choice.offer, lenderUnits: 1 }, NOW)).toThrow('stands in');
  });

  it("are the same in a loan that does not state the lender's", () => {
    const choice = choose({ units: 3 });
    if (choice.outcome !== 'partner') throw new Error(`outcome ${choice.outcome}`);
    const { lenderUnits: _, ...unstated } = choice.offer;
    let snapshot = {
      loan: loanOf({ units: 3 }),
      borrowerPool: poolOf(BORROWER),
      lenderPool: poolOf(LENDER),
      heads: {},
    };
    const reserved = applyCommit(snapshot, reserve(snapshot, unstated, NOW));
    expect(reserved.loan).not.toHaveProperty('lenderUnits');
    expect(reserved.lenderPool?.lentUnits).toBe(3);
    const hourLater = epochMillis(NOW + 3_600_000);
    const loan = { ...reserved.loan, state: 'returning', activeAt: NOW, dueAt: hourLater } as const;
    snapshot = { ...snapshot, ...reserved, loan };
    const reclaimed = applyCommit(snapshot, reclaim(snapshot, undefined, hourLater));
    expect(reclaimed.loan.billedMicroUsd).toBe(120_000);
    const settled = settle(reclaimed, hourLater);
    expect(settled.pools).toMatchObject([{ lentUnits: -3 }]);
    expect(settled.usage.map(({ units }) => units)).toEqual([-3, -3]);
  });
});
