import type { Amounts } from '../../core/allocation/amounts.ts';
import { classicalVictims } from '../../core/allocation/classical-victims.ts';
import { borrowsOn, reportedShare, shareOf, weightedShare } from '../../core/allocation/fair-share.ts';
import type { FairStrategy } from '../../core/allocation/fair-victims.ts';
import { FAIR_RULES, fairVictims } from '../../core/allocation/fair-victims.ts';
import { borrowHeight, exceedsMax, fitsNow } from '../../core/allocation/fits.ts';
import { Offers } from '../../core/allocation/offers.ts';
import type { Demand, Holding, TakePolicy, TakeReason, TakeRules } from '../../core/allocation/preemption.ts';
import { compareHoldings, policyAllows } from '../../core/allocation/preemption.ts';
import { QuotaTree } from '../../core/allocation/quota-tree.ts';
import type { CasePolicy, CaseWorkload, KueueCase } from './kueue-cases.ts';
import { amountsOf, nodesOf } from './kueue-cases.ts';

/** A policy or question of a case that is not offered here. */
export class NotOffered extends Error {
  override readonly name = 'NotOffered';
}

const POLICIES: Readonly<Record<string, TakePolicy>> = {
  never: 'never',
  lower: 'lower',
  lower_or_newer_equal: 'lower-or-newer-equal',
  any: 'any',
};
const STRATEGIES: Readonly<Record<string, FairStrategy>> = {
  final_share_at_most: 'final-share-at-most',
  initial_share_below: 'initial-share-below',
};
const REASONS: Readonly<Record<TakeReason, string>> = {
  own: 'in_queue',
  reclaim: 'reclaim',
  'reclaim-while-borrowing': 'reclaim_while_borrowing',
  'fair-share': 'fair',
};
/** The queue of a case's candidates that are its own; the cases of the order of candidates name no queue. */
const OWN = 'own';

function named<Value>(table: Readonly<Record<string, Value>>, name: string | undefined): Value {
  const value = table[name ?? ''];
  if (value === undefined) throw new NotOffered(`"${name}" is not offered`);
  return value;
}

function rulesOf(policy: CasePolicy | undefined): TakeRules {
  if (policy === undefined) throw new NotOffered('the queue states no policy');
  const { maxPriority } = policy.borrow;
  return {
    within: named(POLICIES, policy.within),
    reclaim: named(POLICIES, policy.reclaim),
    whileBorrowing: {
      policy: policy.borrow.policy === 'lower' ? 'lower' : 'never',
      ...(maxPriority === null ? {} : { maxPriority }),
    },
    ownedOf: 'requested',
  };
}

function holdingOf(workload: CaseWorkload, resource: KueueCase['resource']): Holding {
  return {
    id: workload.name,
    nodeId: workload.queue ?? (workload.ownQueue === true ? OWN : 'other'),
    units: amountsOf(workload.usage, resource),
    priority: workload.priority,
    ...(workload.admittedAt === null || workload.admittedAt === undefined ? {} : { sinceSeconds: workload.admittedAt }),
    ...(workload.createdAt === undefined ? {} : { createdSeconds: workload.createdAt }),
    ...(workload.evicted === undefined ? {} : { returning: workload.evicted }),
    tie: workload.tie ?? workload.order ?? 0,
  };
}

function demandOf({ question, resource }: KueueCase): Demand {
  const { pending, contested } = question;
  return {
    nodeId: pending?.queue ?? OWN,
    units: amountsOf(pending?.request, resource),
    priority: pending?.priority ?? 0,
    ...(pending?.createdAt === undefined ? {} : { createdSeconds: pending.createdAt }),
    ...(contested === undefined ? {} : { contested }),
  };
}

function victims(each: KueueCase, tree: QuotaTree): unknown {
  const { policies } = nodesOf(each);
  const demand = demandOf(each);
  const rules = rulesOf(policies.get(demand.nodeId));
  const holdings = (each.question.admitted ?? []).map((workload) => holdingOf(workload, each.resource));
  const strategies = each.question.strategies?.map((name) => named(STRATEGIES, name)) ?? FAIR_RULES.strategies;
  const found =
    each.question.mode === 'fair'
      ? fairVictims(tree, demand, rules, holdings, { strategies, putBack: 'while-it-fits' })
      : classicalVictims(tree, demand, rules, holdings);
  return {
    victims: found.map(({ holding }) => holding.id).sort(),
    reasons: Object.fromEntries(found.map(({ holding, reason }) => [holding.id, REASONS[reason]])),
  };
}

