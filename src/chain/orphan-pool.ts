import type { Block } from '../consensus/block.js';
import type { Hash } from '../consensus/codec.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';

export interface OrphanLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** Enough for blocks that overtake each other on the way; a longer gap is filled by a sync, which needs no pool. */
export const ORPHAN_LIMITS: OrphanLimits = { maxCount: 200, maxBytes: 16 * 1024 * 1024, maxAgeMs: 10 * 60_000 };

/** A block that waits for its parent. */
export interface Orphan {
  readonly block: VerifiedBlock;
  /** Wall time, as it is stored with the block. */
  readonly receivedMs: number;
  /** Monotonic. */
  readonly addedAtMs: number;
}

/** Blocks whose parent is unknown, until it arrives. Bounded in number, bytes and age; the oldest make way. */
export class OrphanPool {
  /** Oldest first. */
  readonly #orphans = new Map<Hash, Orphan>();
  readonly #byParent = new Map<Hash, Set<Hash>>();
  #bytes = 0;

  constructor(private readonly limits: OrphanLimits = ORPHAN_LIMITS) {}

  get count(): number {
    return this.#orphans.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Oldest first. */
  get all(): Iterable<Orphan> {
    return this.#orphans.values();
  }

  has(hash: Hash): boolean {
    return this.#orphans.has(hash);
  }

  get(hash: Hash): Block | undefined {
    return this.#orphans.get(hash)?.block;
  }

  /**
   * Keeps a block (once), and drops the oldest ones that are then too many.
   * @param receivedMs wall time.
   * @param addedAtMs monotonic, as in `expire`.
   */
  add(block: VerifiedBlock, receivedMs: number, addedAtMs: number): void {
    if (this.#orphans.has(block.hash)) return;
    this.#orphans.set(block.hash, { block, receivedMs, addedAtMs });
    this.#bytes += block.bytes.length;
    const siblings = this.#byParent.get(block.header.previousHash);
    if (siblings === undefined) this.#byParent.set(block.header.previousHash, new Set([block.hash]));
    else siblings.add(block.hash);
    for (const hash of this.#orphans.keys()) {
      if (this.#orphans.size <= this.limits.maxCount && this.#bytes <= this.limits.maxBytes) break;
      this.remove(hash);
    }
  }

  /** Drops what has waited too long. */
  expire(nowMs: number): void {
    for (const [hash, { addedAtMs }] of this.#orphans) {
      if (nowMs - addedAtMs < this.limits.maxAgeMs) break;
      this.remove(hash);
    }
  }

  /** The orphans that wait for this block. */
  childrenOf(hash: Hash): Orphan[] {
    return [...(this.#byParent.get(hash) ?? [])].map((child) => this.#orphans.get(child)!);
  }

  /** The first ancestor of the block that is not here, seen from the block down. */
  missingAncestor(block: Block): Hash {
    let missing = block.header.previousHash;
    for (let orphan; (orphan = this.#orphans.get(missing)) !== undefined;) missing = orphan.block.header.previousHash;
    return missing;
  }

  remove(hash: Hash): void {
    const orphan = this.#orphans.get(hash);
    if (orphan === undefined) return;
    const { block } = orphan;
    this.#orphans.delete(hash);
    this.#bytes -= block.bytes.length;
    const siblings = this.#byParent.get(block.header.previousHash)!;
    siblings.delete(hash);
    if (siblings.size === 0) this.#byParent.delete(block.header.previousHash);
  }
}
