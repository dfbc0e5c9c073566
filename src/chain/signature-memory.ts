import { BoundedMap } from '../common/bounded-map.js';
import { MAX_BLOCK_TRANSACTIONS } from '../consensus/block.js';
import type { Hash } from '../consensus/codec.js';
import type { CheckedSignatures } from '../consensus/verify-block.js';

/** Signatures that one turn of the event loop checks: about 10 ms on an idle machine. */
export const TURN_SIGNATURES = 100;
/** Two nodes that mine at once put the same entries into two blocks, and either may come first. */
const RECENT = 2 * MAX_BLOCK_TRANSACTIONS;

/** Entries whose signatures need no second check: those of the last blocks, and what others say that they have checked. */
export class SignatureMemory implements CheckedSignatures {
  readonly #recent = new BoundedMap<Hash, true>(RECENT);
  readonly #others: Pick<CheckedSignatures, 'has'>[] = [];

  has(id: Hash): boolean {
    return this.#recent.has(id) || this.#others.some((other) => other.has(id));
  }

  add(id: Hash): void {
    this.#recent.set(id, true);
  }

  /** Entries that `other` has are checked, too. */
  trust(other: Pick<CheckedSignatures, 'has'>): void {
    this.#others.push(other);
  }
}