function queueOrder({ question, resource }: KueueCase, tree: QuotaTree): unknown {
  const holdings = (question.admitted ?? []).filter(({ candidate }) => candidate === true);
  const offers = new Offers(
    tree,
    question.preemptor ?? '',
    holdings.map((workload) => holdingOf(workload, resource)),
  );
  const order: string[] = [];
  for (let leaf = offers.next(); leaf !== undefined; leaf = offers.next()) {
    if (question.actions?.[order.length] === 'drop') offers.drop(leaf);
    else offers.take(leaf);
    order.push(leaf);
  }
  return { order };
}

function sharesOf(each: KueueCase, nodes: readonly string[], request: Amounts): unknown {
  const tree = treeOf(each);
  return Object.fromEntries(
    nodes.map((node) => {
      const share = shareOf(tree, node, request);
      const reported = reportedShare(share);
      const told = { dominant: share.dominant ?? null, borrowing: share.borrowing };
      return [node, { share: reported === Infinity ? 'inf' : reported, ...told }];
    }),
  );
}

function treeOf(each: KueueCase): QuotaTree {
  return QuotaTree.of(nodesOf(each).nodes);
}

/** A number of the only resource, or one of each. */
function ofEach({ resource }: KueueCase, unitsOf: (key: string) => number): unknown {
  if (resource === null || typeof resource === 'string') return unitsOf(resource ?? 'units');
  return Object.fromEntries(resource.map((key) => [key, unitsOf(key)]));
}

function fits(each: KueueCase, tree: QuotaTree): unknown {
  const { queue = '', request } = each.question;
  const units = amountsOf(request, each.resource);
  return {
    fitsNow: fitsNow(tree, queue, units),
    exceedsMax: exceedsMax(tree, queue, units),
    borrowHeight: borrowHeight(tree, queue, units),
  };
}

/** What we say to the question of a case, in the form of what is expected. @throws NotOffered for what we do not offer */
export function answerOf(each: KueueCase): unknown {
  const { question, resource } = each;
  const tree = treeOf(each);
  switch (question.ask) {
    case 'available':
      return Object.fromEntries(
        (question.queues ?? []).map((queue) => [
          queue,
          {
            available: ofEach(each, (key) => tree.availableUnits(queue, key)),
            potential: ofEach(each, (key) => tree.potentialUnits(queue, key)),
          },
        ]),
      );
    case 'subtree':
      return Object.fromEntries(
        (question.nodes ?? []).map((node) => [
          node,
          {
            total: ofEach(each, (key) => tree.totalUnits(node, key)),
            used: ofEach(each, (key) => tree.usedUnits(node, key)),
          },
        ]),
      );
    case 'borrowed':
      return {
        used: ofEach(each, (key) => tree.usedUnits(question.queue ?? '', key)),
        borrowed: ofEach(each, (key) => tree.borrowedUnits(question.queue ?? '', key)),
      };
    case 'lendable':
      return { lendable: ofEach(each, (key) => tree.totalUnits(question.node ?? '', key)) };
    case 'fits':
      return fits(each, tree);
    case 'share':
      return sharesOf(each, question.nodes ?? [], amountsOf(question.request, resource));
    case 'borrowing': {
      const node = question.node ?? '';
      const borrowingOnAsked = borrowsOn(tree, node, amountsOf(question.on, resource));
      return { borrowing: shareOf(tree, node).borrowing, borrowingOnAsked };
    }
    case 'weighted': {
      const share = weightedShare({ ratio: question.ratio ?? 0, weight: (question.weight ?? 0) / 1_000 });
      const told = (times: number) => (share === Infinity ? 'inf' : Math.ceil(share * times));
      return { share: told(1), share_milli: told(1_000) };
    }
    case 'policy_allows': {
      const { pending, candidate } = question;
      if (pending === undefined || candidate === undefined) throw new NotOffered('a question without a candidate');
      return {
        allowed: policyAllows(
          named(POLICIES, question.policy),
          demandOf(each),
          holdingOf({ ...candidate, name: 'w' }, resource),
        ),
      };
    }
    case 'candidate_order': {
      const holdings = (question.candidates ?? []).map((workload) => holdingOf(workload, resource));
      return { order: holdings.toSorted((a, b) => compareHoldings(a, b, OWN)).map(({ id }) => id) };
    }
    case 'victims':
      return victims(each, tree);
    case 'queue_order':
      return queueOrder(each, tree);
    default:
      throw new NotOffered(`the question "${question.ask}" is not offered`);
  }
}
