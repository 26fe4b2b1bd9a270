import type { Consent } from '../consent/consent.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import { invariant, MILLIS_PER_SECOND } from '../units.ts';
import type { GateRefusal } from './gates.ts';
import type { PlannedPair, Transition } from './lifecycle.ts';
import { accept, end, isRefused, pause, propose, resume } from './lifecycle.ts';
import type { Pairing, PairingChange, PairingFigures, PauseReason } from './pairing.ts';
import { isOpenPairing } from './pairing.ts';
import { preferencesOf } from './preferences.ts';

/** A proposal that nobody answered ends after a week. */
export const PROPOSAL_VALID_SECONDS = 604_800;
/** A pair that a party declined or ended is not proposed again for thirty days. */
export const REST_SECONDS = 2_592_000;
/** An active pairing is paused when so many plans in a row do not have it, and any ends after so many. */
const PLANS_BEFORE_PAUSE = 2;
const PLANS_BEFORE_END = 4;
/** Figures that changed by less than a tenth are not written again. */
const TOLERANCE = 0.1;
/** The same for confidence, as a difference: it is what people decide by. */
const CONFIDENCE_TOLERANCE = 0.02;

export interface MergeInput {
  /** All that are stored for the pools of the plan, ended ones too. */
  readonly existing: readonly Pairing[];
  readonly planned: readonly PlannedPair[];
  consentOf(account: AccountId): Consent | undefined;
  /** What speaks against a pair now, by screenPair; undefined: nothing. */
  refusalOf(lender: PoolId, borrower: PoolId): GateRefusal | undefined;
  /** Lenders that a pool may have as a borrower. */
  maxLendersOf(pool: PoolId): number;
  /** Borrowers that a pool may have as a lender. */
  maxBorrowersOf(pool: PoolId): number;
  /** Name of the function that plans. */
  readonly actor: string;
  readonly now: EpochMillis;
}

export interface Merge {
  /** In the order in which they are to be written: several of one pairing follow one another. */
  readonly changes: readonly PairingChange[];
  /** Figures alone are new: no state changes, so no record. To be written conditional on `expectedVersion`. */
  readonly refreshed: readonly { readonly pairing: Pairing; readonly expectedVersion: number }[];
  /** Planned pairs that are not proposed, with why. */
  readonly skipped: readonly { readonly pairingId: string; readonly reason: string }[];
  /** Pairings opened and ended ÷ those that were open before; 0 when none were. */
  readonly churn: number;
}

/** Changes of one pairing, each made from what the one before it left. */
class Course {
  pairing: Pairing | undefined;
  readonly changes: PairingChange[] = [];

  constructor(pairing: Pairing | undefined) {
    this.pairing = pairing;
  }

  /** Takes a transition that cannot be refused from where the pairing is. */
  go(transition: Transition): Pairing {
    invariant(
      !isRefused(transition),
      `a plan asks for what is allowed: ${isRefused(transition) ? transition.reason : ''}`,
    );
    this.pairing = transition.pairing;
    this.changes.push(transition);
    return transition.pairing;
  }
}

function pauseReasonOf({ gate, field }: GateRefusal): PauseReason | undefined {
  if (gate === 'trust') return 'trust-lost';
  if (gate === 'headroom') return 'drift';
  if (gate === 'ceiling-not-fixed') return gate;
  return gate === 'consent' && /\.(?:consent|status|validUntil)$/.test(field) ? 'consent-revoked' : undefined;
}

/** Whose doing a refusal is: the borrower's where its consent or its view of the lender's trust decides. */
function concernedBy(pairing: Pairing, { field }: GateRefusal): AccountId {
  return field.startsWith('borrower.') ? pairing.borrowerAccountId : pairing.lenderAccountId;
}

function acceptStanding(course: Course, pairing: Pairing, input: MergeInput): void {
  let current = pairing;
  for (const accountId of [pairing.lenderAccountId, pairing.borrowerAccountId]) {
    const consent = input.consentOf(accountId);
    const isStanding = preferencesOf(consent?.terms).pairingAcceptance === 'standing';
    const hasAccepted = current.acceptances.some((acceptance) => acceptance.accountId === accountId);
    if (consent === undefined || !isStanding || hasAccepted) continue;
    const transition = accept(current, { accountId, actor: consent.madeBy, consent }, 'standing', input.now);
    if (!isRefused(transition)) current = course.go(transition);
  }
}

