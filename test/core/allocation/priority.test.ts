import { describe, expect, it } from '@jest/globals';
import type { OrderRule, RankedRequest } from '../../../core/allocation/priority.ts';
import {
  checkOrderRules,
  compareRequests,
  criticalityFrom,
  DEFAULT_ORDER_RULES,
  explainOrder,
  orderRequests,
  slaTierFrom,
} from '../../../core/allocation/priority.ts';

const NOW = 1_700_000_000_000;

function request(id: string, rest: Partial<RankedRequest> = {}): RankedRequest {
  return { id, accountId: id, tier: 3, criticality: 'medium', requestedAtMillis: NOW, deficitUnits: 4, ...rest };
}

const ids = (requests: readonly RankedRequest[], rules: readonly OrderRule[] = DEFAULT_ORDER_RULES) =>
  orderRequests(requests, rules, NOW).map(({ id }) => id);
const ago = (seconds: number) => NOW - seconds * 1_000;

describe('the tags of a group', () => {
  it('say a tier, not above what its account may claim', () => {
    expect([
      slaTierFrom('1'),
      slaTierFrom(' 5 '),
      slaTierFrom('0'),
      slaTierFrom('gold'),
      slaTierFrom(undefined),
    ]).toEqual([1, 5, 3, 3, 3]);
    expect([slaTierFrom('1', 2), slaTierFrom('4', 2), slaTierFrom(undefined, 4)]).toEqual([2, 4, 4]);
  });

  it('say a criticality', () => {
    expect([
      criticalityFrom('Critical'),
      criticalityFrom('low '),
      criticalityFrom('7'),
      criticalityFrom(undefined),
    ]).toEqual(['critical', 'low', 'medium', 'medium']);
  });
});

describe('orderRequests', () => {
  it('goes by tier, criticality, share and deficit unless told otherwise', () => {
    const requests = [
      request('smaller', { deficitUnits: 2 }),
      request('larger', { deficitUnits: 9 }),
      request('poor', { fairShare: -0.5, deficitUnits: 99 }),
      request('high', { criticality: 'high', fairShare: 1 }),
      request('tier2', { tier: 2, criticality: 'low', fairShare: 1 }),
    ];
    expect(ids(requests)).toEqual(['tier2', 'high', 'poor', 'smaller', 'larger']);
  });

  it('raises the criticality of who waits, above the highest too, and never its tier', () => {
    const waiting = request('waiting', { criticality: 'low', requestedAtMillis: ago(4 * 900) });
    expect(ids([request('fresh', { criticality: 'critical' }), waiting])).toEqual(['waiting', 'fresh']);
    const shorter = request('waiting', { criticality: 'low', requestedAtMillis: ago(3 * 900 - 1) });
    expect(ids([request('fresh', { criticality: 'critical' }), shorter])).toEqual(['fresh', 'waiting']);
    expect(ids([request('higher', { tier: 2, criticality: 'low' }), waiting])).toEqual(['higher', 'waiting']);
  });

  it('takes the rules in the order in which they are given', () => {
    const requests = [
      request('old', { requestedAtMillis: ago(100), deficitUnits: 9 }),
      request('critical', { criticality: 'critical', deficitUnits: 5 }),
      request('small', { tier: 5, deficitUnits: 1 }),
    ];
    expect(ids(requests, [{ by: 'smallest-deficit' }])).toEqual(['small', 'critical', 'old']);
    expect(ids(requests, [{ by: 'waiting', perSeconds: 60 }, { by: 'criticality' }])).toEqual([
      'old',
      'critical',
      'small',
    ]);
    expect(ids(requests, [{ by: 'criticality' }, { by: 'sla-tier' }])).toEqual(['critical', 'old', 'small']);
    expect(ids(requests, [{ by: 'sla-tier' }, { by: 'waiting', perSeconds: 40 }])).toEqual([
      'old',
      'critical',
      'small',
    ]);
  });

  it('does not tell shares apart that are as good as equal', () => {
    const requests = [
      request('a', { fairShare: 0.02, deficitUnits: 9 }),
      request('b', { fairShare: 0.04, deficitUnits: 1 }),
    ];
    expect(ids(requests)).toEqual(['b', 'a']);
    expect(ids(requests, [{ by: 'fair-share', step: 0.01 }])).toEqual(['a', 'b']);
  });

  it('goes by when requests were made, then by id, where no rule decides', () => {
    expect(ids([request('c'), request('b'), request('a', { requestedAtMillis: NOW + 1 })])).toEqual(['b', 'c', 'a']);
    expect(compareRequests(request('a'), request('a'), DEFAULT_ORDER_RULES, NOW)).toBe(0);
  });
});

