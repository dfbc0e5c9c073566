import { ByteReader, type Hash } from '../../consensus/codec.js';
import { HEADER_BYTES, decodeHeader } from '../../consensus/header.js';
import { RuleError } from '../../consensus/rule-error.js';
import { encodePartialTree, readPartialTree, type PartialMerkleTree } from './partial-merkle-tree.js';
import { ProofError } from './proof-error.js';

export interface MerkleBlock extends PartialMerkleTree {
  readonly header: Buffer;
}

/** Bitcoin's merkleblock, as gettxoutproof gives it: a header, and the partial Merkle tree of its transactions. */
export function encodeMerkleBlock(header: Uint8Array, ids: readonly Hash[], isMatch: (pos: number) => boolean): Buffer {
  return Buffer.concat([header, encodePartialTree(ids, isMatch)]);
}

/**
 * Reads a merkleblock, and nothing after it.
 * @throws ProofError `format`; `merkle` when the tree does not lead to the header's Merkle root.
 */
export function decodeMerkleBlock(bytes: Uint8Array): MerkleBlock {
  const reader = new ByteReader(bytes, 'bad-blk-encoding');
  try {
    const header = reader.bytes(HEADER_BYTES);
    const tree = readPartialTree(reader);
    reader.end();
    const { merkleRoot } = decodeHeader(header);
    if (tree.root !== merkleRoot) {
      throw new ProofError('merkle', `the tree leads to ${tree.root}, the header has the Merkle root ${merkleRoot}`);
    }
    return { ...tree, header };
  } catch (error) {
    if (error instanceof RuleError) throw new ProofError('format', `not a whole merkleblock: it ${error.message}`);
    throw error;
  }
}
