import { describe, expect, it } from 'vitest';
import {
  HEADER_BITS,
  MAINNET,
  acceptHeader,
  hasVectors,
  parseBitcoinBlock,
  parseBlockFile,
  readVector,
  readVectorText,
  treeOn,
  vectorsNote,
  withFlippedBit,
  type BitcoinBlock,
} from '../../test/support/bitcoin.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { findForkPoint, type BlockNode } from './block-tree.js';
import { checkProofOfWork } from './check-header.js';
import { hashFromBytes } from './codec.js';
import { isBetterTip, planReorg } from './fork-choice.js';
import { hash256 } from './hash.js';
import { HEADER_BYTES, decodeHeader, encodeHeader, hashHeader } from './header.js';
import { computeMerkleRoot } from './merkle.js';
import { decodeBits, isHashBelowTarget } from './target.js';

function expectMerkleRoot({ header, txids }: BitcoinBlock): void {
  expect(computeMerkleRoot(txids)).toEqual({ root: header.merkleRoot, mutated: false });
}

describe.skipIf(!hasVectors)(`Bitcoin's blocks${vectorsNote}`, () => {
  it('1 to 255: chain, and commit to their transactions', () => {
    const blocks = parseBlockFile(readVector('mainnet-1-255.blocks.blkfile'));
    const genesis = readVector('mainnet-0-8999.headers.bin').subarray(0, HEADER_BYTES);
    const tree = treeOn(genesis);
    for (const block of blocks) {
      tree.add(acceptHeader(block.headerBytes, tree));
      expectMerkleRoot(block);
    }
    const tip = tree.get(blocks.at(-1)!.hash)!;
    expect([blocks.length, tip.height, tree.size]).toEqual([255, 255, 256]);
    expect(blocks.filter(({ txids }) => txids.length > 1).length).toBeGreaterThan(0);
  });

  it('300,025: 461 transactions, an odd count on the way up, and the CVE-2012-2459 forgery of it is told', () => {
    const block = parseBitcoinBlock(readVector('block300025.bin'));
    const listed = JSON.parse(readVectorText('block300025-txids.json')) as { hash: string; txids: string[] };
    expect(block.hash).toBe(listed.hash);
    expect(block.txids).toEqual(listed.txids);
    expect(block.txids.length).toBe(461);
    expectMerkleRoot(block);
    expect(brokenRule(() => checkProofOfWork(block.header, block.hash, MAINNET))).toBeUndefined();
    const forged = [...block.txids, block.txids.at(-1)!];
    expect(computeMerkleRoot(forged)).toEqual({ root: block.header.merkleRoot, mutated: true });
  });

  it('0 to 4 against 3A, 4A, 5A: the first seen stays on the tie, the fork takes over with its third block', () => {
    const main = parseBlockFile(readVector('blk_0_to_4.dat'));
    const fork = ['blk_3A.dat', 'blk_4A.dat', 'blk_5A.dat'].flatMap((name) => parseBlockFile(readVector(name)));
    const tree = treeOn(main[0]!.headerBytes);
    let tip = tree.genesis;
    const history = [...main.slice(1), ...fork].map((block) => {
      const node = acceptHeader(block.headerBytes, tree);
      expectMerkleRoot(block);
      tree.add(node);
      if (!isBetterTip(node, tip)) return 'side';
      const plan = planReorg(tip, node);
      tip = node;
      return plan.disconnect.length === 0 ? 'extended' : 'reorganised';
    });
    expect(history).toEqual([...Array.from({ length: 4 }, () => 'extended'), 'side', 'side', 'reorganised']);
    const nodeOf = ({ hash }: BitcoinBlock): BlockNode => tree.get(hash)!;
    expect(tip).toBe(nodeOf(fork[2]!));
    expect([...tree.tips]).toEqual([nodeOf(main[4]!), tip]);
    expect(findForkPoint(nodeOf(main[4]!), tip)).toBe(nodeOf(main[2]!));
    expect(planReorg(nodeOf(main[4]!), tip)).toEqual({
      forkPoint: nodeOf(main[2]!),
      disconnect: [main[4]!, main[3]!].map(nodeOf),
      connect: fork.map(nodeOf),
    });
    // The fork wins whatever the order in which the two branches came: by work alone.
    expect(isBetterTip(nodeOf(main[4]!), tip)).toBe(false);
  });

  it('5A first has no known parent', () => {
    const main = parseBlockFile(readVector('blk_0_to_4.dat'));
    const [block] = parseBlockFile(readVector('blk_5A.dat'));
    expect(brokenRule(() => acceptHeader(block!.headerBytes, treeOn(main[0]!.headerBytes)))).toBe('bad-prevblk');
  });

  it('0 to 4, 3A, 4A, 5A: do not do their work with any of their 640 bits flipped', () => {
    for (const name of ['blk_0_to_4.dat', 'blk_3A.dat', 'blk_4A.dat', 'blk_5A.dat']) {
      for (const { headerBytes } of parseBlockFile(readVector(name))) {
        for (let bit = 0; bit < HEADER_BITS; bit++) {
          const bytes = withFlippedBit(headerBytes, bit);
          const broken = brokenRule(() => checkProofOfWork(decodeHeader(bytes), hash256(bytes), MAINNET));
          if (broken !== 'high-hash') expect.fail(`bit ${bit} of a header in ${name}: ${broken}`);
        }
      }
    }
  });
});

