/**
 * What a pairing saves over the horizon of the forecast, both sides together: the price moves money between them and saves none.
 *
 * A unit-hour served saves only where the lender has paid for it anyway (`C(t)`, below) and the borrower would have paid for it
 * otherwise (its counterfactual). For each way that need may come, with `s(t)` the units served in a slot of `h` hours, `r` the
 * borrower's on-demand price and `x(t) = min(s(t), C(t))`:
 *
 *     on-demand         Σ min(x(t), limit) × h × r      limit: the pool's provisioning limit, none when `withoutLending` is stated
 *     own-reservation   max x(t) × hours of the horizon × r      a reservation for the peak is paid for whether it is used or not
 *     no-capacity       0      nothing is paid that would have been paid; what was not served otherwise is counted in unit-hours
 *
 * `C(t) = max(0, committed − the lender's own need(t))`: the lender's need is served from its commitments first. Committed are
 * capacity reservations, and Reserved Instances and Savings Plans whose discount follows the loan: elsewhere the borrower pays on
 * demand as before. A nominal loan moves a ceiling, not capacity that is paid for: 0. So does any loan to a group that does not launch
 * into reservations shared with it.
 *
 * `low`, `mid` and `high` are the P10, P50 and P90 of that sum over the ways that need may come, `expected` is its mean. Where a shortage
 * is rare, `mid` is 0 and the mean is not: that many such horizons together save their number times `expected`.
 */
import type { CommitmentKind, Counterfactual, LoanSubstance, Pool, PoolSpec } from '../pool.ts';
import type { MicroUsd } from '../units.ts';
import { microUsd } from '../units.ts';
import { loanSubstanceOf, pairSubstanceOf } from './gates.ts';
import { slotHours } from './grid.ts';
import type { PairScenarios, Scenario } from './pair-scenarios.ts';
import { servedAt, weightedQuantile } from './pair-scenarios.ts';

export interface SavingInterval {
  readonly low: MicroUsd;
  readonly mid: MicroUsd;
  readonly high: MicroUsd;
  /** The mean, which may lie above `high` where a saving is rare and large. */
  readonly expected: MicroUsd;
}

export interface PairSaving extends SavingInterval {
  readonly substance: 'physical' | 'nominal';
  /** What it is counted against. */
  readonly counterfactual: Counterfactual;
  /** The parts of `expected` by what the lender has committed to, in proportion to the units committed. */
  readonly expectedByCommitment: Readonly<Partial<Record<CommitmentKind, MicroUsd>>>;
  /** Unit-hours, at the median, that a loan serves and nothing else would have: they have no price here. */
  readonly otherwiseUnservedUnitHours: number;
  /** Why it is what it is, in a sentence. */
  readonly basis: string;
}

/** What the owner of a pool would do about a shortage if nobody lent. */
export function counterfactualOf(spec: Pick<PoolSpec, 'withoutLending' | 'provisioningLimitUnits'>): {
  readonly kind: Counterfactual;
  readonly limitUnits: number;
} {
  if (spec.withoutLending !== undefined) return { kind: spec.withoutLending, limitUnits: Number.POSITIVE_INFINITY };
  const limitUnits = spec.provisioningLimitUnits;
  return { kind: limitUnits > 0 ? 'on-demand' : 'no-capacity', limitUnits };
}

/** What a pool has paid for and a physical loan makes use of. */
export function savingCommitments(spec: Pick<PoolSpec, 'commitments'>): { kind: CommitmentKind; units: number }[] {
  return spec.commitments
    .filter(({ kind, discountFollowsLoan }) => kind === 'capacity-reservation' || discountFollowsLoan === true)
    .map(({ kind, units }) => ({ kind, units }));
}

interface Totals {
  /** Micro-dollars. */
  readonly saved: number;
  readonly otherwiseUnserved: number;
}

