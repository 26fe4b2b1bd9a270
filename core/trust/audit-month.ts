import type { AuditEvent } from '../audit/chain.ts';
import { utcDate, utcMonth, utcMonthStart } from '../calendar.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import type { EvidenceKind, TrustEvidence } from './evidence.ts';
import { evidenceOf } from './evidence.ts';

/** So many denied accesses in a month are no slip any more: a finding of their own, beside what each of them counts. */
export const DENIED_ACCESSES_FOR_FINDING = 3;

const MONTH = /^([1-9]\d{3})-(0[1-9]|1[0-2])$/;
/** Records that show that an account lent or borrowed. */
const LENDING_RECORDS: ReadonlySet<string> = new Set(['loan.reserved', 'loan.active', 'loan.returned']);

/** From when to when, not including the end. */
export interface MonthSpan {
  /** `YYYY-MM` (UTC). */
  readonly month: string;
  readonly from: EpochMillis;
  readonly to: EpochMillis;
}

function spanOf(year: number, ofYear: number): MonthSpan {
  const from = utcMonthStart(year, ofYear);
  return { month: utcMonth(from), from, to: utcMonthStart(year, ofYear + 1) };
}

/** The span of `YYYY-MM`; undefined when the text is no month. */
export function monthSpanOf(month: string): MonthSpan | undefined {
  const [, year, ofYear] = MONTH.exec(month) ?? [];
  return year === undefined || ofYear === undefined ? undefined : spanOf(Number(year), Number(ofYear));
}

/** The last month that is over. */
export function monthBefore(at: EpochMillis): MonthSpan {
  const { year, month } = utcDate(at);
  return spanOf(year, month - 1);
}

/**
 * An account has one verdict a month, whoever gives it: the later one takes the place of the earlier. It counts from the end of the
 * month on.
 */
export function monthEvidence(
  kind: EvidenceKind,
  account: AccountId,
  { month, to }: MonthSpan,
  recorded: Pick<TrustEvidence, 'recordedBy' | 'note'> = {},
): TrustEvidence {
  return evidenceOf(kind, { evidenceId: `audit#${month}`, accountId: account, at: to, subject: month, ...recorded });
}

/**
 * What the records of an account show of its month: a finding when it was denied access again and again; clean when it lent or
 * borrowed and was never denied; else nothing, since doing nothing earns no trust, and each denied access counts by itself.
 *
 * A chain that is broken says nothing of its account: the hub keeps it.
 * @param records of an intact chain, at least all of the month
 */
export function verdictOf(
  account: AccountId,
  records: readonly AuditEvent[],
  span: MonthSpan,
): TrustEvidence | undefined {
  const within = records.filter(({ at }) => at >= span.from && at < span.to);
  const denied = within.filter(({ type }) => type === 'access.denied').length;
  if (denied >= DENIED_ACCESSES_FOR_FINDING) return monthEvidence('audit-finding-minor', account, span);
  const hasLent = within.some(({ type }) => LENDING_RECORDS.has(type));
  return hasLent && denied === 0 ? monthEvidence('audit-clean', account, span) : undefined;
}
