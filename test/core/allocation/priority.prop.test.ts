import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { OrderRule, RankedRequest } from '../../../core/allocation/priority.ts';
import {
  CRITICALITIES,
  compareRequests,
  DEFAULT_ORDER_RULES,
  explainOrder,
  orderRequests,
  SLA_TIERS,
} from '../../../core/allocation/priority.ts';

const NOW = 1_700_000_000_000;
const RUNS = { numRuns: 500 };

const rules: fc.Arbitrary<readonly OrderRule[]> = fc
  .shuffledSubarray<OrderRule>(
    [
      { by: 'sla-tier' },
      { by: 'criticality' },
      { by: 'waiting', perSeconds: 600 },
      { by: 'fair-share' },
      { by: 'smallest-deficit' },
    ],
    { minLength: 1 },
  )
  .map((each) => [...each]);

const request: fc.Arbitrary<RankedRequest> = fc.record({
  id: fc.stringMatching(/^r[0-9]{1,3}$/),
  accountId: fc.constant('a'),
  tier: fc.constantFrom(...SLA_TIERS),
  criticality: fc.constantFrom(...CRITICALITIES),
  requestedAtMillis: fc.integer({ min: NOW - 7_200_000, max: NOW }),
  deficitUnits: fc.integer({ min: 1, max: 5 }),
  fairShare: fc.double({ min: -1, max: 1, noNaN: true }),
});
const requests = fc.uniqueArray(request, { selector: ({ id }) => id, maxLength: 12 });

describe('the order of requests', () => {
  it('is total: antisymmetric, transitive, and equal only for the same request', () => {
    fc.assert(
      fc.property(request, request, request, rules, (a, b, c, given) => {
        const compare = (x: RankedRequest, y: RankedRequest) => Math.sign(compareRequests(x, y, given, NOW));
        expect(compare(a, b)).toBe(-compare(b, a) + 0);
        if (a.id !== b.id) expect(compare(a, b)).not.toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
      RUNS,
    );
  });

  it('does not depend on the order in which requests are given', () => {
    const shuffled = requests.chain((each) =>
      fc.tuple(fc.constant(each), fc.shuffledSubarray(each, { minLength: each.length })),
    );
    fc.assert(
      fc.property(shuffled, rules, ([given, other], by) => {
        expect(orderRequests(other, by, NOW)).toEqual(orderRequests(given, by, NOW));
      }),
      RUNS,
    );
  });

  it('explains each place by the rule that decides it', () => {
    fc.assert(
      fc.property(request, request, rules, (a, b, by) => {
        fc.pre(a.id !== b.id);
        const reason = explainOrder(a, b, by, NOW);
        const [first] = orderRequests([a, b], by, NOW);
        expect(reason.firstId).toBe(first?.id);
        expect(['requested-first', 'id', ...by.map((rule) => rule.by)]).toContain(reason.rule);
      }),
      RUNS,
    );
  });

  it('keeps two requests of one level in their order as time passes', () => {
    fc.assert(
      fc.property(request, request, fc.integer({ min: 0, max: 10_000_000 }), (a, b, laterMillis) => {
        fc.pre(a.id !== b.id && a.requestedAtMillis <= b.requestedAtMillis);
        const alike = { tier: a.tier, criticality: a.criticality, fairShare: 0, deficitUnits: 1 };
        const [older, newer] = [
          { ...a, ...alike },
          { ...b, ...alike },
        ];
        fc.pre(compareRequests(older, newer, DEFAULT_ORDER_RULES, NOW) < 0);
        expect(compareRequests(older, newer, DEFAULT_ORDER_RULES, NOW + laterMillis)).toBeLessThan(0);
      }),
      RUNS,
    );
  });
});

// One request is served at a time while new ones keep coming, each as hard to beat as can be.
function servedAfter(
  waiting: RankedRequest,
  rival: RankedRequest,
  by: readonly OrderRule[],
  stepSeconds: number,
): number {
  let open: RankedRequest[] = [waiting];
  for (let step = 0; step < 1_000; step += 1) {
    const now = waiting.requestedAtMillis + step * stepSeconds * 1_000;
    open.push({ ...rival, id: `rival${step}`, requestedAtMillis: now });
    const [first] = orderRequests(open, by, now);
    if (first === waiting) return step;
    open = open.filter((each) => each !== first);
  }
  return Infinity;
}

describe('waiting', () => {
  const worst = request.map((each) => ({ ...each, criticality: 'low' as const, fairShare: 1, deficitUnits: 99 }));
  const stepSeconds = fc.integer({ min: 30, max: 900 });

  it('never starves a request within its tier, whatever comes after it', () => {
    fc.assert(
      fc.property(worst, request, stepSeconds, (waiting, rival, step) => {
        const within = { ...rival, tier: waiting.tier };
        const levels = CRITICALITIES.length;
        expect(servedAfter(waiting, within, DEFAULT_ORDER_RULES, step)).toBeLessThanOrEqual(
          Math.ceil((levels * 900) / step),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('never starves any request where tiers age too', () => {
    const ageing: readonly OrderRule[] = [
      { by: 'sla-tier' },
      { by: 'waiting', perSeconds: 1_200 },
      { by: 'criticality' },
    ];
    fc.assert(
      fc.property(worst, request, stepSeconds, (waiting, rival, step) => {
        const levels = SLA_TIERS.length;
        expect(servedAfter(waiting, rival, ageing, step)).toBeLessThanOrEqual(Math.ceil((levels * 1_200) / step));
      }),
      { numRuns: 100 },
    );
  });
});
