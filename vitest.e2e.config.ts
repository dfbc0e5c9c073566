import { defineConfig } from 'vitest/config';

/** `npm run test:e2e`: real images in real containers; `npm test` needs none. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.spec.ts'],
    globalSetup: 'test/e2e/global-setup.ts',
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Two clusters at a time are what a machine with two cores carries.
    maxWorkers: 2,
  },
});
