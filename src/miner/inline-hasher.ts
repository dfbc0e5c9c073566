import type { Hasher, SearchResult } from './hasher.js';
import { createKernel, type Kernel } from './kernel/kernel.js';

/** About 2 ms of work: short enough for the other work of the thread not to suffer. */
const SLICE_NONCES = 512;
const DEFAULT_NONCES = 2 ** 32;

/**
 * Searches in the calling thread with node:crypto, in slices with a turn of the event loop between them. For `threads = 0`
 * and for simulations: it starts at nonce 0 and looks at no clock, so the same header always gives the same nonce. A
 * nonce of the first slice is found within a microtask.
 */
export class InlineHasher implements Hasher {
  readonly #kernel: Kernel = createKernel({ kind: 'crypto' });
  readonly #nonces: number;
  #hashesDone = 0;
  #cancelCurrent: (() => void) | undefined;

  /** @param options `nonces`: how many a header has before it counts as exhausted. */
  constructor(options: { readonly nonces?: number } = {}) {
    this.#nonces = options.nonces ?? DEFAULT_NONCES;
  }

  get hashesDone(): number {
    return this.#hashesDone;
  }

  async start(): Promise<void> {}

  search(header: Buffer, target: Buffer): Promise<SearchResult> {
    this.cancel();
    this.#kernel.setJob(header, target);
    return new Promise((resolve) => {
      let cancelled = false;
      const settle = (result: SearchResult): void => {
        this.#cancelCurrent = undefined;
        resolve(result);
      };
      this.#cancelCurrent = () => {
        cancelled = true;
        settle({ kind: 'cancelled' });
      };
      const slice = (start: number): void => {
        if (cancelled) return;
        const count = Math.min(SLICE_NONCES, this.#nonces - start);
        const offset = this.#kernel.scan(start, count);
        this.#hashesDone += offset < 0 ? count : offset + 1;
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
