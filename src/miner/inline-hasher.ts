import { systemClock, type Clock, type Timer } from '../common/clock.js';
import { HashPace } from './hash-pace.js';
import type { Hasher, SearchResult } from './hasher.js';
import { createKernel, type Kernel } from './kernel/kernel.js';

/** About 2 ms of work: short enough for the other work of the thread not to suffer. */
const SLICE_NONCES = 512;
const DEFAULT_NONCES = 2 ** 32;

/**
 * Searches in the calling thread with node:crypto, in slices with a turn of the event loop between them. For `threads = 0`
 * and for simulations: it starts at nonce 0, so the same header always gives the same nonce. Without a limit, it looks at no
 * clock, and a nonce of the first slice is found within a microtask.
 */
export class InlineHasher implements Hasher {
  readonly #kernel: Kernel = createKernel({ kind: 'crypto' });
  readonly #nonces: number;
  readonly #clock: Clock;
  readonly #pace = new HashPace();
  #hashesPerSecond: number;
  /** Goes on with the search that waits because of the limit. */
  #resume: (() => void) | undefined;
  #hashesDone = 0;
  #cancelCurrent: (() => void) | undefined;

  /** @param options `nonces`: how many a header has before it counts as exhausted; `maxHashRate`: see Hasher.limit. */
  constructor(options: { readonly nonces?: number; readonly clock?: Clock; readonly maxHashRate?: number } = {}) {
    this.#nonces = options.nonces ?? DEFAULT_NONCES;
    this.#clock = options.clock ?? systemClock;
    this.#hashesPerSecond = options.maxHashRate ?? 0;
  }

  get hashesDone(): number {
    return this.#hashesDone;
  }

  async start(): Promise<void> {}

  limit(hashesPerSecond: number): void {
    this.#hashesPerSecond = hashesPerSecond;
    this.#resume?.();
  }

  search(header: Buffer, target: Buffer): Promise<SearchResult> {
    this.cancel();
    this.#kernel.setJob(header, target);
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (result: SearchResult): void => {
        timer?.cancel();
        this.#resume = undefined;
        this.#cancelCurrent = undefined;
        resolve(result);
      };
      let cancelled = false;
      this.#cancelCurrent = () => {
        cancelled = true;
        settle({ kind: 'cancelled' });
      };
      const wait = (start: number, waitMs: number): void => {
        this.#resume = () => {
          timer?.cancel();
          this.#resume = undefined;
          slice(start);
        };
        timer = this.#clock.after(waitMs, this.#resume);
      };
      const slice = (start: number): void => {
        if (cancelled) return;
        const limit = this.#hashesPerSecond;
        const nowMs = limit === 0 ? 0 : this.#clock.monotonicMs();
        const waitMs = this.#pace.waitMs(nowMs, limit);
        if (waitMs > 0) return wait(start, waitMs);
        const count = this.#pace.piece(Math.min(SLICE_NONCES, this.#nonces - start), limit);
        const offset = this.#kernel.scan(start, count);
        const hashes = offset < 0 ? count : offset + 1;
        this.#hashesDone += hashes;
        this.#pace.did(hashes, nowMs);
        if (offset >= 0) settle({ kind: 'found', nonce: start + offset });
        else if (start + count >= this.#nonces) settle({ kind: 'exhausted' });
        else setImmediate(slice, start + count);
      };
      slice(0);
    });
  }

  cancel(): void {
    this.#cancelCurrent?.();
  }

  async stop(): Promise<void> {
    this.cancel();
  }
}
