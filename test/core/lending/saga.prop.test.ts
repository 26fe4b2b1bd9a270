import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { accountId, invariant } from '../../../core/units.ts';
import type { WorldPool } from '../../support/lending-world.ts';
import { LendingWorld } from '../../support/lending-world.ts';

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

function lenderAndBorrower(provisioningLimitUnits = 0): LendingWorld {
  const shared = { ownedUnits: 10, reserveUnits: 1, forecastNeed: 3, provisioningLimitUnits, maxUnits: 6 };
  return new LendingWorld([
    { ...shared, accountId: accountId('111111111111'), desired: 10 },
    { ...shared, accountId: accountId('222222222222'), desired: 2 },
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

  it('can be undone from any point of the way, and leaves both ceilings as they were', () => {
    fc.assert(
      fc.property(fc.nat({ max: 8 }), fc.integer({ min: 1, max: 5 }), (steps, units) => {
        const world = lenderAndBorrower();
        const [borrower] = world.poolIds;
        invariant(borrower !== undefined, 'a world has pools');
        world.ask(borrower, units);
        for (let step = 0; step < steps; step += 1) world.advance(firstLoan(world).loanId);
        world.undo(firstLoan(world).loanId, 'step-failed');
        expect(world.drain()).toBe(true);
        world.checkAtRest();
        expect(['failed', 'compensated', 'returned']).toContain(firstLoan(world).state);
      }),
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

  it('provisions within the own limit when the lender would fall below its floor', () => {
    const world = lenderAndBorrower(7);
    const [borrower] = world.poolIds;
    invariant(borrower !== undefined, 'a world has pools');
    // The lender has 10 − max(2, 3) − 1 = 6 to lend.
    world.ask(borrower, 7);
    for (let step = 0; step < 4; step += 1) world.advance(firstLoan(world).loanId);
    expect(firstLoan(world)).toMatchObject({ state: 'active', kind: 'provisioned', units: 7 });
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
