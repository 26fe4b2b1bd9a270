import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { applyCommit } from '../../../core/lending/apply.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { LoanCommit, LoanSnapshot } from '../../../core/lending/commit.ts';
import { loanFor } from '../../../core/lending/disclosure.ts';
import type { Candidate } from '../../../core/lending/lender-finding.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { giveBackMove, takeBackMove } from '../../../core/lending/moves.ts';
import { refuse, request } from '../../../core/lending/request.ts';
import * as saga from '../../../core/lending/saga.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { AccountId } from '../../../core/units.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, LENDER, loanOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';

/** Another lender, that is asked first and cannot lend. */
const PASSED_OVER = accountId('333333333333');

/** Every private figure of an account is a number that nobody else's figures, and no shared one, can be. */
const BASE: Readonly<Record<string, number>> = { [BORROWER]: 666_000, [LENDER]: 555_000, [PASSED_OVER]: 888_000 };
const MARKS: Readonly<Record<string, RegExp>> = {
  [BORROWER]: /666\d{3}/,
  [LENDER]: /555\d{3}/,
  [PASSED_OVER]: /888\d{3}/,
};

const OBSTACLES = [
  'headroom',
  'forecast',
  'units',
  'hours',
  'price',
  'notice',
  'terms',
  'revoked',
  'untagged',
] as const;
type Obstacle = (typeof OBSTACLES)[number];

interface Case {
  readonly figure: number;
  readonly units: number;
  readonly access: readonly [ConsentTerms['dataAccess'], ConsentTerms['dataAccess']];
  readonly obstacle: Obstacle;
  /** What keeps the second lender from lending too. */
  readonly secondObstacle: Obstacle | undefined;
  /** Steps of the making that are done before the loan goes back. */
  readonly steps: number;
  readonly fails: boolean;
}

const access = fc.constantFrom('none' as const, 'metrics-only' as const);
const cases: fc.Arbitrary<Case> = fc.record({
  figure: fc.integer({ min: 0, max: 99 }),
  units: fc.integer({ min: 1, max: 9 }),
  access: fc.tuple(access, access),
  obstacle: fc.constantFrom(...OBSTACLES),
  secondObstacle: fc.option(fc.constantFrom(...OBSTACLES), { nil: undefined }),
  steps: fc.integer({ min: 0, max: 3 }),
  fails: fc.boolean(),
});

function consentOfMarked(account: AccountId, dataAccess: ConsentTerms['dataAccess'], obstacle?: Obstacle) {
  const base = BASE[account] ?? 0;
  const limits = { maxUnits: base + 900, maxSharePercent: 100, maxUnitHoursPerMonth: base + 901 };
  const dear = microUsd(obstacle === 'price' ? base * 10 + 902 : 40_000);
  // What a lender promises of it stands on the loan: it is a term of it, as the price is.
  const notice = obstacle === 'notice' ? 0 : 903;
  const term = obstacle === 'terms' ? base + 904 : 3_600;
  return consentOf(
    account,
    {
      lend: { ...limits, minPriceMicroUsdPerUnitHour: dear, recallNoticeSeconds: notice },
      borrow: { ...limits, maxPriceMicroUsdPerUnitHour: microUsd(base + 905), minRecallNoticeSeconds: 10 },
      dataAccess,
      shortestTermSeconds: term === 3_600 ? 600 : term,
      longestTermSeconds: term,
    },
    { status: obstacle === 'revoked' ? 'revoked' : 'active' },
  );
}

function candidateOf(account: AccountId, one: Case, obstacle?: Obstacle): Candidate {
  const base = (BASE[account] ?? 0) + one.figure;
  const pool = poolOf(account, { ownedUnits: base + 500 });
  const used = { lentUnits: obstacle === 'units' ? base + 900 : 0 };
  const month = { '2026-11': obstacle === 'hours' ? (base + 901) * 3_600 : 0 };
  const desiredCapacity = obstacle === 'headroom' ? base + 499 : base;
  return {
    pool,
    group: groupOf({ maxSize: base + 500, desiredCapacity, lendingEnabled: obstacle !== 'untagged' }),
    consent: consentOfMarked(account, one.access[1], obstacle),
    usage: { ...emptyUsage(account), ...used, lentUnitSeconds: month },
    plan: planOf(pool.spec.poolId, [base + (obstacle === 'forecast' ? 499 : 1), base + 2]),
  };
}

