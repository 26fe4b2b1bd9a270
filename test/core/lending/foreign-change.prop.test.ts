import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { applyPoolChange } from '../../../core/lending/apply.ts';
import { foreignChange } from '../../../core/lending/foreign-change.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { LOAN_STATES } from '../../../core/lending/loan.ts';
import { recordRepair } from '../../../core/lending/repair.ts';
import type { Pool } from '../../../core/pool.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, poolId } from '../../../core/units.ts';
import { BORROWER, groupOf, LENDER, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const own = poolId(BORROWER, REGION, 'web');
const other = poolId(LENDER, REGION, 'web');

/** Open and ended loans of the pool on both sides. */
const loans = fc
  .array(
    fc.record({ state: fc.constantFrom(...LOAN_STATES), units: fc.integer({ min: 1, max: 5 }), lends: fc.boolean() }),
    {
      maxLength: 6,
    },
  )
  .map((drawn) =>
    drawn.map(({ state, units, lends }, index): Loan => {
      const [lenderPoolId, borrowerPoolId] = lends ? [own, other] : [other, own];
      const loanId = `ln-${String(index).padStart(24, '0')}` as LoanId;
      const history = [{ state, at: NOW }];
      return loanOf({
        loanId,
        state,
        units,
        history,
        lenderPoolId,
        borrowerPoolId,
        activeAt: epochMillis(NOW + index),
      });
    }),
  );

const COUNTED = ['reserved', 'taken', 'given', 'active', 'recalled', 'returning'];

/** A pool whose counters are those of its loans. */
function poolWith(all: readonly Loan[], driftUnits: number): Pool {
  const sum = (some: readonly Loan[]) => some.reduce((total, { units }) => total + units, 0);
  const counted = all.filter(({ state }) => COUNTED.includes(state));
  return poolOf(BORROWER, {
    ownedUnits: 40,
    lentUnits: sum(
      all.filter((loan) => loan.lenderPoolId === own && [...COUNTED, 'draining', 'reclaimed'].includes(loan.state)),
    ),
    borrowedUnits: sum(counted.filter((loan) => loan.borrowerPoolId === own)),
    ceilingDriftUnits: driftUnits,
  });
}

const group = fc.option(
  fc.record({
    minSize: fc.integer({ min: 0, max: 60 }),
    maxSize: fc.integer({ min: 0, max: 90 }),
    lendingEnabled: fc.boolean(),
  }),
  { nil: undefined },
);

describe('the rules for foreign changes', () => {
  it('answer every state of a group, touch active loans of the pool alone, and name no figure to both parties', () => {
    fc.assert(
      fc.property(loans, group, fc.boolean(), fc.integer({ min: -5, max: 5 }), (all, seen, raises, drift) => {
        const pool = poolWith(all, drift);
        const observed = seen === undefined ? undefined : groupOf(seen);
        const change = foreignChange({ pool, group: observed, raisesOwnCeiling: raises, openLoans: all });
        expect(change.reason).not.toBe('');
        if (change.action === 'none') return;
        expect(change.loans.length).toBeGreaterThan(0);
        for (const loan of change.loans) expect(loan.state).toBe('active');
        expect(change.reason.replaceAll(own, '')).not.toMatch(/\d/);
        expect(new Set(change.loans).size).toBe(change.loans.length);
      }),
    );
  });

  it('find nothing more of a ceiling once the books have followed it', () => {
    fc.assert(
      fc.property(loans, fc.integer({ min: 0, max: 90 }), (all, maxSize) => {
        const pool = poolWith(all, 0);
        const observed = groupOf({ maxSize, minSize: 0 });
        const seen = { pool, group: observed, raisesOwnCeiling: false, openLoans: all };
        const change = foreignChange(seen);
        const [loan] = change.action === 'repair' ? change.loans : [];
        if (change.action !== 'repair' || loan === undefined) return;
        const commit = recordRepair({ loan, borrowerPool: pool, heads: {} }, change, pool, true, NOW);
        const [written] = commit.pools;
        if (written === undefined) throw new Error('the books follow a change of the ceiling');
        const after = applyPoolChange(pool, written, loan.loanId);
        expect(foreignChange({ ...seen, pool: after }).action).toBe('none');
      }),
    );
  });

  it('never end more than what the change has undone needs', () => {
    fc.assert(
      fc.property(loans, fc.integer({ min: 0, max: 90 }), (all, maxSize) => {
        const pool = poolWith(all, 0);
        const change = foreignChange({
          pool,
          group: groupOf({ maxSize }),
          raisesOwnCeiling: false,
          openLoans: all,
        });
        if (change.action !== 'end') return;
        const expected = pool.ownedUnits - pool.lentUnits + pool.borrowedUnits;
        const units = change.loans.slice(0, -1).reduce((sum, loan) => sum + loan.units, 0);
        expect(units).toBeLessThan(Math.abs(maxSize - expected));
      }),
    );
  });
});
