/** What speaks for or against one partner as the lender of what is still needed. */
import { borrowedUnitPrice } from '../billing/ledger.ts';
import type { Consent, ConsentUsage } from '../consent/consent.ts';
import type { ConsentUse, Refusal } from '../consent/covers.ts';
import { refusals } from '../consent/covers.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { standInRatio } from '../pairing/consent-gate.ts';
import { timesUnitRatio } from '../pairing/gates.ts';
import type { Pairing } from '../pairing/pairing.ts';
import type { Partner } from '../pairing/plan.ts';
import type { GroupObservation, Pool, PoolSpec } from '../pool.ts';
import type { AccountId, EpochMillis, MicroUsd } from '../units.ts';
import { microUsd } from '../units.ts';
import { coolingPair } from './cool-down.ts';
import type { Lendable } from './lendable.ts';
import { lendableUnits } from './lendable.ts';
import type { CountedLimit } from './limits.ts';
import { appliedIn, limitObjections } from './limits.ts';
import type { Loan, LoanReason } from './loan.ts';
import type { Outlook } from './outlook.ts';
import type { Offer } from './saga.ts';

/** What is known of a pool that may lend, without looking at its group. */
export interface LenderFacts {
  readonly pool: Pool;
  readonly consent?: Consent | undefined;
  readonly usage: ConsentUsage;
  readonly plan?: PoolForecast | undefined;
  /** Of its need in the next minutes; absent: none is made. */
  readonly outlook?: Outlook | undefined;
  /** Trust score of its account, 0 to 1; absent: not looked at. */
  readonly trust?: number | undefined;
}

/** A possible lender as it is now. Read its pool before its group: a change in between then fails the reservation. */
export interface Candidate extends LenderFacts {
  readonly group?: GroupObservation | undefined;
  /** Limits beside the consents', of both sides, that a loan from it to this borrower counts against. Absent: none. */
  readonly limits?: readonly CountedLimit[] | undefined;
  /** Its units that requests which wait for it, and come before this one, are to have. */
  readonly held?: HeldUnits | undefined;
  /** Why the candidate could not be looked at, when it could not, without a figure of it: the borrower reads it. */
  readonly unavailable?: string | undefined;
}

/** Units of a lender that others are to have first. */
export interface HeldUnits {
  readonly units: number;
  /** Who was before whom, and why: for the borrower that comes later, without a figure of another account. */
  readonly reasons: readonly string[];
}

export interface ChoiceInput {
  readonly snapshotLoan: Loan;
  /** Units of the borrower's that are missing by now; it may be less than the loan asked for, or nothing. */
  readonly unitsStillNeeded: number;
  /** Units that other parts of the same request have brought; absent: none. */
  readonly filledUnits?: number;
  readonly borrowerPool: Pool;
  readonly borrowerGroup: GroupObservation;
  readonly borrowerConsent?: Consent | undefined;
  readonly borrowerUsage: ConsentUsage;
  /** Trust score of the borrower's account, 0 to 1; absent: not looked at. */
  readonly borrowerTrust?: number | undefined;
  /** Best first. */
  readonly partners: readonly Partner[];
  /** The pairings with them as they stand now, by the lender's pool. */
  readonly pairings: Readonly<Record<string, Pick<Pairing, 'state' | 'pausedFor'>>>;
  /** What is known of the partners now, in any order. */
  readonly candidates: readonly Candidate[];
  readonly now: EpochMillis;
  readonly latencyMillis: (lender: PoolSpec, borrower: PoolSpec) => number;
}

/** What stands against a loan: in words that carry no account's figures, and with them, each for its own account. */
export interface Objection {
  readonly text: string;
  readonly details: readonly LoanReason[];
}

export type Finding =
  | { readonly kind: 'fits'; readonly offer: Offer }
  | { readonly kind: 'busy' | 'passed-over'; readonly objection: Objection };

export function plain(text: string): Objection {
  return { text, details: [] };
}

/** The codes of what a consent refuses, and for its own account the fields and both values. */
export function refusedBy(account: AccountId, refused: readonly Refusal[]): Objection[] {
  if (refused.length === 0) return [];
  const codes = refused.map(({ code }) => code).join(', ');
  const details = refused.map(({ field, detail }) => ({
    text: `consent of ${account}, ${field}: ${detail}`,
    onlyFor: account,
  }));
  return [{ text: `the consent of ${account} does not cover it (${codes})`, details }];
}

function unitsText(units: number): string {
  return `${units} unit${units === 1 ? '' : 's'}`;
}

/** What a candidate lends: of its own units, and where they are of another type also what they stand in for. */
function lentText(
  { lenderUnits }: Stake,
  { spec }: Pool,
  { unitsStillNeeded: units, borrowerPool }: ChoiceInput,
): string {
  const { instanceType } = borrowerPool.spec;
  return spec.instanceType === instanceType
    ? unitsText(lenderUnits)
    : `${unitsText(lenderUnits)} of ${spec.instanceType} (for ${units} of ${instanceType})`;
}

