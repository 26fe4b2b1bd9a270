/** Who lends how much of a need that no partner can fill alone. */
import { utcMonth } from '../calendar.ts';
import type { ConsentUsage } from '../consent/consent.ts';
import type { Partner } from '../pairing/plan.ts';
import type { Candidate, ChoiceInput, Objection } from './lender-finding.ts';
import { examine } from './lender-finding.ts';
import { withLoan } from './limits.ts';
import { lenderUnitsOf } from './loan-units.ts';
import type { Offer } from './saga.ts';

/** How a need may be filled now. */
export interface Allocation {
  /** In the order in which they are made; together no more than is needed. */
  readonly parts: readonly Offer[];
  readonly units: number;
  /** What stands against each partner that does not lend all by itself. */
  readonly passedOver: readonly Objection[];
  /** Somebody who could lend all, or a part without which not all can be lent, is just being moved by another loan. */
  readonly busy?: string;
}

interface Part {
  readonly offer?: Offer;
  readonly busy?: string;
}

/**
 * The most that a partner can lend of what is needed. What stands against a number of units stands against any larger one too, so
 * halving finds it: limits, headroom and unit-hours only get tighter.
 */
function largestPart(partner: Partner, input: ChoiceInput): Part {
  let best: Part = {};
  let [least, most] = [1, input.unitsStillNeeded];
  while (least <= most) {
    const units = Math.floor((least + most) / 2);
    const finding = examine(partner, { ...input, unitsStillNeeded: units });
    if (finding.kind === 'passed-over') {
      most = units - 1;
      continue;
    }
    best = finding.kind === 'fits' ? { offer: finding.offer } : { busy: finding.objection.text };
    least = units + 1;
  }
  return best;
}

function afterLoan(
  usage: ConsentUsage,
  direction: 'lend' | 'borrow',
  use: { readonly units: number; readonly unitSeconds: number; readonly month: string },
): ConsentUsage {
  const { units, unitSeconds, month } = use;
  const plus = (seconds: Readonly<Record<string, number>>) => ({
    ...seconds,
    [month]: (seconds[month] ?? 0) + unitSeconds,
  });
  return direction === 'lend'
    ? { ...usage, lentUnits: usage.lentUnits + units, lentUnitSeconds: plus(usage.lentUnitSeconds) }
    : { ...usage, borrowedUnits: usage.borrowedUnits + units, borrowedUnitSeconds: plus(usage.borrowedUnitSeconds) };
}

/** What is left to be decided once a part is promised: its units count against the limits of both sides. */
function withPart(input: ChoiceInput, offer: Offer): ChoiceInput {
  const { borrowerPool, borrowerUsage, now } = input;
  const lenderUnits = lenderUnitsOf(offer);
  const month = utcMonth(now);
  const lent = { units: lenderUnits, unitSeconds: lenderUnits * offer.termSeconds, month };
  const borrowed = { units: offer.units, unitSeconds: offer.units * offer.termSeconds, month };
  const account = offer.lender?.pool.spec.accountId;
  const applied = [...(offer.lenderLimits ?? []), ...(offer.borrowerLimits ?? [])];
  const counted = ({ limits, ...candidate }: Candidate): Candidate => ({
    ...candidate,
    ...(candidate.pool.spec.accountId === account ? { usage: afterLoan(candidate.usage, 'lend', lent) } : {}),
    ...(limits === undefined ? {} : { limits: withLoan(limits, applied, offer) }),
  });
  return {
    ...input,
    unitsStillNeeded: input.unitsStillNeeded - offer.units,
    borrowerPool: { ...borrowerPool, borrowedUnits: borrowerPool.borrowedUnits + offer.units },
    borrowerUsage: afterLoan(borrowerUsage, 'borrow', borrowed),
    candidates: input.candidates.map(counted),
  };
}

/**
 * The first partner that can lend all, or else what each can lend, best first, until nothing is missing: one loan where one
 * suffices, since each costs its steps twice.
 */
export function allocate(input: ChoiceInput): Allocation {
  const passedOver: Objection[] = [];
  let busy: string | undefined;
  for (const partner of input.partners) {
    const finding = examine(partner, input);
    if (finding.kind === 'fits') return { parts: [finding.offer], units: finding.offer.units, passedOver };
    if (finding.kind === 'busy') busy ??= finding.objection.text;
    passedOver.push(finding.objection);
  }
  if (busy !== undefined) return { parts: [], units: 0, passedOver, busy };
  const parts: Offer[] = [];
  let left = input;
  for (const partner of input.partners) {
    if (left.unitsStillNeeded === 0) break;
    const part = largestPart(partner, left);
    busy ??= part.busy;
    if (part.offer === undefined) continue;
    parts.push(part.offer);
    left = withPart(left, part.offer);
  }
  const units = input.unitsStillNeeded - left.unitsStillNeeded;
  return { parts, units, passedOver, ...(busy !== undefined && left.unitsStillNeeded > 0 ? { busy } : {}) };
}
