// Which part of the tree may import which: core <- functions/adapters <- functions <- infra.
import { posix } from 'node:path';
import { importsOf, isCode, lineAt, type ModuleImport, type SourceFile, type Violation, walk } from './source.ts';

interface Zone {
  readonly name: string;
  readonly prefix: string;
  /** Path prefixes inside the tree that it may import. */
  readonly mayImport: readonly string[];
  /** Path prefixes of which it may import types only. */
  readonly mayImportTypesOf: readonly string[];
  readonly mayImportPackages: boolean;
}

const anywhere = [''];

/** The first zone whose prefix fits is a file's zone. */
const zones: readonly Zone[] = [
  zone('core', 'core/', { mayImport: ['core/'], mayImportPackages: false }),
  // Models that need a library or trained weights, and readers of calendars: what the hub and the command line have in common.
  zone('models', 'models/', { mayImport: ['core/', 'models/'] }),
  zone('calendars', 'calendars/', { mayImport: ['core/', 'calendars/'] }),
  zone('functions/adapters', 'functions/adapters/', { mayImport: ['core/', 'functions/adapters/'] }),
  zone('functions', 'functions/', { mayImport: ['core/', 'models/', 'calendars/', 'functions/adapters/'] }),
  zone('infra', 'infra/', { mayImport: ['core/', 'models/', 'calendars/', 'functions/', 'infra/'] }),
  // Checks what the hub computed, so it shares no code with it.
  zone('cli/verify-chain', 'cli/verify-chain.ts', { mayImport: [], mayImportTypesOf: ['core/'] }),
  // Its offline commands compute on the user's machine what the hub computes. core is pure: it brings no AWS client and no
  // state along. The functions and what they run on stay out of reach.
  zone('cli', 'cli/', { mayImport: ['cli/', 'core/', 'models/', 'calendars/', 'functions/adapters/schemas'] }),
  zone('console', 'console/', { mayImport: ['console/', 'functions/adapters/schemas'], mayImportTypesOf: ['core/'] }),
  zone('bin', 'bin/', { mayImport: ['bin/'] }),
  zone('emulator', 'emulator/', { mayImport: anywhere }),
  zone('bench', 'bench/', { mayImport: anywhere }),
  zone('story', 'story/', { mayImport: anywhere }),
  zone('test', 'test/', { mayImport: anywhere }),
];

function zone(name: string, prefix: string, rules: Partial<Zone> & Pick<Zone, 'mayImport'>): Zone {
  return { name, prefix, mayImportTypesOf: [], mayImportPackages: true, ...rules };
}

function isRelative(from: string): boolean {
  return from.startsWith('./') || from.startsWith('../') || from === '.' || from === '..';
}

function brokenBy(path: string, { name, ...rules }: Zone, { from, typesOnly }: ModuleImport): string | undefined {
  if (!isRelative(from)) {
    return rules.mayImportPackages ? undefined : `${name} imports no package and no node: module, yet imports ${from}`;
  }
  const target = posix.join(posix.dirname(path), from);
  if (rules.mayImport.some((prefix) => target.startsWith(prefix))) return undefined;
  const typesAllowed = rules.mayImportTypesOf.some((prefix) => target.startsWith(prefix));
  if (typesAllowed && typesOnly) return undefined;
  return typesAllowed ? `${name} may import only types of ${target}` : `${name} may not import ${target}`;
}

/** Imports point one way. */
export function importDirection(file: SourceFile): Violation[] {
  if (!isCode(file.path)) return [];
  const found = zones.find(({ prefix }) => file.path.startsWith(prefix));
  if (found === undefined) return [];
  return importsOf(file).flatMap((each) => {
    const message = brokenBy(file.path, found, each);
    return message === undefined ? [] : [{ path: file.path, line: each.line, message }];
  });
}

/** A relative import names the file as it is on disk. */
export function importEndings(file: SourceFile): Violation[] {
  if (!isCode(file.path)) return [];
  return importsOf(file)
    .filter(({ from }) => isRelative(from) && !/\.(ts|mjs|json)$/.test(from))
    .map(({ from, line }) => ({ path: file.path, line, message: `import ${from} lacks its file ending (.ts)` }));
}

const impureGlobals = new Set([
  'Date',
  'process',
  'performance',
  'globalThis',
  'console',
  'fetch',
  'crypto',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'require',
]);

/** True for a name that is a property's or a label's, not a variable's. */
function isOnlyAName(node: { start: number }, parent: Record<string, unknown> | undefined): boolean {
  if (parent === undefined) return false;
  const isKey = (parent['key'] as { start?: number } | undefined)?.start === node.start && parent['shorthand'] !== true;
  const isMember = (parent['property'] as { start?: number } | undefined)?.start === node.start;
  return (isKey || isMember) && parent['computed'] !== true;
}

/** core is pure: what it computes depends on its arguments alone. */
export function corePurity(file: SourceFile): Violation[] {
  if (!file.path.startsWith('core/') || !isCode(file.path)) return [];
  const found: Violation[] = [];
  const report = (offset: number, what: string): void => {
    found.push({ path: file.path, line: lineAt(file.text, offset), message: `core may not use ${what}: pass it in` });
  };
  walk(file, (node, parent) => {
    const name = node['name'];
    if (
      node.type === 'Identifier' &&
      typeof name === 'string' &&
      impureGlobals.has(name) &&
      !isOnlyAName(node, parent)
    ) {
      report(node.start, name);
    }
    if (
      node.type === 'MemberExpression' &&
      /^Math\s*\??\.?\s*\[?\s*['"]?random/.test(file.text.slice(node.start, node.end))
    ) {
      report(node.start, 'Math.random');
    }
  });
  return found;
}
