import type { FoundTransaction } from '../chain/block-reader.js';
import type { ChainService } from '../chain/chain.service.js';
import { HttpProblem } from '../common/http-problem.js';
import { Slice, type Turns } from '../common/turns.js';
import { openBlock } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { HEADER_BYTES } from '../consensus/header.js';
import type { MempoolService } from '../mempool/mempool.service.js';
import type { JsonProofHead } from './offline/json-proof.js';
import { encodeMerkleBlock } from './offline/merkle-block.js';
import { branchOf } from './offline/merkle-branch.js';
import { networkOf } from './offline/network-rules.js';
import { MAX_MESSAGE } from './offline/ots-file.js';
import { otsOfEntry, otsOfStampedFile, stampedDigest } from './offline/ots-proof.js';
import type { EntryPlace, ProofQuery } from './proof-schemas.js';

/** Headers that are read from disk at once. */
const HEADERS_AT_ONCE = 256;

export interface ProofSources {
  readonly chain: Pick<
    ChainService,
    | 'params'
    | 'tip'
    | 'nodeAt'
    | 'node'
    | 'isActive'
    | 'getBlockBytes'
    | 'getHeadersOf'
    | 'findTransaction'
    | 'findStoredTransaction'
  >;
  readonly mempool: Pick<MempoolService, 'find'>;
  /** In which the transactions of a full block are hashed. */
  readonly turns: Turns;
}

/** A proof as JSON whose headers are read while the caller iterates. */
export interface LazyJsonProof {
  readonly head: JsonProofHead;
  /** As hex digits. */
  readonly headers: Iterable<string>;
}

interface OpenedProof {
  readonly entry: FoundTransaction;
  readonly header: Buffer;
  /** Of all transactions of the block. */
  readonly ids: readonly Hash[];
  readonly pos: number;
}

/** Makes proofs of entries of the active chain. */
export class ProofQueries {
  readonly #chain: ProofSources['chain'];
  readonly #mempool: ProofSources['mempool'];
  readonly #turns: Turns;

  constructor({ chain, mempool, turns }: ProofSources) {
    this.#chain = chain;
    this.#mempool = mempool;
    this.#turns = turns;
  }

  /** The network's name, which files with proofs bear. */
  get network(): string {
    return this.#chain.params.network;
  }

