/** What a loan costs at list price. */
import type { Loan } from '../../core/lending/loan.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import type { ProductCall } from './calls.ts';
import { batchReadsOf } from './reads.ts';

/**
 * List prices of us-east-1 in micro-dollars, without any free tier. Sources: the pricing pages of the services, as of
 * 2026-11: aws.amazon.com/{step-functions,lambda,dynamodb,eventbridge,cloudwatch,kms}/pricing.
 */
const PRICES_MICRO_USD = {
  /** 0.025 USD per 1,000, Standard workflows. */
  stateTransition: 25,
  /** 0.20 USD per million. */
  lambdaRequest: 0.2,
  /** arm64, first tier. */
  lambdaGibibyteSecond: 13.3334,
  /** On demand: 0.625 USD per million write units, 0.125 USD per million read units. */
  writeUnit: 0.625,
  readUnit: 0.125,
  /** 1.00 USD per million events to the bus of another account. */
  crossAccountEvent: 1,
  /** 1.00 USD per million invocations of EventBridge Scheduler. */
  scheduleInvocation: 1,
  /** 0.01 USD per 1,000 metrics requested with GetMetricData. */
  metricRequested: 10,
  /** 0.01 USD per 1,000 other requests to CloudWatch. */
  cloudWatchRequest: 10,
  /** 0.03 USD per 10,000 requests. */
  keyRequest: 3,
} as const;

type Priced = keyof typeof PRICES_MICRO_USD;

export interface CostItem {
  readonly item: string;
  readonly quantity: number;
  readonly microUsd: number;
}

export interface Consumption {
  readonly stateTransitions: number;
  readonly invocations: number;
  readonly gibibyteSeconds: number;
  readonly writeUnits: number;
  readonly calls: readonly ProductCall[];
  readonly metricsOfAPool: number;
  readonly pools: readonly FleetPool[];
  readonly loan: Loan;
  readonly scheduleInvocations: number;
}

/** Items are small: each one that is read consistently is one unit; a query of one small index page is half a unit. */
function readUnits({ calls, pools, loan }: Consumption): number {
  const made = new Map<string, number>();
  const units = calls.map(({ action, by }) => {
    if (action === 'BatchGetItem') {
      const reads = batchReadsOf(by, pools, loan);
      const times = made.get(by) ?? 0;
      made.set(by, times + 1);
      return reads[times % reads.length]?.keys.length ?? 0;
    }
    if (action === 'GetItem') return 1;
    return action === 'Query' ? 0.5 : 0;
  });
  return units.reduce<number>((sum, unit) => sum + unit, 0);
}

/** What choosing reads of its account's quota: the vCPUs in use and how many there may be. */
const METRICS_OF_A_QUOTA = 2;

function metricsRequested({ calls, metricsOfAPool }: Consumption): number {
  const asked = calls.filter(({ action }) => action === 'GetMetricData');
  return asked.reduce((sum, { by }) => sum + (by === 'choose' ? METRICS_OF_A_QUOTA : metricsOfAPool), 0);
}

/** ALARM and OK each reach the hub's bus once. */
const FORWARDED_EVENTS = 2;

function line(item: string, priced: Priced, quantity: number): CostItem {
  return { item, quantity, microUsd: quantity * PRICES_MICRO_USD[priced] };
}

/** Every item of a loan's bill. What is paid by the month, such as alarms and keys themselves, is not a loan's. */
export function costItems(used: Consumption): CostItem[] {
  const count = (action: string) => used.calls.filter((call) => call.action === action).length;
  const tableCalls = used.calls.filter((call) => call.service === 'dynamodb').length;
  return [
    line('Step Functions state transitions', 'stateTransition', used.stateTransitions),
    line('Lambda requests', 'lambdaRequest', used.invocations),
    line('Lambda GB-seconds', 'lambdaGibibyteSecond', used.gibibyteSeconds),
    line('DynamoDB write units', 'writeUnit', used.writeUnits),
    line('DynamoDB read units', 'readUnit', readUnits(used)),
    line('EventBridge events to the hub', 'crossAccountEvent', FORWARDED_EVENTS),
    line('Scheduler invocations', 'scheduleInvocation', used.scheduleInvocations),
    line('CloudWatch metrics requested', 'metricRequested', metricsRequested(used)),
    line('CloudWatch alarm requests', 'cloudWatchRequest', count('DescribeAlarms')),
    // DynamoDB caches a table's key for minutes; one request for each call is the most it can be.
    line('KMS requests, at most', 'keyRequest', tableCalls),
  ];
}
