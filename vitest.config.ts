import { defineConfig } from 'vitest/config';

// Files run in parallel, one process each; every file brings its own database, Redis prefix and containers.
export default defineConfig({
  test: {
    include: ['{services,queues,shared,scripts,tests,vm}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    slowTestThreshold: 2_000,
    reporters: ['default'],
  },
});
