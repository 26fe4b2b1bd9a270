import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RecallBy } from '../../../core/lending/loan.ts';
import { RECALLERS } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import { timesUnitRatio } from '../../../core/pairing/gates.ts';
import { accountId, invariant } from '../../../core/units.ts';
import type { WorldPool } from '../../support/lending-world.ts';
import { LendingWorld } from '../../support/lending-world.ts';

const sizeArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.constantFrom(0.5, 2, 3, 1.1) },
  { weight: 1, arbitrary: fc.double({ min: 0.25, max: 4, noNaN: true }) },
);

const poolsArbitrary: fc.Arbitrary<WorldPool[]> = fc
  .array(
    fc.record({
      account: fc.integer({ min: 1, max: 4 }),
      ownedUnits: fc.integer({ min: 1, max: 12 }),
      desired: fc.integer({ min: 0, max: 8 }),
      reserveUnits: fc.integer({ min: 0, max: 2 }),
      forecastNeed: fc.integer({ min: 0, max: 6 }),
      provisioningLimitUnits: fc.integer({ min: 0, max: 2 }),
      maxUnits: fc.integer({ min: 1, max: 6 }),
      size: sizeArbitrary,
    }),
    { minLength: 2, maxLength: 5 },
  )
  .map((pools) => {
    // The pools of an account share one consent, so they also share its maximum.
    const maxima = new Map<number, number>();
    return pools.map(({ account, maxUnits, ...pool }) => {
      const shared = maxima.get(account) ?? maxUnits;
      maxima.set(account, shared);
      return { ...pool, accountId: accountId(String(account).repeat(12)), maxUnits: shared };
    });
  });

type Action =
  | { readonly kind: 'ask'; readonly pool: number; readonly units: number }
  | { readonly kind: 'advance' | 'undo'; readonly loan: number }
  | { readonly kind: 'recall'; readonly loan: number; readonly by: RecallBy }
  | { readonly kind: 'scale'; readonly pool: number; readonly desired: number }
  | { readonly kind: 'past'; readonly index: number }
  | { readonly kind: 'consent'; readonly pool: number }
  | { readonly kind: 'pass'; readonly seconds: number };

const index = fc.nat({ max: 40 });
const actionArbitrary: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), pool: index, units: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('advance' as const), loan: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('undo' as const), loan: index }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('recall' as const), loan: index, by: fc.constantFrom(...RECALLERS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('scale' as const), pool: index, desired: fc.nat({ max: 14 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('past' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('consent' as const), pool: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.nat({ max: 4_000 }) }) },
);

function perform(world: LendingWorld, action: Action): void {
  const pool = (at: number) => {
    const id = world.poolIds[at % world.poolIds.length];
    invariant(id !== undefined, 'a world has pools');
    return id;
  };
  const loan = (at: number) => world.loans[at % Math.max(1, world.loans.length)]?.loanId;
  switch (action.kind) {
    case 'ask':
      world.ask(pool(action.pool), action.units);
      return;
    case 'advance': {
      const id = loan(action.loan);
      if (id !== undefined) world.advance(id);
      return;
    }
    case 'undo': {
      const id = loan(action.loan);
      if (id !== undefined) world.undo(id, 'requested-by-owner');
      return;
    }
    case 'recall': {
      const id = loan(action.loan);
      if (id !== undefined) world.recall(id, action.by);
      return;
    }
    case 'scale':
      world.scale(pool(action.pool), action.desired);
      return;
    case 'past':
      expect(world.actOnPast(action.index)).toBe(true);
      return;
    case 'consent':
      world.toggleConsent(world.store.poolOf(pool(action.pool)).spec.accountId);
      return;
    case 'pass':
      world.pass(action.seconds * 1_000);
  }
}

function lenderAndBorrower(provisioningLimitUnits = 0, sizes = { borrower: 1, lender: 1 }): LendingWorld {
  const shared = { ownedUnits: 10, reserveUnits: 1, forecastNeed: 3, provisioningLimitUnits, maxUnits: 6 };
  return new LendingWorld([
    { ...shared, accountId: accountId('111111111111'), desired: 10, size: sizes.borrower },
    { ...shared, accountId: accountId('222222222222'), desired: 2, size: sizes.lender },
  ]);
}

function firstLoan(world: LendingWorld) {
  const [loan] = world.loans;
  invariant(loan !== undefined, 'the world has a loan');
  return loan;
}

describe('any sequence of steps, crashes, repeats and undoings over several pools', () => {
  it('keeps every invariant, and every loan ends with all capacity back where it belongs', () => {
    fc.assert(
      fc.property(poolsArbitrary, fc.array(actionArbitrary, { minLength: 5, maxLength: 90 }), (pools, actions) => {
        const world = new LendingWorld(pools);
        for (const action of actions) perform(world, action);
        expect(world.drain()).toBe(true);
        world.checkAtRest();
      }),
      { numRuns: 400 },
    );
  });

  it('can be undone from any point of the way, and leaves both ceilings as they were, whatever the unit ratio', () => {
    const sizes = fc.record({ borrower: sizeArbitrary, lender: sizeArbitrary });
    fc.assert(
      fc.property(
        fc.nat({ max: 8 }),
        fc.integer({ min: 1, max: 5 }),
        sizes,
        (steps, units, { borrower: size, lender }) => {
          const world = lenderAndBorrower(0, { borrower: size, lender });
          // The lender has 10 − max(2, 3) − 1 to lend.
          const isEnough = timesUnitRatio(units, size / lender) <= 6;
          const [borrower] = world.poolIds;
          invariant(borrower !== undefined, 'a world has pools');
          world.ask(borrower, units);
          for (let step = 0; step < steps; step += 1) world.advance(firstLoan(world).loanId);
          world.undo(firstLoan(world).loanId, 'step-failed');
          expect(world.drain()).toBe(true);
          world.checkAtRest();
          const ends = isEnough ? ['failed', 'compensated', 'returned'] : ['failed', 'refused'];
          expect(ends).toContain(firstLoan(world).state);
        },
      ),
    );
  });
});

