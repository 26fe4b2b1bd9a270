import * as z from 'zod';
import type { PreemptionRules } from '../../core/allocation/preemption-plan.ts';
import type { OrderRule, SlaTier } from '../../core/allocation/priority.ts';
import { checkOrderRules, DEFAULT_ORDER_RULES, slaTierFrom } from '../../core/allocation/priority.ts';
import type { AccountId } from '../../core/units.ts';

const tier = z.literal([1, 2, 3, 4, 5]);

const rulesSchema = z.strictObject({
  order: z
    .array(
      z.discriminatedUnion('by', [
        z.strictObject({ by: z.literal('sla-tier') }),
        z.strictObject({ by: z.literal('criticality') }),
        z.strictObject({ by: z.literal('waiting'), perSeconds: z.number() }),
        z.strictObject({ by: z.literal('fair-share'), step: z.number().exactOptional() }),
        z.strictObject({ by: z.literal('smallest-deficit') }),
      ]),
    )
    .exactOptional(),
  preemption: z.enum(['never', 'lower-tier']).exactOptional(),
  minimumTerm: z.enum(['spared', 'not-spared']).exactOptional(),
  highestTier: tier.exactOptional(),
  highestTierOf: z.record(z.string(), tier).exactOptional(),
});

/** The hub's rules of who comes first. */
export interface PriorityRules extends PreemptionRules {
  readonly order: readonly OrderRule[];
  /** The highest tier that an account's groups may claim: else each would claim the first. */
  highestTierOf(account: AccountId): SlaTier;
}

/**
 * The rules as `hub.priorityRules` of the configuration states them, in JSON.
 * @throws ZodError, SyntaxError or RangeError that says what is wrong
 */
export function parsePriorityRules(text: string): PriorityRules {
  const stated = rulesSchema.parse(JSON.parse(text));
  const { order = DEFAULT_ORDER_RULES, preemption = 'never', minimumTerm = 'spared', highestTier = 1 } = stated;
  checkOrderRules(order);
  const named = stated.highestTierOf ?? {};
  return { order, preemption, minimumTerm, highestTierOf: (account) => named[account] ?? highestTier };
}

/** The tier of a group of an account, as its tag claims and the operator allows. */
export function tierOf(rules: PriorityRules, account: AccountId, tag: string | undefined): SlaTier {
  return slaTierFrom(tag, rules.highestTierOf(account));
}
