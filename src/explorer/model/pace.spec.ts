import { describe, expect, it } from 'vitest';
import { Pace, STEP_MS, type Timer } from './pace.js';

class FakeTimer implements Timer {
  #now = 0;
  #jobs: { at: number; run: () => void }[] = [];

  nowMs(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): void {
    this.#jobs.push({ at: this.#now + ms, run });
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      this.#jobs.sort((a, b) => a.at - b.at);
      const job = this.#jobs[0];
      if (job === undefined || job.at > end) break;
      this.#jobs.shift();
      this.#now = job.at;
      job.run();
    }
    this.#now = end;
  }
}

function start(): {
  timer: FakeTimer;
  pace: Pace;
  drawn: string[];
  push: (key: string | undefined, what: string) => void;
} {
  const timer = new FakeTimer();
  const pace = new Pace(timer);
  const drawn: string[] = [];
  return {
    timer,
    pace,
    drawn,
    push: (key, what) => pace.push(key, 'node-1', () => drawn.push(`${what} at ${timer.nowMs()}`)),
  };
}

describe('Pace', () => {
  it('draws the first step at once, and the next ones 600 ms apart', () => {
    const { timer, drawn, push } = start();
    for (const key of ['a', 'b', 'c']) push(key, key);
    timer.advance(5 * STEP_MS);
    expect(drawn).toEqual(['a at 0', 'b at 600', 'c at 1200']);
  });

  it('draws at once again after a pause', () => {
    const { timer, drawn, push } = start();
    push('a', 'a');
    timer.advance(10_000);
    push('b', 'b');
    timer.advance(0);
    expect(drawn).toEqual(['a at 0', 'b at 10000']);
  });

  it('draws with a step what belongs to it, whether it still waits or was drawn last', () => {
    const { timer, drawn, push } = start();
    push('a', 'a');
    push('b', 'b');
    push('b', 'b of node-2');
    timer.advance(STEP_MS);
    push('b', 'b of node-3');
    expect(drawn).toEqual(['a at 0', 'b at 600', 'b of node-2 at 600', 'b of node-3 at 600']);
  });

  it('keeps what has no step of its own behind what came before it', () => {
    const { timer, drawn, push } = start();
    push(undefined, 'first');
    push('a', 'a');
    push('b', 'b');
    push(undefined, 'after b');
    timer.advance(STEP_MS);
    expect(drawn).toEqual(['first at 0', 'a at 0', 'b at 600', 'after b at 600']);
  });

  it('catches up when more than 20 steps wait: all but the last at once', () => {
    const { timer, pace, drawn, push } = start();
    for (let i = 0; i <= 20; i++) push(String(i), String(i));
    expect(drawn).toHaveLength(20);
    expect(pace.waiting).toBe(1);
    timer.advance(STEP_MS);
    expect(drawn.at(-1)).toBe('20 at 600');
  });

  it('forgets what waits', () => {
    const { timer, pace, drawn, push } = start();
    push('a', 'a');
    pace.clear('node-2');
    expect(pace.waiting).toBe(1);
    pace.clear('node-1');
    timer.advance(STEP_MS);
    expect(drawn).toEqual([]);
  });
});
