import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ORDER_RULES } from '../../core/allocation/priority.ts';
import { accountId } from '../../core/units.ts';
import { parsePriorityRules, tierOf } from '../../functions/adapters/priority-rules.ts';
import { configSchema } from '../../infra/config-schema.ts';

const ACCOUNT = accountId('222222222222');
const OTHER = accountId('333333333333');

function rulesOf(priorityRules?: object) {
  const hub = { accountId: '111111111111', region: 'eu-central-1', externalId: 'some-external-id' };
  const { hub: parsed } = configSchema.parse({
    hub: { ...hub, ...(priorityRules === undefined ? {} : { priorityRules }) },
    linkedAccounts: [{ accountId: ACCOUNT, name: 'one', region: 'eu-central-1', pools: [] }],
  });
  return parsePriorityRules(JSON.stringify(parsed.priorityRules));
}

describe('the rules of who comes first, from the configuration to the functions', () => {
  it('are the default ones, and recall nothing, when nothing is stated', () => {
    expect(rulesOf()).toMatchObject({ order: DEFAULT_ORDER_RULES, preemption: 'never', minimumTerm: 'spared' });
    expect(parsePriorityRules('{}').order).toEqual(DEFAULT_ORDER_RULES);
  });

  it('let an account claim no higher tier than the operator allows', () => {
    const rules = rulesOf({ highestTier: 3, highestTierOf: { [ACCOUNT]: 1 } });
    expect(tierOf(rules, ACCOUNT, '1')).toBe(1);
    expect(tierOf(rules, OTHER, '1')).toBe(3);
    expect(tierOf(rules, OTHER, '5')).toBe(5);
    expect(tierOf(rules, OTHER, undefined)).toBe(3);
  });

  it.each([
    ['a rule twice', { order: [{ by: 'sla-tier' }, { by: 'sla-tier' }] }],
    ['no rule', { order: [] }],
    ['a rule that is none', { order: [{ by: 'size' }] }],
    ['a tier that is none', { highestTier: 6 }],
    ['an account that is none', { highestTierOf: { me: 1 } }],
  ])('are refused with %s', (_name, rules) => {
    expect(() => rulesOf(rules)).toThrow('priorityRules');
  });
});
