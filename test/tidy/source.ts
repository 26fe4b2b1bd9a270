// What the rules look at: a file's path in the tree, its text, and its syntax where it is code.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One file of the tree; `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule, with the line where it is broken (from 1). */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** A module's import or re-export; `typesOnly` when nothing of it is left at run time. */
export interface ModuleImport {
  readonly from: string;
  readonly line: number;
  readonly typesOnly: boolean;
}

/** Every file that git tracks or would track, read as text. */
export function readTree(root: string): SourceFile[] {
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = [...new Set(listing.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path)));
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

export function isCode(path: string): boolean {
  return /\.(ts|mjs|js)$/.test(path);
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    .filter(isNode);
}

/** Calls `visit` for each node of a file's syntax tree, parents first. */
export function walk(
  { path, text }: SourceFile,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
): void {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  const descend = (node: SyntaxNode, parent: SyntaxNode | undefined): void => {
    visit(node, parent);
    for (const child of childrenOf(node)) descend(child, node);
  };
  descend(program as unknown as SyntaxNode, undefined);
}

/** The imports and re-exports of a module, dynamic ones too when their target is a literal. */
export function importsOf(file: SourceFile): ModuleImport[] {
  const found: ModuleImport[] = [];
  walk(file, (node) => {
    const source = node['source'];
    if (!isNode(source) || typeof source['value'] !== 'string') return;
    const specifiers = (node['specifiers'] ?? []) as SyntaxNode[];
    const kindsOf = (each: SyntaxNode): unknown => each['importKind'] ?? each['exportKind'];
    const typesOnly =
      kindsOf(node) === 'type' || (specifiers.length > 0 && specifiers.every((each) => kindsOf(each) === 'type'));
    found.push({ from: source['value'], line: lineAt(file.text, node.start), typesOnly });
  });
  return found;
}