/** Terms to try, longest first: halves, down to the shortest. */
function termsToTry(shortestSeconds: number, longestSeconds: number): number[] {
  const terms: number[] = [];
  for (let term = longestSeconds; term > shortestSeconds; term = Math.floor(term / 2)) terms.push(term);
  return [...terms, shortestSeconds];
}

/** What a candidate would lend, and at what price: of its own units, which stand in for those that the borrower needs. */
interface Stake {
  readonly lenderUnits: number;
  readonly priceMicroUsdPerUnitHour: MicroUsd;
}

/** What both consents have against a loan for this term, lender first: each is held against its own units. */
function uncovered(candidate: Candidate, input: ChoiceInput, stake: Stake, termSeconds: number): Objection[] {
  const { pool: lender, consent } = candidate;
  const { borrowerPool: borrower, unitsStillNeeded: units } = input;
  const { lenderUnits, priceMicroUsdPerUnitHour: price } = stake;
  const shared = {
    application: borrower.spec.application,
    termSeconds,
    recallNoticeSeconds: consent?.terms.lend?.recallNoticeSeconds ?? 0,
    latencyMillis: input.latencyMillis(lender.spec, borrower.spec),
    now: input.now,
  };
  const use = (direction: 'lend' | 'borrow', own: Pool, other: Pool, trust: number | undefined): ConsentUse => ({
    ...shared,
    ...(trust === undefined ? {} : { counterpartyTrust: trust }),
    direction,
    units: direction === 'lend' ? lenderUnits : units,
    priceMicroUsdPerUnitHour: direction === 'lend' ? price : borrowedUnitPrice(price, lenderUnits, units),
    accountId: own.spec.accountId,
    groupName: own.spec.groupName,
    pool: own.spec,
    ownedUnits: own.ownedUnits,
    poolUnitsInUse: direction === 'lend' ? own.lentUnits : own.borrowedUnits,
    counterparty: other.spec.accountId,
    counterpartyPool: other.spec,
  });
  const lend = refusals(consent, candidate.usage, use('lend', lender, borrower, input.borrowerTrust));
  const borrowUse = use('borrow', borrower, lender, candidate.trust);
  const borrow = refusals(input.borrowerConsent, input.borrowerUsage, borrowUse);
  const limited = limitObjections(candidate.limits ?? [], { units, lenderUnits, termSeconds });
  return [...refusedBy(lender.spec.accountId, lend), ...refusedBy(borrower.spec.accountId, borrow), ...limited];
}

/** Why what a candidate can lend is not enough: it is not idle, or others come first. */
function tooLittle(candidate: Candidate, input: ChoiceInput, wanted: string, lendable: Lendable): Objection {
  const { pool, held } = candidate;
  const own: LoanReason = { text: `${wanted} needed: ${lendable.reason}`, onlyFor: pool.spec.accountId };
  if (held === undefined || held.units === 0) return { text: `it cannot lend ${wanted} now`, details: [own] };
  const before = held.reasons.map((text) => ({ text, onlyFor: input.borrowerPool.spec.accountId }));
  return {
    text: `it cannot lend ${wanted} besides what requests that come first are to have`,
    details: [own, ...before],
  };
}

/** The longest term that both consents and the lender's forecast cover, or what stands against the shortest. */
function agreeTerm(
  candidate: Candidate & { readonly group: GroupObservation; readonly consent: Consent },
  borrowerConsent: Consent,
  input: ChoiceInput,
  stake: Stake,
): { termSeconds: number; shortestTermSeconds: number; arithmetic: string } | Objection[] {
  const { pool, group, plan, outlook, consent } = candidate;
  const { lenderUnits } = stake;
  const wanted = lentText(stake, pool, input);
  const shortest = Math.max(consent.terms.shortestTermSeconds, borrowerConsent.terms.shortestTermSeconds);
  const longest = Math.min(consent.terms.longestTermSeconds, borrowerConsent.terms.longestTermSeconds);
  if (shortest > longest) {
    const details = [consent, borrowerConsent].map(({ accountId, terms }) => ({
      text: `the consent accepts terms of ${terms.shortestTermSeconds} to ${terms.longestTermSeconds} s`,
      onlyFor: accountId,
    }));
    return [{ text: 'no term suits both consents', details }];
  }
  let objections: Objection[] = [];
  for (const termSeconds of termsToTry(shortest, longest)) {
    const refused = uncovered(candidate, input, stake, termSeconds);
    const lendable = lendableUnits({ pool, group, plan, outlook, now: input.now, termSeconds });
    const enough = lendable.units - (candidate.held?.units ?? 0) >= lenderUnits;
    if (enough && refused.length === 0) {
      return { termSeconds, shortestTermSeconds: shortest, arithmetic: lendable.reason };
    }
    objections = [...refused, ...(enough ? [] : [tooLittle(candidate, input, wanted, lendable)])];
  }
  return objections;
}

