import type { Peer } from './peer.js';

const FIRST_TIMEOUT_MS = 2_000;
const MAX_TIMEOUT_MS = 64_000;
/** Few, so that the first answer of a slow link does not take longer than its timeout, however big the blocks are. */
const FIRST_BATCH_BLOCKS = 2;
export const MAX_BATCH_BLOCKS = 128;

interface Pace {
  readonly timeoutMs: number;
  readonly batchBlocks: number;
}

const FIRST: Pace = { timeoutMs: FIRST_TIMEOUT_MS, batchBlocks: FIRST_BATCH_BLOCKS };

/** How many blocks each peer is asked for at a time, and how long it has to answer; both follow how it answers. */
export class RequestPace {
  readonly #paces = new WeakMap<Peer, Pace>();

  timeoutMs(peer: Peer): number {
    return this.#paceOf(peer).timeoutMs;
  }

  batchBlocks(peer: Peer): number {
    return this.#paceOf(peer).batchBlocks;
  }

  /** Was it silent lately? Then it is asked only where no other peer is left. */
  isSlow(peer: Peer): boolean {
    return this.timeoutMs(peer) > FIRST_TIMEOUT_MS;
  }

  /** A quick answer earns bigger requests and a shorter timeout; one that nearly came too late, smaller requests. */
  answered(peer: Peer, tookMs: number): void {
    const { timeoutMs, batchBlocks } = this.#paceOf(peer);
    if (tookMs <= timeoutMs / 2) {
      this.#paces.set(peer, {
        timeoutMs: Math.max(FIRST_TIMEOUT_MS, Math.floor(timeoutMs * 0.85)),
        batchBlocks: Math.min(MAX_BATCH_BLOCKS, batchBlocks * 2),
      });
    } else if (tookMs > timeoutMs * 0.75) {
      this.#paces.set(peer, { timeoutMs, batchBlocks: Math.max(1, batchBlocks >> 1) });
    }
  }

  /** It sent nothing, perhaps because it lacks one of the blocks: a smaller request may still bring the others. */
  gaveNothing(peer: Peer): void {
    const { timeoutMs, batchBlocks } = this.#paceOf(peer);
    this.#paces.set(peer, { timeoutMs, batchBlocks: Math.max(1, batchBlocks >> 2) });
  }

  timedOut(peer: Peer): void {
    const { timeoutMs, batchBlocks } = this.#paceOf(peer);
    this.#paces.set(peer, {
      timeoutMs: Math.min(MAX_TIMEOUT_MS, timeoutMs * 2),
      batchBlocks: Math.max(1, batchBlocks >> 2),
    });
  }

  #paceOf(peer: Peer): Pace {
    return this.#paces.get(peer) ?? FIRST;
  }
}
