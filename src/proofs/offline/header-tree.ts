import { linkHeader, type BlockNode } from '../../consensus/block-tree.js';
import { checkBits, checkMedianTime, checkProofOfWork } from '../../consensus/check-header.js';
import { hashFromBytes, type Hash } from '../../consensus/codec.js';
import { sha256d } from '../../consensus/hash.js';
import { HEADER_BYTES, decodeHeader, hashHeader, type BlockHeader } from '../../consensus/header.js';
import type { ConsensusParams } from '../../consensus/params.js';
import { RuleError } from '../../consensus/rule-error.js';
import { isHashBelowTarget } from '../../consensus/target.js';
import { ProofError, type ProofCheck } from './proof-error.js';

/** A block of which only its place is known. */
export interface BlockPlace {
  readonly height: number;
  readonly hash: Hash;
}

const CHECKS: Readonly<Partial<Record<string, ProofCheck>>> = {
  'high-hash': 'work',
  'bad-diffbits': 'difficulty',
  'time-too-old': 'time',
};

/**
 * Headers that are linked to each other and checked by the rules, from one block on. Work is counted from there. A rule
 * that looks back further than the headers reach is not applied.
 */
export class HeaderTree {
  readonly root: BlockNode;
  readonly #nodes = new Map<Hash, BlockNode>();
  /** Height of the lowest header that is here. */
  readonly #knownFrom: number;
  #best: BlockNode;

  /**
   * @param root the genesis, of which everything is known, or the place of the block that the first header follows.
   * @param params of the network; without them, a header has to have the work that its own target asks for, and no more.
   */
  constructor(
    root: BlockPlace | BlockHeader,
    private readonly params?: ConsensusParams,
  ) {
    const isPlace = 'height' in root;
    this.#knownFrom = isPlace ? root.height + 1 : 0;
    this.root = isPlace
      ? { hash: root.hash, height: root.height, parent: undefined, time: 0, bits: 0, chainWork: 0n, id: 0 }
      : linkHeader(hashHeader(root), root, undefined);
    this.#best = this.root;
    this.#nodes.set(this.root.hash, this.root);
  }

  /** The tip with the most work; of several, the one that came first. */
  get best(): BlockNode {
    return this.#best;
  }

  get(hash: Hash): BlockNode | undefined {
    return this.#nodes.get(hash);
  }

  /** Puts a header on top of the block that it names, which has to be here. @throws ProofError as linkTo, `link`. */
  link(bytes: Uint8Array): BlockNode {
    const header = decode(bytes);
    const parent = this.#nodes.get(header.previousHash);
    if (parent === undefined) {
      const own = hashFromBytes(sha256d(bytes));
      throw new ProofError('link', `header ${own} follows none of the others: there is a gap before it`);
    }
    return this.#add(bytes, header, parent);
  }

  /**
   * Puts a header on top of `parent`.
   * @throws ProofError `format`, `link`, `work`, `difficulty`, `time`.
   */
  linkTo(parent: BlockNode, bytes: Uint8Array): BlockNode {
    const header = decode(bytes);
    if (header.previousHash !== parent.hash) {
      const height = parent.height + 1;
      throw new ProofError(
        'link',
        `the header at height ${height} does not follow the block before it, ${parent.hash}`,
        height,
      );
    }
    return this.#add(bytes, header, parent);
  }

  #add(bytes: Uint8Array, header: BlockHeader, parent: BlockNode): BlockNode {
    const hash = hashFromBytes(sha256d(bytes));
    const known = this.#nodes.get(hash);
    if (known !== undefined) return known;
    this.#check(header, hash, parent);
    const node = linkHeader(hash, header, parent);
    this.#nodes.set(hash, node);
    if (node.chainWork > this.#best.chainWork) this.#best = node;
    return node;
  }

  #check(header: BlockHeader, hash: Hash, parent: BlockNode): void {
    const { params } = this;
    const height = parent.height + 1;
    if (params === undefined) {
      if (isHashBelowTarget(hash, header.bits)) return;
      throw new ProofError('work', `block ${hash} does not have the work that its own target asks for`, height);
    }
    try {
      checkProofOfWork(header, hash, params);
      if (this.#knowsBits(parent, params)) checkBits(header, parent, params);
      if (this.#knows(parent, params.medianTimeSpan)) checkMedianTime(header, parent, params);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      throw new ProofError(CHECKS[error.code] ?? 'format', `block ${height}: ${error.message}`, height);
    }
  }

  #knowsBits(parent: BlockNode, { retargetInterval }: ConsensusParams): boolean {
    if (retargetInterval === 0) return true;
    return this.#knows(parent, (parent.height + 1) % retargetInterval === 0 ? retargetInterval : 1);
  }

  /** Are the last `count` headers up to this one here, or all that there are? */
  #knows(node: BlockNode, count: number): boolean {
    return this.#knownFrom === 0 || node.height - count + 1 >= this.#knownFrom;
  }
}

/** @throws ProofError `format` */
function decode(bytes: Uint8Array): BlockHeader {
  if (bytes.length !== HEADER_BYTES) {
    throw new ProofError('format', `a header has ${HEADER_BYTES} bytes, this one ${bytes.length}`);
  }
  return decodeHeader(bytes);
}
