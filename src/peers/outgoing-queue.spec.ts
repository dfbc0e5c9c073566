import { describe, expect, it } from 'vitest';
import type { Channel } from './channel.js';
import { OutgoingMemory, OutgoingQueue } from './outgoing-queue.js';

/** Takes `room` messages, then none until there is room again. */
class NarrowChannel implements Channel {
  readonly remoteHost = 'narrow';
  readonly sent: string[] = [];
  room = 0;

  open(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {}
  send(bytes: Uint8Array): boolean {
    this.sent.push(Buffer.from(bytes).toString());
    this.room -= 1;
    return this.room > 0;
  }
}

describe('OutgoingQueue', () => {
  const create = (room: number): { channel: NarrowChannel; queue: OutgoingQueue } => {
    const channel = new NarrowChannel();
    channel.room = room;
    return { channel, queue: new OutgoingQueue(channel, 10, 5) };
  };
  const push = (queue: OutgoingQueue, text: string, bulk = false): boolean => queue.push(Buffer.from(text), bulk);

  it('sends at once while the channel takes messages', () => {
    const { channel, queue } = create(3);
    for (const text of ['a', 'b']) expect(push(queue, text, true)).toBe(true);
    expect(channel.sent).toEqual(['a', 'b']);
    expect(queue.bytes).toBe(0);
  });

  it('keeps the order within a lane, and sends the urgent lane first', () => {
    const { channel, queue } = create(1);
    push(queue, '-');
    for (const text of ['B1', 'B2']) push(queue, text, true);
    for (const text of ['u1', 'u2']) push(queue, text);
    expect(channel.sent).toEqual(['-']);
    expect(queue.bytes).toBe(8);
    channel.room = 3;
    queue.drained();
    expect(channel.sent).toEqual(['-', 'u1', 'u2', 'B1']);
    channel.room = 9;
    queue.drained();
    expect(channel.sent.at(-1)).toBe('B2');
    expect(queue.bytes).toBe(0);
  });

  it('waits for every drain anew', () => {
    const { channel, queue } = create(1);
    for (const text of ['1', '2', '3']) push(queue, text);
    for (const expected of [['1'], ['1', '2'], ['1', '2', '3']]) {
      expect(channel.sent).toEqual(expected);
      channel.room = 1;
      queue.drained();
    }
  });

  it('refuses what would be too many bytes, or too many messages, and keeps the rest', () => {
    const { channel, queue } = create(1);
    push(queue, '-');
    expect(push(queue, '0123456789')).toBe(true);
    expect(push(queue, 'x', true)).toBe(false);
    channel.room = 1;
    queue.drained();
    for (let count = 0; count < 5; count++) expect(push(queue, '.', count % 2 === 0)).toBe(true);
    expect(push(queue, '')).toBe(false);
    channel.room = 99;
    queue.drained();
    expect(channel.sent.join('')).toBe('-0123456789.....');
  });

  it('forgets what waits when it is cleared', () => {
    const { channel, queue } = create(1);
    for (const text of ['1', '2']) push(queue, text);
    queue.clear();
    queue.drained();
    expect(channel.sent).toEqual(['1']);
    expect(queue.bytes).toBe(0);
  });
});

describe('OutgoingMemory', () => {
  it('ends the session with the most to send where all together have too much', () => {
    const memory = new OutgoingMemory(20);
    const ended: number[] = [];
    const queues = [3, 9, 5].map((bytes, index) => {
      const channel = new NarrowChannel();
      const queue = new OutgoingQueue(channel, 100, 5);
      memory.add(queue, () => {
        ended.push(index);
        memory.remove(queue);
      });
      queue.push(Buffer.from('-'), true);
      queue.push(Buffer.alloc(bytes), true);
      memory.makeRoom();
      return queue;
    });
    expect(ended).toEqual([]);
    queues[2]!.push(Buffer.alloc(4), true);
    memory.makeRoom();
    expect(ended).toEqual([1]);
    queues[0]!.push(Buffer.alloc(7), true);
    memory.makeRoom();
    expect(ended).toEqual([1]);
  });
});
