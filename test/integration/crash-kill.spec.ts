import { describe, expect, it } from 'vitest';
import { runCrashes } from '../crash/crash-run.js';

/** The short form of `npm run test:crash`. */
describe('a node that is killed again and again', { timeout: 120_000 }, () => {
  it('keeps every acknowledged entry once, its chain work and a whole database', async () => {
    const seed = Number(process.env['MINICHAIN_TEST_SEED'] ?? Date.now() % 1_000_000);
    console.log(`crash seed ${seed}`);
    const { kills, terminations, acknowledged } = await runCrashes({ seed, kills: 5 });
    expect(kills.load + kills.reorganisation + kills.start).toBeGreaterThanOrEqual(5);
    expect(kills.reorganisation).toBeGreaterThan(0);
    expect(terminations).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(0);
  });
});
