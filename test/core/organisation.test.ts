import { describe, expect, it } from '@jest/globals';
import type { OrganisationUnit } from '../../core/organisation.ts';
import { organisationProblem, unitsAbove, unitsCrossed } from '../../core/organisation.ts';
import { accountId } from '../../core/units.ts';
import { BORROWER, LENDER } from '../support/fixtures.ts';

const OTHER = accountId('333333333333');
const TREE: readonly OrganisationUnit[] = [
  {
    name: 'group',
    limits: { borrow: { maxUnits: 100 } },
    units: [
      { name: 'retail', limits: { lend: { maxUnits: 5 } }, accounts: [LENDER, BORROWER] },
      { name: 'bank', accounts: [OTHER] },
    ],
  },
];
const namesAbove = (account: typeof OTHER) => (unitsAbove(TREE).get(account) ?? []).map(({ name }) => name);

describe('an organisation', () => {
  it('has above each account its own unit first', () => {
    expect(namesAbove(LENDER)).toEqual(['retail', 'group']);
    expect(namesAbove(OTHER)).toEqual(['bank', 'group']);
    expect(namesAbove(accountId('999999999999'))).toEqual([]);
    expect(unitsAbove(TREE).get(LENDER)?.[0]).toEqual({ name: 'retail', limits: { lend: { maxUnits: 5 } } });
  });

  it('counts a loan in the units that it leaves or enters, not in those that have both accounts', () => {
    const above = unitsAbove(TREE);
    const crossed = (own: typeof OTHER, other: typeof OTHER) =>
      unitsCrossed(above.get(own) ?? [], above.get(other) ?? []).map(({ name }) => name);
    expect(crossed(LENDER, BORROWER)).toEqual([]);
    expect(crossed(LENDER, OTHER)).toEqual(['retail']);
    expect(crossed(OTHER, LENDER)).toEqual(['bank']);
    expect(crossed(OTHER, accountId('999999999999'))).toEqual(['bank', 'group']);
  });

  it('has each name and each account once', () => {
    expect(organisationProblem(TREE)).toBeUndefined();
    expect(organisationProblem([...TREE, { name: 'bank' }])).toBe('unit bank: expected each name once');
    expect(organisationProblem([...TREE, { name: 'more', accounts: [OTHER] }])).toBe(
      `account ${OTHER}: expected each account in one unit`,
    );
  });
});
