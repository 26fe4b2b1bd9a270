import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import type { LoanState } from '../../core/lending/loan.ts';

/** Namespace and service come from the environment (POWERTOOLS_METRICS_NAMESPACE, POWERTOOLS_SERVICE_NAME). */
const metrics = new Metrics();

/** Counts a loan that entered a state, once it is written: `Loans` by state. Written to the log in the embedded metric format. */
export function countLoan(state: LoanState): void {
  const single = metrics.singleMetric();
  single.addDimension('state', state);
  single.addMetric('Loans', MetricUnit.Count, 1);
}

/** Counts a model that should have taken part in a forecast and failed: `FailedModels` by model. */
export function countFailedModel(name: string): void {
  const single = metrics.singleMetric();
  single.addDimension('model', name);
  single.addMetric('FailedModels', MetricUnit.Count, 1);
}

/** Counts the outlooks that a look ahead has made: `Outlooks`. Fewer than pools means that some lend by their plan alone. */
export function countOutlooks(made: number): void {
  metrics.singleMetric().addMetric('Outlooks', MetricUnit.Count, made);
}

/** Keeps what a pool lends and borrows and what it could: `LendingUnits`, `CouldLendUnits`, `BorrowingUnits`, `CouldBorrowUnits` by pool. */
export function recordCapacity({
  poolId,
  lendingUnits,
  couldLendUnits,
  borrowingUnits,
  couldBorrowUnits,
}: PoolCapacity): void {
  const own = new Metrics();
  own.addDimension('pool', poolId);
  own.addMetric('LendingUnits', MetricUnit.Count, lendingUnits);
  own.addMetric('CouldLendUnits', MetricUnit.Count, couldLendUnits);
  own.addMetric('BorrowingUnits', MetricUnit.Count, borrowingUnits);
  own.addMetric('CouldBorrowUnits', MetricUnit.Count, couldBorrowUnits);
  own.publishStoredMetrics();
}
