import { formatBits, targetOf } from '../consensus/target.js';

/** Injection token of the node's Hasher. */
export const HASHER = Symbol('Hasher');

export type SearchResult =
  | { readonly kind: 'found'; readonly nonce: number }
  /** By cancel(), by a later search() or by stop(). */
  | { readonly kind: 'cancelled' }
  /** All 2^32 nonces were tried: the next search needs another header. */
  | { readonly kind: 'exhausted' };

/**
 * The port through which proof of work is done. It knows nothing of chains: it varies the nonce of a header until the
 * header's hash is at most the target. Nobody needs to trust its results: the chain checks every block again.
 */
export interface Hasher {
  /** Gets ready (starts threads); does nothing when it is ready already. */
  start(): Promise<void>;
  /**
   * Searches until found, cancelled or exhausted. A second search cancels the first.
   * @param header 80 bytes; the nonce in it is ignored.
   * @param target 32 bytes, little endian (see encodeTarget).
   * @throws Error (by rejecting) when no thread is left that could search.
   */
  search(header: Buffer, target: Buffer): Promise<SearchResult>;
  /** Ends the search that runs, if any: its promise resolves at once, and the threads are free within a few ms. */
  cancel(): void;
  /**
   * From now on tries at most so many hashes per second, all threads together: what it tries is real, and it waits in
   * between. 0 = no limit.
   */
  limit(hashesPerSecond: number): void;
  /** Hashes tried since the process began. */
  readonly hashesDone: number;
  /** Cancels, and ends the threads. A later start() begins anew. */
  stop(): Promise<void>;
}

/** The target of `bits` as 32 bytes, little endian. @throws RangeError for bits that stand for no target. */
export function encodeTarget(bits: number): Buffer {
  const target = targetOf(bits);
  if (target === undefined) throw new RangeError(`bits ${formatBits(bits)} stand for no target`);
  return Buffer.from(target.toString(16).padStart(64, '0'), 'hex').reverse();
}
