import { linkHeader } from '../../src/consensus/block-tree.js';
import type { Block } from '../../src/consensus/block.js';
import type { Hash } from '../../src/consensus/codec.js';
import { encodeHeader } from '../../src/consensus/header.js';
import { createParams, type ConsensusParams } from '../../src/consensus/params.js';
import type { Transaction } from '../../src/consensus/transaction.js';
import type { JsonProof } from '../../src/proofs/offline/json-proof.js';
import { encodeMerkleBlock } from '../../src/proofs/offline/merkle-block.js';
import { branchOf, type MerkleBranch } from '../../src/proofs/offline/merkle-branch.js';
import { networkOf } from '../../src/proofs/offline/network-rules.js';
import { otsOfEntry, otsOfStampedFile, stampedDigest } from '../../src/proofs/offline/ots-proof.js';
import { ProofError } from '../../src/proofs/offline/proof-error.js';
import { trustHeaders, type HeaderSource, type TrustedHeaders } from '../../src/proofs/offline/trusted-headers.js';
import { mineOn } from './chain-builders.js';

/** A chain in memory, and proofs of what is in it, made without a node. */
export class ProofChain {
  private constructor(
    readonly params: ConsensusParams,
    /** The index is the height. */
    readonly blocks: readonly Block[],
  ) {}

  /** @param entriesAt the entries of the block at this height. */
  static mine(
    length: number,
    entriesAt: (height: number) => readonly (string | Transaction)[],
    params = createParams({ network: 'proofs', difficulty: 1 }),
  ): ProofChain {
    const blocks = [params.genesis];
    let at = linkHeader(params.genesis.hash, params.genesis.header, undefined);
    for (let height = 1; height <= length; height++) {
      const block = mineOn(at, entriesAt(height), { params });
      at = linkHeader(block.hash, block.header, at);
      blocks.push(block);
    }
    return new ProofChain(params, blocks);
  }

  /** The same chain up to `height`, and other blocks from there on. */
  fork(height: number, length: number): ProofChain {
    const blocks = this.blocks.slice(0, height + 1);
    let at = linkHeader(this.params.genesis.hash, this.params.genesis.header, undefined);
    for (const block of blocks.slice(1)) at = linkHeader(block.hash, block.header, at);
    for (let n = 0; n < length; n++) {
      const block = mineOn(at, ['other'], { params: this.params });
      at = linkHeader(block.hash, block.header, at);
      blocks.push(block);
    }
    return new ProofChain(this.params, blocks);
  }

  get tip(): Block {
    return this.blocks.at(-1)!;
  }

  idsAt(height: number): Hash[] {
    return this.blocks[height]!.transactions.map(({ id }) => id);
  }

  branch(height: number, pos: number): MerkleBranch {
    return branchOf(this.idsAt(height), pos);
  }

  headers(from: number): Buffer[] {
    return this.blocks.slice(from).map(({ header }) => encodeHeader(header));
  }

  /** @param anchor height of the block that the first header follows. */
  json(height: number, pos: number, anchor = 0): JsonProof {
    const block = this.blocks[height]!;
    const transaction = block.transactions[pos]!;
    return {
      proof: 'minichain',
      version: 1,
      network: networkOf(this.params),
      id: transaction.id,
      transaction: transaction.bytes.toString('hex'),
      block_height: height,
      block_hash: block.hash,
      ...this.branch(height, pos),
      anchor: { height: anchor, hash: this.blocks[anchor]!.hash },
      tip: { height: this.blocks.length - 1, hash: this.tip.hash },
      headers: this.headers(anchor + 1).map((header) => header.toString('hex')),
    };
  }

  ots(height: number, pos: number): Buffer {
    return otsOfEntry(this.blocks[height]!.transactions[pos]!.bytes, this.branch(height, pos), height);
  }

  /** Of the file that the entry has as its salt. */
  fileOts(height: number, pos: number): Buffer {
    const transaction = this.blocks[height]!.transactions[pos]!;
    return otsOfStampedFile(transaction.bytes, stampedDigest(transaction)!, this.branch(height, pos), height);
  }

  merkleBlock(height: number, pos: number): Buffer {
    return encodeMerkleBlock(encodeHeader(this.blocks[height]!.header), this.idsAt(height), (at) => at === pos);
  }

  source(from = 0, to = this.blocks.length - 1): HeaderSource {
    return { from, headers: this.headers(from).slice(0, to - from + 1), network: undefined };
  }

  trusted(from = 0): TrustedHeaders {
    return trustHeaders([this.source(from)]);
  }
}

/** The name of the check that refuses; anything else that is thrown is a mistake of the verifier. */
export function failedCheck(verify: () => unknown): string {
  try {
    verify();
  } catch (error) {
    if (error instanceof ProofError) return error.check;
    throw error;
  }
  return 'holds';
}
