import { SFNClient } from '@aws-sdk/client-sfn';
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import type { LatestMetrics } from '../../core/lending/assess.ts';
import type { LenderNeed } from '../../core/lending/lender-need.ts';
import { needAhead, needOnAlarm } from '../../core/lending/lender-need.ts';
import type { RecallBy } from '../../core/lending/loan.ts';
import type { Outlook } from '../../core/lending/outlook.ts';
import type { GroupObservation, Pool } from '../../core/pool.ts';
import type { LoanStore } from '../../core/ports.ts';
import type { EpochMillis } from '../../core/units.ts';
import type { Env } from './env.ts';
import { lentLoansOf } from './lent-loans.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';

/** Environment variables of every function that recalls. */
export const RECALL_VARIABLES = [
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_LOANS_TABLE',
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
] as const;
type RecallEnv = Env<(typeof RECALL_VARIABLES)[number]>;

const REASONS = {
  'lender-alarm': 'the lender needs its units: its alarm went off',
  'lender-forecast': 'the lender will need its units, by its forecast',
} as const satisfies Partial<Record<RecallBy, string>>;

/** A lender's own needs, met from what it has lent. Pools that have lent nothing cost nothing. */
export interface LenderRecalls {
  onAlarm(seen: {
    readonly pool: Pool;
    readonly group: GroupObservation;
    readonly metrics: LatestMetrics;
    readonly now: EpochMillis;
  }): Promise<LenderNeed | undefined>;
  ahead(seen: {
    readonly pool: Pool;
    readonly plan?: PoolForecast | undefined;
    readonly outlook?: Outlook | undefined;
    readonly now: EpochMillis;
  }): Promise<LenderNeed | undefined>;
}

/** The route that the environment names. */
export function recallRoute(env: RecallEnv, store: LoanStore, stepFunctions = new SFNClient({})): RecallRoute {
  return {
    store,
    stepFunctions,
    returnMachineArn: env.ENTANGLE_RETURN_STATE_MACHINE_ARN,
    events: { accountsTable: env.ENTANGLE_ACCOUNTS_TABLE, busName: env.ENTANGLE_EVENT_BUS },
  };
}

/** Recalls for the pools of lenders. */
export function lenderRecalls(env: RecallEnv, store: LoanStore): LenderRecalls {
  const route = recallRoute(env, store);
  const carryOut = async (need: LenderNeed, by: keyof typeof REASONS): Promise<LenderNeed> => {
    const ids = need.recall.map(({ loanId }) => loanId);
    if (ids.length > 0) await startRecall(ids, { by, reason: REASONS[by], lenderDetail: need.reason }, route);
    return need;
  };
  return {
    onAlarm: async (seen) => {
      if (seen.pool.lentUnits === 0) return undefined;
      const lentLoans = await lentLoansOf(env.ENTANGLE_LOANS_TABLE, seen.pool);
      return carryOut(needOnAlarm({ ...seen, lentLoans }), 'lender-alarm');
    },
    ahead: async (seen) => {
      if (seen.pool.lentUnits === 0) return undefined;
      const lentLoans = await lentLoansOf(env.ENTANGLE_LOANS_TABLE, seen.pool);
      return carryOut(needAhead({ ...seen, lentLoans }), 'lender-forecast');
    },
  };
}
