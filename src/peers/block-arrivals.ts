import type { Hash } from '../consensus/codec.js';
import type { Peer } from './peer.js';

/** A block up to this size is verified at once, unless others of its peer wait: it has at most some 2,700 transactions. */
const SMALL_BYTES = 32 * 1024;
/** Blocks of one peer that wait to be verified. Honest peers announce at most a handful at a time. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface ArrivedBlock {
  readonly hash: Hash;
  readonly parent: Hash;
  readonly raw: Uint8Array;
}

interface Queue {
  waitingBytes: number;
  last: Promise<unknown>;
}

/**
 * Has announced blocks verified one after the other: those of one peer in the order in which they came, and a block that several
 * peers announce only once.
 */
export class BlockArrivals {
  readonly #queues = new Map<Peer, Queue>();
  readonly #underWay = new Map<Hash, Promise<unknown>>();

  /** Can the peer's block be verified at once, within this turn? */
  isSmall(peer: Peer, raw: Uint8Array): boolean {
    return raw.length <= SMALL_BYTES && !this.#queues.has(peer);
  }

  /** Do too many of the peer's blocks wait already to take this one? */
  isFull(peer: Peer, raw: Uint8Array): boolean {
    const waitingBytes = this.#queues.get(peer)?.waitingBytes ?? 0;
    return waitingBytes > 0 && waitingBytes + raw.length > MAX_WAITING_BYTES;
  }

  /**
   * Runs `work` once the peer's earlier blocks are done, and the same block and its parent of other peers are, too.
   * @throws what `work` throws.
   */
  async inTurn<T>(peer: Peer, { hash, parent, raw }: ArrivedBlock, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(peer) ?? { waitingBytes: 0, last: Promise.resolve() };
    this.#queues.set(peer, queue);
    queue.waitingBytes += raw.length;
    const others = [hash, parent].flatMap((other) => this.#underWay.get(other) ?? []);
    const done = this.#after([queue.last, ...others], work);
    const settled = done.catch(() => {});
    queue.last = settled;
    this.#underWay.set(hash, settled);
    try {
      return await done;
    } finally {
      queue.waitingBytes -= raw.length;
      if (queue.last === settled) this.#queues.delete(peer);
      if (this.#underWay.get(hash) === settled) this.#underWay.delete(hash);
    }
  }

  async #after<T>(others: readonly Promise<unknown>[], work: () => Promise<T>): Promise<T> {
    await Promise.all(others);
    return work();
  }
}
