import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/{contract,fuzz,sim,integration}/**/*.spec.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores, and some tests start processes of their own.
    maxWorkers: 2,
  },
});
