import type { LoanView } from '../core/lending/disclosure.ts';
import type { ResourceType } from '../core/units.ts';
import { RESOURCE_TYPES } from '../core/units.ts';
import type { StoryResult } from './result.ts';
import { ceilingRange, sampleAt } from './result.ts';
import { traceDuration, traceTime } from './time-scale.ts';

/** A column of a table of facts. */
export interface FactColumn<Row> {
  readonly title: string;
  readonly key: keyof Row;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/** The cells of rows in the order of the columns. */
export function cellsOf<Row extends { readonly [Key in keyof Row]: string }>(
  columns: readonly FactColumn<Row>[],
  rows: readonly Row[],
): string[][] {
  return rows.map((row) => columns.map(({ key }) => row[key]));
}

/** One loan as it is told to people; every cell is text. */
export interface LoanRow {
  readonly what: string;
  readonly lender: string;
  readonly borrower: string;
  readonly asked: string;
  readonly active: string;
  readonly ended: string;
  readonly duration: string;
  readonly why: string;
  readonly end: string;
  readonly price: string;
}

export const LOAN_COLUMNS: readonly FactColumn<LoanRow>[] = [
  { title: 'lender', key: 'lender' },
  { title: 'borrower', key: 'borrower' },
  { title: 'what', key: 'what', right: true },
  { title: 'asked', key: 'asked' },
  { title: 'active', key: 'active' },
  { title: 'given back', key: 'ended' },
  { title: 'lent for', key: 'duration', right: true },
  { title: 'why', key: 'why' },
  { title: 'how it ended', key: 'end' },
  { title: 'billed', key: 'price', right: true },
];

const RETURN_WORDS: Readonly<Record<NonNullable<LoanView['returnReason']>, string>> = {
  expired: 'the term ended',
  recovered: 'own capacity was enough again',
  recalled: 'it was recalled',
  revoked: 'a consent was revoked',
  'requested-by-owner': 'the owner asked for it',
  'below-minimum': 'it was not enough of what was needed',
  repair: 'it was found stuck',
  'step-failed': 'a step failed',
};

const RESOURCE_WORDS: Readonly<Record<ResourceType, string>> = {
  cpu: 'CPU',
  memory: 'memory',
  network: 'network',
  storage: 'storage',
};

/** Micro-dollars as dollars with six decimals: a bill of this length is a fraction of a cent before the scaling. */
export function usd(amountMicroUsd: number): string {
  return `${(amountMicroUsd / 1_000_000).toFixed(6)} USD`;
}

/** Name of an account of the story, or its id when it is not one of them. */
export function accountName(result: StoryResult, accountId: string | undefined): string {
  if (accountId === undefined) return '—';
  return result.accounts.find((account) => account.accountId === accountId)?.name ?? accountId;
}

function momentText(result: StoryResult, atMillis: number | undefined): string {
  return atMillis === undefined ? '—' : traceTime(result.scale, sampleAt(result, atMillis));
}

function outcome(loan: LoanView): string {
  if (loan.state === 'returned') return `returned: ${RETURN_WORDS[loan.returnReason ?? 'expired']}`;
  return loan.endDetail === undefined ? loan.state : `${loan.state}: ${loan.endDetail}`;
}

function askedBy({ bindingResource, forecastNeed }: LoanView): string {
  const trigger = forecastNeed === undefined ? 'alarm' : 'forecast';
  return bindingResource === undefined ? trigger : `${RESOURCE_WORDS[bindingResource]} ${trigger}`;
}

/** Every request in the order in which they were made, in trace time. */
export function loanRows(result: StoryResult): LoanRow[] {
  return result.loans
    .toSorted((a, b) => a.requestedAt - b.requestedAt)
    .map((loan) => {
      const active =
        loan.activeAt !== undefined && loan.endedAt !== undefined ? loan.endedAt - loan.activeAt : undefined;
      return {
        what: `${loan.units} unit${loan.units === 1 ? '' : 's'}`,
        lender: accountName(result, loan.lenderAccountId),
        borrower: accountName(result, loan.borrowerAccountId),
        asked: momentText(result, loan.requestedAt),
        active: momentText(result, loan.activeAt),
        ended: momentText(result, loan.endedAt),
        duration: active === undefined ? '—' : traceDuration(result.scale, active),
        why: askedBy(loan),
        end: outcome(loan),
        price: loan.billedMicroUsd === undefined ? '—' : usd(loan.billedMicroUsd),
      };
    });
}

/** One expected peak as it is told to people; every cell is text. */
export interface PeakRow {
  readonly account: string;
  readonly when: string;
  readonly median: string;
  readonly high: string;
  readonly probability: string;
  readonly resource: string;
}

export const PEAK_COLUMNS: readonly FactColumn<PeakRow>[] = [
  { title: 'account', key: 'account' },
  { title: 'expected at', key: 'when' },
  { title: 'needed (P50)', key: 'median', right: true },
  { title: 'needed (P90)', key: 'high', right: true },
  { title: 'risk of a bottleneck', key: 'probability', right: true },
  { title: 'busiest resource', key: 'resource' },
];

const percentText = (share: number): string => `${Math.round(share * 100)} %`;

/** What each account was expected to need the most, in trace time. */
export function peakRows(result: StoryResult): PeakRow[] {
  return result.accounts.flatMap(({ name, plan }) =>
    (plan?.expectedPeaks ?? []).map((peak) => ({
      account: name,
      when: momentText(result, peak.startMillis),
      median: String(peak.neededUnits['0.5']),
      high: String(peak.neededUnits['0.9']),
      probability: percentText(peak.probability),
      resource: RESOURCE_WORDS[peak.resource],
    })),
  );
}

/** Why each account's forecast is what it is: models with their weights, what shaped it, and how earlier ones held. */
export function forecastReasons(result: StoryResult): string[] {
  return result.accounts.flatMap(({ name, plan }) => {
    const { forecast } = plan ?? {};
    if (forecast === undefined) return [];
    return RESOURCE_TYPES.flatMap((type) => {
      const models = forecast.models[type];
      if (models === undefined) return [];
      const took = models
        .filter(({ weight }) => weight > 0)
        .map((model) => `${model.name} ${percentText(model.weight)}`);
      const failed = models.filter((model) => model.failed !== undefined).map((model) => `${model.name} failed`);
      const coverage = forecast.coverage?.[type];
      const held =
        coverage === undefined
          ? []
          : [
              `of ${coverage.slots} slots measured since, ${percentText(coverage.level80)} lay in the 80 % interval and ${percentText(coverage.level95)} in the 95 % interval`,
            ];
      const parts = [...took, ...failed].join(', ');
      return [`${name}, ${RESOURCE_WORDS[type]}: ${[parts, ...(forecast.reasons[type] ?? []), ...held].join('; ')}`];
    });
  });
}

/** One account's ceilings and books; every cell is text. */
export interface AccountRow {
  readonly account: string;
  readonly before: string;
  readonly during: string;
  readonly after: string;
  readonly owed: string;
  readonly audit: string;
}

export const ACCOUNT_COLUMNS: readonly FactColumn<AccountRow>[] = [
  { title: 'account', key: 'account' },
  { title: 'ceiling before', key: 'before', right: true },
  { title: 'during', key: 'during', right: true },
  { title: 'after', key: 'after', right: true },
  { title: 'ledger (+ owed to it)', key: 'owed', right: true },
  { title: 'audit chain', key: 'audit' },
];

export function accountRows(result: StoryResult): AccountRow[] {
  return result.accounts.map((account, index) => {
    const { lowest, highest } = ceilingRange(result, index);
    const during = lowest === highest ? String(lowest) : `${lowest} … ${highest}`;
    const chain = account.auditFaults.length === 0 ? 'intact' : `damaged: ${account.auditFaults.join('; ')}`;
    return {
      account: `${account.name} (${account.accountId})`,
      before: String(account.ceilingBefore),
      during,
      after: String(account.ceilingAfter),
      owed: usd(account.postedMicroUsd),
      audit: `${account.auditRecords} records, ${chain}`,
    };
  });
}

/** What a loan of this kind saves, said as it is. */
export const SAVING_NOTE =
  'These are nominal loans: a ceiling moves, and with it the permission to run instances. In money they save nothing: ' +
  'the borrower pays for the instances that it runs, and what the lender gets is what the borrower is billed. Only lending ' +
  'capacity that is paid for whether it is used or not saves money.';