/** Why no loan is made of a pairing now; undefined when it is active. Both parties know it: it carries no figure of either. */
export function pairingObjection(pairing: Pick<Pairing, 'state' | 'pausedFor'> | undefined): string | undefined {
  switch (pairing?.state) {
    case 'active':
      return undefined;
    case 'paused':
      return `the pairing is paused (${pairing.pausedFor ?? 'unknown'})`;
    case 'proposed':
    case 'accepted-by-one':
      return `the pairing is ${pairing.state}: both accounts have to accept it first`;
    default:
      return 'the pairing has ended';
  }
}

function limitsOfOffer(limits: readonly CountedLimit[] = []): Pick<Offer, 'lenderLimits' | 'borrowerLimits'> {
  const [lent, borrowed] = [appliedIn('lend', limits), appliedIn('borrow', limits)];
  return {
    ...(lent.length === 0 ? {} : { lenderLimits: lent }),
    ...(borrowed.length === 0 ? {} : { borrowerLimits: borrowed }),
  };
}

/** Whether a partner can lend all of what is still needed, and on which terms. */
export function examine(partner: Partner, input: ChoiceInput): Finding {
  const who = partner.lenderPoolId;
  const passedOver = (...objections: Objection[]): Finding => ({
    kind: 'passed-over',
    objection: against(who, objections),
  });
  const unpaired = pairingObjection(input.pairings[who]);
  if (unpaired !== undefined) return passedOver(plain(unpaired));
  const candidate = input.candidates.find(({ pool }) => pool.spec.poolId === who);
  if (candidate === undefined) return passedOver(plain('the pool is no longer enrolled'));
  if (candidate.unavailable !== undefined) return passedOver(plain(candidate.unavailable));
  const { pool, group, consent } = candidate;
  const { borrowerConsent, borrowerPool, unitsStillNeeded: units } = input;
  const cooling = coolingPair(borrowerPool, pool, input.now);
  if (cooling !== undefined) return passedOver(plain(cooling));
  const standIn = standInRatio(pool.spec, borrowerPool.spec, { lender: consent, borrower: borrowerConsent });
  if ('gate' in standIn) return passedOver(plain(`${standIn.field}: ${standIn.detail}`));
  if (group === undefined) return passedOver(plain('its Auto Scaling group could not be read'));
  if (!group.lendingEnabled) {
    return passedOver(plain('its Auto Scaling group is not tagged entangle:lending=enabled'));
  }
  const lenderUnits = timesUnitRatio(units, standIn.unitRatio);
  const price = consent?.terms.lend?.minPriceMicroUsdPerUnitHour ?? microUsd(0);
  const stake: Stake = { lenderUnits, priceMicroUsdPerUnitHour: price };
  if (consent === undefined || borrowerConsent === undefined) {
    return passedOver(...uncovered(candidate, input, stake, 0));
  }
  const agreed = agreeTerm({ ...candidate, group, consent }, borrowerConsent, input, stake);
  if (Array.isArray(agreed)) return passedOver(...agreed);
  if (pool.movingLoanId !== undefined && pool.movingLoanId !== input.snapshotLoan.loanId) {
    return { kind: 'busy', objection: against(who, [plain('it is just being moved by another loan')]) };
  }
  const { termSeconds, shortestTermSeconds } = agreed;
  const reasons: LoanReason[] = [
    { text: `${who} lends ${lentText(stake, pool, input)} for ${termSeconds} s` },
    { text: `${who}: ${agreed.arithmetic}`, onlyFor: pool.spec.accountId },
    { text: `score ${partner.score}, confidence ${partner.confidence}`, fromMetrics: true },
    ...partner.metricReasons.map((text) => ({ text, fromMetrics: true as const })),
    ...partner.reasons.map((text) => ({ text })),
  ];
  const terms = { units, ...stake, termSeconds, shortestTermSeconds };
  const { borrowerGroup } = input;
  return {
    kind: 'fits',
    offer: {
      ...terms,
      borrowerConsent,
      borrowerGroup,
      lender: { pool, consent, group },
      ...limitsOfOffer(candidate.limits),
      reasons,
    },
  };
}

/** Several objections as one, each of them naming whom it is against. */
function against(who: string, objections: readonly Objection[]): Objection {
  const details = objections.flatMap((objection) => objection.details);
  return {
    text: `${who}: ${objections.map(({ text }) => text).join('; ')}`,
    details: details.map((detail) => ({ ...detail, text: `${who}: ${detail.text}` })),
  };
}

/** Objections as reasons of a loan: whom it passed over is the borrower's to know, not the lender's that it then found. */
export function reasonsOf(borrower: AccountId, objections: readonly Objection[]): LoanReason[] {
  return objections.flatMap(({ text, details }) => [{ text, onlyFor: borrower }, ...details]);
}