function resumed(course: Course, pairing: Pairing, input: MergeInput): void {
  const parties = [pairing.lenderAccountId, pairing.borrowerAccountId].map((accountId) => ({
    accountId,
    actor: input.actor,
    consent: input.consentOf(accountId),
  }));
  const transition = resume(pairing, parties, input.actor, input.now);
  if (!isRefused(transition)) course.go(transition);
}

function onRefusal(course: Course, pairing: Pairing, refusal: GateRefusal, input: MergeInput): void {
  const concerned = concernedBy(pairing, refusal);
  const reason = pauseReasonOf(refusal);
  if (reason !== undefined && pairing.state === 'active') {
    course.go(pause(pairing, reason, concerned, input.actor, input.now));
  } else if (reason === undefined || pairing.state !== 'paused' || pairing.plansWithout >= PLANS_BEFORE_END) {
    course.go(end(pairing, 'gate', concerned, input.actor, input.now));
  }
}

function onPlanned(course: Course, pairing: Pairing, input: MergeInput): void {
  switch (pairing.state) {
    case 'proposed':
    case 'accepted-by-one':
      acceptStanding(course, pairing, input);
      if (
        course.pairing?.state !== 'active' &&
        input.now >= pairing.proposedAt + PROPOSAL_VALID_SECONDS * MILLIS_PER_SECOND
      ) {
        course.go(end(course.pairing ?? pairing, 'expired', pairing.borrowerAccountId, input.actor, input.now));
      }
      return;
    case 'paused':
      resumed(course, pairing, input);
      return;
    case 'active':
    case 'ended':
      return;
  }
}

function onMissing(course: Course, pairing: Pairing, hasRoom: boolean, input: MergeInput): void {
  if (!hasRoom || pairing.plansWithout >= PLANS_BEFORE_END) {
    course.go(end(pairing, 'no-longer-planned', pairing.borrowerAccountId, input.actor, input.now));
  } else if (pairing.state === 'active' && pairing.plansWithout >= PLANS_BEFORE_PAUSE) {
    course.go(pause(pairing, 'drift', pairing.borrowerAccountId, input.actor, input.now));
  }
}

function changedMuch(before: PairingFigures, after: PairingFigures): boolean {
  const total = (units: readonly number[]) => units.reduce((sum, each) => sum + each, 0);
  const far = (a: number, b: number) => Math.abs(a - b) > TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
  return (
    Math.abs(before.confidence - after.confidence) > CONFIDENCE_TOLERANCE ||
    far(before.savingMicroUsd.expected, after.savingMicroUsd.expected) ||
    far(total(before.expectedUnits), total(after.expectedUnits))
  );
}

/** The figures of a plan in a pairing, where they are worth being written. */
function refresh(pairing: Pairing, planned: PlannedPair | undefined, now: EpochMillis): Pairing | undefined {
  const { circleId: before, ...rest } = pairing;
  if (planned === undefined) return { ...rest, plansWithout: pairing.plansWithout + 1 };
  const { circleId, expectedUnits, confidence, savingMicroUsd, reasons, metricReasons } = planned;
  const isSame = pairing.plansWithout === 0 && before === circleId;
  if (isSame && !changedMuch(pairing, planned)) return undefined;
  const figures = { expectedUnits, confidence, savingMicroUsd, reasons, metricReasons };
  return { ...rest, ...(circleId === undefined ? {} : { circleId }), ...figures, plannedAt: now, plansWithout: 0 };
}