describe.skipIf(!hasVectors)(`bitcoinjs-lib's fixtures${vectorsNote}`, () => {
  interface Fixture {
    readonly description: string;
    readonly hex: string;
    readonly id: string;
    readonly version: number;
    readonly prevHash: string;
    readonly merkleRoot: string;
    readonly timestamp: number;
    readonly bits: number;
    readonly nonce: number;
    readonly valid: boolean;
  }

  interface Fixtures {
    readonly targets: { bits: string; expected: string }[];
    readonly valid: Fixture[];
    readonly invalid: { exception: string; hex: string }[];
  }

  const read = (): Fixtures => JSON.parse(readVectorText('bitcoinjs-block.json')) as Fixtures;
  /** The fixtures have hashes in internal order. */
  const shown = (hex: string): string => hashFromBytes(Buffer.from(hex, 'hex'));

  it('have these header fields, hashes, verdicts on the work, and bodies', () => {
    const { valid } = read();
    expect(valid.length).toBe(8);
    for (const fixture of valid) {
      const bytes = Buffer.from(fixture.hex, 'hex');
      const headerBytes = bytes.subarray(0, HEADER_BYTES);
      const header = decodeHeader(headerBytes);
      expect(header).toEqual({
        version: fixture.version,
        previousHash: shown(fixture.prevHash),
        merkleRoot: shown(fixture.merkleRoot),
        time: fixture.timestamp,
        bits: fixture.bits,
        nonce: fixture.nonce,
      });
      expect(encodeHeader(header)).toEqual(headerBytes);
      expect(hashHeader(header)).toBe(fixture.id);
      expect(isHashBelowTarget(fixture.id, fixture.bits)).toBe(fixture.valid);
      if (bytes.length > HEADER_BYTES && fixture.description !== 'Headers + Coinbase') {
        expectMerkleRoot(parseBitcoinBlock(bytes));
      }
    }
  });

  it('decode to these targets', () => {
    const { targets } = read();
    expect(targets.length).toBe(6);
    for (const { bits, expected } of targets) {
      expect(decodeBits(Number(`0x${bits}`)).target).toBe(BigInt(`0x${expected}`));
    }
  });

  it('are refused where they are cut short', () => {
    const { invalid } = read();
    expect(invalid.length).toBe(1);
    for (const { hex } of invalid) {
      expect(brokenRule(() => decodeHeader(Buffer.from(hex, 'hex')))).toBe('bad-header-encoding');
    }
  });

  it('of whole blocks commit to their transactions', () => {
    const blocks = JSON.parse(readVectorText('bitcoinjs-core-blocks.json')) as {
      id: string;
      transactions: number;
      hex: string;
    }[];
    expect(blocks.length).toBe(5);
    for (const { id, transactions, hex } of blocks) {
      const block = parseBitcoinBlock(Buffer.from(hex, 'hex'));
      expect([block.hash, block.txids.length]).toEqual([id, transactions]);
      expectMerkleRoot(block);
      expect(brokenRule(() => checkProofOfWork(block.header, block.hash, MAINNET))).toBeUndefined();
    }
  });
});
