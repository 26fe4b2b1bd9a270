import type { RecallableLoan } from '../../core/allocation/preemption-plan.ts';
import { preemptionPlan } from '../../core/allocation/preemption-plan.ts';
import { DEFAULT_CRITICALITY, DEFAULT_SLA_TIER } from '../../core/allocation/priority.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../core/lending/loan-units.ts';
import { ranked } from '../../core/lending/queue.ts';
import { unitRatioOf } from '../../core/pairing/gates.ts';
import type { Pool } from '../../core/pool.ts';
import type { EpochMillis, LoanId } from '../../core/units.ts';
import { MILLIS_PER_SECOND, poolIdParts } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { readAccountItems } from './account-store.ts';
import { consentKey, poolKey } from './keys.ts';
import { lentLoansOf } from './lent-loans.ts';
import { logger } from './middleware.ts';
import type { PriorityRules } from './priority-rules.ts';
import { usagesOf } from './queue-store.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';

export interface PreemptionRoute {
  readonly accountsTable: string;
  readonly loansTable: string;
  readonly rules: PriorityRules;
  readonly recalls: RecallRoute;
}

const RETURNING: ReadonlySet<Loan['state']> = new Set(['recalled', 'returning', 'draining', 'reclaimed']);

/** Why a loan may not be recalled for a request of a higher tier: one of its parties has not agreed to that. */
function protectedBy(loan: Loan, items: AccountItems): string | undefined {
  const { lenderAccountId, borrowerAccountId } = loan;
  const lender = lenderAccountId === undefined ? undefined : items.consent(lenderAccountId)?.terms.lend;
  if (lender?.preemption !== 'lower-tier') return 'its lender does not let it be recalled for a higher tier';
  const borrower = items.consent(borrowerAccountId)?.terms.borrow;
  if (borrower?.preemption !== 'lower-tier') return 'its borrower has not agreed to be recalled for a higher tier';
  return undefined;
}

/** Units of the borrower's that the return of a loan would free for it: whole ones, of what stands in for them. */
function freedUnits(loan: Loan, lender: Pool, borrower: Pool, items: AccountItems): number {
  const { substitutions } = items.consent(borrower.spec.accountId)?.terms.borrow ?? {};
  const unitRatio = unitRatioOf(lender.spec, borrower.spec, substitutions);
  return unitRatio === undefined ? 0 : Math.floor(lenderUnitsOf(loan) / unitRatio);
}

function recallable(loan: Loan, units: number, items: AccountItems): RecallableLoan {
  const { request, recall, activeAt } = loan;
  const barred = protectedBy(loan, items);
  const heldFor = recall?.heldFor;
  return {
    id: loan.loanId,
    borrowerAccountId: loan.borrowerAccountId,
    tier: request?.slaTier ?? DEFAULT_SLA_TIER,
    criticality: request?.criticality ?? DEFAULT_CRITICALITY,
    unitsForRequest: units,
    activeAtMillis: activeAt ?? loan.requestedAt,
    ...(activeAt === undefined ? {} : { shortestUntilMillis: activeAt + loan.shortestTermSeconds * MILLIS_PER_SECOND }),
    returning: RETURNING.has(loan.state),
    ...(heldFor === undefined ? {} : { heldFor }),
    ...(barred === undefined ? {} : { protectedBy: barred }),
  };
}

/**
 * Recalls loans of lower tiers for a request that waits, where the hub's rules and both parties of each loan let it: no more than
 * cover what it needs. A request that was given some already has none recalled again while they are on their way back.
 * @param lendableUnits what its lenders could lend without that
 * @returns ids of the loans that are on their way back for it
 */
export async function preemptFor(
  loan: Loan,
  lendableUnits: number,
  at: EpochMillis,
  route: PreemptionRoute,
): Promise<LoanId[]> {
  const { rules, accountsTable, loansTable } = route;
  // A forecast asks for what is left over only.
  if (rules.preemption === 'never' || loan.waiting === undefined || loan.forecastNeed !== undefined) return [];
  const lenders = loan.waiting.lenderPoolIds;
  const pools = await readAccountItems(accountsTable, [loan.borrowerPoolId, ...lenders].map(poolKey));
  const borrowerPool = pools.pool(loan.borrowerPoolId);
  if (borrowerPool === undefined) return [];
  const lent = await Promise.all(
    lenders.flatMap((id) => {
      const pool = pools.pool(id);
      return pool === undefined ? [] : [lentLoansOf(loansTable, pool).then((loans) => ({ pool, loans }))];
    }),
  );
  const parties = lent.flatMap(({ loans }) => loans.map(({ borrowerAccountId }) => borrowerAccountId));
  const accounts = [...parties, loan.borrowerAccountId, ...lenders.map((id) => poolIdParts(id).accountId)];
  const items = await readAccountItems(accountsTable, accounts.map(consentKey));
  const candidates = lent.flatMap(({ pool, loans }) =>
    loans
      .filter(({ borrowerPoolId, state }) => {
        return borrowerPoolId !== loan.borrowerPoolId && (state === 'active' || RETURNING.has(state));
      })
      .map((each) => recallable(each, freedUnits(each, pool, borrowerPool, items), items)),
  );
  const usages = await usagesOf(accountsTable, [loan.borrowerAccountId, ...parties]);
  const [asking] = ranked([loan], { rules: rules.order, now: at, usages });
  const deficitUnits = loan.units - lendableUnits;
  if (asking === undefined || deficitUnits <= 0) return [];
  const plan = preemptionPlan({ ...asking, deficitUnits }, candidates, rules, at);
  logger.info('preemption', { loanId: loan.loanId, text: plan.text, spared: plan.spared });
  if (plan.victims.length === 0) return [];
  const ids = plan.victims.map(({ id }) => id as LoanId);
  const reason = `a request of a higher SLA tier, ${loan.loanId}, needs the units`;
  const outcomes = await startRecall(ids, { by: 'higher-tier', reason, heldFor: loan.loanId }, route.recalls);
  return outcomes.flatMap(({ loanId, outcome }) => (outcome === 'recalled' ? [loanId] : []));
}
