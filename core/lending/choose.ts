import type { Consent } from '../consent/consent.ts';
import { ownRefusals } from '../consent/covers.ts';
import type { EpochMillis } from '../units.ts';
import { invariant, MILLIS_PER_SECOND, microUsd, plusMillis } from '../units.ts';
import { allocate } from './allocation.ts';
import type { ChoiceInput, Objection } from './lender-finding.ts';
import { pairingObjection, plain, reasonsOf, refusedBy } from './lender-finding.ts';
import type { Loan, LoanReason, Waiting } from './loan.ts';
import type { Offer } from './saga.ts';
import { spareObjection } from './spare.ts';

export type Choice =
  /** `restUnits` of the offer says what it leaves missing: the next part of the request asks for that. */
  | { readonly outcome: 'partner'; readonly offer: Offer }
  /** Somebody who could lend, or the borrower itself, is just being moved by another loan: look again shortly. */
  | { readonly outcome: 'busy'; readonly reason: string }
  | { readonly outcome: 'provision'; readonly offer: Offer }
  /** Nobody can lend enough now, and the borrower would rather wait. */
  | {
      readonly outcome: 'wait';
      readonly waiting: Waiting;
      /** What partners could lend of it now: less than is worth having. */
      readonly lendableUnits: number;
      readonly reasons: readonly LoanReason[];
    }
  /** `reason` says why without a figure of any lender; `reasons` has it with the figures, each for its own account. */
  | { readonly outcome: 'refuse'; readonly reason: string; readonly reasons: readonly LoanReason[] };

const DEFAULT_WAIT_SECONDS = 3_600;

/** Units that more must come to, with what other parts have brought, for the request to be worth making. */
function minimumUnits({ snapshotLoan, unitsStillNeeded, filledUnits = 0 }: ChoiceInput): number {
  const least = snapshotLoan.request?.minimumUnits ?? snapshotLoan.units;
  return Math.min(least, filledUnits + unitsStillNeeded);
}

/** What the borrower's own consent has against acting at all. */
function ownObjection(input: ChoiceInput): Objection | undefined {
  const { accountId, groupName, application } = input.borrowerPool.spec;
  const own = { direction: 'borrow', accountId, groupName, application, now: input.now } as const;
  return refusedBy(accountId, ownRefusals(input.borrowerConsent, own))[0];
}

/** Units that the borrower may provision instead of borrowing, and the consent under which it may; or why none. */
function provisionable(input: ChoiceInput): { readonly consent: Consent; readonly units: number } | Objection {
  const { borrowerConsent, borrowerPool, unitsStillNeeded: units } = input;
  const { spec, provisionedUnits } = borrowerPool;
  const { accountId, provisioningLimitUnits } = spec;
  const refused = ownObjection(input);
  if (refused !== undefined) return refused;
  invariant(borrowerConsent !== undefined, 'a consent that refuses nothing is there');
  const objection = (text: string, detail: string): Objection => ({
    text,
    details: [{ text: detail, onlyFor: accountId }],
  });
  const { whenNoPartner } = borrowerConsent.terms;
  if (whenNoPartner !== 'provision') {
    return objection(
      `the consent of ${accountId} does not let anything be provisioned instead`,
      `consent of ${accountId}, whenNoPartner: it says ${whenNoPartner}, not provision`,
    );
  }
  const allowed = Math.min(units, provisioningLimitUnits - provisionedUnits);
  const enough = allowed > 0 && (input.filledUnits ?? 0) + allowed >= minimumUnits(input);
  if (!enough) {
    return objection(
      `the provisioning limit of ${spec.poolId} is too low`,
      `${spec.poolId}, provisioningLimitUnits: the limit is ${provisioningLimitUnits}, ${provisionedUnits} are in use and ${units} are wanted`,
    );
  }
  return { consent: borrowerConsent, units: allowed };
}

/** Its place in the queue: the one that the request has already, or a new one. */
function placeInQueue(input: ChoiceInput, consent: Consent): Waiting {
  const { snapshotLoan, now, partners, pairings } = input;
  const { waitAtMostSeconds = DEFAULT_WAIT_SECONDS } = consent.terms;
  const ids = partners.map(({ lenderPoolId }) => lenderPoolId);
  return {
    since: snapshotLoan.waiting?.since ?? now,
    until: snapshotLoan.waiting?.until ?? plusMillis(now, waitAtMostSeconds * MILLIS_PER_SECOND),
    lenderPoolIds: ids.filter((id) => pairingObjection(pairings[id]) === undefined),
  };
}

/** Why a request that would wait does not. */
function notWaiting(input: ChoiceInput, loan: Loan, now: EpochMillis): Objection | undefined {
  const { waiting } = loan;
  const { waitingLoanId, spec } = input.borrowerPool;
  if (waiting !== undefined && now >= waiting.until) {
    const waitedSeconds = Math.round((waiting.until - waiting.since) / MILLIS_PER_SECOND);
    return plain(`it has waited for ${waitedSeconds} s, which is as long as it was to`);
  }
  if (waitingLoanId !== undefined && waitingLoanId !== loan.loanId) {
    return plain(`${waitingLoanId} waits for ${spec.poolId} already`);
  }
  return ownObjection(input);
}

