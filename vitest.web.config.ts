import { defineConfig } from 'vitest/config';

/** `npm run test:web`: the page in a real browser, in front of real nodes. */
export default defineConfig({
  test: {
    include: ['test/web/**/*.spec.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // A browser and three nodes are what two cores carry.
    maxWorkers: 1,
  },
});