  /**
   * The headers are settled once the head is made: a reorganisation does not mix two chains.
   * @param from where the headers begin, as the query says.
   * @param block of an older proof.
   * @throws HttpProblem 404 `transaction-not-found`; 409 `entry-pending` or `block-undone`, with where the entry is now.
   */
  async json(id: Hash, from: ProofQuery['headers'] = 'all', block?: Hash): Promise<LazyJsonProof> {
    const { entry, ids, pos } = await this.#open(id, block);
    const { node, transaction } = entry;
    const tip = this.#chain.tip;
    const anchor = this.#anchorOf(node, from);
    const nodes: BlockNode[] = [];
    for (let height = anchor.height + 1; height <= tip.height; height++) nodes.push(this.#chain.nodeAt(height)!);
    const head: JsonProofHead = {
      proof: 'minichain',
      version: 1,
      network: networkOf(this.#chain.params),
      id,
      transaction: transaction.bytes.toString('hex'),
      block_height: node.height,
      block_hash: node.hash,
      ...branchOf(ids, pos),
      anchor: { height: anchor.height, hash: anchor.hash },
      tip: { height: tip.height, hash: tip.hash },
    };
    return { head, headers: this.#hexHeaders(nodes) };
  }

  /**
   * @throws as json; HttpProblem 409 `no-stamped-file` when the salt of the entry is not a SHA-256, 409 `entry-too-long` when
   *   the entry around it is longer than OpenTimestamps can take.
   */
  async ots(id: Hash, stamped: ProofQuery['stamped'] = 'entry', block?: Hash): Promise<Buffer> {
    const { entry, ids, pos } = await this.#open(id, block);
    const { node, transaction } = entry;
    const branch = branchOf(ids, pos);
    if (stamped === 'entry') return otsOfEntry(transaction.bytes, branch, node.height);
    const { bytes } = transaction;
    const digest = stampedDigest(transaction);
    if (digest === undefined) {
      const detail = `entry ${id} stamps no file: its salt would have to be the 32 bytes of a SHA-256`;
      throw new HttpProblem(409, 'no-stamped-file', detail);
    }
    if (bytes.length <= MAX_MESSAGE) return otsOfStampedFile(bytes, digest, branch, node.height);
    const most = `steps of OpenTimestamps have at most ${MAX_MESSAGE} bytes, entry ${id} has ${bytes.length}`;
    throw new HttpProblem(409, 'entry-too-long', `${most}: ask for format=json, or for stamped=entry`);
  }

  /** @throws as json */
  async merkleBlock(id: Hash, block?: Hash): Promise<Buffer> {
    const { header, ids, pos } = await this.#open(id, block);
    return encodeMerkleBlock(header, ids, (at) => at === pos);
  }

  async #open(id: Hash, block: Hash | undefined): Promise<OpenedProof> {
    const found = this.#find(id, block);
    const bytes = this.#chain.getBlockBytes(found.node.hash)!;
    const ids: Hash[] = [];
    const slice = new Slice();
    for (const transaction of openBlock(bytes).transactions) {
      ids.push(transaction.id);
      if (!slice.isOver) continue;
      await this.#turns.next();
      slice.restart();
    }
    // The chain may have changed its mind meanwhile.
    const entry = this.#find(id, block ?? found.node.hash);
    return { entry, header: bytes.subarray(0, HEADER_BYTES), ids, pos: ids.indexOf(id) };
  }

  #find(id: Hash, block: Hash | undefined): FoundTransaction {
    const found = this.#chain.findTransaction(id);
    if (found !== undefined && (block === undefined || found.node.hash === block)) return found;
    const where = this.#whereIs(id, found);
    if (where === undefined) {
      const hint = 'a coinbase is found in its block: GET /blocks/:id';
      throw new HttpProblem(404, 'transaction-not-found', `no entry ${id} in any block or in the mempool; ${hint}`);
    }
    const { place, words } = where;
    const undone = block ?? this.#undoneBlock(id)?.hash;
    if (undone === undefined) {
      throw new HttpProblem(409, 'entry-pending', `entry ${id} is not in a block yet: ${words}`, {}, { entry: place });
    }
    const detail = `entry ${id} is not in block ${undone} of the active chain: ${words}`;
    throw new HttpProblem(409, 'block-undone', detail, {}, { entry: place });
  }

  #whereIs(id: Hash, found: FoundTransaction | undefined): { place: EntryPlace; words: string } | undefined {
    if (found !== undefined) {
      const { height: index, hash } = found.node;
      return { place: { status: 'confirmed', block: { index, hash } }, words: `it is in block ${index} (${hash})` };
    }
    if (this.#mempool.find(id) !== undefined) {
      return { place: { status: 'pending', block: null }, words: 'it waits in the mempool' };
    }
    const side = this.#undoneBlock(id);
    if (side === undefined) return undefined;
    const words = `only side block ${side.height} (${side.hash}) holds it`;
    return { place: { status: 'undone', block: null }, words };
  }

  /** A stored block with the entry that is not part of the active chain. */
  #undoneBlock(id: Hash): BlockNode | undefined {
    return this.#chain.findStoredTransaction(id, (node) => !this.#chain.isActive(node))?.node;
  }

  #anchorOf(node: BlockNode, from: ProofQuery['headers']): BlockNode {
    if (from === 'block') return node.parent!;
    const heights = from === 'all' ? [] : [...this.#chain.params.checkpoints.keys()];
    const below = heights.filter((height) => height < node.height);
    return this.#chain.nodeAt(Math.max(0, ...below))!;
  }

  *#hexHeaders(nodes: readonly BlockNode[]): Generator<string> {
    for (let at = 0; at < nodes.length; at += HEADERS_AT_ONCE) {
      for (const header of this.#chain.getHeadersOf(nodes.slice(at, at + HEADERS_AT_ONCE)))
        yield header.toString('hex');
    }
  }
}
