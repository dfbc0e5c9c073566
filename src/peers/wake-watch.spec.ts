import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SettableClock } from '../../test/support/settable-clock.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { WakeWatch } from './wake-watch.js';

describe('WakeWatch', () => {
  let base: VirtualClock;
  let clock: SettableClock;
  let woken: number;
  let lines: string[];
  beforeEach(() => {
    base = new VirtualClock();
    clock = new SettableClock(base);
    [woken, lines] = [0, []];
    const log = pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
    new WakeWatch({ clock, log, woke: () => void (woken += 1) }).start();
  });

  it('finds nothing while time passes as it should, nor when the clock is set back', async () => {
    await base.advance(60_000);
    clock.offsetMs = -86_400_000;
    await base.advance(60_000);
    expect([woken, lines]).toEqual([0, []]);
  });

  it('notices once, within a second, that the machine slept: wall time went on alone', async () => {
    await base.advance(5_500);
    clock.offsetMs = 3_600_000;
    await base.advance(1_000);
    expect(woken).toBe(1);
    expect(lines).toEqual(['This node slept, or its clock was set forward, by 3601 s: checking all peers']);
    await base.advance(60_000);
    expect(woken).toBe(1);
  });
});
