import type { Criticality, OrderRule, RankedRequest, SlaTier } from './priority.ts';
import { comparePlaces, DEFAULT_CRITICALITY, DEFAULT_ORDER_RULES, placing } from './priority.ts';

export interface PreemptionRules {
  /** `lower-tier`: a request may have loans of strictly lower tiers recalled. */
  readonly preemption: 'never' | 'lower-tier';
  /** Whether a loan inside its shortest term is left alone; absent: it is. */
  readonly minimumTerm?: 'spared' | 'not-spared';
  /** The rules by which requests are served; absent: the default ones. */
  readonly order?: readonly OrderRule[];
}

/** An open loan whose capacity a request could use. */
export interface RecallableLoan {
  readonly id: string;
  readonly borrowerAccountId: string;
  readonly tier: SlaTier;
  readonly criticality?: Criticality;
  readonly fairShare?: number;
  /** What its return would give to this request, in the request's units; 0: nothing that it can use. */
  readonly unitsForRequest: number;
  readonly activeAtMillis: number;
  /** End of its shortest term. */
  readonly shortestUntilMillis?: number;
  /** Already on its way back: it counts without being recalled. */
  readonly returning?: boolean;
  /** The request for which it comes back: what it frees is held for that one. */
  readonly heldFor?: string;
  /** Why it may not be recalled, in words that anybody may read. */
  readonly protectedBy?: string;
}

export interface PreemptingRequest extends RankedRequest {
  /** With how many units the request could do; absent: with all that are missing. */
  readonly minimumUnits?: number;
}

export type SpareReason =
  | 'no-help'
  | 'not-lower-tier'
  | 'held-for-another'
  | 'minimum-term'
  | 'protected'
  | 'would-come-first'
  | 'not-needed'
  | 'does-not-cover'
  | 'preemption-off';

export interface RecalledLoan {
  readonly id: string;
  readonly unitsForRequest: number;
  readonly text: string;
}

export interface SparedLoan {
  readonly id: string;
  readonly why: SpareReason;
  readonly text: string;
}

export interface PreemptionPlan {
  /** Whether what comes back covers what the request needs. */
  readonly covered: boolean;
  /** To be recalled, in the order in which they were picked. Empty unless the need is covered with them. */
  readonly victims: readonly RecalledLoan[];
  /** Already coming back, and counted. */
  readonly waitingFor: readonly string[];
  readonly spared: readonly SparedLoan[];
  /** Of the victims and of what comes back anyway. */
  readonly freedUnits: number;
  readonly text: string;
}

function spared(loan: RecallableLoan, why: SpareReason, because: string): SparedLoan {
  return { id: loan.id, why, text: `${loan.id} is left alone: ${because}` };
}

interface Judging {
  readonly request: PreemptingRequest;
  readonly rules: PreemptionRules;
  readonly nowMillis: number;
  /** Whether the borrower of a loan, were it to ask again, would be served before the request. */
  readonly comesFirst: (loan: RecallableLoan) => boolean;
}

function judgingFor(request: PreemptingRequest, rules: PreemptionRules, nowMillis: number): Judging {
  const placeOf = placing(rules.order ?? DEFAULT_ORDER_RULES, nowMillis);
  const own = placeOf(request);
  const comesFirst = (loan: RecallableLoan) => comparePlaces(placeOf(asNewRequest(loan, nowMillis)), own) < 0;
  return { request, rules, nowMillis, comesFirst };
}

/** What keeps a loan from being recalled for the request; undefined when nothing does. */
function sparedBecause(
  loan: RecallableLoan,
  { request, rules, nowMillis, comesFirst }: Judging,
): SparedLoan | undefined {
  if (!(loan.unitsForRequest > 0)) return spared(loan, 'no-help', `its return would not help ${request.id}`);
  if (loan.heldFor !== undefined && loan.heldFor !== request.id) {
    return spared(loan, 'held-for-another', `what it frees is held for ${loan.heldFor}`);
  }
  if (loan.returning === true) return undefined;
  if (rules.preemption === 'never') return spared(loan, 'preemption-off', 'the rules let no request recall a loan');
  if (loan.tier <= request.tier)
    return spared(loan, 'not-lower-tier', `its SLA tier is not below that of ${request.id}`);
  if (loan.protectedBy !== undefined) return spared(loan, 'protected', loan.protectedBy);
  const inMinimumTerm = loan.shortestUntilMillis !== undefined && nowMillis < loan.shortestUntilMillis;
  if (inMinimumTerm && rules.minimumTerm !== 'not-spared') {
    return spared(loan, 'minimum-term', 'its shortest term is not over');
  }
  if (comesFirst(loan)) {
    return spared(loan, 'would-come-first', `its borrower would be served before ${request.id} if it asked again`);
  }
  return undefined;
}

