// Runs the test files of a project one after the other: each emulator test starts an emulator of its own.
import { createRequire } from 'node:module';

// jest-runner is a dependency of jest, so it is resolved from there.
const fromJest = createRequire(createRequire(createRequire(import.meta.url).resolve('jest')).resolve('@jest/core'));
const { default: TestRunner } = fromJest('jest-runner');

export default class SerialRunner extends TestRunner {
  isSerial = true;
}