/** Open pairings that a plan does not have and that still fit beside those that it has, the surest first. */
function missingThatFit(open: readonly Pairing[], input: MergeInput): Set<Pairing> {
  const inPlan = new Set(input.planned.map(({ pairingId }) => pairingId));
  const lends = new Map<PoolId, number>();
  const borrows = new Map<PoolId, number>();
  const count = ({ lenderPoolId, borrowerPoolId }: PlannedPair | Pairing) => {
    lends.set(lenderPoolId, (lends.get(lenderPoolId) ?? 0) + 1);
    borrows.set(borrowerPoolId, (borrows.get(borrowerPoolId) ?? 0) + 1);
  };
  // Members of a circle lend to each other beyond the partners that they have besides.
  for (const planned of input.planned) if (planned.circleId === undefined) count(planned);
  const fitting = new Set<Pairing>();
  const missing = open.filter(({ pairingId }) => !inPlan.has(pairingId));
  for (const pairing of missing.sort((a, b) => b.confidence - a.confidence || (a.pairingId < b.pairingId ? -1 : 1))) {
    const { lenderPoolId, borrowerPoolId } = pairing;
    const hasRoom =
      (lends.get(lenderPoolId) ?? 0) < input.maxBorrowersOf(lenderPoolId) &&
      (borrows.get(borrowerPoolId) ?? 0) < input.maxLendersOf(borrowerPoolId);
    if (!hasRoom) continue;
    fitting.add(pairing);
    count(pairing);
  }
  return fitting;
}

function mergeOpen(
  open: readonly Pairing[],
  input: MergeInput,
  courses: Course[],
): { readonly pairing: Pairing; readonly expectedVersion: number }[] {
  const plannedById = new Map(input.planned.map((each) => [each.pairingId, each]));
  const fitting = missingThatFit(open, input);
  const refreshed: { pairing: Pairing; expectedVersion: number }[] = [];
  for (const pairing of open) {
    const planned = plannedById.get(pairing.pairingId);
    // Fresh figures are written with a change where there is one, else by themselves.
    const fresh = refresh(pairing, planned, input.now);
    const course = new Course(pairing);
    const current = fresh ?? pairing;
    const refusal = input.refusalOf(pairing.lenderPoolId, pairing.borrowerPoolId);
    if (refusal !== undefined) onRefusal(course, current, refusal, input);
    else if (planned === undefined) onMissing(course, current, fitting.has(pairing), input);
    else onPlanned(course, current, input);
    if (course.changes.length > 0) courses.push(course);
    else if (fresh !== undefined) {
      refreshed.push({ pairing: { ...fresh, version: pairing.version + 1 }, expectedVersion: pairing.version });
    }
  }
  return refreshed;
}

/** Why a pair that a plan has is not proposed now; undefined when it is. */
export function restReason(previous: Pairing | undefined, now: EpochMillis): string | undefined {
  if (previous?.endReason !== 'declined' && previous?.endReason !== 'ended-by-party') return undefined;
  const until = (previous.endedAt ?? 0) + REST_SECONDS * MILLIS_PER_SECOND;
  return now < until
    ? `a party ${previous.endReason === 'declined' ? 'declined' : 'ended'} it; it rests until ${until} ms`
    : undefined;
}

/**
 * Brings the stored pairings together with a new plan, with as little change as the plan allows.
 *
 * What is in the plan stays as it is, is resumed, or is proposed and accepted by standing consents at once. What the plan no
 * longer has is paused after two plans and ends after four, or at once where its place is needed for those that the plan has. The
 * pairs of a circle take no places; one that is left needs a place as any other. A gate that refuses now pauses (trust, consent, no
 * headroom) or ends a pairing. Order of the input changes nothing.
 */
export function mergePlan(input: MergeInput): Merge {
  const byId = <T extends { readonly pairingId: string }>(items: readonly T[]) =>
    [...items].sort((a, b) => (a.pairingId < b.pairingId ? -1 : 1));
  const existing = new Map(byId(input.existing).map((pairing) => [pairing.pairingId, pairing]));
  const open = [...existing.values()].filter(isOpenPairing);
  const courses: Course[] = [];
  const refreshed = mergeOpen(open, input, courses);
  const skipped: { pairingId: string; reason: string }[] = [];
  for (const planned of byId(input.planned)) {
    const previous = existing.get(planned.pairingId);
    if (previous !== undefined && isOpenPairing(previous)) continue;
    const reason = restReason(previous, input.now);
    if (reason !== undefined) {
      skipped.push({ pairingId: planned.pairingId, reason });
      continue;
    }
    const course = new Course(previous);
    acceptStanding(course, course.go(propose(planned, previous, input.actor, input.now)), input);
    courses.push(course);
  }
  const changes = courses.flatMap((course) => course.changes);
  const turned = changes.filter(({ audit }) => audit.type === 'pairing.proposed' || audit.type === 'pairing.ended');
  return { changes, refreshed, skipped, churn: open.length === 0 ? 0 : turned.length / open.length };
}
