import type { PreemptingRequest, RecallableLoan } from '../../core/allocation/preemption-plan.ts';

/** What a plan says, as far as it is checked. */
export interface PlannedRecall {
  readonly covered: boolean;
  readonly victims: readonly { readonly id: string }[];
}

function subsetsOf(loans: readonly RecallableLoan[]): RecallableLoan[][] {
  const sets: RecallableLoan[][] = [[]];
  for (const loan of loans) sets.push(...sets.map((set) => [...set, loan]));
  return sets;
}

const sum = (loans: readonly RecallableLoan[]) => loans.reduce((units, loan) => units + loan.unitsForRequest, 0);

/** The loans that the rules let a request recall: written down anew, by the words of docs/allocation.md. */
function mayBeRecalled(request: PreemptingRequest, loan: RecallableLoan, nowMillis: number): boolean {
  const helps = loan.unitsForRequest > 0 && (loan.heldFor === undefined || loan.heldFor === request.id);
  const termIsOver = loan.shortestUntilMillis === undefined || loan.shortestUntilMillis <= nowMillis;
  return helps && loan.returning !== true && loan.tier > request.tier && loan.protectedBy === undefined && termIsOver;
}

/**
 * What is wrong with a plan, by trying all sets of loans; undefined when nothing is. For a dozen loans at most, with the default order
 * of requests and terms that are spared.
 */
export function wrongWithPlan(
  request: PreemptingRequest,
  loans: readonly RecallableLoan[],
  nowMillis: number,
  plan: PlannedRecall,
): string | undefined {
  const coming = loans.filter(
    (loan) =>
      loan.returning === true &&
      loan.unitsForRequest > 0 &&
      (loan.heldFor === undefined || loan.heldFor === request.id),
  );
  const candidates = loans.filter((loan) => mayBeRecalled(request, loan, nowMillis));
  const victims = candidates.filter(({ id }) => plan.victims.some((victim) => victim.id === id));
  if (victims.length < plan.victims.length) return 'a victim may not be recalled';
  const sets = subsetsOf(candidates);
  const needed = request.minimumUnits ?? request.deficitUnits;
  const most = Math.min(request.deficitUnits, Math.max(...sets.map((set) => sum(set) + sum(coming))));
  const canCover = sets.some((set) => sum(set) + sum(coming) >= needed);
  if (canCover !== plan.covered)
    return `covered is ${plan.covered}, a set that covers it ${canCover ? 'exists' : 'does not'}`;
  if (!canCover) return victims.length === 0 ? undefined : 'loans are recalled and it is not covered';
  if (sum(victims) + sum(coming) < most) return `${sum(victims) + sum(coming)} units come back of ${most}`;
  const covering = sets.filter((set) => sum(set) + sum(coming) >= most);
  const isMinimal = covering.every(
    (set) => set.length >= victims.length || set.some((loan) => !victims.includes(loan)),
  );
  if (!isMinimal) return 'not all victims are needed';
  const highest = (set: readonly RecallableLoan[]) => Math.min(6, ...set.map(({ tier }) => tier));
  const lowestPossible = Math.max(...covering.map(highest));
  return highest(victims) < lowestPossible ? 'a higher tier is touched than needed' : undefined;
}
