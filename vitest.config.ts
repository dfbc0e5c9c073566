import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/{contract,sim,integration}/**/*.spec.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Two cores, and some tests start processes of their own.
    maxWorkers: 2,
  },
});
