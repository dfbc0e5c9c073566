/** A block as the tree draws it. */
export interface TreeBlock {
  readonly hash: string;
  readonly parent: string;
  readonly height: number;
  /** Node id from the coinbase. */
  readonly miner: string;
  /** Number of entries, the coinbase not counted. */
  readonly entries: number;
  /** Is its parent unknown to every node that the page can see? */
  readonly isOrphan?: boolean;
  /** A run of blocks known by number only: this one is its last, and `parent` is the parent of its first. */
  readonly run?: number;
}

/** A node and the block that it is on. */
export interface Chip {
  readonly nodeId: string;
  readonly hash: string;
}

/** A node that searches for a block on top of `parent`. */
export interface Ghost {
  readonly nodeId: string;
  readonly parent: string;
}

export interface TreeView {
  /** Tip of the chain that has lane 0. */
  readonly tip: string;
  readonly chips: readonly Chip[];
  readonly ghosts: readonly Ghost[];
  /** Never folded away. */
  readonly selected?: string | undefined;
  /** Heights inside of capsules that the reader has opened. */
  readonly unfolded?: ReadonlySet<number>;
}

export type BlockState = 'active' | 'side' | 'orphan';

interface Place {
  /** Unique, and the same as long as it is the same thing: the key of an animation. */
  readonly key: string;
  /** In columns, from the left end of the tree; a column holds one block. */
  readonly x: number;
  /** In columns. */
  readonly width: number;
  readonly lane: number;
}

export interface BlockBox extends Place {
  readonly kind: 'block';
  readonly block: TreeBlock;
  readonly state: BlockState;
  /** Nodes that are on it. */
  readonly chips: readonly string[];
}

/** Stands for `count` blocks, from height `from` on, of which there is nothing to tell. */
export interface CapsuleBox extends Place {
  readonly kind: 'capsule';
  readonly state: BlockState;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface GhostBox extends Place {
  readonly kind: 'ghost';
  readonly nodeIds: readonly string[];
  readonly height: number;
}

export type Box = BlockBox | CapsuleBox | GhostBox;

/** From a box to the box of its parent. */
export interface Edge {
  readonly key: string;
  readonly child: Box;
  readonly parent: Box;
}

export interface Layout {
  /** By ascending height. */
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  /** In columns. */
  readonly width: number;
  readonly lanes: number;
}
