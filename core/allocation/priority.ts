/** What an application was promised, 1 the highest. */
export const SLA_TIERS = [1, 2, 3, 4, 5] as const;
export type SlaTier = (typeof SLA_TIERS)[number];

/** How much the business depends on an application, most first. */
export const CRITICALITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Criticality = (typeof CRITICALITIES)[number];

/** Of a group that does not say. */
export const DEFAULT_SLA_TIER: SlaTier = 3;
export const DEFAULT_CRITICALITY: Criticality = 'medium';

/** The tags of an Auto Scaling group that say it. */
export const SLA_TIER_TAG = 'entangle:sla-tier';
export const CRITICALITY_TAG = 'entangle:criticality';

/**
 * One rule of who comes first; the rules are tried one after the other until one tells two requests apart.
 *
 * - `sla-tier`: the higher tier (the lower number).
 * - `criticality`: the more critical application.
 * - `waiting`: right after one of these two, each full `perSeconds` waited counts as one more level of it, without end. Elsewhere: who has
 *   waited longer, in steps of `perSeconds`.
 * - `fair-share`: the account that has borrowed less than it lent, in steps of `step` (default 0.05) of all that was borrowed.
 * - `smallest-deficit`: who needs less. Serving the small ones first rescues the most pools completely.
 *
 * Requests that no rule tells apart are ordered by when they were made, then by id.
 */
export type OrderRule =
  | { readonly by: 'sla-tier' }
  | { readonly by: 'criticality' }
  | { readonly by: 'waiting'; readonly perSeconds: number }
  | { readonly by: 'fair-share'; readonly step?: number }
  | { readonly by: 'smallest-deficit' };

/** Tiers strictly; within a tier criticality, which a quarter of an hour of waiting raises by one; then shares, then the smallest. */
export const DEFAULT_ORDER_RULES: readonly OrderRule[] = [
  { by: 'sla-tier' },
  { by: 'criticality' },
  { by: 'waiting', perSeconds: 900 },
  { by: 'fair-share' },
  { by: 'smallest-deficit' },
];

const FAIR_SHARE_STEP = 0.05;
const MILLIS_PER_SECOND = 1_000;

/** What of a request decides its place. */
export interface RankedRequest {
  readonly id: string;
  readonly accountId: string;
  readonly tier: SlaTier;
  readonly criticality: Criticality;
  readonly requestedAtMillis: number;
  /** Units that are missing. */
  readonly deficitUnits: number;
  /** Of its account over past loans, see `fairShares`; absent: 0. */
  readonly fairShare?: number;
  /** A forecast asks: it comes after all that are short already, whatever the rules say. */
  readonly ahead?: true;
}

/** Why one request is before another. */
export interface OrderReason {
  readonly firstId: string;
  readonly secondId: string;
  /** The rule that told them apart; `requested-first` and `id` when none did. */
  readonly rule: OrderRule['by'] | 'alarm-first' | 'requested-first' | 'id';
  /** In a sentence without a figure: either party may read it. */
  readonly text: string;
  /** In a sentence with the figures of both. */
  readonly detail: string;
}

/** A rule with what it is to compare by: smaller values come first. */
interface Criterion {
  readonly rule: OrderReason['rule'];
  readonly valueOf: (request: RankedRequest) => number;
  readonly text: string;
  readonly tell: (request: RankedRequest) => string;
}

/** The tier that a group's tag claims, and not above what its account may claim. A tag that is no tier counts as none. */
export function slaTierFrom(tag: string | undefined, highestAllowed: SlaTier = 1): SlaTier {
  const claimed = SLA_TIERS.find((tier) => String(tier) === tag?.trim()) ?? DEFAULT_SLA_TIER;
  return claimed < highestAllowed ? highestAllowed : claimed;
}

