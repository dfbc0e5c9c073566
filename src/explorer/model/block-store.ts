import { signal } from '@preact/signals';
import type { TreeBlock } from '../tree/tree-block.js';
import type { ForkBlock, Forks } from './wire.js';

/** A block that some node of the network has. */
export interface KnownBlock extends TreeBlock {
  /** Sum of work of its chain, as 64 hex digits; undefined for orphans. */
  readonly chainWork: string | undefined;
  /** When each node got it, by node id: milliseconds since the epoch, by that node's clock. */
  readonly receivedMs: ReadonlyMap<string, number>;
}

/** All blocks that the page has heard of, from whichever node. */
export class BlockStore {
  readonly #blocks = new Map<string, KnownBlock>();
  /** Changes with every change of the store. */
  readonly version = signal(0);

  get(hash: string): KnownBlock | undefined {
    return this.#blocks.get(hash);
  }

  all(): readonly KnownBlock[] {
    return [...this.#blocks.values()];
  }

  get size(): number {
    return this.#blocks.size;
  }

  /** @returns whether no node had it before. */
  add(block: ForkBlock, nodeId: string): boolean {
    const isNew = this.#put(block, nodeId);
    this.version.value++;
    return isNew;
  }

  /** What a node has at these heights. */
  addForks(forks: Forks, nodeId: string): void {
    for (const block of forks.blocks) this.#put(block, nodeId);
    const active = new Map(
      forks.blocks.filter(({ status }) => status === 'active').map((block) => [block.height, block]),
    );
    for (const { from, to, count } of forks.runs) {
      // The block above names the last of the run; the one below stands before its first.
      const hash = active.get(to + 1)?.previousHash;
      const parent = active.get(from - 1)?.hash;
      if (hash === undefined || this.#blocks.has(hash)) continue;
      const run = { hash, parent: parent ?? `below ${from}`, height: to, run: count, miner: '', entries: 0 };
      this.#blocks.set(hash, { ...run, chainWork: undefined, receivedMs: new Map() });
    }
    this.version.value++;
  }

  /**
   * Puts the newest blocks of a run, now that they are known one by one, in its place.
   * @param rest heights of the run that stay one.
   */
  openRun(
    hash: string,
    blocks: readonly ForkBlock[],
    nodeId: string,
    rest: { from: number; to: number } | undefined,
  ): void {
    const run = this.#blocks.get(hash);
    const lowest = blocks[0]?.previousHash;
    if (run?.run === undefined || lowest === undefined) return;
    this.#blocks.delete(hash);
    if (rest !== undefined) {
      this.#blocks.set(lowest, { ...run, hash: lowest, height: rest.to, run: rest.to - rest.from + 1 });
    }
    for (const block of blocks) this.#put(block, nodeId);
    this.version.value++;
  }

  parentOf(hash: string): string | undefined {
    const block = this.#blocks.get(hash);
    // Inside of a run nothing is known.
    return block?.run === undefined ? block?.parent : undefined;
  }

  #put(block: ForkBlock, nodeId: string): boolean {
    const known = this.#blocks.get(block.hash);
    const receivedMs = new Map(known?.receivedMs).set(nodeId, block.receivedMs);
    const isOrphan = block.status === 'orphan' && (known === undefined || known.isOrphan === true);
    this.#blocks.set(block.hash, {
      hash: block.hash,
      parent: block.previousHash,
      height: block.height,
      miner: block.miner ?? known?.miner ?? '',
      entries: block.entries ?? known?.entries ?? 0,
      chainWork: block.chainWork ?? known?.chainWork,
      receivedMs,
      isOrphan,
    });
    return known === undefined;
  }
}
