import { describe, expect, it } from '@jest/globals';
import { organisation, unitLimits } from '../../infra/organisation-schema.ts';

const UNIT = { name: 'retail', accounts: ['222222222222'], limits: { borrow: { maxUnits: 3 } } };

function problemOf(value: unknown): string | undefined {
  const [issue] = organisation.safeParse(value).error?.issues ?? [];
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`;
}

describe('the organisation in the configuration', () => {
  it('is a tree of units with limits and accounts', () => {
    const tree = [{ name: 'group', units: [UNIT, { name: 'bank', accounts: ['333333333333'] }] }];
    expect(organisation.parse(tree)).toEqual(tree);
    expect(unitLimits.parse({ lend: { maxUnitHoursPerMonth: 7.5 } })).toEqual({ lend: { maxUnitHoursPerMonth: 7.5 } });
  });

  it.each([
    [[{ ...UNIT, name: '' }], '0.name: a name of 1 to 64 letters, digits, dots, dashes, underscores'],
    [[{ ...UNIT, accounts: ['222'] }], '0.accounts.0: 12 digits in quotes'],
    [[{ ...UNIT, limits: {} }], '0.limits: an object with lend, borrow or both'],
    [
      [{ ...UNIT, limits: { lend: { maxUnits: -1 } } }],
      '0.limits.lend.maxUnits: a whole number of instances from 0 to 1000000',
    ],
    [[{ ...UNIT, limits: { lend: {} } }], '0.limits.lend: an object with maxUnits, maxUnitHoursPerMonth or both'],
    [[UNIT, { name: 'retail' }], ': unit retail: expected each name once'],
    [[UNIT, { name: 'bank', accounts: ['222222222222'] }], ': account 222222222222: expected each account in one unit'],
  ])('%j is refused with what is right', (value, problem) => {
    expect(problemOf(value)).toBe(problem);
  });
});
