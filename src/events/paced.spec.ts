import { expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { Paced } from './paced.js';

it('runs at once, then once for each period with requests', async () => {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const runs: number[] = [];
  const paced = new Paced(clock, 100, () => runs.push(clock.monotonicMs() - startMs));
  paced.request();
  for (let i = 0; i < 25; i++) {
    await clock.advance(10);
    paced.request();
  }
  await clock.advance(1_000);
  expect(runs).toEqual([0, 100, 200, 300]);
  paced.request();
  expect(runs).toEqual([0, 100, 200, 300, 1_250]);
  expect(clock.pendingTimers).toBe(0);
});

it('does not run what was taken back', async () => {
  const clock = new VirtualClock();
  let runs = 0;
  const paced = new Paced(clock, 100, () => (runs += 1));
  paced.cancel();
  paced.request();
  paced.request();
  paced.cancel();
  await clock.advance(1_000);
  expect(runs).toBe(1);
});
