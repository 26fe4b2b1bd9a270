/** Bugs that the simulation has to find, each as the exact text that it replaces. */
import type { Replacement } from './mutation.ts';

export interface Mutant {
  readonly name: string;
  readonly what: string;
  readonly replacements: readonly Replacement[];
}

function mutant(
  name: string,
  what: string,
  ...edits: readonly (readonly [file: string, from: string, to: string])[]
): Mutant {
  return { name, what, replacements: edits.map(([file, from, to]) => ({ file, from, to })) };
}

const SAGA = 'core/lending/saga.ts';
const MOVE = 'functions/move-ceiling.ts';
const STORE = 'functions/adapters/loan-store.ts';

export const MUTANTS: readonly Mutant[] = [
  mutant('compensation-skipped', "the lender's ceiling is not raised again", [
    MOVE,
    'await moveGroup(lenderPool.spec, move, role);',
    'void role;',
  ]),
  mutant('given-before-taken', "the borrower's ceiling goes up before the lender's goes down", [
    MOVE,
    '    await moveGroup(pool.spec, move, role);',
    '    if (loan.moves.give) await moveGroup(snapshot.borrowerPool.spec, loan.moves.give, role); await moveGroup(pool.spec, move, role);',
  ]),
  mutant('not-taken', "the lender's ceiling is recorded as lowered, and is not", [
    MOVE,
    '    await moveGroup(pool.spec, move, role);',
    '',
  ]),
  mutant('lender-raised-too-soon', "the lender's ceiling goes up while the borrower's instances run still", [
    MOVE,
    'borrower.occupiedUnits > borrower.maxSize',
    'borrower.occupiedUnits > 1_000',
  ]),
  mutant('desired-not-looked-at', 'what the lender runs is not looked at before its ceiling goes down', [
    MOVE,
    'kept > move.toMaxSize || ',
    '',
  ]),
  mutant(
    'not-idempotent',
    'giving back once more raises the lender once more',
    [MOVE, 'const status = moveStatus(move, group);', "const status = 'pending' as string;"],
    [
      MOVE,
      'await moveGroup(lenderPool.spec, move, role);',
      'await moveGroup(lenderPool.spec, { ...move, toMaxSize: group.maxSize + move.toMaxSize - move.fromMaxSize }, role);',
    ],
  ),
  mutant('version-not-checked', 'a loan is written whatever version it has', [
    STORE,
    "ConditionExpression: isNew ? 'attribute_not_exists(loanId)' : '#version = :version',",
    "ConditionExpression: isNew ? 'attribute_not_exists(loanId)' : 'attribute_exists(loanId)',",
  ]),
  mutant('consent-not-checked', 'a revoked consent does not keep a loan from being reserved', [
    STORE,
    "'#version = :version AND #status = :active AND (",
    "'attribute_exists(accountId) AND (",
  ]),
  mutant('pairing-not-checked', 'a pairing that has ended does not keep a loan from being reserved', [
    STORE,
    "ConditionExpression: '#state = :active',",
    "ConditionExpression: 'attribute_exists(accountId)',",
  ]),
  mutant('page-lost', 'only the first page of the open loans is read', [
    STORE,
    'start = page.LastEvaluatedKey;',
    'start = undefined;',
  ]),
  mutant(
    'expiry-lost',
    'nothing ends a loan when its term is over',
    ['functions/activate.ts', 'await scheduleExpiry(scheduler, snapshot.loan, target);', ''],
    ['core/lending/reconcile.ts', 'loan.dueAt === undefined || now >= loan.dueAt', 'loan.dueAt === undefined'],
  ),
  mutant('stuck-not-repaired', 'reconciling leaves loans between two states alone', [
    'core/lending/reconcile.ts',
    'Math.max(plusMillis(since, stuckAfterSeconds * MILLIS_PER_SECOND), notice)',
    'Number.MAX_SAFE_INTEGER',
  ]),
  mutant('billed-too-long', 'a late return is billed beyond the term', [
    'core/billing/ledger.ts',
    'Math.min(until, loan.dueAt ?? until)',
    'until',
  ]),
  mutant('billed-from-request', 'a loan is billed from when it was asked for', [
    SAGA,
    'activeAt: at, dueAt',
    'activeAt: loan.requestedAt, dueAt',
  ]),
  mutant('one-sided-entry', "the lender's side of a bill is not written", [
    'core/billing/ledger.ts',
    'used === 0 ? voided : [...voided, ...',
    'used === 0 ? voided.slice(1) : [...voided, ...',
  ]),
  mutant('active-too-soon', 'a loan is active as soon as its instances are asked for', [
    'functions/activate.ts',
    'group.inServiceUnits < wanted',
    'group.desiredCapacity < wanted',
  ]),
  mutant('lock-kept', "a loan that has ended holds the lender's pool", [
    SAGA,
    "poolChange(lenderPool, 'release', { lentUnits: -lenderUnits",
    "poolChange(lenderPool, 'held', { lentUnits: -lenderUnits",
  ]),
  mutant('usage-not-freed', 'units lent stay counted under the consent', [
    SAGA,
    "      releasedUsage(loan, lenderAccountId, 'lend', reclaimedAt),\n",
    '',
  ]),
  mutant('record-missing', 'one change of state in the way back leaves no audit record', [
    'functions/adapters/transaction.ts',
    'const appends = appendsOf(events);',
    "const appends = appendsOf(events.filter(({ type }) => type !== 'loan.reclaimed'));",
  ]),
  mutant('forecast-not-looked-at', 'a lender lends what it is forecast to need', [
    'core/lending/lendable.ts',
    'Math.max(desired, forecastP95 ?? 0) + reserve',
    'desired + reserve',
  ]),
];
