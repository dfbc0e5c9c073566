import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/{contract,fuzz,sim,integration,attack}/**/*.spec.ts'],
    globalSetup: 'test/support/skip-summary.ts',
    // Many times what any test takes on an idle machine: CI machines are not.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores, and some tests start processes of their own.
    maxWorkers: 2,
  },
});
