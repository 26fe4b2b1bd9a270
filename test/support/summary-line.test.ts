import { expect, it } from '@jest/globals';
import { summaryLine } from './jest-summary-reporter.mjs';

const results = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

it.each([
  ['all pass', {}, '3 passed, 0 failed'],
  ['a test fails', { numFailedTests: 2 }, '3 passed, 2 failed'],
  ['a file does not load', { numRuntimeErrorTestSuites: 1 }, '3 passed, 1 failed'],
  ['a test is left out', { numPendingTests: 1, numTodoTests: 1 }, '3 passed, 0 failed, 2 skipped'],
])('%s', (_name, counts, line) => {
  expect(summaryLine({ ...results, ...counts })).toBe(line);
});
