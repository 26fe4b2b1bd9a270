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
const PHYSICAL = 'core/lending/physical.ts';

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
  mutant('page-lost', 'only the first page of what a query finds is read', [
    'functions/adapters/pages.ts',
    'for await (const page of pages) found.push(...(page.Items ?? []));',
    'for await (const page of pages) {\n    found.push(...(page.Items ?? []));\n    break;\n  }',
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
    'Math.max(desired, forecastUnits ?? 0) + reserve',
    'desired + reserve',
  ]),
  mutant('not-merged-back', 'what was split off for a loan is not merged into its source again', [
    PHYSICAL,
    'if (split.totalUnits === 0) return',
    "return { step: 'done' };\n  if (split.totalUnits === 0) return",
  ]),
  mutant('share-not-removed', 'the reservation of a loan that has ended stays shared', [
    PHYSICAL,
    'if (share?.lendingEnabled === true) return',
    'if (share?.lendingEnabled === undefined && share !== undefined) return',
  ]),
  mutant('not-in-what-was-lent', "a physical loan is active wherever the borrower's instances run", [
    'functions/activate.ts',
    'inUse !== undefined && inUse < loan.units',
    'inUse !== undefined && inUse < 0',
  ]),
  mutant('kind-not-looked-at', 'a loan to a group that launches into no reservation is called physical', [
    PHYSICAL,
    "pairSubstanceOf(lender, borrower) === 'physical'",
    "lender.lendsAs === 'physical'",
  ]),
  mutant('protection-ignored', 'instances that are protected go before the notice is over', [
    MOVE,
    'firmAt !== undefined && now() >= firmAt',
    'firmAt !== undefined',
  ]),
  mutant('notice-not-kept', 'a recall is firm at once', [
    'core/lending/recall.ts',
    'Math.max(askedAt, Math.min(promised, loan.dueAt ?? promised))',
    'askedAt',
  ]),
  mutant(
    'kill-switch-not-read',
    'a stop does not keep a loan from being made',
    ['core/lending/stops.ts', 'if (!isStopped(stops)) return undefined;', 'return undefined;'],
    [
      'functions/adapters/stop-store.ts',
      'ConditionExpression: NOT_STOPPED,',
      "ConditionExpression: 'attribute_not_exists(neverWritten)',",
    ],
  ),
  mutant('unit-limit-not-counted', 'loans do not count against the limits of organisation units', [
    'core/lending/pair-limits.ts',
    'unitsCrossed(membership?.unitsAbove ?? [], others?.unitsAbove ?? [])',
    'unitsCrossed([], others?.unitsAbove ?? [])',
  ]),
  mutant('pairing-limit-not-counted', 'loans do not count against the limit of their pairing', [
    'core/lending/pair-limits.ts',
    "add({ kind: 'pairing', pairingId: pair.pairing.pairingId, accountId }, limit, accountId);",
    'void limit;',
  ]),
  mutant(
    'renewed-beyond-longest',
    'a renewal does not look at the longest term of the consents',
    [
      'core/lending/term.ts',
      'const room = longestSeconds(borrowerConsent, lenderConsent) - loan.termSeconds;',
      'const room = stretchSeconds(loan); void longestSeconds;',
    ],
    [
      'core/lending/term.ts',
      'const use = useOf(side, loan, loan.termSeconds + addedSeconds, from);',
      'const use = useOf(side, loan, loan.termSeconds, from);',
    ],
  ),
  mutant('renewal-not-charged', 'nothing is reserved for the time that a renewal adds', [
    'core/lending/term.ts',
    'pendingEntries(parties, addedPrice(loan, addedSeconds), at, after.renewals?.length)',
    '(void addedPrice, void pendingEntries, [])',
  ]),
  mutant('limit-not-freed', 'a loan that has ended counts against limits for ever', [
    'core/lending/limits.ts',
    'units: -units, unitSeconds, month: reservedMonth(loan) };',
    'units: 0, unitSeconds, month: reservedMonth(loan) };',
  ]),
  mutant('cancelled-served', 'a request that its account has cancelled goes on', [
    'functions/adapters/request-routes.ts',
    'const { loan } = await commitStep(service.store, snapshot, cancel(snapshot, caller.userArn, now()));',
    'const { loan } = snapshot; void cancel;',
  ]),
  mutant('not-queued', 'a request that waits is in no queue', [
    'functions/choose.ts',
    'await enterQueue(queueTables.accountsTable, loan.loanId, waiting.lenderPoolIds);',
    '',
  ]),
  mutant('evidence-not-kept', 'what the end of a loan shows of its parties is not written with it', [
    'functions/settle.ts',
    'commitStep(store, snapshot, { ...commit, evidence })',
    'commitStep(store, snapshot, commit)',
  ]),
  mutant('queue-not-counted', 'a queue that somebody enters is still said to be empty', [
    'functions/adapters/queue-store.ts',
    "UpdateExpression: 'ADD entered :one',",
    "UpdateExpression: 'ADD counted :one',",
  ]),
  mutant('emptied-ahead', 'a queue that was found empty is said to be so for who comes next', [
    'functions/adapters/queue-store.ts',
    "ExpressionAttributeValues: { ':entered': enteredOf(items, lender) },",
    "ExpressionAttributeValues: { ':entered': enteredOf(items, lender) + 1 },",
  ]),
  mutant(
    'tier-not-looked-at',
    'a loan of any tier is recalled for a request of any other',
    ['core/allocation/preemption-plan.ts', 'loan.tier <= request.tier', 'request.tier < 0'],
    ['core/allocation/preemption-plan.ts', 'if (comesFirst(loan)) {', 'if (comesFirst(loan) && request.tier < 0) {'],
  ),
  mutant('own-ceiling-not-looked-at', 'loans rest on ceilings that a scaling policy raises', [
    'functions/adapters/scaling-policies.ts',
    "if (scales && predictive.MaxCapacityBreachBehavior === 'IncreaseMaxCapacity') return true;",
    'void scales;',
  ]),
];
