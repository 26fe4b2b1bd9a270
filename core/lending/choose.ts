import type { Consent, ConsentUsage } from '../consent/consent.ts';
import type { ConsentUse } from '../consent/covers.ts';
import { ownRefusals, refusals } from '../consent/covers.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { gateRefusal } from '../pairing/gates.ts';
import type { Partner } from '../pairing/plan.ts';
import type { GroupObservation, Pool, PoolSpec } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { microUsd } from '../units.ts';
import { lendableUnits } from './lendable.ts';
import type { Loan } from './loan.ts';
import type { Offer } from './saga.ts';

/** A possible lender as it is now. Read its pool before its group: a change in between then fails the reservation. */
export interface Candidate {
  readonly pool: Pool;
  readonly group?: GroupObservation | undefined;
  readonly consent?: Consent | undefined;
  readonly usage: ConsentUsage;
  readonly plan?: PoolForecast | undefined;
  /** Why the candidate could not be looked at, when it could not. */
  readonly unavailable?: string | undefined;
}

export interface ChoiceInput {
  readonly snapshotLoan: Loan;
  /** What is missing by now; it may be less than the loan asked for, or nothing. */
  readonly unitsStillNeeded: number;
  readonly borrowerPool: Pool;
  readonly borrowerGroup: GroupObservation;
  readonly borrowerConsent?: Consent | undefined;
  readonly borrowerUsage: ConsentUsage;
  /** Best first. */
  readonly partners: readonly Partner[];
  /** What is known of the partners now, in any order. */
  readonly candidates: readonly Candidate[];
  readonly now: EpochMillis;
  readonly latencyMillis: (lender: PoolSpec, borrower: PoolSpec) => number;
}

export type Choice =
  | { readonly outcome: 'partner'; readonly offer: Offer }
  /** Somebody who could lend, or the borrower itself, is just being moved by another loan: look again shortly. */
  | { readonly outcome: 'busy'; readonly reason: string }
  | { readonly outcome: 'provision'; readonly offer: Offer }
  | { readonly outcome: 'refuse'; readonly reason: string };

type Finding =
  | { readonly kind: 'fits'; readonly offer: Offer }
  | { readonly kind: 'busy'; readonly reason: string }
  | { readonly kind: 'passed-over'; readonly reason: string };

/** Terms to try, longest first: halves, down to the shortest. */
function termsToTry(shortestSeconds: number, longestSeconds: number): number[] {
  const terms: number[] = [];
  for (let term = longestSeconds; term > shortestSeconds; term = Math.floor(term / 2)) terms.push(term);
  return [...terms, shortestSeconds];
}

/** Every reason why a loan for this term is not covered by both consents, lender first. */
function uncovered(candidate: Candidate, input: ChoiceInput, price: number, termSeconds: number): string[] {
  const { pool: lender, consent } = candidate;
  const { borrowerPool: borrower, unitsStillNeeded: units } = input;
  const shared = {
    application: borrower.spec.application,
    units,
    termSeconds,
    priceMicroUsdPerUnitHour: microUsd(price),
    recallNoticeSeconds: consent?.terms.lend?.recallNoticeSeconds ?? 0,
    latencyMillis: input.latencyMillis(lender.spec, borrower.spec),
    now: input.now,
  };
  const use = (direction: 'lend' | 'borrow', own: Pool, other: Pool): ConsentUse => ({
    ...shared,
    direction,
    accountId: own.spec.accountId,
    groupName: own.spec.groupName,
    pool: own.spec,
    ownedUnits: own.ownedUnits,
    poolUnitsInUse: direction === 'lend' ? own.lentUnits : own.borrowedUnits,
    counterparty: other.spec.accountId,
    counterpartyPool: other.spec,
  });
  const lend = refusals(consent, candidate.usage, use('lend', lender, borrower));
  const borrow = refusals(input.borrowerConsent, input.borrowerUsage, use('borrow', borrower, lender));
  return [
    ...lend.map(({ field, detail }) => `consent of ${lender.spec.accountId}, ${field}: ${detail}`),
    ...borrow.map(({ field, detail }) => `consent of ${borrower.spec.accountId}, ${field}: ${detail}`),
  ];
}

/** The longest term that both consents and the lender's forecast cover, or what stands against the shortest. */
function agreeTerm(
  candidate: Candidate & { readonly group: GroupObservation; readonly consent: Consent },
  borrowerConsent: Consent,
  input: ChoiceInput,
  price: number,
): { termSeconds: number; shortestTermSeconds: number; why: string } | string {
  const { pool, group, plan, consent } = candidate;
  const shortest = Math.max(consent.terms.shortestTermSeconds, borrowerConsent.terms.shortestTermSeconds);
  const longest = Math.min(consent.terms.longestTermSeconds, borrowerConsent.terms.longestTermSeconds);
  if (shortest > longest) {
    return `longestTermSeconds: the longest term that both accept is ${longest} s, the shortest ${shortest} s`;
  }
  let against = '';
  for (const termSeconds of termsToTry(shortest, longest)) {
    const refused = uncovered(candidate, input, price, termSeconds);
    const lendable = lendableUnits({ pool, group, plan, now: input.now, termSeconds });
    const enough = lendable.units >= input.unitsStillNeeded;
    if (enough && refused.length === 0) return { termSeconds, shortestTermSeconds: shortest, why: lendable.reason };
    against = [...refused, ...(enough ? [] : [`${input.unitsStillNeeded} units are needed: ${lendable.reason}`])].join(
      '; ',
    );
  }
  return against;
}

