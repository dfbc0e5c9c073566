import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { planReorg } from '../consensus/fork-choice.js';
import type { AcceptOutcome, StoredBlock, TipChange } from './chain.events.js';
import type { ChainState } from './chain-state.js';

/** Outcome of a block that is stored now. */
export type StoredOutcome = Extract<AcceptOutcome, { node: BlockNode }>;

/**
 * What one commit is about to change in memory. The blocks of a batch see those before them through it; it becomes
 * true with apply(), after the commit, or is dropped whole when the commit fails.
 */
export class Draft {
  tip: BlockNode;
  readonly #stored = new Map<Hash, { readonly block: Block; readonly outcome: StoredOutcome }>();
  readonly #byId = new Map<number, BlockNode>();

  constructor(private readonly state: ChainState) {
    this.tip = state.tip;
  }

  /** Newly stored blocks in order, with what became of each. */
  get stored(): StoredBlock[] {
    return [...this.#stored.values()];
  }

  node(hash: Hash): BlockNode | undefined {
    return this.#stored.get(hash)?.outcome.node ?? this.state.node(hash);
  }

  nodeById(id: number): BlockNode | undefined {
    return this.#byId.get(id) ?? this.state.nodeById(id);
  }

  /** Notes a stored block; one that extended or reorganised the active chain is its new tip. */
  add(block: Block, outcome: StoredOutcome): void {
    this.#stored.set(block.hash, { block, outcome });
    this.#byId.set(outcome.node.id, outcome.node);
    if (outcome.kind !== 'side') this.tip = outcome.node;
  }

  /** How the active chain moves by this draft, or undefined when it does not. */
  tipChange(): TipChange | undefined {
    const { tip } = this;
    const previousTip = this.state.tip;
    if (tip === previousTip) return undefined;
    const { forkPoint, disconnect, connect } = planReorg(previousTip, tip);
    const arrived = new Map<BlockNode, Block>();
    for (const node of connect) {
      const block = this.#stored.get(node.hash)?.block;
      if (block !== undefined) arrived.set(node, block);
    }
    return { previousTip, tip, forkPoint, disconnected: disconnect, connected: connect, arrived };
  }

  apply(): void {
    for (const { outcome } of this.#stored.values()) this.state.add(outcome.node);
    if (this.tip !== this.state.tip) this.state.moveTip(this.tip);
  }
}
