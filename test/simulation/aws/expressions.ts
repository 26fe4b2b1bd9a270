/** Evaluates DynamoDB's expressions on items in memory. */
import type { Condition, Operand, Update } from './expression-syntax.ts';
import { parseCondition, parseUpdate } from './expression-syntax.ts';

export type Item = Readonly<Record<string, unknown>>;

/** Placeholders of one request. */
export interface Placeholders {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

const conditions = new Map<string, Condition>();
const updates = new Map<string, Update>();

function cached<Parsed>(cache: Map<string, Parsed>, text: string, parse: (text: string) => Parsed): Parsed {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const parsed = parse(text);
  cache.set(text, parsed);
  return parsed;
}

class Evaluation {
  readonly #item: Item;
  readonly #placeholders: Placeholders;

  constructor(item: Item, placeholders: Placeholders) {
    this.#item = item;
    this.#placeholders = placeholders;
  }

  nameOf(part: string): string {
    if (!part.startsWith('#')) return part;
    const name = this.#placeholders.names?.[part];
    if (name === undefined) throw new TypeError(`expression attribute name ${part} is not given`);
    return name;
  }

  #at(path: readonly string[]): unknown {
    let value: unknown = this.#item;
    for (const part of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Item)[this.nameOf(part)];
    }
    return value;
  }

  value(operand: Operand): unknown {
    switch (operand.kind) {
      case 'path':
        return this.#at(operand.path);
      case 'value': {
        const given = this.#placeholders.values ?? {};
        if (!Object.hasOwn(given, operand.name)) throw new TypeError(`value ${operand.name} is not given`);
        return given[operand.name];
      }
      case 'sum': {
        const [left, right] = [this.value(operand.left), this.value(operand.right)];
        if (typeof left !== 'number' || typeof right !== 'number') throw new TypeError('a sum of what is no number');
        return left + operand.sign * right;
      }
      case 'call':
        return this.#call(operand.name, operand.args);
    }
  }

  #call(name: string, args: readonly Operand[]): unknown {
    const [first, second] = args;
    if (first === undefined) throw new TypeError(`${name} needs an argument`);
    const value = this.value(first);
    const other = second === undefined ? undefined : this.value(second);
    switch (name) {
      case 'attribute_exists':
        return value !== undefined;
      case 'attribute_not_exists':
        return value === undefined;
      case 'begins_with':
        return typeof value === 'string' && value.startsWith(String(other));
      case 'contains':
        return Array.isArray(value)
          ? value.includes(other)
          : typeof value === 'string' && value.includes(String(other));
      case 'size':
        return Array.isArray(value) || typeof value === 'string' ? value.length : undefined;
      case 'if_not_exists':
        return value ?? other;
      case 'list_append':
        return [...(value as unknown[]), ...(other as unknown[])];
      default:
        throw new TypeError(`the function ${name} is not one that the simulation knows`);
    }
  }

  #compares(operator: string, left: unknown, right: unknown): boolean {
    if (operator === '=') return left !== undefined && same(left, right);
    if (operator === '<>') return !same(left, right);
    if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
    const [a, b] = [left as number, right as number];
    if (operator === '<') return a < b;
    if (operator === '<=') return a <= b;
    return operator === '>' ? a > b : a >= b;
  }

  holds(condition: Condition): boolean {
    switch (condition.kind) {
      case 'and':
        return this.holds(condition.left) && this.holds(condition.right);
      case 'or':
        return this.holds(condition.left) || this.holds(condition.right);
      case 'not':
        return !this.holds(condition.inner);
      case 'compare':
        return this.#compares(condition.operator, this.value(condition.left), this.value(condition.right));
      case 'between': {
        const value = this.value(condition.value);
        return (
          this.#compares('>=', value, this.value(condition.low)) &&
          this.#compares('<=', value, this.value(condition.high))
        );
      }
      case 'in':
        return condition.list.some((each) => same(this.value(condition.value), this.value(each)));
      case 'test':
        return this.value(condition.call) === true;
    }
  }
}

function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  return typeof left === 'object' && typeof right === 'object' && JSON.stringify(left) === JSON.stringify(right);
}

/** Whether a condition holds on an item; on none: `undefined`. */
export function holds(text: string, item: Item | undefined, placeholders: Placeholders): boolean {
  return new Evaluation(item ?? {}, placeholders).holds(cached(conditions, text, parseCondition));
}

/** The item after an update; paths of one part only. */
export function updated(text: string, item: Item, placeholders: Placeholders): Item {
  const evaluation = new Evaluation(item, placeholders);
  const { set, remove, add } = cached(updates, text, parseUpdate);
  const after: Record<string, unknown> = { ...item };
  const nameOf = (path: readonly string[]): string => {
    const [part] = path;
    if (part === undefined || path.length > 1) throw new TypeError(`update "${text}": a path of one part expected`);
    return evaluation.nameOf(part);
  };
  for (const { path, value } of set) {
    const next = evaluation.value(value);
    if (next === undefined) throw new TypeError(`update "${text}": ${path.join('.')} is set to nothing`);
    after[nameOf(path)] = next;
  }
  for (const path of remove) delete after[nameOf(path)];
  for (const { path, value } of add) {
    const name = nameOf(path);
    after[name] = Number(after[name] ?? 0) + Number(evaluation.value(value));
  }
  return after;
}