/** What the borrower of a recalled loan would ask for again. */
function asNewRequest(loan: RecallableLoan, nowMillis: number): RankedRequest {
  return {
    id: loan.id,
    accountId: loan.borrowerAccountId,
    tier: loan.tier,
    criticality: loan.criticality ?? DEFAULT_CRITICALITY,
    requestedAtMillis: nowMillis,
    deficitUnits: loan.unitsForRequest,
    ...(loan.fairShare === undefined ? {} : { fairShare: loan.fairShare }),
  };
}

/** Lowest tier first, then the one that was active last, then by id. */
function inTurn(a: RecallableLoan, b: RecallableLoan): number {
  if (a.tier !== b.tier) return b.tier - a.tier;
  if (a.activeAtMillis !== b.activeAtMillis) return b.activeAtMillis - a.activeAtMillis;
  return a.id < b.id ? -1 : 1;
}

function unitsOf(loans: readonly RecallableLoan[]): number {
  return loans.reduce((sum, { unitsForRequest }) => sum + unitsForRequest, 0);
}

/** Loans in turn until they cover the units, without those that are then not needed: the last picked are put back first. */
function smallestCover(candidates: readonly RecallableLoan[], units: number): RecallableLoan[] {
  const picked: RecallableLoan[] = [];
  let coveredUnits = 0;
  for (const loan of candidates) {
    if (coveredUnits >= units) break;
    picked.push(loan);
    coveredUnits += loan.unitsForRequest;
  }
  const needed = new Set(picked);
  for (const loan of picked.toReversed()) {
    if (coveredUnits - loan.unitsForRequest < units) continue;
    needed.delete(loan);
    coveredUnits -= loan.unitsForRequest;
  }
  return [...needed];
}

function victimText(request: PreemptingRequest, loan: RecallableLoan): string {
  return `${loan.id} is recalled for ${request.id}: its SLA tier is lower, and of the loans that would help it comes next (lowest tier first, then latest first)`;
}

function planText(request: PreemptingRequest, victims: number, waitingFor: number, covered: boolean): string {
  if (!covered) return `no loan is recalled for ${request.id}: what could come back does not cover what it needs`;
  const loans = (count: number) => `${count} loan${count === 1 ? '' : 's'}`;
  const waits = waitingFor === 0 ? '' : `waits for ${loans(waitingFor)} on the way back`;
  const recalls = victims === 0 ? '' : `has ${loans(victims)} of lower SLA tiers recalled`;
  return `${request.id} ${[recalls, waits].filter((part) => part !== '').join(' and ') || 'needs no loan back'}`;
}

/**
 * Which loans a request has recalled.
 *
 * Only loans of strictly lower SLA tiers: by the tier alone, however long anybody has waited, so that each recall moves capacity to a higher
 * tier and no two requests can take from each other in turn. Lowest tier first, then latest first, and no more than needed. What is
 * already coming back is counted first; what comes back for another request is not counted. A loan whose borrower would be served before
 * the request, were it to ask again, is left alone: recalling it would help nobody.
 *
 * The one who applies the plan marks what comes back with `heldFor`, so that it is the request's even if its parts return at different times.
 *
 * @param loans open loans whose capacity the request could use, in any order
 */
export function preemptionPlan(
  request: PreemptingRequest,
  loans: readonly RecallableLoan[],
  rules: PreemptionRules,
  nowMillis: number,
): PreemptionPlan {
  const judging = judgingFor(request, rules, nowMillis);
  const judged = loans.toSorted(inTurn).map((loan) => ({ loan, stop: sparedBecause(loan, judging) }));
  const stopped = judged.flatMap(({ stop }) => (stop === undefined ? [] : [stop]));
  const usable = judged.filter(({ stop }) => stop === undefined).map(({ loan }) => loan);
  const returning = usable.filter((loan) => loan.returning === true);
  const candidates = usable.filter((loan) => loan.returning !== true);
  const comingUnits = unitsOf(returning);
  const reachableUnits = comingUnits + unitsOf(candidates);
  const covered = reachableUnits >= Math.min(request.minimumUnits ?? request.deficitUnits, request.deficitUnits);
  const wantedUnits = Math.min(request.deficitUnits, reachableUnits) - comingUnits;
  const victims = covered ? smallestCover(candidates, wantedUnits) : [];
  const recalled = new Set(victims);
  const others = candidates
    .filter((loan) => !recalled.has(loan))
    .map((loan) =>
      covered
        ? spared(loan, 'not-needed', `${request.id} has enough without it`)
        : spared(loan, 'does-not-cover', `even with it ${request.id} would not have what it needs`),
    );
  return {
    covered,
    victims: victims.map((loan) => {
      return { id: loan.id, unitsForRequest: loan.unitsForRequest, text: victimText(request, loan) };
    }),
    waitingFor: returning.map(({ id }) => id),
    spared: [...stopped, ...others],
    freedUnits: comingUnits + unitsOf(victims),
    text: planText(request, victims.length, returning.length, covered),
  };
}
