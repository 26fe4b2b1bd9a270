// Ends the output with the totals alone on the last line, for people and for scripts.

/**
 * The totals of a run in one line. A file that failed to load counts as one failure.
 * @param {{numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, numRuntimeErrorTestSuites: number}} results
 */
export function summaryLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  const line = `${results.numPassedTests} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    // jest's own summary comes after every other reporter, so the line waits for the end of the process.
    process.once('exit', () => process.stdout.write(`${summaryLine(results)}\n`));
  }
}
