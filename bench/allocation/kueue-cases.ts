import { readFileSync } from 'node:fs';
import type { Amounts } from '../../core/allocation/amounts.ts';
import type { QuotaNode } from '../../core/allocation/quota-tree.ts';
import { WrongUse } from '../wrong-use.ts';

/** An amount of the only resource of a case, or of each; null: no limit. */
export type CaseAmount = number | null | Readonly<Record<string, number | null>>;

interface CaseNode {
  readonly name: string;
  readonly nominal: CaseAmount;
  readonly borrowingLimit: CaseAmount;
  readonly lendingLimit: CaseAmount;
  /** What of the nominal amounts is declared; absent: all. */
  readonly declared?: boolean | readonly string[];
  readonly usage?: CaseAmount;
  /** In thousandths. */
  readonly weight?: number;
  readonly policy?: CasePolicy;
  readonly queues?: readonly CaseNode[];
  readonly cohorts?: readonly CaseNode[];
}

export interface CasePolicy {
  readonly within: string;
  readonly reclaim: string;
  readonly borrow: { readonly policy: string; readonly maxPriority: number | null };
}

export interface CaseWorkload {
  readonly name: string;
  readonly queue?: string;
  readonly priority: number;
  readonly usage?: CaseAmount;
  readonly request?: CaseAmount;
  readonly order?: number;
  readonly admittedAt?: number | null;
  readonly createdAt?: number;
  readonly evicted?: boolean;
  readonly tie?: number;
  readonly candidate?: boolean;
  readonly ownQueue?: boolean;
}

/** The parts of a question; which of them are there depends on what is asked. */
export interface CaseQuestion {
  readonly ask: string;
  readonly mode?: 'classical' | 'fair';
  readonly node?: string;
  readonly nodes?: readonly string[];
  readonly queue?: string;
  readonly queues?: readonly string[];
  readonly request?: CaseAmount;
  readonly on?: CaseAmount;
  readonly ratio?: number;
  readonly weight?: number;
  readonly policy?: string;
  readonly pending?: CaseWorkload;
  readonly candidate?: CaseWorkload;
  readonly candidates?: readonly CaseWorkload[];
  readonly admitted?: readonly CaseWorkload[];
  readonly preemptor?: string;
  readonly actions?: readonly string[];
  readonly contested?: readonly string[];
  readonly strategies?: readonly string[];
  readonly now?: number;
}

export interface KueueCase {
  readonly id: string;
  readonly kind: string;
  readonly tree: { readonly queues: readonly CaseNode[]; readonly cohorts: readonly CaseNode[] } | null;
  readonly resource: string | readonly string[] | null;
  readonly question: CaseQuestion;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** Above this an amount stands for an unlimited one. */
const UNLIMITED_FROM = 2 ** 62;

/** @throws WrongUse when the file is not one of cases */
export function readKueueCases(file: string): readonly KueueCase[] {
  let content: { readonly cases?: readonly KueueCase[] | undefined };
  try {
    content = JSON.parse(readFileSync(file, 'utf8')) as typeof content;
  } catch (error) {
    throw new WrongUse(`--kueue-cases ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { cases = [] } = content;
  if (cases.length === 0) throw new WrongUse(`--kueue-cases ${file}: expected an object with a list "cases"`);
  return cases;
}

function keysOf(resource: KueueCase['resource']): readonly string[] {
  return resource === null ? [] : typeof resource === 'string' ? [resource] : resource;
}

/** Amounts by key; a null, and what is not stated, is left out. */
export function amountsOf(amount: CaseAmount | undefined, resource: KueueCase['resource']): Amounts {
  if (amount === undefined || amount === null) return {};
  const byKey = typeof amount === 'number' ? { [keysOf(resource)[0] ?? 'units']: amount } : amount;
  return Object.fromEntries(
    Object.entries(byKey).flatMap(([key, units]) =>
      units === null ? [] : [[key, units >= UNLIMITED_FROM ? Infinity : units] as const],
    ),
  );
}

function declaredAmounts(node: CaseNode, resource: KueueCase['resource']): Amounts {
  const { declared = true } = node;
  const isDeclared = (key: string) => (typeof declared === 'boolean' ? declared : declared.includes(key));
  return Object.fromEntries(Object.entries(amountsOf(node.nominal, resource)).filter(([key]) => isDeclared(key)));
}

function nodeOf(node: CaseNode, parent: string | undefined, resource: KueueCase['resource']): QuotaNode {
  return {
    id: node.name,
    ...(parent === undefined ? {} : { parentId: parent }),
    ownedUnits: declaredAmounts(node, resource),
    borrowLimitUnits: amountsOf(node.borrowingLimit, resource),
    lendLimitUnits: amountsOf(node.lendingLimit, resource),
    ...(node.usage === undefined ? {} : { usedUnits: amountsOf(node.usage, resource) }),
    weight: (node.weight ?? 1_000) / 1_000,
  };
}

/** The nodes of a case, and the policies of its queues. */
export function nodesOf({ tree, resource }: KueueCase): {
  readonly nodes: readonly QuotaNode[];
  readonly policies: ReadonlyMap<string, CasePolicy>;
} {
  const nodes: QuotaNode[] = [];
  const policies = new Map<string, CasePolicy>();
  const add = (node: CaseNode, parent: string | undefined): void => {
    nodes.push(nodeOf(node, parent, resource));
    if (node.policy !== undefined) policies.set(node.name, node.policy);
    for (const child of [...(node.cohorts ?? []), ...(node.queues ?? [])]) add(child, node.name);
  };
  for (const node of [...(tree?.cohorts ?? []), ...(tree?.queues ?? [])]) add(node, undefined);
  return { nodes, policies };
}
