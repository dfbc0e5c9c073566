import { openBlock } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { viewBlock, type LazyBlockView } from './block-view.js';
import type { ChainPage, HeaderPage, NetworkView, StoredBlock } from './chain-schemas.js';
import type { ChainService } from './chain.service.js';
import { viewNetwork } from './network-view.js';

/** A page: `from` is the height that it begins at; without it, the page holds the newest. */
export interface PageRequest {
  readonly from?: number | undefined;
  readonly limit: number;
}

export type LazyStoredBlock = LazyBlockView & Pick<StoredBlock, 'confirmations'>;

/** A page of the active chain whose blocks are read one by one, while the caller iterates. */
export interface LazyChainPage extends Omit<ChainPage, 'blocks'> {
  readonly blocks: Iterable<LazyBlockView>;
}

type Chain = Pick<ChainService, 'params' | 'tip' | 'node' | 'nodeAt' | 'isActive' | 'getBlockBytes' | 'getHeaderBytes'>;

/** What every API shows of the chain. */
export class ChainQueries {
  readonly #chain: Chain;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  network(): NetworkView {
    return viewNetwork(this.#chain.params);
  }

  get height(): number {
    return this.#chain.tip.height;
  }

  /** @param id a height on the active chain, or the hash of any stored block. */
  block(id: number | Hash): LazyStoredBlock | undefined {
    const node = this.#find(id);
    return node && { ...this.#view(node), confirmations: this.confirmations(node) };
  }

  /** Header and body as they are hashed and stored. @param id as for block(). */
  blockBytes(id: number | Hash): Buffer | undefined {
    const node = this.#find(id);
    return node && this.#bytes(node);
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
  page(request: PageRequest): LazyChainPage {
    const { tip } = this.#chain;
    const { limit } = request;
    const first = this.#firstOf(request);
    const nodes: BlockNode[] = [];
    for (let height = first; height < first + limit && height <= tip.height; height++) {
      nodes.push(this.#chain.nodeAt(height)!);
    }
    return { length: tip.height + 1, tip: tip.hash, from: first, blocks: this.#views(nodes) };
  }

  /** Headers of the active chain, as page() gives its blocks. */
  headers(request: PageRequest): HeaderPage {
    const { tip } = this.#chain;
    const from = this.#firstOf(request);
    const headers = this.#chain.getHeaderBytes(from, request.limit).map((header) => header.toString('hex'));
    return { length: tip.height + 1, tip: tip.hash, from, headers };
  }

  #firstOf({ from, limit }: PageRequest): number {
    return from ?? Math.max(0, this.#chain.tip.height + 1 - limit);
  }

  #find(id: number | Hash): BlockNode | undefined {
    return typeof id === 'number' ? this.#chain.nodeAt(id) : this.#chain.node(id);
  }

  *#views(nodes: readonly BlockNode[]): Generator<LazyBlockView> {
    for (const node of nodes) yield this.#view(node);
  }

  #view(node: BlockNode): LazyBlockView {
    return viewBlock(openBlock(this.#bytes(node)), node.height);
  }

  #bytes(node: BlockNode): Buffer {
    const bytes = this.#chain.getBlockBytes(node.hash);
    if (bytes === undefined) throw new Error(`block ${node.hash} at height ${node.height} is known but not stored`);
    return bytes;
  }
}
