// Each rule catches a planted violation and lets the right form pass.
import { describe, expect, it } from '@jest/globals';
import { jsonParses, lockfileIsComplete, stateMachines } from './data-rules.ts';
import { corePurity, importDirection, importEndings } from './import-rules.ts';
import type { SourceFile, Violation } from './source.ts';
import { bannedPatterns, exportForms, fileLength, functionLength, pathNames } from './text-rules.ts';

interface Case {
  readonly rule: (file: SourceFile) => Violation[];
  readonly path: string;
  readonly text: string;
}

function longFunction(lineCount: number): string {
  return `export function long(): void {\n${'  void 0;\n'.repeat(lineCount - 2)}}\n`;
}

function machine(next: string, condition: string): string {
  const choose = { Type: 'Choice', Choices: [{ Condition: condition, Next: next }], Default: 'End' };
  return JSON.stringify({
    QueryLanguage: 'JSONata',
    StartAt: 'Call',
    States: {
      Call: { Type: 'Task', Resource: ['$', '{Function}'].join(''), Next: 'Choose' },
      Choose: choose,
      End: { Type: 'Succeed' },
    },
  });
}

function lockfile(locked: Record<string, unknown>): string {
  const parent = { version: '1.0.0', optionalDependencies: { '@x/cli-darwin-arm64': '1.0.0' } };
  return JSON.stringify({ packages: { 'node_modules/x': parent, ...locked } });
}

const violations: readonly [string, Case][] = [
  ['core imports a package', { rule: importDirection, path: 'core/a.ts', text: "import { z } from 'zod';" }],
  ['core imports node:', { rule: importDirection, path: 'core/a.ts', text: "import { join } from 'node:path';" }],
  [
    'core imports an adapter',
    { rule: importDirection, path: 'core/b/a.ts', text: "import type { T } from '../../functions/adapters/t.ts';" },
  ],
  [
    'core imports dynamically',
    { rule: importDirection, path: 'core/a.ts', text: "export const a = import('node:fs');" },
  ],
  [
    'an adapter imports a function',
    { rule: importDirection, path: 'functions/adapters/a.ts', text: "import { h } from '../take.ts';" },
  ],
  [
    'a function imports another',
    { rule: importDirection, path: 'functions/a.ts', text: "import { h } from './take.ts';" },
  ],
  [
    'a function imports infra',
    { rule: importDirection, path: 'functions/a.ts', text: "import { n } from '../infra/names.ts';" },
  ],
  [
    'infra imports the emulator',
    { rule: importDirection, path: 'infra/a.ts', text: "import { e } from '../emulator/run.ts';" },
  ],
  [
    'infra imports a test',
    { rule: importDirection, path: 'infra/a.ts', text: "import { e } from '../test/support/e.ts';" },
  ],
  [
    'the check of the audit chain imports a value of core',
    { rule: importDirection, path: 'cli/verify-chain.ts', text: "import { hashOf } from '../core/audit/chain.ts';" },
  ],
  [
    'the console imports a value of core',
    { rule: importDirection, path: 'console/a.ts', text: "import { microUsd } from '../core/units.ts';" },
  ],
  [
    'cli imports an adapter',
    { rule: importDirection, path: 'cli/a.ts', text: "import type { T } from '../functions/adapters/clock.ts';" },
  ],
  [
    'cli imports infra',
    { rule: importDirection, path: 'cli/a.ts', text: "import type { C } from '../infra/config.ts';" },
  ],
  [
    'cli imports a function',
    { rule: importDirection, path: 'cli/a.ts', text: "import type { T } from '../functions/take.ts';" },
  ],
  ['no ending', { rule: importEndings, path: 'infra/a.ts', text: "import { n } from './names';" }],
  ['the ending of a build', { rule: importEndings, path: 'infra/a.ts', text: "import { n } from './names.js';" }],
  ['Date in core', { rule: corePurity, path: 'core/a.ts', text: 'export const now = () => new Date();' }],
  ['Date.now in core', { rule: corePurity, path: 'core/a.ts', text: 'export const now = () => Date.now();' }],
  ['process in core', { rule: corePurity, path: 'core/a.ts', text: 'export const e = process.env;' }],
  ['a shorthand process in core', { rule: corePurity, path: 'core/a.ts', text: 'export const e = { process };' }],
  ['Math.random in core', { rule: corePurity, path: 'core/a.ts', text: 'export const r = Math.random();' }],
  ['Math["random"] in core', { rule: corePurity, path: 'core/a.ts', text: 'export const r = Math["random"]();' }],
  ['a function of 70 lines', { rule: functionLength, path: 'core/a.ts', text: longFunction(70) }],
  [
    'a long arrow function',
    { rule: functionLength, path: 'core/a.ts', text: `export const f = () => {\n${'\n'.repeat(70)}};` },
  ],
  ['a file of 400 lines', { rule: fileLength, path: 'core/a.ts', text: '\n'.repeat(400) }],
  ['a long Python file', { rule: fileLength, path: 'emulator/a.py', text: '\n'.repeat(400) }],
  ['unfinished work', { rule: bannedPatterns, path: 'README.md', text: 'a TODO here' }],
  ['a path of a machine', { rule: bannedPatterns, path: 'README.md', text: 'see /work/main' }],
  ['a home of a machine', { rule: bannedPatterns, path: 'a.ts', text: "'/root/.npm'" }],
  ['how it was developed', { rule: bannedPatterns, path: 'a.md', text: 'done in issue 3' }],
  ['an access key', { rule: bannedPatterns, path: 'a.ts', text: `'AKIA${'A'.repeat(16)}'` }],
  ['a silenced check', { rule: bannedPatterns, path: 'a.ts', text: '// oxlint-disable-next-line' }],
  ['a silenced type error', { rule: bannedPatterns, path: 'a.ts', text: '// @ts-expect-error' }],
  ['a silenced Python check', { rule: bannedPatterns, path: 'a.py', text: 'x = 1  # noqa' }],
  ['a focused test', { rule: bannedPatterns, path: 'test/a.test.ts', text: "it.only('x')" }],
  ['a skipped test', { rule: bannedPatterns, path: 'test/a.test.ts', text: "describe.each([]).skip('x')\nxit('y')" }],
  ['a drawer', { rule: pathNames, path: 'core/utils/a.ts', text: '' }],
  ['a drawer file', { rule: pathNames, path: 'core/helpers.ts', text: '' }],
  ['a default export', { rule: exportForms, path: 'infra/a.ts', text: 'export default 1;' }],
  ['a barrel', { rule: exportForms, path: 'core/index.ts', text: "export * from './a.ts';" }],
  ['a named re-export', { rule: exportForms, path: 'core/index.ts', text: "export { a } from './a.ts';" }],
  ['broken JSON', { rule: jsonParses, path: 'cdk.json', text: '{,}' }],
  [
    'a transition to nowhere',
    { rule: stateMachines, path: 'state-machines/a.asl.json', text: machine('Nowhere', '{% true %}') },
  ],
  ['broken JSONata', { rule: stateMachines, path: 'state-machines/a.asl.json', text: machine('End', '{% $a and %}') }],
  ['a platform missing from the lockfile', { rule: lockfileIsComplete, path: 'package-lock.json', text: lockfile({}) }],
];

