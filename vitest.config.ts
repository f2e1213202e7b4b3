import { defineConfig } from 'vitest/config';

/** A test that fails once and passes then is counted as passed; `.ci/run` prints its name. */
const RETRIES_IN_CI = 1;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The default of one second is too short for a busy machine.
    expect: { poll: { timeout: 20_000 } },
    retry: process.env.CI === undefined ? 0 : RETRIES_IN_CI,
    pool: 'forks',
    maxWorkers: '100%',
  },
});
