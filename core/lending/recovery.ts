import type { GroupObservation, Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import { fits } from '../telemetry/demand.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_SECOND, plusMillis, RESOURCE_TYPES } from '../units.ts';
import type { LatestMetrics } from './assess.ts';
import { demandNow } from './assess.ts';
import type { Loan } from './loan.ts';

export interface Recovery {
  readonly recovered: boolean;
  readonly reason: string;
}

/**
 * Whether an active loan is no longer needed: its shortest term is over, and the demand of every measured resource type runs at
 * its recovery percentage, or less, on the ceiling without the loan. The gap between threshold and recovery keeps a loan from
 * being asked for again as soon as it is returned. A metric that cannot be read counts as demand. A loan that was made for a
 * forecast peak is needed until that peak has passed, however low demand is.
 */
export function hasRecovered(seen: {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly metrics: LatestMetrics;
  readonly loan: Loan;
  readonly now: EpochMillis;
}): Recovery {
  const { pool, group, loan, now } = seen;
  const not = (reason: string): Recovery => ({ recovered: false, reason });
  if (loan.state !== 'active' || loan.activeAt === undefined) return not(`the loan is ${loan.state}, not active`);
  const earliest = plusMillis(loan.activeAt, loan.shortestTermSeconds * MILLIS_PER_SECOND);
  if (now < earliest) return not(`its shortest term ends at ${earliest} ms, it is ${now} ms`);
  const peakEnd = loan.forecastNeed?.peakEndMillis ?? loan.watchNeed?.beforeMillis;
  if (peakEnd !== undefined && now < peakEnd) {
    return not(`it was made for a peak that is expected until ${peakEnd} ms, it is ${now} ms`);
  }
  const ownCeiling = Math.min(group.maxSize, ceilingUnits(pool)) - loan.units;
  const demand = demandNow(pool, group, seen.metrics);
  for (const resource of RESOURCE_TYPES) {
    const metric = pool.spec.resources[resource];
    if (metric === undefined) continue;
    const units = demand[resource];
    if (units === undefined) return not(`no value of the ${resource} metric could be read`);
    if (!fits(units, ownCeiling, metric.recoveryPercent)) {
      return not(
        `${resource} demand is ${Number(units.toFixed(3))} units; ${ownCeiling} units at ${metric.recoveryPercent} % serve less`,
      );
    }
  }
  return {
    recovered: true,
    reason: `demand fits into ${ownCeiling} units at the recovery percentage of each resource type`,
  };
}
