import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { waitFor } from '../../test/support/wait.js';
import { EventRing } from './event-ring.js';
import { EventStreams } from './event-streams.js';

/** A client that reads, or not; what it does not read waits here. */
class Client extends Writable {
  received = '';
  #pause: (() => void) | undefined;

  constructor(private isReading = true) {
    super({ highWaterMark: 1_000 });
    this.on('error', () => {});
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.received += String(chunk);
    if (this.isReading) done();
    else this.#pause = done;
  }

  read(): void {
    this.isReading = true;
    this.#pause?.();
  }

  get numbers(): number[] {
    return [...this.received.matchAll(/^id: b-(\d+)$/gm)].map(([, number]) => Number(number));
  }
}

let clock: VirtualClock;
let ring: EventRing;
let streams: EventStreams;
let sent: number;
let dropped: number;

function tell(count = 1): void {
  for (let i = 0; i < count; i++) ring.add({ type: 'test', atMs: i });
  streams.notify();
}

function open(client: Client, number = ring.last): Client {
  streams.open({ sink: client, host: undefined, head: 'head\n\n', number });
  return client;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

beforeEach(() => {
  [sent, dropped] = [0, 0];
  clock = new VirtualClock();
  ring = new EventRing(100, () => 'b');
  streams = new EventStreams(ring, clock, {
    sent: (events) => (sent += events),
    dropped: () => (dropped += 1),
  });
});

describe('EventStreams', () => {
  it('writes what comes to all of them, in one piece for each turn', async () => {
    const writes: string[] = [];
    const clients = [open(new Client()), open(new Client())];
    vi.spyOn(clients[0]!, 'write').mockImplementation((chunk: string) => {
      writes.push(chunk);
      clients[0]!.received += chunk;
      return true;
    });
    tell();
    tell(4);
    await nextTurn();
    for (const client of clients) expect(client.numbers).toEqual(range(1, 5));
    expect(writes).toHaveLength(1);
    expect(sent).toBe(10);
  });

  it('begins with the head, then with what came after the number', () => {
    tell(7);
    const client = open(new Client(), 4);
    expect(client.received).toMatch(/^head\n\nid: b-5\n/);
    expect(client.numbers).toEqual([5, 6, 7]);
  });

  it('gives a client that reads late all that the ring has, in order', async () => {
    const client = open(new Client(false));
    for (let i = 0; i < 90; i++) {
      tell();
      await nextTurn();
    }
    expect(client.numbers.length).toBeLessThan(40);
    client.read();
    await waitFor('it has all', () => client.numbers.length === 90);
    expect(client.numbers).toEqual(range(1, 90));
    expect(dropped).toBe(0);
  });

  it('drops a slow reader when the ring has lost its next event, and keeps nothing for it', async () => {
    const slow = open(new Client(false));
    const quick = open(new Client());
    for (let i = 0; i < 5_000; i++) {
      tell();
      if (i % 50 === 0) await nextTurn();
      // One write, beyond the mark at which it is told to wait.
      expect(slow.writableLength).toBeLessThan(5_000);
    }
    await nextTurn();
    expect([streams.size, dropped, slow.destroyed]).toEqual([1, 1, true]);
    expect(quick.numbers).toEqual(range(1, 5_000));
  });

  it('loses nothing of many events in one turn', async () => {
    const client = open(new Client());
    tell(60);
    for (let i = 0; i < 500; i++) tell();
    await waitFor('it has all', () => client.numbers.length === 560);
    expect(dropped).toBe(0);
  });

  it('drops a reader that reads nothing from one heartbeat to the next, and not one that is idle', async () => {
    const slow = open(new Client(false));
    const idle = open(new Client());
    tell(20);
    await nextTurn();
    await clock.advance(15_000);
    expect(streams.size).toBe(2);
    await clock.advance(15_000);
    expect([streams.size, dropped, slow.destroyed]).toEqual([1, 1, true]);
    expect(idle.destroyed).toBe(false);
  });

  it('keeps a reader that reads a little between two heartbeats', async () => {
    const client = open(new Client(false));
    tell(20);
    await nextTurn();
    await clock.advance(20_000);
    client.read();
    await nextTurn();
    await clock.advance(60_000);
    expect([streams.size, dropped]).toEqual([1, 0]);
  });

  it('sends a comment every 15 seconds, which takes no number, and needs no timer without streams', async () => {
    expect(clock.pendingTimers).toBe(0);
    const client = open(new Client());
    await clock.advance(46_000);
    expect(client.received).toBe('head\n\n:\n\n:\n\n:\n\n');
    tell();
    await nextTurn();
    expect(client.numbers).toEqual([1]);
    client.destroy();
    await nextTurn();
    expect([streams.size, clock.pendingTimers, dropped]).toEqual([0, 0, 0]);
  });

  it('ends all streams', async () => {
    const clients = [open(new Client()), open(new Client(false))];
    tell(20);
    await nextTurn();
    streams.end();
    expect([streams.size, clock.pendingTimers]).toEqual([0, 0]);
    await waitFor('they are closed', () => clients.every(({ closed }) => closed));
    expect(dropped).toBe(0);
  });
});
