import type { LoanView } from '../core/lending/disclosure.ts';
import type { PlanView } from '../core/pairing/plan.ts';
import type { AccountId } from '../core/units.ts';
import type { TimeScale } from './time-scale.ts';

/** One account at one step of the replay, as it was observed. */
export interface AccountFrame {
  /** Demand of the resource that needs the most, as instances at the policy's target utilisation. */
  readonly neededUnits: number;
  /** `MaxSize` of the group. */
  readonly ceilingUnits: number;
  readonly desiredUnits: number;
  readonly inServiceUnits: number;
  readonly cpuPercent: number;
}

/** One step of the replay. */
export interface Frame {
  /** Sample of the traces, counted from their first. */
  readonly sample: number;
  /** Milliseconds since the epoch. */
  readonly atMillis: number;
  /** In the order of the accounts. */
  readonly accounts: readonly AccountFrame[];
}

export interface AccountFacts {
  readonly name: string;
  readonly accountId: AccountId;
  readonly groupName: string;
  readonly source: string;
  readonly cleaning: readonly string[];
  /** `MaxSize` before the replay and after it. */
  readonly ceilingBefore: number;
  readonly ceilingAfter: number;
  /** From the account's own bills. */
  readonly pendingMicroUsd: number;
  readonly postedMicroUsd: number;
  /** Records of the account's own audit chain, and the faults found in it. */
  readonly auditRecords: number;
  readonly auditFaults: readonly string[];
  /** Last day of the history: needed units, a step each. */
  readonly lastDayNeededUnits: readonly number[];
  /** What was planned for its group, as the account may see it. */
  readonly plan?: PlanView;
}

/** Everything that was observed: what the table, the JSON object and the report are made of. */
export interface StoryResult {
  readonly startedAt: string;
  readonly scale: TimeScale;
  readonly historySteps: number;
  readonly accounts: readonly AccountFacts[];
  readonly frames: readonly Frame[];
  readonly loans: readonly LoanView[];
  readonly alarms: readonly { readonly sample: number; readonly accountName: string; readonly state: string }[];
  /** Wall-clock seconds of the whole story. */
  readonly seconds: number;
  /** True when the traces are those that come with the project: then a loan has to happen. */
  readonly builtIn: boolean;
}

export interface Verdict {
  readonly ok: boolean;
  /** What was found, or what is wrong, one sentence each. */
  readonly statements: readonly { readonly holds: boolean; readonly text: string }[];
}

/** Loans that were active and came back as agreed, not because something had failed. */
export function completedLoans(result: StoryResult): LoanView[] {
  return result.loans.filter(
    ({ state, activeAt, returnReason }) =>
      state === 'returned' && activeAt !== undefined && returnReason !== 'step-failed' && returnReason !== 'repair',
  );
}

/** Whether the story ended as it must. */
export function judge(result: StoryResult): Verdict {
  const completed = completedLoans(result).length;
  const moved = result.accounts.filter((account) => account.ceilingAfter !== account.ceilingBefore);
  const balance = result.accounts.reduce((sum, account) => sum + account.postedMicroUsd, 0);
  const pending = result.accounts.filter((account) => account.pendingMicroUsd !== 0);
  const broken = result.accounts.filter((account) => account.auditFaults.length > 0);
  const records = result.accounts.reduce((sum, account) => sum + account.auditRecords, 0);
  const quiet = !result.builtIn && result.alarms.every(({ state }) => state !== 'ALARM') && result.loans.length === 0;
  const loanStatement = quiet
    ? { holds: true, text: 'no alarm fired in these traces, so nothing was lent' }
    : {
        holds: completed > 0 || !result.builtIn,
        text: `requests lent, active and given back: ${completed} of ${result.loans.length}`,
      };
  const statements = [
    loanStatement,
    {
      holds: moved.length === 0,
      text:
        moved.length === 0
          ? 'every ceiling is as it was before'
          : `ceilings differ from before: ${moved.map((account) => `${account.name} ${account.ceilingBefore} → ${account.ceilingAfter}`).join(', ')}`,
    },
    {
      holds: balance === 0 && pending.length === 0,
      text:
        pending.length === 0
          ? `the ledger balance over all accounts is ${balance} micro-dollars, nothing is pending`
          : `amounts are still pending: ${pending.map((account) => account.name).join(', ')}`,
    },
    {
      holds: broken.length === 0,
      text:
        broken.length === 0
          ? `${result.accounts.length} audit chains with ${records} records are intact`
          : `audit chains are damaged: ${broken.map((account) => `${account.name} (${account.auditFaults.join('; ')})`).join(', ')}`,
    },
  ];
  return { ok: statements.every(({ holds }) => holds), statements };
}

/** The moment of the trace at which something happened, in samples from the first; fractions included. */
export function sampleAt(result: StoryResult, atMillis: number): number {
  const [first] = result.frames;
  if (first === undefined) return result.historySteps;
  return first.sample + (atMillis - first.atMillis) / (result.scale.stepSeconds * 1_000);
}

/** Lowest and highest ceiling of an account while it was replayed. */
export function ceilingRange(result: StoryResult, index: number): { lowest: number; highest: number } {
  const ceilings = result.frames.flatMap((frame) => frame.accounts[index]?.ceilingUnits ?? []);
  const before = result.accounts[index]?.ceilingBefore ?? 0;
  return { lowest: Math.min(before, ...ceilings), highest: Math.max(before, ...ceilings) };
}