describe('a loan that nothing disturbs', () => {
  it('goes through every state in order, and bills the lender for the time it was active', () => {
    const world = lenderAndBorrower();
    const [borrower] = world.poolIds;
    invariant(borrower !== undefined, 'a world has pools');
    world.ask(borrower, 3);
    // choose, take, record, give, record, activate
    for (let step = 0; step < 6; step += 1) world.advance(firstLoan(world).loanId);
    expect(firstLoan(world).state).toBe('active');
    world.pass(1_800_000);
    world.undo(firstLoan(world).loanId, 'recovered');
    for (let step = 0; step < 4; step += 1) world.advance(firstLoan(world).loanId);
    const loan = firstLoan(world);
    expect(loan.history.map(({ state }) => state)).toEqual([
      'requested',
      'reserved',
      'taken',
      'given',
      'active',
      'returning',
      'reclaimed',
      'returned',
    ]);
    // 33,333 micro-dollars × 3 units × half an hour = 49,999.5, rounded half up.
    expect(loan.billedMicroUsd).toBe(50_000);
    world.checkAtRest();
  });

  it.each([
    ['smaller', { borrower: 1, lender: 2 }, 2, 33_333],
    ['larger', { borrower: 2, lender: 1 }, 6, 99_999],
    ['of a size that is no multiple', { borrower: 1.1, lender: 1 }, 4, 66_666],
  ])(
    "takes the units that stand in for the borrower's, where its instances are %s, and bills those",
    (_how, sizes, lenderUnits, billed) => {
      const world = lenderAndBorrower(0, sizes);
      const [borrower, lender] = world.poolIds;
      invariant(borrower !== undefined && lender !== undefined, 'a world has pools');
      world.ask(borrower, 3);
      for (let step = 0; step < 6; step += 1) world.advance(firstLoan(world).loanId);
      const loan = firstLoan(world);
      expect(loan).toMatchObject({ state: 'active', units: 3 });
      expect(lenderUnitsOf(loan)).toBe(lenderUnits);
      expect(loan.moves.take).toMatchObject({ fromMaxSize: 10, toMaxSize: 10 - lenderUnits });
      expect(loan.moves.give).toMatchObject({ fromMaxSize: 10, toMaxSize: 13 });
      expect(world.store.poolOf(borrower)).toMatchObject({ borrowedUnits: 3, lentUnits: 0 });
      expect(world.store.poolOf(lender)).toMatchObject({ borrowedUnits: 0, lentUnits: lenderUnits });
      const [borrows, lends] = [loan.borrowerAccountId, accountId('222222222222')];
      // A term of an hour, each side in its own units.
      expect(world.store.usageOf(borrows)).toMatchObject({
        borrowedUnits: 3,
        borrowedUnitSeconds: { '2026-11': 3 * 3_600 },
      });
      expect(world.store.usageOf(lends)).toMatchObject({
        lentUnits: lenderUnits,
        lentUnitSeconds: { '2026-11': lenderUnits * 3_600 },
      });
      expect(world.store.audit.get(lends)?.[0]?.detail).toMatchObject({ units: 3, lenderUnits });
      world.pass(1_800_000);
      world.undo(loan.loanId, 'recovered');
      for (let step = 0; step < 4; step += 1) world.advance(firstLoan(world).loanId);
      expect(firstLoan(world)).toMatchObject({ state: 'returned', billedMicroUsd: billed });
      world.checkAtRest();
    },
  );

  it('provisions within the own limit what the lender cannot lend without falling below its floor', () => {
    const world = lenderAndBorrower(7);
    const [borrower] = world.poolIds;
    invariant(borrower !== undefined, 'a world has pools');
    // The lender has 10 − max(2, 3) − 1 = 6 to lend.
    world.ask(borrower, 7);
    for (let step = 0; step < 6; step += 1) world.advance(firstLoan(world).loanId);
    expect(firstLoan(world)).toMatchObject({ state: 'active', kind: 'nominal', units: 6 });
    const [, rest] = world.loans;
    invariant(rest !== undefined, 'the rest is asked for in the same commit');
    for (let step = 0; step < 4; step += 1) world.advance(rest.loanId);
    expect(world.loans[1]).toMatchObject({ state: 'active', kind: 'provisioned', units: 1 });
    expect(world.drain()).toBe(true);
    world.checkAtRest();
  });

  it('does not lend while it has borrowed: two pools that lend to each other could wait for each other for ever', () => {
    const world = lenderAndBorrower();
    const [borrower, lender] = world.poolIds;
    invariant(borrower !== undefined && lender !== undefined, 'a world has pools');
    world.ask(borrower, 2);
    for (let step = 0; step < 6; step += 1) world.advance(firstLoan(world).loanId);
    world.scale(borrower, 1);
    world.ask(lender, 1);
    for (const loan of world.loans) world.advance(loan.loanId);
    expect(world.loans.map(({ state }) => state)).toEqual(['active', 'refused']);
    const reasons = world.loans[1]?.reasons.map(({ text }) => text).join(' ');
    expect(reasons).toContain('it has itself borrowed 2');
  });
});
