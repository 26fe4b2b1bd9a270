import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { couldBorrow, couldLend, requestNow } from '../../../core/lending/capacity.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { Candidate, ChoiceInput } from '../../../core/lending/lender-finding.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { Partner } from '../../../core/pairing/plan.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, loanOf, NOW, planOf, poolOf, termsOf } from '../../support/fixtures.ts';

const MANY = 1_000_000;

interface LenderCase {
  readonly owned: number;
  readonly desired: number;
  readonly need: number;
  readonly maxUnits: number;
  readonly maxSharePercent: number;
  readonly unitHours: number;
  readonly sameAccount: boolean;
}

const lenderCase: fc.Arbitrary<LenderCase> = fc.record({
  owned: fc.integer({ min: 1, max: 40 }),
  desired: fc.integer({ min: 0, max: 40 }),
  need: fc.integer({ min: 0, max: 40 }),
  maxUnits: fc.integer({ min: 1, max: 40 }),
  maxSharePercent: fc.integer({ min: 1, max: 100 }),
  unitHours: fc.integer({ min: 1, max: 20 }),
  sameAccount: fc.boolean(),
});

const generous = { maxUnits: MANY, maxSharePercent: 100_000, maxUnitHoursPerMonth: 1e9 };
const lendTerms = { minPriceMicroUsdPerUnitHour: microUsd(40_000), recallNoticeSeconds: 120 };
const borrowTerms = { maxPriceMicroUsdPerUnitHour: microUsd(90_000), minRecallNoticeSeconds: 60 };

function candidateOf(index: number, made: LenderCase, limitHours: boolean): Candidate {
  const account = accountId(made.sameAccount ? '200000000000' : String(200_000_000_001 + index));
  const pool = poolOf(account, { ownedUnits: made.owned }, { groupName: `g${index}` });
  const { maxUnits, maxSharePercent } = made;
  const lend = { maxUnits, maxSharePercent, maxUnitHoursPerMonth: limitHours ? made.unitHours : 1e9, ...lendTerms };
  return {
    pool,
    group: groupOf({ desiredCapacity: Math.min(made.desired, made.owned), maxSize: made.owned }),
    consent: consentOf(account, { ...termsOf(), lend }),
    usage: emptyUsage(account),
    plan: planOf(pool.spec.poolId, [made.need, made.need]),
  };
}

const partnerOf = ({ pool }: Candidate): Partner => ({
  lenderPoolId: pool.spec.poolId,
  lenderAccountId: pool.spec.accountId,
  score: 1,
  confidence: 0.9,
  expectedUnits: 1,
  expectedSavingMicroUsd: microUsd(0),
  reasons: [],
  metricReasons: [],
  lenderDataAccess: 'none',
});

/** A borrower whose own consent stands in no loan's way, unless `maxUnits` says so. */
function inputOf(
  candidates: readonly Candidate[],
  maxUnits = MANY,
): Omit<ChoiceInput, 'snapshotLoan' | 'unitsStillNeeded'> {
  return {
    borrowerPool: poolOf(BORROWER),
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    borrowerConsent: consentOf(BORROWER, { borrow: { ...generous, ...borrowTerms, maxUnits } }),
    borrowerUsage: emptyUsage(BORROWER),
    partners: candidates.map(partnerOf),
    pairings: Object.fromEntries(candidates.map(({ pool }) => [pool.spec.poolId, { state: 'active' as const }])),
    candidates,
    now: NOW,
    latencyMillis,
  };
}

/** Whether so many are lent, all or nothing. */
function isLent(units: number, input: ReturnType<typeof inputOf>): boolean {
  const chosen = chooseLender({ ...input, snapshotLoan: loanOf({ units }), unitsStillNeeded: units });
  return chosen.outcome === 'partner';
}

