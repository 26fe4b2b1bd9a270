/** The shipped state machines, checked: what is not understood is an error, never left out. */
import { readFileSync } from 'node:fs';
import { mutatedText } from '../mutation.ts';

export type State = Readonly<Record<string, unknown>> & { readonly Type: string };

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

const COMMON = ['Type', 'Comment', 'Next', 'End', 'Output', 'QueryLanguage'];
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Task: [...COMMON, 'Resource', 'Arguments', 'Assign', 'Retry', 'Catch', 'TimeoutSeconds'],
  Choice: ['Type', 'Comment', 'Output', 'Assign', 'Choices', 'Default', 'QueryLanguage'],
  Map: [
    ...COMMON,
    'Items',
    'ItemReader',
    'ItemSelector',
    'ItemProcessor',
    'MaxConcurrency',
    'Assign',
    'Retry',
    'Catch',
    'ToleratedFailurePercentage',
    'ToleratedFailureCount',
    'Label',
  ],
  Parallel: [...COMMON, 'Branches', 'Arguments', 'Assign', 'Retry', 'Catch'],
  Pass: [...COMMON, 'Assign'],
  Wait: [...COMMON, 'Assign', 'Seconds', 'Timestamp'],
  Succeed: ['Type', 'Comment', 'Output', 'QueryLanguage'],
  Fail: ['Type', 'Comment', 'Error', 'Cause', 'QueryLanguage'],
};

function checkState(name: string, state: State, machine: Machine): void {
  const known = FIELDS[state.Type];
  if (known === undefined) throw new Error(`state ${name}: the simulation does not know the type ${state.Type}`);
  const unknown = Object.keys(state).filter((field) => !known.includes(field));
  if (unknown.length > 0) throw new Error(`state ${name}: the simulation does not know ${unknown.join(', ')}`);
  const { Next } = state;
  if (typeof Next === 'string' && machine.States[Next] === undefined) throw new Error(`${name} leads to ${Next}`);
  const inner = [state['ItemProcessor'], ...((state['Branches'] as unknown[] | undefined) ?? [])];
  for (const each of inner) if (each !== undefined) checkMachine(each as Machine);
}

function checkMachine(machine: Machine): Machine {
  for (const [name, state] of Object.entries(machine.States)) checkState(name, state, machine);
  return machine;
}

/** @throws Error when a state or a field is not one that the simulation knows */
export function readMachine(kind: string): Machine {
  const url = new URL(`../../../state-machines/${kind}.asl.json`, import.meta.url);
  const machine = JSON.parse(mutatedText(url.href, readFileSync(url, 'utf8'))) as Machine & { QueryLanguage: string };
  if (machine.QueryLanguage !== 'JSONata') throw new Error(`${kind}: the simulation knows JSONata only`);
  return checkMachine(machine);
}

/** `${MoveCeilingFunctionArn}` → `move-ceiling`. @throws Error when it is none of our functions */
export function functionOf(resource: string): string {
  const name = /^\$\{(\w+)FunctionArn\}$/.exec(resource)?.[1];
  if (name === undefined) throw new Error(`the simulation does not know the resource ${resource}`);
  return name.replaceAll(/[A-Z]/g, (letter, at) => `${at === 0 ? '' : '-'}${letter.toLowerCase()}`);
}

/** Names of all functions that a machine calls. */
export function functionsOf(machine: Machine): string[] {
  return [
    ...new Set(
      [...JSON.stringify(machine).matchAll(/"(\$\{\w+FunctionArn\})"/g)].map(([, arn = '']) => functionOf(arn)),
    ),
  ];
}
