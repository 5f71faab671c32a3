// The tests that judge the mutants of lib/domain: see docs/mutation.md.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { keepWorker } from './keep-worker.ts';

const RUNS_MAX = 10;
const RUNS = /\bnumRuns: ([^,}\n]+)/g;
const LAWS = /-laws\.test\.ts$/;

// A mutant that plain tests find shall not wait for laws, which are slow.
class PlainFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const plain = files.filter(({ moduleId }) => !LAWS.test(moduleId));
    const laws = files.filter(({ moduleId }) => LAWS.test(moduleId));
    return [...plain, ...laws];
  }
}

keepWorker();

export default defineConfig({
  plugins: [
    {
      // Every mutant runs the properties again: a few draws each, not the thousands of `npm test`.
      name: 'few-runs',
      enforce: 'pre',
      transform: (code, id) =>
        id.endsWith('.test.ts')
          ? { code: code.replaceAll(RUNS, `numRuns: Math.min($1, ${RUNS_MAX})`), map: null }
          : undefined,
    },
  ],
  test: {
    include: ['test/domain/**/*.test.ts', 'test/actions/**/*.test.ts'],
    exclude: [
      'test/**/*.engine.test.ts',
      'test/actions/{ceremony,hold}-laws.test.ts',
      'test/actions/{,match-}concurrency.test.ts',
    ],
    setupFiles: ['./test/setup.ts', './test/mutation/setup.ts'],
    sequence: { sequencer: PlainFirst },
    isolate: false,
    testTimeout: 30_000,
  },
});