/** Own capacity above the owned ceiling when the borrower agreed to that; or its place in the queue; or the refusal with every objection so far. */
function withoutPartner(input: ChoiceInput, passedOver: readonly Objection[], lendableUnits: number): Choice {
  const { borrowerPool, borrowerConsent, unitsStillNeeded, snapshotLoan, now } = input;
  const { accountId, provisioningLimitUnits } = borrowerPool.spec;
  const own = provisionable(input);
  if ('text' in own) {
    const wouldWait = borrowerConsent?.terms.whenNoPartner === 'wait';
    const barred = wouldWait ? notWaiting(input, snapshotLoan, now) : own;
    if (barred === undefined && borrowerConsent !== undefined) {
      return {
        outcome: 'wait',
        waiting: placeInQueue(input, borrowerConsent),
        lendableUnits,
        reasons: reasonsOf(accountId, passedOver),
      };
    }
    const objections = [...passedOver, ...(barred === undefined ? [] : [barred])];
    const reason = objections.map(({ text }) => text).join(' | ');
    return { outcome: 'refuse', reason, reasons: reasonsOf(accountId, objections) };
  }
  const { consent, units } = own;
  const used = borrowerPool.provisionedUnits + units;
  const text = `provisioned within the pool's own limit: ${used} of ${provisioningLimitUnits} units`;
  return {
    outcome: 'provision',
    offer: {
      units,
      ...(units < unitsStillNeeded ? { restUnits: unitsStillNeeded - units } : {}),
      priceMicroUsdPerUnitHour: microUsd(0),
      termSeconds: consent.terms.longestTermSeconds,
      shortestTermSeconds: consent.terms.shortestTermSeconds,
      borrowerConsent: consent,
      borrowerGroup: input.borrowerGroup,
      reasons: [...reasonsOf(accountId, passedOver), { text, onlyFor: accountId }],
    },
  };
}

/** What becomes of a request by forecast where too little is left for it: its own limit takes nothing from others, a place in the queue would. */
function withoutSpare(input: ChoiceInput, short: Objection): Choice {
  const choice = withoutPartner(input, [short], 0);
  if (choice.outcome !== 'wait') return choice;
  return { outcome: 'refuse', reason: short.text, reasons: choice.reasons };
}

/** Units that may be provisioned for what partners leave missing. */
function ownRestUnits(input: ChoiceInput, lentUnits: number): number {
  const own = provisionable({
    ...input,
    unitsStillNeeded: input.unitsStillNeeded - lentUnits,
    filledUnits: (input.filledUnits ?? 0) + lentUnits,
  });
  return 'text' in own ? 0 : own.units;
}

/**
 * The first partner with an active pairing that can lend all of what is still needed, on terms that both consents cover; else the
 * first of several that fill it together, or fill at least what the borrower finds worth having. Where a lender's
 * instances are of another type, as many of its units as the borrower declared stand in, rounded up to whole ones. The price is the
 * lender's minimum, for each unit of its own; the term is the longest that both accept and for which the lender is forecast to stay
 * idle, halved until it fits or reaches the shortest. What requests that come first are to have of a lender is not lent. What a
 * forecast asks for before any alarm is lent only where much more is left.
 *
 * Nobody fits: wait for one that would fit but is being moved, else as the borrower's consent says: provision within its limit,
 * take a place in the queue, or refuse; every partner passed over is in the reasons.
 */
export function chooseLender(input: ChoiceInput): Choice {
  const { borrowerPool, unitsStillNeeded, snapshotLoan, filledUnits = 0 } = input;
  if (unitsStillNeeded < 1) {
    return { outcome: 'refuse', reason: 'the own ceiling suffices by now: no unit is missing', reasons: [] };
  }
  const { movingLoanId, spec } = borrowerPool;
  if (movingLoanId !== undefined && movingLoanId !== snapshotLoan.loanId) {
    return { outcome: 'busy', reason: `${spec.poolId} is just being moved by another loan` };
  }
  const short = spareObjection(input);
  if (short !== undefined) return withoutSpare(input, short);
  const { parts, units: lentUnits, passedOver, busy } = allocate(input);
  if (busy !== undefined) return { outcome: 'busy', reason: busy };
  const [first] = parts;
  const worthwhile = () => filledUnits + lentUnits + ownRestUnits(input, lentUnits) >= minimumUnits(input);
  if (first !== undefined && (lentUnits === unitsStillNeeded || worthwhile())) {
    const restUnits = unitsStillNeeded - first.units;
    const reasons = [...first.reasons, ...reasonsOf(spec.accountId, passedOver)];
    return { outcome: 'partner', offer: { ...first, ...(restUnits > 0 ? { restUnits } : {}), reasons } };
  }
  const none = input.partners.length === 0 ? [plain(`no partner is planned for ${spec.poolId}`)] : [];
  return withoutPartner(input, [...passedOver, ...none], lentUnits);
}