function totalsOf(scenario: Scenario, pair: PairScenarios, borrower: Pool, committedUnits: number): Totals {
  const { kind, limitUnits } = counterfactualOf(borrower.spec);
  const rate = borrower.spec.onDemandMicroUsdPerUnitHour;
  const hours = slotHours(pair.grid);
  let [unitHours, peak, otherwiseUnserved] = [0, 0, 0];
  for (const slot of scenario.shortSlots) {
    const served = servedAt(scenario, slot);
    if (served === 0) continue;
    const idle = Math.max(0, committedUnits - (scenario.lenderNeed[slot] ?? 0)) / pair.unitRatio;
    const paidFor = Math.min(served, idle);
    unitHours += Math.min(paidFor, limitUnits) * hours;
    peak = Math.max(peak, paidFor);
    otherwiseUnserved += (kind === 'no-capacity' ? served : Math.max(0, served - limitUnits)) * hours;
  }
  switch (kind) {
    case 'on-demand':
      return { saved: unitHours * rate, otherwiseUnserved };
    case 'own-reservation':
      return { saved: peak * pair.grid.slots * hours * rate, otherwiseUnserved };
    case 'no-capacity':
      return { saved: 0, otherwiseUnserved };
  }
}

function basisOf(
  substance: LoanSubstance,
  offered: LoanSubstance,
  committedUnits: number,
  kind: Counterfactual,
): string {
  if (offered === 'nominal') return 'a nominal loan moves a ceiling: it saves no money';
  if (substance === 'nominal') {
    return "the borrower's group does not launch into reservations shared with it: a loan moves a ceiling, and saves no money";
  }
  if (committedUnits === 0) return 'the lender has committed to nothing that a loan would make use of';
  switch (kind) {
    case 'on-demand':
      return "idle committed capacity takes the place of the borrower's on-demand instances";
    case 'own-reservation':
      return 'idle committed capacity takes the place of a reservation for the peak of the borrower';
    case 'no-capacity':
      return 'the borrower would have gone without: it gets capacity, and no bill gets smaller';
  }
}

function byCommitment(expected: number, commitments: readonly { kind: CommitmentKind; units: number }[]) {
  const units = commitments.reduce((sum, each) => sum + each.units, 0);
  const shares: Partial<Record<CommitmentKind, MicroUsd>> = {};
  let [unitsSoFar, givenSoFar] = [0, 0];
  for (const each of commitments) {
    unitsSoFar += each.units;
    // Differences of a running total: the parts add up to the whole.
    const givenNow = Math.round((expected * unitsSoFar) / units);
    shares[each.kind] = microUsd((shares[each.kind] ?? 0) + givenNow - givenSoFar);
    givenSoFar = givenNow;
  }
  return expected === 0 ? {} : shares;
}

/** What a pairing saves, with the interval that follows from the forecasts. */
export function pairSaving(lender: Pool, borrower: Pool, pair: PairScenarios): PairSaving {
  const substance = pairSubstanceOf(lender.spec, borrower.spec);
  const { kind } = counterfactualOf(borrower.spec);
  const commitments = substance === 'physical' ? savingCommitments(lender.spec) : [];
  const committedUnits = commitments.reduce((sum, each) => sum + each.units, 0);
  const totals = pair.scenarios.map((scenario) => ({
    weight: scenario.weight,
    ...totalsOf(scenario, pair, borrower, committedUnits),
  }));
  const savedAt = (level: number) =>
    microUsd(
      Math.round(
        weightedQuantile(
          totals.map(({ saved, weight }) => ({ value: saved, weight })),
          level,
        ),
      ),
    );
  const unserved = totals.map(({ otherwiseUnserved, weight }) => ({ value: otherwiseUnserved, weight }));
  const expected = microUsd(Math.round(totals.reduce((sum, { saved, weight }) => sum + saved * weight, 0)));
  return {
    substance,
    counterfactual: kind,
    low: savedAt(0.1),
    mid: savedAt(0.5),
    high: savedAt(0.9),
    expected,
    expectedByCommitment: byCommitment(expected, commitments),
    otherwiseUnservedUnitHours: weightedQuantile(unserved, 0.5),
    basis: basisOf(substance, loanSubstanceOf(lender.spec), committedUnits, kind),
  };
}
