import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.js';

describe('after(0) of the system clock', () => {
  it('runs one task in each turn of the event loop, in order', async () => {
    const ran: string[] = [];
    const later = (name: string, more?: () => void): void => {
      systemClock.after(0, () => {
        ran.push(name);
        more?.();
      });
    };
    later('a', () => later('d'));
    later('b');
    later('c');
    const seen: string[] = [];
    for (let turn = 0; turn < 20 && ran.length < 4; turn++) {
      await nextTurn();
      seen.push(ran.join(''));
    }
    for (const [turn, names] of seen.entries()) {
      expect(names.length - (seen[turn - 1]?.length ?? 0), seen.join(' ')).toBeLessThanOrEqual(1);
    }
    expect(seen.at(-1)).toBe('abcd');
  });

  it('runs them at once where nothing else happens', async () => {
    for (let turn = 0; turn < 3; turn++) {
      await expect(new Promise<void>((resolve) => void systemClock.after(0, resolve))).resolves.toBeUndefined();
    }
  });

  it('does not run a task that was cancelled, and goes on with the others', async () => {
    const ran: string[] = [];
    const first = systemClock.after(0, () => ran.push('first'));
    systemClock.after(0, () => ran.push('second'));
    first.cancel();
    for (let turn = 0; turn < 20 && ran.length < 1; turn++) await nextTurn();
    expect(ran).toEqual(['second']);
  });

  it('goes on after a task that schedules another one of its own', async () => {
    const rounds: number[] = [];
    const again = (): void => {
      if (rounds.push(rounds.length) < 5) systemClock.after(0, again);
    };
    systemClock.after(0, again);
    for (let turn = 0; turn < 20 && rounds.length < 5; turn++) await nextTurn();
    expect(rounds).toHaveLength(5);
  });
});
