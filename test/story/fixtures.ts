/** A recorded story for tests: two accounts lend to each other once, one stands by. */
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { PlanView } from '../../core/pairing/plan.ts';
import type { LoanId, PoolId } from '../../core/units.ts';
import { accountId, epochMillis, microUsd, plusMillis } from '../../core/units.ts';
import type { AccountFacts, StoryResult } from '../../story/result.ts';

export const START = epochMillis(1_793_786_400_000);
const HISTORY_STEPS = 1_080;
const BORROWED_UNITS = 4;
export const BORROWER = accountId('111111111111');
export const LENDER = accountId('222222222222');
const BYSTANDER = accountId('333333333333');

export function loanOf(overrides: Partial<LoanView> = {}): LoanView {
  return {
    loanId: 'ln-000000000000000000000001' as LoanId,
    version: 8,
    state: 'returned',
    kind: 'nominal',
    borrowerAccountId: BORROWER,
    borrowerPoolId: `${BORROWER}/us-east-1/shop` as PoolId,
    lenderAccountId: LENDER,
    lenderPoolId: `${LENDER}/us-east-1/reports` as PoolId,
    units: BORROWED_UNITS,
    bindingResource: 'memory',
    alarmName: 'entangle/shop/memory',
    alarmTransitionAt: plusMillis(START, 9_500),
    priceMicroUsdPerUnitHour: microUsd(9_000_000),
    termSeconds: 36,
    shortestTermSeconds: 12,
    moves: {},
    startedBy: 'borrow-test-0',
    inServiceBefore: 20,
    requestedAt: plusMillis(START, 10_000),
    activeAt: plusMillis(START, 12_000),
    endedAt: plusMillis(START, 48_000),
    returnReason: 'expired',
    billedMicroUsd: microUsd(360_000),
    reasons: ['memory needs 24 units, the ceiling is 20'],
    history: [
      { state: 'requested', at: plusMillis(START, 10_000) },
      { state: 'taken', at: plusMillis(START, 11_000) },
      { state: 'active', at: plusMillis(START, 12_000) },
      { state: 'returned', at: plusMillis(START, 48_000) },
    ],
    ...overrides,
  };
}

function facts(name: string, id: AccountFacts['accountId'], ceiling: number, posted: number): AccountFacts {
  return {
    name,
    accountId: id,
    groupName: `${name}-workload`,
    source: `${name}.csv`,
    cleaning: [],
    ceilingBefore: ceiling,
    ceilingAfter: ceiling,
    pendingMicroUsd: 0,
    postedMicroUsd: posted,
    auditRecords: 4,
    auditFaults: [],
    lastDayNeededUnits: Array.from({ length: 288 }, () => 15),
  };
}

export function resultOf(overrides: Partial<StoryResult> = {}): StoryResult {
  const frames = Array.from({ length: 144 }, (_, step) => {
    const lent = step >= 11 && step < 48 ? BORROWED_UNITS : 0;
    const frame = (ceilingUnits: number) => ({
      neededUnits: 18,
      ceilingUnits,
      desiredUnits: 18,
      inServiceUnits: 18,
      cpuPercent: 78,
    });
    return {
      sample: HISTORY_STEPS + step,
      atMillis: START + step * 1_000,
      accounts: [frame(20 + lent), frame(60 - lent), frame(40)],
    };
  });
  return {
    startedAt: '2026-11-04 10:00 UTC',
    scale: { traceStepSeconds: 300, stepSeconds: 1 },
    historySteps: HISTORY_STEPS,
    accounts: [
      facts('shop', BORROWER, 20, -360_000),
      facts('reports', LENDER, 60, 360_000),
      facts('mail', BYSTANDER, 40, 0),
    ],
    frames,
    loans: [loanOf()],
    alarms: [{ sample: HISTORY_STEPS + 10, accountName: 'shop', state: 'ALARM' }],
    seconds: 200,
    builtIn: true,
    ...overrides,
  };
}

/** The same story with one account's facts changed. */
export function resultWith(index: number, changed: Partial<AccountFacts>): StoryResult {
  const result = resultOf();
  return {
    ...result,
    accounts: result.accounts.map((account, at) => (at === index ? { ...account, ...changed } : account)),
  };
}

/** A plan with one peak an hour after the replay begins. */
export function planOf(): PlanView {
  const poolId = `${BORROWER}/us-east-1/shop` as PoolId;
  const at = START + 12_000;
  const peak = { startMillis: at, endMillis: at + 1_000, neededUnits: { '0.5': 21, '0.9': 24 }, probability: 0.83 };
  return {
    poolId,
    plannedAt: plusMillis(START, 0),
    forecast: {
      poolId,
      startMillis: START,
      stepSeconds: 1,
      neededUnits: { '0.5': [21], '0.9': [24], '0.95': [25] },
      bindingResource: 'memory',
      bottlenecks: {},
      bottleneckProbability: 0.83,
      models: {
        memory: [
          { name: 'lstm', weight: 0.75, backtestMase: 0.8 },
          { name: 'arima', weight: 0.25, backtestMase: 0.9 },
          { name: 'prophet', weight: 0, backtestMase: null, failed: 'a trap' },
        ],
      },
      reasons: { memory: ['demand repeats itself after 288 steps'] },
      coverage: { memory: { level80: 0.79, level95: 0.94, slots: 144, untilMillis: START } },
    },
    partners: [],
    refused: [],
    refusedCount: 0,
    expectedPeaks: [{ ...peak, resource: 'memory' }],
  };
}
