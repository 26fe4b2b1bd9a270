/** Fields of states with JSONata in them, evaluated as Step Functions does. */
import jsonata from 'jsonata';
import { jsonCopy } from '../json-copy.ts';

/** A failure that the workflow itself sees, by its name. */
export class WorkflowError extends Error {
  readonly error: string;
  constructor(error: string, cause: string) {
    super(cause);
    this.error = error;
  }
}

export type Bindings = Readonly<Record<string, unknown>>;
type Evaluate = (bindings: Bindings) => unknown;

const WRAPPED = /^\{%([\s\S]*)%\}$/;
/** `$name.field.field`: most expressions are only that. */
const PLAIN_PATH = /^\$[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const COMPARED_PATH = /^(\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) = '([^']*)'$/;
const compiled = new Map<string, Evaluate>();

/** Undefined where JSONata would go into an array, which the library then has to do. */
function walk(bindings: Bindings, names: readonly string[]): { readonly value: unknown } | undefined {
  let value: unknown = bindings;
  for (const name of names) {
    if (Array.isArray(value)) return undefined;
    if (typeof value !== 'object' || value === null) return { value: undefined };
    value = (value as Bindings)[name];
  }
  return Array.isArray(value) ? undefined : { value };
}

function namesOf(path: string): string[] {
  return path.slice(1).split('.');
}

function compile(text: string): Evaluate {
  const expression = jsonata(text);
  const slow: Evaluate = async (bindings) => {
    const result: unknown = await expression.evaluate(undefined, bindings as Record<string, unknown>);
    // What JSONata returns carries marks of its own; Step Functions hands on JSON.
    return jsonCopy(result);
  };
  if (PLAIN_PATH.test(text)) {
    const names = namesOf(text);
    return (bindings) => {
      const found = walk(bindings, names);
      return found === undefined ? slow(bindings) : found.value;
    };
  }
  const compared = COMPARED_PATH.exec(text);
  if (compared === null) return slow;
  const names = namesOf(compared[1] ?? '');
  return (bindings) => {
    const found = walk(bindings, names);
    return found === undefined ? slow(bindings) : found.value === compared[2];
  };
}

async function evaluateText(text: string, bindings: Bindings): Promise<unknown> {
  const inner = WRAPPED.exec(text)?.[1]?.trim();
  if (inner === undefined) return text;
  let evaluate = compiled.get(inner);
  if (evaluate === undefined) {
    evaluate = compile(inner);
    compiled.set(inner, evaluate);
  }
  let value: unknown;
  try {
    value = await evaluate(bindings);
  } catch (error) {
    const message = error instanceof Error ? error.message : ((error as { message?: string }).message ?? String(error));
    throw new WorkflowError('States.QueryEvaluationError', `${inner}: ${message}`);
  }
  if (value === undefined) throw new WorkflowError('States.QueryEvaluationError', `${inner} returned nothing`);
  return value;
}

/** A field with every string of JSONata in it replaced by its value. @throws WorkflowError when one has none */
export async function evaluateField(field: unknown, bindings: Bindings): Promise<unknown> {
  if (typeof field === 'string') return evaluateText(field, bindings);
  if (Array.isArray(field)) {
    const all: unknown[] = [];
    for (const each of field) all.push(await evaluateField(each, bindings));
    return all;
  }
  if (typeof field !== 'object' || field === null) return field;
  const all: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(field)) all[name] = await evaluateField(each, bindings);
  return all;
}
