import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accountId } from '../../../core/units.ts';
import { LendingWorld } from '../../support/lending-world.ts';
import type { WorldPool } from '../../support/lending-world.ts';

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
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), pool: index, units: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('advance' as const), loan: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('undo' as const), loan: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('scale' as const), pool: index, desired: fc.nat({ max: 14 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('past' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('consent' as const), pool: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.nat({ max: 4_000 }) }) },
);

function perform(world: LendingWorld, action: Action): void {
  const pool = (at: number) => world.poolIds[at % world.poolIds.length] ?? expect.fail();
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
      world.actOnPast(action.index);
      return;
    case 'consent':
      world.toggleConsent(world.store.poolOf(pool(action.pool)).spec.accountId);
      return;
    case 'pass':
      world.pass(action.seconds * 1_000);
  }
}
