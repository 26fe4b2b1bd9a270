import type { SFNClient } from '@aws-sdk/client-sfn';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { LoanEvent } from '../../core/lending/loan-event.ts';
import type { RecallRefusal, RecallRequest } from '../../core/lending/recall.ts';
import { isRecallRefused, recall } from '../../core/lending/recall.ts';
import type { LoanStore } from '../../core/ports.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import type { EpochMillis, LoanId } from '../../core/units.ts';
import { now } from './clock.ts';
import { inLanes } from './lanes.ts';
import { logger } from './middleware.ts';
import type { EventRoute } from './pairing-events.ts';
import { publishEvents } from './pairing-events.ts';
import { commitStep } from './saga-step.ts';
import { startReturn } from './starts.ts';

/** How a recall is written, told of and carried out. */
export interface RecallRoute {
  readonly store: LoanStore;
  readonly stepFunctions: SFNClient;
  readonly returnMachineArn: string;
  readonly events: EventRoute;
}

export type RecallOutcome = { readonly loanId: LoanId } & (
  | { readonly outcome: 'recalled' | 'already-recalled'; readonly firmAt: EpochMillis }
  | {
      readonly outcome: 'refused';
      /** `early`: it may be recalled later. `not-active`: it is still being made, or changes just now: ask again. */
      readonly code: Exclude<RecallRefusal['refused'], 'over'>;
      readonly reason: string;
    }
  | { readonly outcome: 'ended'; readonly reason: string }
);

/** A loan, or its lender's pool, that changed in between is read again so often. */
const ATTEMPTS = 6;

function refusedOutcome(loanId: LoanId, { refused, reason }: RecallRefusal): RecallOutcome {
  return refused === 'over'
    ? { loanId, outcome: 'ended', reason }
    : { loanId, outcome: 'refused', code: refused, reason };
}

interface Written {
  readonly outcome: RecallOutcome;
  readonly snapshot?: LoanSnapshot;
  readonly events: readonly LoanEvent[];
}

async function writeRecall(loanId: LoanId, asked: RecallRequest, store: LoanStore): Promise<Written> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const snapshot = await store.readSnapshot(loanId);
    if (snapshot === undefined) {
      return { outcome: { loanId, outcome: 'ended', reason: `loan ${loanId} does not exist` }, events: [] };
    }
    const { loan } = snapshot;
    if (loan.state === 'recalled' && loan.recall !== undefined) {
      // It may be that whoever recalled it got no further than writing so.
      return { outcome: { loanId, outcome: 'already-recalled', firmAt: loan.recall.firmAt }, snapshot, events: [] };
    }
    const commit = recall(snapshot, asked, now());
    if (isRecallRefused(commit)) {
      const { recall: made, endedAt } = loan;
      const underWay = made !== undefined && endedAt === undefined;
      const outcome: RecallOutcome = underWay
        ? { loanId, outcome: 'already-recalled', firmAt: made.firmAt }
        : refusedOutcome(loanId, commit);
      return { outcome, events: [] };
    }
    try {
      const written = await commitStep(store, snapshot, commit);
      const firmAt = written.loan.recall?.firmAt ?? commit.audit.at;
      return { outcome: { loanId, outcome: 'recalled', firmAt }, snapshot: written, events: commit.events ?? [] };
    } catch (error) {
      if (!(error instanceof StaleSnapshot)) throw error;
    }
  }
  const reason = `loan ${loanId} changes just now`;
  return { outcome: { loanId, outcome: 'refused', code: 'not-active', reason }, events: [] };
}

function accountOf({ borrowerAccountId }: Loan) {
  return borrowerAccountId;
}

/**
 * Recalls loans, each once: writes the recall with its audit record and its event in one transaction, then starts the way back. A
 * start that is lost is found by reconciling. Loans that cannot be recalled are left as they are, with the reason.
 * @throws the error of AWS when a recall could not be written or its return not started; the others are recalled all the same
 */
export async function startRecall(
  loanIds: readonly LoanId[],
  asked: RecallRequest,
  route: RecallRoute,
): Promise<RecallOutcome[]> {
  const outcomes = new Map<LoanId, RecallOutcome>();
  const failures: unknown[] = [];
  await inLanes([...new Set(loanIds)], async (loanId) => {
    try {
      const { outcome, snapshot, events } = await writeRecall(loanId, asked, route.store);
      outcomes.set(loanId, outcome);
      if (snapshot === undefined) return;
      await startReturn(route.stepFunctions, route.returnMachineArn, snapshot.loan, 'recalled', { snapshot });
      logger.info('recalled', { ...outcome, by: asked.by });
      await publishEvents(
        events.map((event) => ({ account: accountOf(snapshot.loan), event })),
        route.events,
      );
    } catch (error) {
      logger.error('a loan could not be recalled', { loanId, error: error instanceof Error ? error : String(error) });
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
  return loanIds.flatMap((loanId) => outcomes.get(loanId) ?? []);
}
