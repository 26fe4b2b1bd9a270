const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'cjs', 'json', 'node'],
  modulePathIgnorePatterns: ['<rootDir>/(\\.entangle|\\.venv|\\.venv-bench|cdk\\.out|dist|coverage)/'],
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/jest-transform.mjs' },
};

const serial = {
  ...shared,
  runner: '<rootDir>/test/support/jest-serial-runner.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/jest-emulator-timeout.mjs'],
};

const emulatorTests = '\\.e2e\\.test\\.ts$';

export default {
  watchman: false,
  reporters: ['default', '<rootDir>/test/support/jest-summary-reporter.mjs'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', emulatorTests],
    },
    {
      ...serial,
      displayName: 'emulator',
      testMatch: ['<rootDir>/test/**/*.e2e.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/emulator/[^/]+$'],
    },
    {
      ...serial,
      displayName: 'lending',
      testMatch: ['<rootDir>/test/emulator/*.e2e.test.ts'],
      globalSetup: '<rootDir>/test/support/jest-deploy-fleet.ts',
      globalTeardown: '<rootDir>/test/support/jest-end-fleet.ts',
    },
  ],
};