const rightForms: readonly [string, Case][] = [
  ['core imports core', { rule: importDirection, path: 'core/b/a.ts', text: "import { c } from '../c.ts';" }],
  [
    'a function imports an adapter',
    { rule: importDirection, path: 'functions/a.ts', text: "import { t } from './adapters/t.ts';" },
  ],
  [
    'infra imports a package',
    { rule: importDirection, path: 'infra/a.ts', text: "import { App } from 'aws-cdk-lib';" },
  ],
  [
    'cli imports a value of core',
    { rule: importDirection, path: 'cli/a.ts', text: "import { microUsd } from '../core/units.ts';" },
  ],
  [
    'the check of the audit chain imports a type of core',
    { rule: importDirection, path: 'cli/verify-chain.ts', text: "import type { A } from '../core/audit/chain.ts';" },
  ],
  [
    'the console imports types inline',
    { rule: importDirection, path: 'console/a.ts', text: "import { type A, type B } from '../core/a.ts';" },
  ],
  [
    'cli imports schemas',
    { rule: importDirection, path: 'cli/a.ts', text: "import { s } from '../functions/adapters/schemas.ts';" },
  ],
  [
    'the emulator imports infra',
    { rule: importDirection, path: 'emulator/a.ts', text: "import { n } from '../infra/names.ts';" },
  ],
  ['an ending', { rule: importEndings, path: 'infra/a.ts', text: "import { n } from './names.ts';" }],
  [
    'a property named process',
    { rule: corePurity, path: 'core/a.ts', text: 'export const e = (a: { process: 1 }) => a.process;' },
  ],
  [
    'Date outside core',
    { rule: corePurity, path: 'functions/adapters/clock.ts', text: 'export const n = () => Date.now();' },
  ],
  [
    'Date in a comment',
    { rule: corePurity, path: 'core/a.ts', text: '// no Date here\nexport const a = Math.min(1, 2);' },
  ],
  ['a function of 69 lines', { rule: functionLength, path: 'core/a.ts', text: longFunction(69) }],
  [
    'a long list of tests',
    { rule: functionLength, path: 'test/a.test.ts', text: `describe('x', () => {\n${'\n'.repeat(99)}});` },
  ],
  ['a file of 399 lines', { rule: fileLength, path: 'core/a.ts', text: '\n'.repeat(399) }],
  [
    'a URL with a folder named work',
    { rule: bannedPatterns, path: 'a.md', text: 'https://example.org/work/ and network/work/' },
  ],
  ["jest's configuration", { rule: exportForms, path: 'jest.config.js', text: 'export default {};' }],
  ['a named export', { rule: exportForms, path: 'core/a.ts', text: 'const a = 1;\nexport { a };' }],
  ['JSON', { rule: jsonParses, path: 'cdk.json', text: '{}' }],
  [
    'a state machine',
    { rule: stateMachines, path: 'state-machines/a.asl.json', text: machine('End', '{% $states.input.a = 1 %}') },
  ],
  [
    'a complete lockfile',
    { rule: lockfileIsComplete, path: 'package-lock.json', text: lockfile({ 'node_modules/@x/cli-darwin-arm64': {} }) },
  ],
];

describe('a rule', () => {
  it.each(violations)('catches: %s', (_name, { rule, path, text }) => {
    expect(rule({ path, text })).not.toEqual([]);
  });

  it.each(rightForms)('lets pass: %s', (_name, { rule, path, text }) => {
    expect(rule({ path, text })).toEqual([]);
  });

  it('says where', () => {
    const [violation] = bannedPatterns({ path: 'a.md', text: 'one\ntwo TODO\n' });
    expect(violation).toMatchObject({ path: 'a.md', line: 2 });
  });
});
