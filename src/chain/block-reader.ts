import { BoundedMap } from '../common/bounded-map.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { Transaction } from '../consensus/transaction.js';
import { BlockDamagedError, type ChainStore } from './chain.store.js';
import type { ChainState } from './chain-state.js';

/** A stored transaction, and the block that holds it. */
export interface FoundTransaction {
  readonly node: BlockNode;
  readonly transaction: Transaction;
}

/** What became of some of the ids that were asked for. */
export interface LookedUp {
  /** How many of them were looked up, from the first on. */
  readonly count: number;
  readonly found: Set<Hash>;
}

const MAX_HOLDERS = 20_000;
/** Bytes of blocks that one look-up reads from disk: 1 MiB takes about 5 ms on a busy machine. */
const LOOKUP_BYTES = 6 * 1024 * 1024;
/** What finding and reading even the smallest block costs, in bytes that take as long. */
const READ_BYTES = 64 * 1024;

export interface BlockReaderEvents {
  /** A block was found damaged; told once for each. */
  damaged(error: BlockDamagedError): void;
  mended(node: BlockNode): void;
}

/**
 * Reads stored blocks by their hashes, and entries by their ids. A block whose bytes changed on disk is never handed out:
 * each attempt throws BlockDamagedError until the right bytes are put in its place.
 */
export class BlockReader {
  /** Which block holds an entry, of those asked for lately: a stored block never changes. */
  readonly #holders = new BoundedMap<Hash, BlockNode>(MAX_HOLDERS);
  readonly #damaged = new Map<BlockNode, BlockDamagedError>();

  constructor(
    private readonly store: ChainStore,
    private readonly state: ChainState,
    private readonly events: BlockReaderEvents,
  ) {}

  get damagedBlocks(): ReadonlySet<BlockNode> {
    return new Set(this.#damaged.keys());
  }

  /** @throws BlockDamagedError */
  block(hash: Hash): Block | undefined {
    return this.#read(hash, (node) => this.store.loadBlock(node));
  }

  /** @throws BlockDamagedError */
  blockBytes(hash: Hash): Buffer | undefined {
    return this.#read(hash, (node) => this.store.loadBlockBytes(node));
  }

  /**
   * The entry with this id in the first block for which `isWanted` holds.
   * @param nodes finds blocks by their ids, where some are not in memory yet.
   * @param places where it may be, where that is known already.
   * @throws BlockDamagedError
   */
  findEntry(
    id: Hash,
    isWanted: (node: BlockNode) => boolean,
    nodes: Pick<ChainState, 'nodeById'> = this.state,
    places = this.store.findPlaces([id]).get(id) ?? [],
  ): FoundTransaction | undefined {
    for (const { blockId, offset } of places) {
      const node = nodes.nodeById(blockId);
      if (node === undefined || !isWanted(node)) continue;
      const transaction = this.#guarded(node, () => this.store.loadTransaction(node, offset));
      // The index knows 48 bits of the id.
      if (transaction.id === id) return { node, transaction };
    }
    return undefined;
  }

  /** Is there a block with this entry for which `isWanted` holds? Does not read it again soon. @throws BlockDamagedError */
  hasEntry(id: Hash, isWanted: (node: BlockNode) => boolean): boolean {
    const holder = this.#holders.get(id);
    if (holder !== undefined && isWanted(holder)) return true;
    const found = this.findEntry(id, isWanted);
    if (found !== undefined) this.#holders.set(id, found.node);
    return found !== undefined;
  }

  /**
   * As hasEntry for several ids. Ends before the id for which it would read on after `mostBytes` from disk, by default as
   * many as one turn of the event loop should read; looks up the first in any case.
   * @throws BlockDamagedError
   */
  lookUp(ids: readonly Hash[], isWanted: (node: BlockNode) => boolean, mostBytes = LOOKUP_BYTES): LookedUp {
    const found = new Set<Hash>();
    let read = 0;
    const places = this.store.findPlaces(ids);
    for (const [count, id] of ids.entries()) {
      const candidates = places.get(id);
      if (candidates === undefined) continue;
      const holder = this.#holders.get(id);
      if (holder !== undefined && isWanted(holder)) {
        found.add(id);
        continue;
      }
      for (const { blockId, offset } of candidates) {
        const node = this.state.nodeById(blockId);
        if (node === undefined || !isWanted(node)) continue;
        const isRead = this.store.bytesAtHand(node) === 0;
        if (isRead && count > 0 && read >= mostBytes) return { count, found };
        const transaction = this.#guarded(node, () => this.store.loadTransaction(node, offset));
        if (isRead) read += READ_BYTES + this.store.bytesAtHand(node);
        if (transaction.id !== id) continue;
        this.#holders.set(id, node);
        found.add(id);
        break;
      }
    }
    return { count: ids.length, found };
  }

  /** Puts a block in the place of one that is damaged; `commit` runs the write. */
  mend(block: Block, commit: (work: () => void) => void): void {
    const node = this.state.node(block.hash);
    if (node === undefined || !this.#damaged.has(node)) return;
    commit(() => this.store.mendBlock(block, node));
    this.#damaged.delete(node);
    this.events.mended(node);
  }

  #read<T>(hash: Hash, load: (node: BlockNode) => T): T | undefined {
    const node = this.state.node(hash);
    return node && this.#guarded(node, () => load(node));
  }

  #guarded<T>(node: BlockNode, load: () => T): T {
    const known = this.#damaged.get(node);
    if (known !== undefined) throw known;
    try {
      return load();
    } catch (error) {
      if (error instanceof BlockDamagedError) {
        this.#damaged.set(node, error);
        this.events.damaged(error);
      }
      throw error;
    }
  }
}
