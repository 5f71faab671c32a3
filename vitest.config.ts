import { defineConfig } from 'vitest/config';

const ENGINE_TESTS = 'test/**/*.engine.test.ts';
const INFRA_TESTS = 'test/infra/**/*.test.ts';
const SETUP = './test/setup.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: [SETUP],
    coverage: { include: ['bin/**/*.ts', 'lambdas/**/*.ts', 'lib/**/*.ts'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [ENGINE_TESTS, INFRA_TESTS],
          setupFiles: [SETUP],
          // A property that takes two seconds alone takes many where a machine is busy.
          testTimeout: 30_000,
        },
      },
      {
        // These start the embedded engine as a child process.
        extends: true,
        test: {
          name: 'engine',
          include: [ENGINE_TESTS],
          exclude: [INFRA_TESTS],
          setupFiles: [SETUP],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        // A synth bundles every function and takes seconds.
        extends: true,
        test: {
          name: 'infra',
          include: [INFRA_TESTS],
          setupFiles: [SETUP, './test/infra/clean-up.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
