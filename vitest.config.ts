import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The fault suite takes longest, and mostly waits: it begins first, and the others run beside it. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.includes('/tests/faults/');
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

// Files run in parallel, one process each; every file brings its own database, Redis prefix and containers.
export default defineConfig({
  test: {
    include: ['{services,queues,shared,scripts,tests,vm}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    slowTestThreshold: 2_000,
    reporters: ['default'],
  },
});
