/** What is left over with the partners of a pool: a request that a forecast makes is served from it alone. */
import { standInRatio } from '../pairing/consent-gate.ts';
import { couldLend } from './capacity.ts';
import type { Candidate, ChoiceInput, Objection } from './lender-finding.ts';
import { examine, plain } from './lender-finding.ts';
import { SPARE_PER_UNIT } from './outlook-rules.ts';

/** Units of the borrower's that a candidate could lend now by its own side, besides what requests that come first are to have. */
function spareOf(candidate: Candidate, input: ChoiceInput): number {
  const { pool, group, consent, usage, plan, outlook, limits, held, unavailable } = candidate;
  const { borrowerPool, borrowerConsent, now } = input;
  const ratio = standInRatio(pool.spec, borrowerPool.spec, { lender: consent, borrower: borrowerConsent });
  if ('gate' in ratio) return 0;
  const { units } = couldLend({ pool, group, consent, usage, plan, outlook, limits, stopped: unavailable, now });
  return Math.floor(Math.max(0, units - (held?.units ?? 0)) / ratio.unitRatio);
}

/** Units that the partners which would lend to the pool at all have left, each by itself. */
export function spareUnits(input: ChoiceInput): number {
  return input.partners.reduce((sum, partner) => {
    const candidate = input.candidates.find(({ pool }) => pool.spec.poolId === partner.lenderPoolId);
    if (candidate === undefined) return sum;
    const { kind } = examine(partner, { ...input, unitsStillNeeded: 1 });
    return kind === 'passed-over' ? sum : sum + spareOf(candidate, input);
  }, 0);
}

/**
 * Why a request that a forecast makes is not served by partners now: less is left with them than three times what it asks for, so that
 * an alarm that goes off a moment later still finds something. Undefined for what an alarm asks for.
 */
export function spareObjection(input: ChoiceInput): Objection | undefined {
  const { snapshotLoan, unitsStillNeeded: units } = input;
  if (snapshotLoan.forecastNeed === undefined || spareUnits(input) >= SPARE_PER_UNIT * units) return undefined;
  return plain(
    `a forecast is served only from what is left over: its partners have fewer than ${SPARE_PER_UNIT * units} units left, ${SPARE_PER_UNIT} for each of the ${units} asked for`,
  );
}
