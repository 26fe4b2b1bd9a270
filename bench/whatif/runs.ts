import type { ReplayMeasures } from '../../core/whatif/compare.ts';
import { measuresOf } from '../../core/whatif/compare.ts';
import { replay } from '../../core/whatif/replay.ts';
import type { Scenario } from '../../core/whatif/scenario.ts';
import { DEFAULT_SCENARIO } from '../../core/whatif/scenario.ts';
import type { Demand } from './fleet.ts';
import { benchFleet } from './fleet.ts';

const MICROS_A_SECOND = 1e6;
const SECONDS_A_DAY = 86_400;
const SECONDS_A_MINUTE = 60;

/** What pools own: a percentile of their training weeks, as reservations of capacity (95th) or Reserved Instances (62nd) would be bought. */
export const ODCR_PERCENTILE = 95;
export const RI_PERCENTILE = 62;

export interface Run extends ReplayMeasures {
  /** What the oracle covers, and what one pool for all would. */
  readonly oraclePercent: number;
  readonly pooledPercent: number;
  readonly poolDaysACpuMinute: number;
  readonly poolDays: number;
}

const { borrowAhead: _ahead, ...ALARM_ONLY } = DEFAULT_SCENARIO;

/** The policies that are compared. Units may be parts: the traces are percentages of a VM. */
export const POLICIES = {
  shipped: { ...DEFAULT_SCENARIO, wholeUnits: false },
  circles: { ...DEFAULT_SCENARIO, wholeUnits: false, partners: 'circles' },
  smallestFirst: { ...DEFAULT_SCENARIO, wholeUnits: false, orderRules: [{ by: 'smallest-deficit' }] },
  alarmOnly: { ...ALARM_ONLY, wholeUnits: false },
  fixedRisk: { ...DEFAULT_SCENARIO, wholeUnits: false, harmTarget: 0 },
  perfect: { ...DEFAULT_SCENARIO, wholeUnits: false, forecast: 'perfect' },
  profile90: {
    ...ALARM_ONLY,
    wholeUnits: false,
    forecast: 'profile',
    profileQuantile: 0.9,
    orderRules: [{ by: 'smallest-deficit' }],
  },
} as const satisfies Record<string, Scenario>;
export type PolicyName = keyof typeof POLICIES;

/** Replays a set of traces under one policy. */
export function runPolicy(demand: Demand, commitmentPercentile: number, policy: PolicyName): Run {
  const scenario: Scenario = { ...POLICIES[policy], commitmentPercentile };
  const before = process.cpuUsage();
  const { traces, participants } = benchFleet(demand, scenario);
  const result = replay(traces, participants, scenario);
  const { user, system } = process.cpuUsage(before);
  const { totals } = result;
  const poolDays = (participants.pools.length * traces.steps * traces.stepSeconds) / SECONDS_A_DAY;
  return {
    ...measuresOf(result, traces.stepSeconds),
    oraclePercent: (100 * totals.withinLimits) / totals.short,
    pooledPercent: (100 * totals.pooled) / totals.short,
    poolDays,
    poolDaysACpuMinute: (poolDays * SECONDS_A_MINUTE * MICROS_A_SECOND) / (user + system),
  };
}
