import type { Forks, TreeBlock } from '../../chain/fork-schemas.js';

/** More blocks than this are not kept; they are forgotten from below. */
const MAX_BLOCKS = 6_000;
const KEPT_HEIGHTS = 2_000;

/** A branch beside the chain of somebody. */
export interface SideBranch {
  /** The last block that both have in common. */
  readonly forkHeight: number;
  readonly length: number;
  readonly end: TreeBlock;
  readonly hashes: ReadonlySet<string>;
}

/** All blocks that any of the nodes has reported. */
export class BlockTree {
  readonly #blocks = new Map<string, TreeBlock>();

  get(hash: string): TreeBlock | undefined {
    return this.#blocks.get(hash);
  }

  parentOf(hash: string): string | undefined {
    return this.#blocks.get(hash)?.previousHash;
  }

  add(block: TreeBlock): void {
    const known = this.#blocks.get(block.hash);
    // What is an orphan for one node may have its place for another. The first node that had it says when.
    const isBetter = known === undefined || known.status === 'orphan';
    const receivedMs = Math.min(block.receivedMs, known?.receivedMs ?? Infinity);
    this.#blocks.set(block.hash, { ...(isBetter ? block : known), receivedMs });
    if (this.#blocks.size > MAX_BLOCKS) this.#forget();
  }

  addForks({ blocks }: Forks): void {
    for (const block of blocks) this.add(block);
  }

  /** By descending height. */
  newest(): TreeBlock[] {
    return [...this.#blocks.values()].sort((a, b) => b.height - a.height || b.receivedMs - a.receivedMs);
  }

  /** Hashes of the chain that ends at `tip`, down to a height, as far as its blocks are known. */
  chainOf(tip: string, least: number): Set<string> {
    const hashes = new Set<string>();
    for (let at = this.get(tip); at !== undefined && at.height >= least; at = this.get(at.previousHash)) {
      hashes.add(at.hash);
    }
    return hashes;
  }

  /** The branches beside the chain that ends at `tip`, those with the highest end first. */
  sideBranches(tip: string): SideBranch[] {
    const main = this.chainOf(tip, 0);
    const parents = new Set([...this.#blocks.values()].map(({ previousHash }) => previousHash));
    const ends = [...this.#blocks.values()].filter(({ hash }) => !main.has(hash) && !parents.has(hash));
    return ends
      .flatMap((end) => this.#branchTo(end, main))
      .sort((a, b) => b.end.height - a.end.height || b.forkHeight - a.forkHeight);
  }

  #branchTo(end: TreeBlock, main: ReadonlySet<string>): SideBranch[] {
    const hashes = new Set<string>();
    let at: TreeBlock | undefined = end;
    for (; at !== undefined && !main.has(at.hash); at = this.get(at.previousHash)) hashes.add(at.hash);
    // What leads to no block of the chain is an orphan, or older than what is known.
    return at === undefined ? [] : [{ forkHeight: at.height, length: hashes.size, end, hashes }];
  }

  #forget(): void {
    const least = Math.max(...[...this.#blocks.values()].map(({ height }) => height)) - KEPT_HEIGHTS;
    for (const [hash, { height }] of this.#blocks) if (height < least) this.#blocks.delete(hash);
  }
}