/** The criticality that a group's tag states. A tag that is none of the words counts as none. */
export function criticalityFrom(tag: string | undefined): Criticality {
  return CRITICALITIES.find((word) => word === tag?.trim().toLowerCase()) ?? DEFAULT_CRITICALITY;
}

/** @throws RangeError when there is no rule, one is there twice or states a number that is none of its own */
export function checkOrderRules(rules: readonly OrderRule[]): void {
  if (rules.length === 0) throw new RangeError('order rules: none; expected at least one');
  rules.forEach((rule, index) => {
    const where = `order rule ${index + 1} (${rule.by})`;
    if (rule.by !== 'waiting' && rules.findIndex(({ by }) => by === rule.by) < index) {
      throw new RangeError(`${where}: is there twice; expected once`);
    }
    if (rule.by === 'waiting' && !(rule.perSeconds > 0 && rule.perSeconds < Infinity)) {
      throw new RangeError(`${where}, perSeconds: ${rule.perSeconds}; expected above 0`);
    }
    if (rule.by === 'waiting' && rules[index - 1]?.by === 'waiting') {
      throw new RangeError(`${where}: follows another of its kind; expected a rule between them`);
    }
    const step = rule.by === 'fair-share' ? (rule.step ?? FAIR_SHARE_STEP) : 1;
    if (!(step > 0 && step <= 1)) throw new RangeError(`${where}, step: ${step}; expected above 0, at most 1`);
  });
}

function waitedSteps(request: RankedRequest, perSeconds: number, nowMillis: number): number {
  const waitedSeconds = Math.max(0, nowMillis - request.requestedAtMillis) / MILLIS_PER_SECOND;
  return Math.floor(waitedSeconds / perSeconds);
}

/** Levels that waiting has added to a rule: none unless the next rule is about waiting. */
function aged(next: OrderRule | undefined, nowMillis: number): (request: RankedRequest) => number {
  return next?.by === 'waiting' ? (request) => waitedSteps(request, next.perSeconds, nowMillis) : () => 0;
}

function levelCriterion(rule: 'sla-tier' | 'criticality', next: OrderRule | undefined, nowMillis: number): Criterion {
  const levelOf = (request: RankedRequest): number =>
    rule === 'sla-tier' ? request.tier : CRITICALITIES.indexOf(request.criticality);
  const agedBy = aged(next, nowMillis);
  const name = rule === 'sla-tier' ? 'SLA tier' : 'criticality';
  const comparison = rule === 'sla-tier' ? 'is higher' : 'is greater';
  return {
    rule,
    valueOf: (request) => levelOf(request) - agedBy(request),
    text: next?.by === 'waiting' ? `its ${name}, with the time waited, ${comparison}` : `its ${name} ${comparison}`,
    tell: (request) => {
      const level = rule === 'sla-tier' ? `tier ${request.tier}` : request.criticality;
      const levels = agedBy(request);
      return levels === 0 ? level : `${level} raised by ${levels} for waiting`;
    },
  };
}

function criterionOf(rules: readonly OrderRule[], index: number, nowMillis: number): Criterion[] {
  const rule = rules[index];
  const before = rules[index - 1];
  if (rule === undefined) return [];
  switch (rule.by) {
    case 'sla-tier':
    case 'criticality':
      return [levelCriterion(rule.by, rules[index + 1], nowMillis)];
    case 'waiting': {
      if (before?.by === 'sla-tier' || before?.by === 'criticality') return [];
      const stepsOf = (request: RankedRequest) => waitedSteps(request, rule.perSeconds, nowMillis);
      const tell = (request: RankedRequest) => `${stepsOf(request) * rule.perSeconds} s waited`;
      return [{ rule: 'waiting', valueOf: (request) => -stepsOf(request), text: 'it has waited longer', tell }];
    }
    case 'fair-share': {
      const step = rule.step ?? FAIR_SHARE_STEP;
      const tell = ({ fairShare = 0 }: RankedRequest) => `share ${fairShare.toFixed(3)}`;
      const valueOf = ({ fairShare = 0 }: RankedRequest) => Math.floor(fairShare / step);
      return [{ rule: 'fair-share', valueOf, text: 'its account has borrowed less for what it lent', tell }];
    }
    case 'smallest-deficit': {
      const tell = ({ deficitUnits }: RankedRequest) => `${deficitUnits} units missing`;
      const valueOf = ({ deficitUnits }: RankedRequest) => deficitUnits;
      return [{ rule: 'smallest-deficit', valueOf, text: 'it needs less', tell }];
    }
  }
}

