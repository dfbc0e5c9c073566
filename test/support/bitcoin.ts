import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BlockTree, linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import { checkHeaderContext, checkProofOfWork } from '../../src/consensus/check-header.js';
import { ByteReader, type Hash } from '../../src/consensus/codec.js';
import { hash256 } from '../../src/consensus/hash.js';
import { HEADER_BYTES, decodeHeader, type BlockHeader } from '../../src/consensus/header.js';
import type { HeaderParams } from '../../src/consensus/params.js';
import { RuleError } from '../../src/consensus/rule-error.js';

/** Bitcoin's main network, as Bitcoin Core's chainparams have it. */
export const MAINNET: HeaderParams = {
  limitBits: 0x1d00ffff,
  retargetInterval: 2016,
  targetSpacingSeconds: 600,
  medianTimeSpan: 11,
  maxFutureSeconds: 7200,
  checkpoints: new Map(),
};

/** Later than any header in the files, so that none is too new. */
export const NOW_SECONDS = 2_000_000_000;

export const HEADER_BITS = HEADER_BYTES * 8;

const VECTORS = resolve(process.cwd(), '../shared/vectors');

/** False where the folder of real data is missing; the tests that read it are then skipped. */
export const hasVectors = existsSync(VECTORS);

/** For the titles of suites that need the folder: skip-summary.ts prints the reason when the run ends. */
export const vectorsNote = hasVectors
  ? ''
  : ' (skipped: ../shared/vectors is not there (thousands of real headers; src/consensus/bitcoin.spec.ts holds some))';

export function readVector(name: string): Buffer {
  return readFileSync(resolve(VECTORS, name));
}

export function readVectorText(name: string): string {
  return readVector(name).toString('utf8');
}

export interface BitcoinBlock {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly headerBytes: Buffer;
  readonly txids: readonly Hash[];
}

/** Splits Bitcoin's blk*.dat framing: magic, u32 length, block. */
export function parseBlockFile(bytes: Buffer): BitcoinBlock[] {
  const reader = new ByteReader(bytes, 'bad-blk-encoding');
  const blocks: BitcoinBlock[] = [];
  while (reader.remaining > 0) {
    if (reader.uint32() !== 0xd9b4bef9) throw new Error(`no main network magic before byte ${reader.offset}`);
    blocks.push(parseBitcoinBlock(reader.bytes(reader.uint32())));
  }
  return blocks;
}

/** Reads header and transaction ids of a Bitcoin block; all of `bytes` must be used up. */
export function parseBitcoinBlock(bytes: Buffer): BitcoinBlock {
  const reader = new ByteReader(bytes, 'bad-blk-encoding');
  const headerBytes = reader.bytes(HEADER_BYTES);
  const count = reader.varint();
  const txids = Array.from({ length: count }, () => readBitcoinTxid(reader));
  reader.end();
  return { hash: hash256(headerBytes), header: decodeHeader(headerBytes), headerBytes, txids };
}

/** The id of the next transaction: SHA-256d of it without its witness (BIP 144). */
function readBitcoinTxid(reader: ByteReader): Hash {
  const version = reader.bytes(4);
  let start = reader.offset;
  let inputs = reader.varint();
  const hasWitness = inputs === 0;
  if (hasWitness) {
    reader.uint8();
    start = reader.offset;
    inputs = reader.varint();
  }
  for (let i = 0; i < inputs; i++) {
    reader.bytes(36);
    reader.bytes(reader.varint());
    reader.bytes(4);
  }
  const outputs = reader.varint();
  for (let i = 0; i < outputs; i++) {
    reader.bytes(8);
    reader.bytes(reader.varint());
  }
  const body = reader.since(start);
  for (let i = hasWitness ? inputs : 0; i > 0; i--) {
    for (let items = reader.varint(); items > 0; items--) reader.bytes(reader.varint());
  }
  const lockTime = reader.bytes(4);
  return hash256(Buffer.concat([version, body, lockTime]));
}

/** Checks a header of the main network as a node would: link, work, retarget, median time. @throws RuleError */
export function acceptHeader(bytes: Buffer, tree: BlockTree): BlockNode {
  const header = decodeHeader(bytes);
  const hash = hash256(bytes);
  const parent = tree.get(header.previousHash);
  if (parent === undefined) throw new RuleError('bad-prevblk', `parent ${header.previousHash} is unknown`);
  checkProofOfWork(header, hash, MAINNET);
  checkHeaderContext(header, hash, parent, MAINNET, NOW_SECONDS);
  return linkHeader(hash, header, parent);
}

/** A tree that holds just this header, which is not checked because nothing is known before it. */
export function treeOn(bytes: Buffer): BlockTree {
  return new BlockTree(linkHeader(hash256(bytes), decodeHeader(bytes), undefined));
}

export function withFlippedBit(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