describe('what could be lent and borrowed', () => {
  it('is what choosing a lender then lends: so many, and not one more', () => {
    fc.assert(
      fc.property(
        fc.array(lenderCase, { minLength: 0, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (cases, maxUnits) => {
          const candidates = cases.map((made, index) => candidateOf(index, made, false));
          const input = inputOf(candidates, maxUnits);
          const { units } = couldBorrow(input);
          if (units > 0) expect(isLent(units, input)).toBe(true);
          expect(isLent(units + 1, input)).toBe(false);
        },
      ),
    );
  });

  it('leaves out what others are to have first, and what the vCPU quota has no room for', () => {
    const held = fc.array(fc.nat(8), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(lenderCase, { maxLength: 4 }), held, fc.nat(20), (cases, heldUnits, room) => {
        const free = cases.map((made, index) => candidateOf(index, made, false));
        const candidates = free.map((each, index) => ({
          ...each,
          held: { units: heldUnits[index] ?? 0, reasons: [] },
        }));
        const input = inputOf(candidates);
        const { units } = couldBorrow(input);
        expect(units).toBeLessThanOrEqual(couldBorrow(inputOf(free)).units);
        if (units > 0) expect(isLent(units, input)).toBe(true);
        expect(isLent(units + 1, input)).toBe(false);
        expect(couldBorrow(input, undefined, room).units).toBe(Math.min(units, room));
      }),
    );
  });

  it('says when the vCPU quota is what ends it', () => {
    const made = {
      owned: 10,
      desired: 2,
      need: 2,
      maxUnits: 9,
      maxSharePercent: 100,
      unitHours: 99,
      sameAccount: true,
    };
    const input = inputOf([candidateOf(0, made, false)]);
    expect(couldBorrow(input, undefined, 3).reason).toContain('the vCPU quota of its account leaves room for 3 more');
    expect(couldBorrow(input, undefined, 0)).toMatchObject({ units: 0, reason: expect.stringContaining('vCPU quota') });
    expect(couldBorrow(input, undefined, 20).reason).not.toContain('quota');
  });

  it('is asked as the group is tagged, after all others', () => {
    const asked = requestNow(poolOf(BORROWER), groupOf(), NOW, { slaTier: 2, criticality: 'high' });
    expect(asked).toMatchObject({ state: 'requested', requestedAt: NOW, request: { slaTier: 2, criticality: 'high' } });
  });

  it('of one lender is the same from both sides, unit-hours of the month included', () => {
    fc.assert(
      fc.property(lenderCase, (made) => {
        const candidate = candidateOf(0, made, true);
        const { pool, group, consent, usage, plan } = candidate;
        const { units } = couldLend({ pool, group, consent, usage, plan, now: NOW });
        const input = inputOf([candidate]);
        expect(couldBorrow(input).units).toBe(units);
        if (units > 0) expect(isLent(units, input)).toBe(true);
        expect(isLent(units + 1, input)).toBe(false);
      }),
    );
  });

  it('is nothing with an account that is stopped, without a consent, without a group, and without the tag', () => {
    const candidate = candidateOf(
      0,
      { owned: 10, desired: 2, need: 2, maxUnits: 9, maxSharePercent: 100, unitHours: 99, sameAccount: true },
      false,
    );
    const { pool, group = groupOf(), consent, usage, plan } = candidate;
    const view = { pool, group, consent, usage, plan, now: NOW };
    expect(couldLend(view).units).toBe(7);
    expect(couldLend({ ...view, stopped: 'it is stopped' })).toEqual({ units: 0, reason: 'it is stopped' });
    expect(couldLend({ ...view, consent: undefined }).units).toBe(0);
    expect(couldLend({ ...view, group: undefined }).units).toBe(0);
    expect(couldLend({ ...view, group: { ...group, lendingEnabled: false } }).units).toBe(0);
    expect(couldBorrow(inputOf([candidate]), 'it is stopped')).toEqual({ units: 0, reason: 'it is stopped' });
    expect(couldBorrow(inputOf([candidate])).units).toBe(7);
    expect(couldBorrow(inputOf([{ ...candidate, unavailable: 'it is stopped' }])).units).toBe(0);
  });
});
