import type { UnitLimits } from './unit-limits.ts';
import type { AccountId } from './units.ts';

/** A part of the organisation: its accounts and the parts below it share its limits. */
export interface OrganisationUnit {
  readonly name: string;
  /** On what leaves the unit (lend) and what enters it (borrow); loans between its own accounts do not count. */
  readonly limits?: UnitLimits;
  readonly accounts?: readonly AccountId[];
  readonly units?: readonly OrganisationUnit[];
}

/** A unit above an account, without what is below it. */
export type UnitAbove = Pick<OrganisationUnit, 'name' | 'limits'>;

/** The units above each account, the nearest first. */
export function unitsAbove(roots: readonly OrganisationUnit[]): ReadonlyMap<AccountId, readonly UnitAbove[]> {
  const found = new Map<AccountId, readonly UnitAbove[]>();
  const visit = ({ name, limits, accounts = [], units = [] }: OrganisationUnit, above: readonly UnitAbove[]): void => {
    const path = [{ name, ...(limits === undefined ? {} : { limits }) }, ...above];
    for (const account of accounts) found.set(account, path);
    for (const unit of units) visit(unit, path);
  };
  for (const root of roots) visit(root, []);
  return found;
}

function everyUnit(roots: readonly OrganisationUnit[]): OrganisationUnit[] {
  return roots.flatMap((root) => [root, ...everyUnit(root.units ?? [])]);
}

function repeated<Value>(values: readonly Value[]): Value | undefined {
  return values.find((value, index) => values.indexOf(value) < index);
}

/** What is wrong with an organisation, in a sentence; undefined when nothing is. */
export function organisationProblem(roots: readonly OrganisationUnit[]): string | undefined {
  const units = everyUnit(roots);
  const name = repeated(units.map((unit) => unit.name));
  if (name !== undefined) return `unit ${name}: expected each name once`;
  const account = repeated(units.flatMap(({ accounts = [] }) => accounts));
  return account === undefined ? undefined : `account ${account}: expected each account in one unit`;
}

/** The units that a loan leaves or enters: those above one account and not above the other. */
export function unitsCrossed(own: readonly UnitAbove[], other: readonly UnitAbove[]): UnitAbove[] {
  return own.filter(({ name }) => !other.some((unit) => unit.name === name));
}
