// The tests that judge the mutants of lib/domain: see docs/mutation.md.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { keepWorker } from './keep-worker.ts';

const RUNS_MAX = 10;
const RUNS = /\bnumRuns: ([^,}\n]+)/g;
const LAWS = /-laws\.test\.ts$/;

// What found the last mutant often finds its neighbour; then plain tests, the quick ones first.
class LikelyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification) => {
      const result = this.ctx.cache.getTestSpecificationResult(file);
      if (result?.failed) return 0;
      return LAWS.test(file.moduleId) ? Number.MAX_VALUE : 1 + (result?.duration ?? 0);
    };
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

// A run by hand shall end by itself.
if (process.env.STRYKER_MUTATOR_WORKER !== undefined) keepWorker();

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
    sequence: { sequencer: LikelyFirst },
    isolate: false,
    testTimeout: 30_000,
  },
});
