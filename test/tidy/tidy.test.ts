import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { jsonParses, lockfileIsComplete, stateMachines } from './data-rules.ts';
import { corePurity, importDirection, importEndings } from './import-rules.ts';
import { readTree, type SourceFile, type Violation } from './source.ts';
import { bannedPatterns, exportForms, fileLength, functionLength, pathNames } from './text-rules.ts';

type Rule = (file: SourceFile) => Violation[];

const rules: readonly [string, Rule][] = [
  ['imports point one way', importDirection],
  ['relative imports carry their file ending', importEndings],
  ['core is pure', corePurity],
  ['functions are short', functionLength],
  ['files are short', fileLength],
  ['nothing banned is written', bannedPatterns],
  ['names say what is inside', pathNames],
  ['exports are named and come from where they are defined', exportForms],
  ['JSON parses', jsonParses],
  ['state machines are valid', stateMachines],
  ['the lockfile is complete', lockfileIsComplete],
];

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

describe('the tree', () => {
  const tree = readTree(root);

  it('is there to be read', () => {
    expect(tree.map(({ path }) => path)).toEqual(expect.arrayContaining(['package.json', 'core/units.ts']));
  });

  it.each(rules)('%s', (_name, rule) => {
    const violations = tree.flatMap((file) => rule(file));
    expect(violations.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([]);
  });
});
