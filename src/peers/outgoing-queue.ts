import type { Channel } from './channel.js';

/**
 * The messages that a session still has to send: an urgent lane (announcements, pings, requests) ahead of a bulk lane
 * (blocks, headers). A slow reader fills it; when it overflows the session ends, so memory per peer stays bounded.
 */
export class OutgoingQueue {
  readonly #lanes: [Uint8Array[], Uint8Array[]] = [[], []];
  #bytes = 0;
  #blocked = false;

  constructor(
    private readonly channel: Channel,
    private readonly limitBytes: number,
    private readonly limitMessages: number,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** Queues a message and sends what the channel takes. False: the queue is full, and the message is not in it. */
  push(bytes: Uint8Array, bulk: boolean): boolean {
    const [urgent, later] = this.#lanes;
    if (this.#bytes + bytes.length > this.limitBytes || urgent.length + later.length >= this.limitMessages)
      return false;
    (bulk ? later : urgent).push(bytes);
    this.#bytes += bytes.length;
    if (!this.#blocked) this.#flush();
    return true;
  }

  drained(): void {
    this.#blocked = false;
    this.#flush();
  }

  /** Forgets what is not sent yet. */
  clear(): void {
    for (const lane of this.#lanes) lane.length = 0;
    this.#bytes = 0;
  }

  #flush(): void {
    for (const lane of this.#lanes) {
      while (lane.length > 0 && !this.#blocked) {
        const bytes = lane.shift()!;
        this.#bytes -= bytes.length;
        this.#blocked = !this.channel.send(bytes);
      }
    }
  }
}

/** The queues of all sessions together: where they hold too much, the session that holds the most ends. */
export class OutgoingMemory {
  readonly #queues = new Map<OutgoingQueue, () => void>();

  constructor(private readonly limitBytes: number) {}

  /** @param end ends the session, which removes the queue. */
  add(queue: OutgoingQueue, end: () => void): void {
    this.#queues.set(queue, end);
  }

  remove(queue: OutgoingQueue): void {
    this.#queues.delete(queue);
  }

  makeRoom(): void {
    let total = 0;
    let largest: OutgoingQueue | undefined;
    for (const queue of this.#queues.keys()) {
      total += queue.bytes;
      if (queue.bytes > (largest?.bytes ?? 0)) largest = queue;
    }
    if (total > this.limitBytes) this.#queues.get(largest!)!();
  }
}