function examine(partner: Partner, input: ChoiceInput): Finding {
  const who = partner.lenderPoolId;
  const passedOver = (reason: string): Finding => ({ kind: 'passed-over', reason: `${who}: ${reason}` });
  const candidate = input.candidates.find(({ pool }) => pool.spec.poolId === who);
  if (candidate === undefined) return passedOver('the pool is no longer enrolled');
  if (candidate.unavailable !== undefined) return passedOver(candidate.unavailable);
  const { pool, group, consent } = candidate;
  const { borrowerConsent, borrowerPool } = input;
  const gated = gateRefusal(pool.spec, borrowerPool.spec);
  if (gated !== undefined) return passedOver(`${gated.field}: ${gated.detail}`);
  if (group === undefined) return passedOver('its Auto Scaling group could not be read');
  if (!group.lendingEnabled) return passedOver('its Auto Scaling group is not tagged entangle:lending=enabled');
  const price = consent?.terms.lend?.minPriceMicroUsdPerUnitHour ?? microUsd(0);
  if (consent === undefined || borrowerConsent === undefined) {
    return passedOver(uncovered(candidate, input, price, 0).join('; '));
  }
  const agreed = agreeTerm({ ...candidate, group, consent }, borrowerConsent, input, price);
  if (typeof agreed === 'string') return passedOver(agreed);
  if (pool.movingLoanId !== undefined && pool.movingLoanId !== input.snapshotLoan.loanId) {
    return { kind: 'busy', reason: `${who} is just being moved by ${pool.movingLoanId}` };
  }
  return {
    kind: 'fits',
    offer: {
      units: input.unitsStillNeeded,
      priceMicroUsdPerUnitHour: price,
      termSeconds: agreed.termSeconds,
      shortestTermSeconds: agreed.shortestTermSeconds,
      borrowerConsent,
      borrowerGroup: input.borrowerGroup,
      lender: { pool, consent, group },
      reasons: [`${who} (score ${partner.score}, confidence ${partner.confidence}): ${agreed.why}`, ...partner.reasons],
    },
  };
}

/** Own capacity above the owned ceiling when the borrower agreed to that, or the refusal with every reason so far. */
function withoutPartner(input: ChoiceInput, reasons: readonly string[]): Choice {
  const { borrowerConsent, borrowerPool, unitsStillNeeded: units } = input;
  const { spec, provisionedUnits } = borrowerPool;
  const refuse = (reason: string): Choice => ({ outcome: 'refuse', reason: [...reasons, reason].join(' | ') });
  const [refused] = ownRefusals(borrowerConsent, {
    direction: 'borrow',
    accountId: spec.accountId,
    groupName: spec.groupName,
    application: spec.application,
    now: input.now,
  });
  if (borrowerConsent === undefined || refused !== undefined) {
    return refuse(`consent of ${spec.accountId}, ${refused?.field ?? 'consent'}: ${refused?.detail ?? 'none'}`);
  }
  const { terms } = borrowerConsent;
  if (terms.whenNoPartner !== 'provision') {
    return refuse(`consent of ${spec.accountId}, whenNoPartner: it says ${terms.whenNoPartner}, not provision`);
  }
  const { provisioningLimitUnits } = spec;
  if (provisionedUnits + units > provisioningLimitUnits) {
    return refuse(
      `${spec.poolId}, provisioningLimitUnits: the limit is ${provisioningLimitUnits}, ${provisionedUnits} are in use and ${units} are wanted`,
    );
  }
  return {
    outcome: 'provision',
    offer: {
      units,
      priceMicroUsdPerUnitHour: microUsd(0),
      termSeconds: terms.longestTermSeconds,
      shortestTermSeconds: terms.shortestTermSeconds,
      borrowerConsent,
      borrowerGroup: input.borrowerGroup,
      reasons: [
        ...reasons,
        `provisioned within the pool's own limit: ${provisionedUnits + units} of ${provisioningLimitUnits} units`,
      ],
    },
  };
}

/**
 * The first partner that can lend all of what is still needed, on terms that both consents cover. The price is the lender's
 * minimum; the term is the longest that both accept and for which the lender is forecast to stay idle, halved until it fits
 * or reaches the shortest.
 *
 * Nobody fits: wait for one that would fit but is being moved, else provision within the borrower's limit, else refuse; every
 * partner passed over is in the reason.
 */
export function chooseLender(input: ChoiceInput): Choice {
  const { borrowerPool, unitsStillNeeded, snapshotLoan } = input;
  if (unitsStillNeeded < 1) return { outcome: 'refuse', reason: 'the own ceiling suffices by now: no unit is missing' };
  const { movingLoanId, spec } = borrowerPool;
  if (movingLoanId !== undefined && movingLoanId !== snapshotLoan.loanId) {
    return { outcome: 'busy', reason: `${spec.poolId} is just being moved by ${movingLoanId}` };
  }
  const reasons: string[] = [];
  let busy: string | undefined;
  for (const partner of input.partners) {
    const finding = examine(partner, input);
    if (finding.kind === 'fits') {
      return { outcome: 'partner', offer: { ...finding.offer, reasons: [...finding.offer.reasons, ...reasons] } };
    }
    if (finding.kind === 'busy') busy ??= finding.reason;
    reasons.push(finding.reason);
  }
  if (busy !== undefined) return { outcome: 'busy', reason: busy };
  if (input.partners.length === 0) reasons.push(`no partner is planned for ${spec.poolId}`);
  return withoutPartner(input, reasons);
}
