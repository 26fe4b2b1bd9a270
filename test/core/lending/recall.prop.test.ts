import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Loan, RecallBy } from '../../../core/lending/loan.ts';
import { accountId, invariant } from '../../../core/units.ts';
import { LendingWorld } from '../../support/lending-world.ts';

/** As fixtures.ts makes every pool. */
const COOL_DOWN_MILLIS = 600_000;

interface Minute {
  readonly seconds: number;
  readonly borrowerUnits: number;
  readonly lenderDesired: number;
  readonly recalledBy: RecallBy | undefined;
}

const minutes: fc.Arbitrary<Minute[]> = fc.array(
  fc.record({
    seconds: fc.integer({ min: 1, max: 240 }),
    borrowerUnits: fc.integer({ min: 0, max: 3 }),
    lenderDesired: fc.integer({ min: 0, max: 6 }),
    recalledBy: fc.option(
      fc.constantFrom('lender-alarm' as const, 'lender-forecast' as const, 'higher-tier' as const),
      {
        nil: undefined,
      },
    ),
  }),
  { minLength: 10, maxLength: 60 },
);

/** The shortest term is 600 s: a forecast recalls nothing before. */
function play(days: readonly Minute[]): readonly Loan[] {
  const shared = { ownedUnits: 8, reserveUnits: 1, forecastNeed: 1, provisioningLimitUnits: 0, maxUnits: 8 };
  const world = new LendingWorld([
    { ...shared, accountId: accountId('111111111111'), desired: 8 },
    { ...shared, accountId: accountId('222222222222'), desired: 1 },
  ]);
  const [borrower, lender] = world.poolIds;
  invariant(borrower !== undefined && lender !== undefined, 'two pools');
  for (const { seconds, borrowerUnits, lenderDesired, recalledBy } of days) {
    world.pass(seconds * 1_000);
    world.scale(lender, lenderDesired);
    if (borrowerUnits > 0) world.ask(borrower, borrowerUnits);
    // Every loan gets as far as it can: the fastest ping-pong that there could be.
    for (let step = 0; step < 8; step += 1) {
      for (const { loanId, state } of world.loans) if (state !== 'active') world.advance(loanId);
    }
    const last = world.loans.findLast(({ state }) => state === 'active');
    if (recalledBy !== undefined && last !== undefined) world.recall(last.loanId, recalledBy);
  }
  return world.loans;
}

function reservedAt(loan: Loan): number | undefined {
  return loan.history.find(({ state }) => state === 'reserved')?.at;
}

describe('recalls and loans of random demand', () => {
  it('never go to and fro: after a recall the pair makes no loan until it has cooled down', () => {
    let recalls = 0;
    let followed = 0;
    fc.assert(
      fc.property(minutes, (days) => {
        const loans = play(days).filter(({ lenderPoolId }) => lenderPoolId !== undefined);
        for (const { recall } of loans) {
          if (recall === undefined) continue;
          recalls += 1;
          const later = loans.flatMap((loan) => reservedAt(loan) ?? []).filter((at) => at > recall.askedAt);
          followed += later.length;
          // Whoever asked for it: what the lender wanted for itself, or somebody else more, does not go back at once.
          expect(Math.min(Number.POSITIVE_INFINITY, ...later)).toBeGreaterThanOrEqual(recall.firmAt + COOL_DOWN_MILLIS);
        }
      }),
      { numRuns: 150 },
    );
    // It says something: loans were recalled, and made again afterwards.
    expect(recalls).toBeGreaterThan(50);
    expect(followed).toBeGreaterThan(20);
  });
});