describe('explainOrder', () => {
  it('says who is first and by which rule, with figures only in the detail', () => {
    const small = request('small', { deficitUnits: 2 });
    const reason = explainOrder(request('large', { deficitUnits: 9 }), small, DEFAULT_ORDER_RULES, NOW);
    expect(reason).toEqual({
      firstId: 'small',
      secondId: 'large',
      rule: 'smallest-deficit',
      text: 'small is before large: it needs less',
      detail: 'small is before large: it needs less (2 units missing, against 9 units missing)',
    });
    expect(reason.text).not.toMatch(/\d/);
  });

  it('names the waiting that raised a request', () => {
    const waiting = request('waiting', { criticality: 'low', requestedAtMillis: ago(4 * 900) });
    const reason = explainOrder(request('fresh', { criticality: 'critical' }), waiting, DEFAULT_ORDER_RULES, NOW);
    expect(reason.detail).toBe(
      'waiting is before fresh: its criticality, with the time waited, is greater (low raised by 4 for waiting, against critical)',
    );
  });

  it('has a sentence for every rule', () => {
    const pairs: readonly [OrderRule, Partial<RankedRequest>, string][] = [
      [{ by: 'sla-tier' }, { tier: 1 }, 'a is before b: its SLA tier is higher (tier 1, against tier 3)'],
      [
        { by: 'waiting', perSeconds: 60 },
        { requestedAtMillis: ago(130) },
        'a is before b: it has waited longer (120 s waited, against 0 s waited)',
      ],
      [
        { by: 'fair-share' },
        { fairShare: -0.25 },
        'a is before b: its account has borrowed less for what it lent (share -0.250, against share 0.000)',
      ],
      [
        { by: 'criticality' },
        { requestedAtMillis: NOW - 5 },
        `a is before b: it was made first (made at ${NOW - 5}, against made at ${NOW})`,
      ],
      [{ by: 'criticality' }, {}, 'a is before b: no rule tells them apart, so their ids do'],
    ];
    for (const [rule, rest, detail] of pairs) {
      expect(explainOrder(request('b'), request('a', rest), [rule], NOW).detail).toBe(detail);
    }
    expect(() => explainOrder(request('a'), request('a'), DEFAULT_ORDER_RULES, NOW)).toThrow('compared with itself');
  });
});

describe('checkOrderRules', () => {
  it('accepts the default ones and waiting after two rules', () => {
    const twice: readonly OrderRule[] = [
      { by: 'sla-tier' },
      { by: 'waiting', perSeconds: 3_600 },
      { by: 'criticality' },
      { by: 'waiting', perSeconds: 600 },
    ];
    expect(() => checkOrderRules(DEFAULT_ORDER_RULES)).not.toThrow();
    expect(() => checkOrderRules(twice)).not.toThrow();
  });

  it('says what is wrong, where, and what would be right', () => {
    const cases: readonly [readonly OrderRule[], string][] = [
      [[], 'order rules: none; expected at least one'],
      [[{ by: 'criticality' }, { by: 'criticality' }], 'order rule 2 (criticality): is there twice; expected once'],
      [[{ by: 'waiting', perSeconds: 0 }], 'order rule 1 (waiting), perSeconds: 0; expected above 0'],
      [
        [
          { by: 'waiting', perSeconds: 1 },
          { by: 'waiting', perSeconds: 2 },
        ],
        'order rule 2 (waiting): follows another of its kind; expected a rule between them',
      ],
      [[{ by: 'fair-share', step: 0 }], 'order rule 1 (fair-share), step: 0; expected above 0, at most 1'],
    ];
    for (const [rules, message] of cases) expect(() => checkOrderRules(rules)).toThrow(message);
  });
});