function partnerOf({ pool }: Candidate) {
  return {
    lenderPoolId: pool.spec.poolId,
    lenderAccountId: pool.spec.accountId,
    score: 1.5,
    confidence: 0.75,
    expectedUnits: 2,
    expectedSavingMicroUsd: microUsd(0),
    reasons: ['same region eu-west-1'],
    metricReasons: ['covers 50 % of the forecast shortage (P95)'],
    lenderDataAccess: 'none' as const,
  };
}

/** Every commit of one loan, from its request to its end. */
function commitsOf(one: Case): LoanCommit[] {
  const base = (BASE[BORROWER] ?? 0) + one.figure;
  const borrowerPool = poolOf(BORROWER, { ownedUnits: base + 500 }, { provisioningLimitUnits: 0 });
  const borrowerGroup = groupOf({ maxSize: base + 500, desiredCapacity: base + 499 });
  const { loanId, borrowerAccountId, borrowerPoolId, bindingResource, startedBy } = loanOf();
  const first = request(
    {
      loanId,
      borrowerAccountId,
      borrowerPoolId,
      bindingResource,
      startedBy,
      alarmName: 'entangle/web/cpu',
      alarmTransitionAt: NOW,
      units: one.units,
      inServiceBefore: base + 499,
      reason: `cpu needs ${base + 500 + one.units} units, the ceiling is ${base + 500}`,
    },
    NOW,
  );
  const candidates = [candidateOf(PASSED_OVER, one, one.obstacle), candidateOf(LENDER, one, one.secondObstacle)];
  const choice = chooseLender({
    snapshotLoan: first.loan,
    unitsStillNeeded: one.units,
    borrowerPool,
    borrowerGroup,
    borrowerConsent: consentOfMarked(BORROWER, one.access[0]),
    borrowerUsage: emptyUsage(BORROWER),
    partners: candidates.map(partnerOf),
    pairings: Object.fromEntries(candidates.map(({ pool }) => [pool.spec.poolId, { state: 'active' }])),
    candidates,
    now: NOW,
    latencyMillis,
  });
  const requested: LoanSnapshot = { loan: first.loan, borrowerPool, heads: {} };
  if (choice.outcome === 'refuse') return [first, refuse(requested, choice.reason, NOW, choice.reasons)];
  if (choice.outcome !== 'partner' || choice.offer.lender === undefined)
    throw new Error(`unexpected: ${choice.outcome}`);
  const { pool: lenderPool, group } = choice.offer.lender;
  let snapshot: LoanSnapshot = { ...requested, lenderPool };
  const lowered = { ...group, maxSize: group.maxSize - one.units };
  const raised = { ...borrowerGroup, maxSize: borrowerGroup.maxSize + one.units };
  const making = [saga.recordTaken, saga.recordGiven, saga.activate].slice(0, one.steps);
  const failing = making.length === 0 ? (BASE[LENDER] ?? 0) : base;
  const steps: readonly (() => LoanCommit)[] = [
    () => saga.reserve(snapshot, choice.offer, NOW),
    ...making.map((step) => () => step(snapshot, NOW)),
    () => saga.beginReturn(snapshot, 'repair', takeBackMove(snapshot.borrowerPool, raised, snapshot.loan), NOW),
    () => saga.reclaim(snapshot, giveBackMove(lenderPool, lowered, snapshot.loan), NOW),
    () => saga.settle(snapshot, NOW, one.fails ? `ForeignChange: MaxSize is ${failing + 77}` : undefined),
  ];
  const rest = steps.map((step) => {
    const commit = step();
    snapshot = applyCommit(snapshot, commit);
    return commit;
  });
  return [first, ...rest];
}

function marksIn(shown: unknown): string[] {
  const text = JSON.stringify(shown);
  return Object.entries(MARKS).flatMap(([account, mark]) => (mark.test(text) ? [account] : []));
}

function partiesOf({ borrowerAccountId, lenderAccountId }: Loan): AccountId[] {
  return lenderAccountId === undefined ? [borrowerAccountId] : [borrowerAccountId, lenderAccountId];
}

describe('what a party is shown of a loan', () => {
  it("has none of another account's figures in it, and its own, at each step and whatever stood against a loan", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const commits = commitsOf(one);
        for (const { loan, audit } of commits) {
          for (const party of partiesOf(loan)) {
            expect(marksIn(loanFor(party, loan))).toEqual([party]);
          }
          expect(marksIn(audit)).toEqual([]);
        }
        // What is hidden is there: the loan itself carries the figures of both its parties.
        const ended = commits.at(-1)?.loan;
        if (ended?.lenderAccountId !== undefined) {
          expect(marksIn(ended)).toEqual(expect.arrayContaining([BORROWER, LENDER]));
        }
      }),
      { numRuns: 300 },
    );
  });
});
