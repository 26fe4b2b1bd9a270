// Rules that need no more than a file's text. Patterns are written so that they do not match themselves.
import { isCode, lineAt, type SourceFile, type Violation, walk } from './source.ts';

const longestFunctionLines = 70;
const longestFileLines = 400;

interface BannedPattern {
  readonly pattern: RegExp;
  readonly message: string;
  readonly in: 'every text' | 'code' | 'TypeScript';
}

const banned: readonly BannedPattern[] = [
  { pattern: /\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/, message: 'unfinished work: finish it', in: 'every text' },
  { pattern: /(?<![\w.:/-])\/(?:wor[k]|roo[t])\//, message: "a path of one developer's machine", in: 'every text' },
  { pattern: /\/tmp\/brie[f]|\bissues sho[w]\b/, message: 'a path or command of one workplace', in: 'every text' },
  {
    pattern: /\bissue #?\d[+]?|\btask \d[+]?\b/i,
    message: 'a sentence about how the project is developed',
    in: 'every text',
  },
  {
    pattern: /localstack pro toke[n]|LOCALSTACK_AUTH_TOKE[N]=\S/i,
    message: 'a paid service is not a requirement',
    in: 'every text',
  },
  { pattern: /(?:AKIA|ASIA)[A-Z0-9]{16}/, message: 'an AWS access key id', in: 'every text' },
  {
    pattern:
      /(?:eslint|oxlint|biome|prettier)-(?:disable|ignore)|@ts-(?:ignore|expect-error|nocheck)|c8 ignore|istanbul ignore/,
    message: 'a silenced check: repair what it found',
    in: 'code',
  },
  { pattern: /#\s*(?:noqa|type:\s*ignore|pylint:)/, message: 'a silenced check: repair what it found', in: 'code' },
  {
    pattern: /\b(?:describe|it|test)(?:\.\w+)*\.(?:only|skip|todo|failing)\b|\b(?:xit|xdescribe|xtest|fit|fdescribe)\(/,
    message: 'a focused or skipped test',
    in: 'TypeScript',
  },
];

// The rules and their planted violations hold what they ban.
const holdsPatterns = /^test\/tidy\//;
const notOurText = /^(package-lock\.json|LICENSE|emulator\/.*requirements\.txt)$/;

/** Words and constructs that have no place in the tree. */
export function bannedPatterns(file: SourceFile): Violation[] {
  if (notOurText.test(file.path) || holdsPatterns.test(file.path)) return [];
  const applicable = banned.filter(
    (rule) => rule.in === 'every text' || isCode(file.path) || (rule.in === 'code' && file.path.endsWith('.py')),
  );
  return applicable.flatMap(({ pattern, message }) =>
    [...file.text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map((match) => ({
      path: file.path,
      line: lineAt(file.text, match.index),
      message: `"${match[0]}": ${message}`,
    })),
  );
}

/** A file is read in one sitting. */
export function fileLength({ path, text }: SourceFile): Violation[] {
  const lineCount = text.split('\n').length - 1;
  if (!(isCode(path) || path.endsWith('.py')) || lineCount < longestFileLines) return [];
  return [{ path, line: lineCount, message: `${lineCount} lines: a file has fewer than ${longestFileLines}` }];
}

/** Folders and files are named after what they are about. */
export function pathNames({ path }: SourceFile): Violation[] {
  const drawer = path.split('/').find((part) => /^(?:utils?|helpers?|common|misc|shared)(?:\.\w+)?$/.test(part));
  return drawer === undefined ? [] : [{ path, line: 1, message: `"${drawer}" says nothing of what is in it` }];
}

/** A function fits on a screen. The callback of `describe` is a list of tests, not a function to read in one go. */
export function functionLength(file: SourceFile): Violation[] {
  if (!isCode(file.path)) return [];
  const found: Violation[] = [];
  walk(file, (node, parent) => {
    const isFunction = /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
    const callee = parent?.type === 'CallExpression' ? file.text.slice(parent.start, parent.start + 8) : '';
    if (!isFunction || callee === 'describe') return;
    const first = lineAt(file.text, node.start);
    const lineCount = lineAt(file.text, node.end) - first + 1;
    if (lineCount < longestFunctionLines) return;
    const message = `a function of ${lineCount} lines: it has fewer than ${longestFunctionLines}`;
    found.push({ path: file.path, line: first, message });
  });
  return found;
}

// jest and its plug-in points load a default export.
const needsDefaultExport = /^(?:jest\.config\.js|test\/support\/jest-[\w-]+\.(?:mjs|ts))$/;

/** Named exports, each from the file that defines it. */
export function exportForms(file: SourceFile): Violation[] {
  if (!isCode(file.path)) return [];
  const found: Violation[] = [];
  walk(file, (node) => {
    const line = lineAt(file.text, node.start);
    if (node.type === 'ExportDefaultDeclaration' && !needsDefaultExport.test(file.path)) {
      found.push({ path: file.path, line, message: 'a default export: name it' });
    }
    const passesOn = node.type === 'ExportNamedDeclaration' && node['source'] !== null && node['source'] !== undefined;
    if (node.type === 'ExportAllDeclaration' || passesOn) {
      found.push({ path: file.path, line, message: 'a re-export: import from the file that defines it' });
    }
  });
  return found;
}
