// Rules for data files: JSON, state machines, the lockfile.
import { createRequire } from 'node:module';
import jsonata from 'jsonata';
import { completeLockfile } from '../../bin/complete-lockfile.mjs';
import type { SourceFile, Violation } from './source.ts';

interface AslReport {
  readonly isValid: boolean;
  readonly errors: readonly { readonly Message?: string; readonly message?: string; readonly 'Error code'?: string }[];
}

// asl-validator brings no types.
const validateAsl = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => AslReport;

function parseError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Every JSON file parses. */
export function jsonParses({ path, text }: SourceFile): Violation[] {
  const error = path.endsWith('.json') ? parseError(text) : undefined;
  return error === undefined ? [] : [{ path, line: 1, message: error }];
}

const expression = /"\{%((?:[^"\\]|\\.)*)%\}"/g;

function expressionErrors({ path, text }: SourceFile): Violation[] {
  return [...text.matchAll(expression)].flatMap((match) => {
    const source = JSON.parse(`"${match[1] ?? ''}"`) as string;
    const line = text.slice(0, match.index).split('\n').length;
    try {
      jsonata(source);
      return [];
    } catch (error) {
      const reason = (error as { message?: string }).message ?? String(error);
      return [{ path, line, message: `JSONata does not parse: ${reason}: ${source.trim()}` }];
    }
  });
}

/** State machines are valid once the CDK has put its names in, and their JSONata parses. */
export function stateMachines(file: SourceFile): Violation[] {
  if (!file.path.endsWith('.asl.json') || parseError(file.text) !== undefined) return [];
  const substituted = file.text.replaceAll(/\$\{\w+\}/g, 'arn:aws:lambda:eu-west-1:111111111111:function:name');
  const report = validateAsl(JSON.parse(substituted));
  const reported = report.isValid ? [] : report.errors;
  return [
    ...reported.map((error) => ({ path: file.path, line: 1, message: JSON.stringify(error) })),
    ...expressionErrors(file),
  ];
}

/** The lockfile names every platform's binaries: npm ci refuses it otherwise. */
export function lockfileIsComplete({ path, text }: SourceFile): Violation[] {
  if (path !== 'package-lock.json' || parseError(text) !== undefined) return [];
  const { added } = completeLockfile(JSON.parse(text));
  const advice = 'run node bin/complete-lockfile.mjs';
  return added.map((location: string) => ({ path, line: 1, message: `${location} is missing: ${advice}` }));
}
