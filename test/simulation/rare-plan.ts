/** Draws what comes seldom in life, and would come hardly ever in worlds of a few hours, from random numbers of its own. */
import type { AccountId } from '../../core/units.ts';
import type { PlannedPool } from './pool-plan.ts';
import type { Random } from './random.ts';

const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 3_600_000;

/** A function that fails whenever a workflow calls it: a deployment that went wrong, a role that was taken away. */
export interface Outage {
  readonly functionName: string;
  readonly fromMillis: number;
  readonly toMillis: number;
}

/** What owners do by themselves in some worlds. */
export interface Habits {
  /** Agree to longer terms while a loan goes on, and now and then to shorter ones. */
  readonly changeTerms: boolean;
  /** State limits of their pairings, and take them away. */
  readonly limitPairings: boolean;
}

export interface RarePlan {
  readonly outages: readonly Outage[];
  readonly habits: Habits;
}

/** Functions that a workflow calls, and what they leave behind when they fail for long. */
const FAILING = [
  'collect',
  'forecast',
  'assess',
  'choose',
  'reserve',
  'move-ceiling',
  'activate',
  'settle',
  'renew',
  'serve-queue',
  'serve-queue',
  'pair',
];

/** Only planning calls them: they fail when it does, or nobody would see it. */
const PLANNING: ReadonlySet<string> = new Set(['collect', 'forecast', 'pair']);

function drawOutage(rare: Random, activeMillis: number, planHours: number): Outage {
  const functionName = rare.pick(FAILING);
  const millis = rare.between(5, 45) * MINUTE_MILLIS;
  const anyTime = rare.between(0.1, 0.9) * activeMillis;
  const nextPlan = planHours * HOUR_MILLIS - MINUTE_MILLIS;
  const ofPlan = rare.chance(0.3) || nextPlan > activeMillis ? 0 : nextPlan;
  const fromMillis = PLANNING.has(functionName) ? ofPlan : anyTime;
  return { functionName, fromMillis, toMillis: Math.min(activeMillis, fromMillis + millis) };
}

/** @param hasLimits pools of the world have limits too */
export function drawRare(rare: Random, activeMillis: number, planHours: number, hasLimits: boolean): RarePlan {
  const habits = { changeTerms: rare.chance(0.5), limitPairings: rare.chance(hasLimits ? 0.8 : 0.15) };
  if (!rare.chance(0.2)) return { outages: [], habits };
  return {
    outages: Array.from({ length: rare.int(1, 2) }, () => drawOutage(rare, activeMillis, planHours)),
    habits,
  };
}

/** vCPUs that an account may use: about as many as its groups may come to use when one of them borrows. */
export function drawVcpuQuota(rare: Random, account: AccountId, pools: readonly PlannedPool[]): number {
  const owned = pools
    .filter(({ spec }) => spec.accountId === account)
    .reduce((sum, { spec, ownedUnits }) => sum + ownedUnits * (spec.vcpusPerUnit ?? 0), 0);
  return Math.max(8, Math.round((owned * rare.between(1, 2)) / 2) * 2);
}
