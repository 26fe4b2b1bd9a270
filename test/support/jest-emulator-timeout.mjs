import { jest } from '@jest/globals';

// Deploying stacks into an emulator takes far longer than jest's default of 5 s.
jest.setTimeout(120_000);
