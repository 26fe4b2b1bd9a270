/** A limit beside those of consents: of a pool, of one side of a pairing, or of an organisation unit. Absent fields: no limit. */
export interface UnitLimit {
  /** Units out (lend) or in (borrow) at any moment. */
  readonly maxUnits?: number;
  /** Unit-hours a calendar month (UTC), counted at the loan's full term when it is reserved, trued down when it ends. */
  readonly maxUnitHoursPerMonth?: number;
}

export type LoanDirection = 'lend' | 'borrow';

/** Of each direction its own; absent: no limit. */
export type UnitLimits = Readonly<Partial<Record<LoanDirection, UnitLimit>>>;