function criteriaOf(rules: readonly OrderRule[], nowMillis: number): Criterion[] {
  return [
    {
      rule: 'alarm-first',
      valueOf: ({ ahead }) => (ahead === true ? 1 : 0),
      text: 'it is short already, the other one is forecast to be',
      tell: ({ ahead }) => (ahead === true ? 'asked for by a forecast' : 'short already'),
    },
    ...rules.flatMap((_, index) => criterionOf(rules, index, nowMillis)),
    {
      rule: 'requested-first',
      valueOf: ({ requestedAtMillis }) => requestedAtMillis,
      text: 'it was made first',
      tell: ({ requestedAtMillis }) => `made at ${requestedAtMillis}`,
    },
  ];
}

/** What a request is compared by under the rules, the decisive value first. */
export interface Place {
  readonly id: string;
  readonly values: readonly number[];
}

/** The place of requests at a moment: to compare many of them, or to compare them again. */
export function placing(rules: readonly OrderRule[], nowMillis: number): (request: RankedRequest) => Place {
  const criteria = criteriaOf(rules, nowMillis);
  return (request) => ({ id: request.id, values: criteria.map(({ valueOf }) => valueOf(request)) });
}

/** Below 0 when the first place is before the second; 0 only for the same id. Of places by the same rules at the same moment. */
export function comparePlaces(a: Place, b: Place): number {
  for (let index = 0; index < a.values.length; index += 1) {
    const difference = (a.values[index] ?? 0) - (b.values[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Below 0 when the first request is served before the second; 0 only for the same id. */
export function compareRequests(
  a: RankedRequest,
  b: RankedRequest,
  rules: readonly OrderRule[],
  nowMillis: number,
): number {
  const placeOf = placing(rules, nowMillis);
  return comparePlaces(placeOf(a), placeOf(b));
}

/** The requests in the order in which they are served. The order in which they are given does not matter. */
export function orderRequests<Request extends RankedRequest>(
  requests: readonly Request[],
  rules: readonly OrderRule[],
  nowMillis: number,
): Request[] {
  const placeOf = placing(rules, nowMillis);
  return requests
    .map((request) => ({ request, place: placeOf(request) }))
    .sort((a, b) => comparePlaces(a.place, b.place))
    .map(({ request }) => request);
}

/** Who of two requests is before the other, and why. @throws RangeError for a request and itself */
export function explainOrder(
  a: RankedRequest,
  b: RankedRequest,
  rules: readonly OrderRule[],
  nowMillis: number,
): OrderReason {
  if (a.id === b.id) throw new RangeError(`request "${a.id}" is compared with itself`);
  const criteria = criteriaOf(rules, nowMillis);
  const [first, second] = compareRequests(a, b, rules, nowMillis) < 0 ? [a, b] : [b, a];
  const decisive = criteria.find(({ valueOf }) => valueOf(first) !== valueOf(second));
  const places = { firstId: first.id, secondId: second.id };
  const sentence = `${first.id} is before ${second.id}:`;
  if (decisive === undefined) {
    const text = `${sentence} no rule tells them apart, so their ids do`;
    return { ...places, rule: 'id', text, detail: text };
  }
  const { rule, text, tell } = decisive;
  return {
    ...places,
    rule,
    text: `${sentence} ${text}`,
    detail: `${sentence} ${text} (${tell(first)}, against ${tell(second)})`,
  };
}
