import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { allocate } from '../../../core/lending/allocation.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { Candidate, ChoiceInput } from '../../../core/lending/lender-finding.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { AccountId, LoanId } from '../../../core/units.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import {
  BORROWER,
  consentOf,
  groupOf,
  loanOf,
  NOW,
  partnerOf,
  planOf,
  poolOf,
  requestOf,
} from '../../support/fixtures.ts';

interface LenderCase {
  readonly headroom: number;
  readonly maxUnits: number;
  readonly heldUnits: number;
}

const lenderCase: fc.Arbitrary<LenderCase> = fc.record({
  headroom: fc.integer({ min: 0, max: 6 }),
  maxUnits: fc.integer({ min: 1, max: 8 }),
  heldUnits: fc.constantFrom(0, 0, 0, 1, 3),
});

const scene = fc.record({
  lenders: fc.array(lenderCase, { minLength: 0, maxLength: 5 }),
  needed: fc.integer({ min: 1, max: 16 }),
  borrowMaxUnits: fc.integer({ min: 1, max: 20 }),
  minimumUnits: fc.integer({ min: 1, max: 16 }),
  filledUnits: fc.integer({ min: 0, max: 4 }),
  whenNoPartner: fc.constantFrom('provision' as const, 'refuse' as const, 'wait' as const),
  provisioningLimitUnits: fc.integer({ min: 0, max: 6 }),
});
type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never;

const lenderAt = (index: number): AccountId => accountId(String(200_000_000_000 + index));
const limits = { maxSharePercent: 100, maxUnitHoursPerMonth: 10_000 };

function candidateOf(one: LenderCase, index: number): Candidate {
  const account = lenderAt(index);
  const pool = poolOf(account);
  // 10 owned, 1 in reserve.
  const desiredCapacity = 9 - one.headroom;
  const lend = { ...limits, maxUnits: one.maxUnits, minPriceMicroUsdPerUnitHour: microUsd(1), recallNoticeSeconds: 60 };
  return {
    pool,
    group: groupOf({ desiredCapacity }),
    consent: consentOf(account, { lend }),
    usage: emptyUsage(account),
    plan: planOf(pool.spec.poolId, [0, 0, 0]),
    held: { units: one.heldUnits, reasons: [] },
  };
}

function inputOf(one: Scene): ChoiceInput {
  const candidates = one.lenders.map(candidateOf);
  const wantedUnits = one.needed + one.filledUnits;
  const borrowerPool = poolOf(
    BORROWER,
    { borrowedUnits: one.filledUnits },
    { provisioningLimitUnits: one.provisioningLimitUnits },
  );
  const loanId = 'ln-000000000000000000000001' as LoanId;
  const minimumUnits = Math.min(wantedUnits, one.minimumUnits);
  const request = requestOf(loanId, poolOf(BORROWER), wantedUnits, { minimumUnits });
  const borrow = {
    ...limits,
    maxSharePercent: 100,
    maxUnits: one.borrowMaxUnits,
    maxPriceMicroUsdPerUnitHour: microUsd(9),
    minRecallNoticeSeconds: 0,
  };
  return {
    snapshotLoan: loanOf({ loanId, units: one.needed, request }),
    unitsStillNeeded: one.needed,
    filledUnits: one.filledUnits,
    borrowerPool,
    borrowerGroup: groupOf({ desiredCapacity: 10 }),
    borrowerConsent: consentOf(BORROWER, { borrow, whenNoPartner: one.whenNoPartner }),
    borrowerUsage: { ...emptyUsage(BORROWER), borrowedUnits: 0 },
    partners: candidates.map(({ pool }) => partnerOf(pool)),
    pairings: Object.fromEntries(candidates.map(({ pool }) => [pool.spec.poolId, { state: 'active' as const }])),
    candidates,
    now: NOW,
    latencyMillis,
  };
}

const roomOf = ({ headroom, maxUnits, heldUnits }: LenderCase): number =>
  Math.max(0, Math.min(headroom - heldUnits, maxUnits));

describe('the parts of a need', () => {
  it('are together no more than is needed, no more than the borrower may have, and each what its lender has to lend', () => {
    fc.assert(
      fc.property(scene, (one) => {
        const { parts, units } = allocate(inputOf(one));
        expect(units).toBe(parts.reduce((sum, part) => sum + part.units, 0));
        expect(units).toBeLessThanOrEqual(one.needed);
        expect(units).toBeLessThanOrEqual(one.borrowMaxUnits);
        for (const part of parts) {
          const index = one.lenders.findIndex((_, at) => lenderAt(at) === part.lender?.pool.spec.accountId);
          expect(part.units).toBeGreaterThan(0);
          expect(part.units).toBeLessThanOrEqual(roomOf(one.lenders[index] ?? one.lenders[0] ?? never()));
        }
        const lenders = parts.map(({ lender }) => lender?.pool.spec.poolId);
        expect(new Set(lenders).size).toBe(lenders.length);
      }),
    );
  });

  it('leave nothing missing that somebody could have lent', () => {
    fc.assert(
      fc.property(scene, (one) => {
        const room = one.lenders.reduce((sum, lender) => sum + roomOf(lender), 0);
        // The pool owns 10 units, and may borrow as many.
        const allowed = Math.min(one.needed, one.borrowMaxUnits, 10 - one.filledUnits);
        const { units } = allocate(inputOf(one));
        expect(units).toBe(Math.min(allowed, room));
      }),
    );
  });

  it('are made only when they come to the minimum with what may be provisioned', () => {
    fc.assert(
      fc.property(scene, (one) => {
        const input = inputOf(one);
        const choice = chooseLender(input);
        const { units } = allocate(input);
        const least = Math.min(input.snapshotLoan.request?.minimumUnits ?? never(), one.needed + one.filledUnits);
        const own = one.whenNoPartner === 'provision' ? Math.min(one.needed - units, one.provisioningLimitUnits) : 0;
        const reachable = one.filledUnits + units + own;
        if (choice.outcome === 'partner' || choice.outcome === 'provision') {
          expect(reachable).toBeGreaterThanOrEqual(least);
          expect(choice.offer.units + (choice.offer.restUnits ?? 0)).toBe(one.needed);
        } else {
          expect(units + own === 0 || reachable < least).toBe(true);
          expect(choice.outcome).toBe(one.whenNoPartner === 'wait' ? 'wait' : 'refuse');
        }
      }),
    );
  });
});

function never(): never {
  throw new Error('a lender was chosen that is not there');
}
