import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { viewBlock } from './block-view.js';
import type { BlockView, ChainPage, StoredBlock } from './chain-schemas.js';
import type { ChainService } from './chain.service.js';

/** A page of the active chain whose blocks are read one by one, while the caller iterates. */
export interface LazyChainPage extends Omit<ChainPage, 'blocks'> {
  readonly blocks: Iterable<BlockView>;
}

/** What every API shows of the chain. */
export class ChainQueries {
  readonly #chain: Pick<ChainService, 'tip' | 'node' | 'nodeAt' | 'isActive' | 'getBlock'>;

  constructor(chain: Pick<ChainService, 'tip' | 'node' | 'nodeAt' | 'isActive' | 'getBlock'>) {
    this.#chain = chain;
  }

  get height(): number {
    return this.#chain.tip.height;
  }

  /** @param id a height on the active chain, or the hash of any stored block. */
  block(id: number | Hash): StoredBlock | undefined {
    const node = typeof id === 'number' ? this.#chain.nodeAt(id) : this.#chain.node(id);
    if (node === undefined) return undefined;
    return { ...this.#view(node), confirmations: this.confirmations(node) };
  }

  /** Blocks from this one to the tip, both counted; 0 for a block off the active chain. */
  confirmations(node: BlockNode): number {
    return this.#chain.isActive(node) ? this.#chain.tip.height - node.height + 1 : 0;
  }

  /**
   * At most `limit` blocks from height `from` up; without `from`, the newest. A thousand full blocks are a gigabyte, so
   * they are read only as the caller takes them. Which blocks they are is settled now: a reorganisation meanwhile does
   * not mix two chains, because blocks that leave the active chain stay stored.
   */
  page({ from, limit }: { readonly from?: number | undefined; readonly limit: number }): LazyChainPage {
    const { tip } = this.#chain;
    const first = from ?? Math.max(0, tip.height + 1 - limit);
    const nodes: BlockNode[] = [];
    for (let height = first; height < first + limit && height <= tip.height; height++) {
      nodes.push(this.#chain.nodeAt(height)!);
    }
    return { length: tip.height + 1, tip: tip.hash, from: first, blocks: this.#views(nodes) };
  }

  *#views(nodes: readonly BlockNode[]): Generator<BlockView> {
    for (const node of nodes) yield this.#view(node);
  }

  #view(node: BlockNode): BlockView {
    const block = this.#chain.getBlock(node.hash);
    if (block === undefined) throw new Error(`block ${node.hash} at height ${node.height} is known but not stored`);
    return viewBlock(block, node.height);
  }
}
