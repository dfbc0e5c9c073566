import { describe, expect, it } from 'vitest';
import { EventRing } from './event-ring.js';

function ringWith(events: number, size = 10): EventRing {
  const ring = new EventRing(size, () => 'b00t');
  for (let atMs = 1; atMs <= events; atMs++) ring.add({ type: 'test', atMs });
  return ring;
}

const ALL = Number.MAX_SAFE_INTEGER;

describe('EventRing', () => {
  it('numbers events from 1', () => {
    expect(ringWith(0)).toMatchObject({ last: 0, first: 1 });
    expect(ringWith(3)).toMatchObject({ last: 3, first: 1 });
    expect(ringWith(3).idOf(3)).toBe('b00t-3');
  });

  it('keeps the newest', () => {
    const ring = ringWith(25);
    expect(ring).toMatchObject({ last: 25, first: 16 });
    const { text, last } = ring.textAfter(15, ALL);
    expect(last).toBe(25);
    expect(text.match(/^id: .*$/gm)).toEqual(Array.from({ length: 10 }, (_, i) => `id: b00t-${i + 16}`));
  });

  it('writes events as the standard has it', () => {
    expect(ringWith(2).textAfter(1, ALL).text).toBe('id: b00t-2\nevent: test\ndata: {"type":"test","atMs":2}\n\n');
  });

  it('never breaks a line of data, whatever is in it', () => {
    const ring = new EventRing(10, () => 'b00t');
    ring.add({ type: 'test', atMs: 1, text: 'a\nb\r\nc\rid: 7\n\n' } as never);
    expect(ring.textAfter(0, ALL).text.split(/\r\n|\r|\n/)).toHaveLength(5);
  });

  it('gives at least one event, and about as much as was asked for', () => {
    const ring = ringWith(10);
    const { length } = ring.textAfter(0, 1).text;
    expect(ring.textAfter(0, 1).last).toBe(1);
    expect(ring.textAfter(0, length * 4).last).toBeLessThan(6);
    expect(ring.textAfter(10, ALL)).toEqual({ text: '', last: 10 });
  });

  it('goes on only from where nothing is missing', () => {
    const ring = ringWith(25);
    expect(['b00t-25', 'b00t-20', 'b00t-15'].map((id) => ring.resume(id))).toEqual([25, 20, 15]);
    const refused = ['b00t-14', 'b00t-0', 'b00t-26', 'other-20', '', '20', 'b00t-', 'b00t-x', 'b00t--1', 'b00t-020'];
    expect(refused.map((id) => ring.resume(id))).toEqual(refused.map(() => undefined));
    expect(ringWith(0).resume('b00t-0')).toBe(0);
    expect(ringWith(10).resume('b00t-0')).toBe(0);
    expect(ringWith(11).resume('b00t-0')).toBeUndefined();
  });
});
