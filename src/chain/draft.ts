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
  readonly #removed = new Set<BlockNode>();
  readonly #loaded = new Map<Hash, Block>();

  /** `load` reads the body of a block that was stored before. */
  constructor(
    private readonly state: ChainState,
    private readonly load: (hash: Hash) => Block,
  ) {
    this.tip = state.tip;
  }

  /** Newly stored blocks in order, with what became of each. */
  get stored(): StoredBlock[] {
    return [...this.#stored.values()];
  }

  node(hash: Hash): BlockNode | undefined {
    const stored = this.#stored.get(hash);
    if (stored !== undefined) return stored.outcome.node;
    const node = this.state.node(hash);
    return node !== undefined && this.#removed.has(node) ? undefined : node;
  }

  /** The block of a node of this draft or of the state beneath it; each is read once. */
  block({ hash }: BlockNode): Block {
    const known = this.#stored.get(hash)?.block ?? this.#loaded.get(hash);
    if (known !== undefined) return known;
    const block = this.load(hash);
    this.#loaded.set(hash, block);
    return block;
  }

  /** Notes a stored block; one that extended or reorganised the active chain is its new tip. */
  add(block: Block, outcome: StoredOutcome): void {
    this.#stored.set(block.hash, { block, outcome });
    if (outcome.kind !== 'side') this.tip = outcome.node;
  }

  /** Takes a block of a side branch out again, with all that stand on it; returns them. */
  removeBranch(root: BlockNode): ReadonlySet<BlockNode> {
    const branch = new Set([root]);
    const drafted = [...this.#stored.values()].map(({ outcome }) => outcome.node);
    for (const end of [...this.state.tips, ...drafted]) {
      const path: BlockNode[] = [];
      let at: BlockNode | undefined = end;
      for (; at !== undefined && at.height > root.height && !branch.has(at); at = at.parent) path.push(at);
      if (at !== undefined && branch.has(at)) for (const node of path) branch.add(node);
    }
    for (const node of branch) if (!this.#stored.delete(node.hash)) this.#removed.add(node);
    return branch;
  }

  /** How the active chain moves by this draft, or undefined when it does not. */
  tipChange(): TipChange | undefined {
    const { tip } = this;
    const previousTip = this.state.tip;
    if (tip === previousTip) return undefined;
    const { forkPoint, disconnect, connect } = planReorg(previousTip, tip);
    return {
      previousTip,
      tip,
      forkPoint,
      disconnected: disconnect.map((node) => this.block(node)),
      connected: connect.map((node) => this.block(node)),
    };
  }

  apply(): void {
    for (const { outcome } of this.#stored.values()) this.state.add(outcome.node);
    if (this.tip !== this.state.tip) this.state.moveTip(this.tip);
    if (this.#removed.size > 0) this.state.remove(this.#removed);
  }
}
