import { describe, expect, it } from 'vitest';
import { signedEntry } from '../../../test/support/signing.js';
import { createBlock, type Block } from '../../consensus/block.js';
import { checkBlockContext } from '../../consensus/check-block.js';
import { createCoinbase } from '../../consensus/coinbase.js';
import { createDataTransaction, encodeDataTransaction } from '../../consensus/data-entry.js';
import { encodeHeader } from '../../consensus/header.js';
import { sha256d } from '../../consensus/hash.js';
import { computeMerkleRoot } from '../../consensus/merkle.js';
import { createParams } from '../../consensus/params.js';
import { RuleError } from '../../consensus/rule-error.js';
import { encodeSignedTransaction } from '../../consensus/signed-entry.js';
import { workOf } from '../../consensus/target.js';
import { verifyBlock } from '../../consensus/verify-block.js';
import { changeText, judge, repairRoot, withHeader, workBehind, type Rules } from './rewrite.js';
import { isWithin, searchNonce, targetBytes } from './search.js';

const rules: Rules = {
  createBlock,
  verifyBlock,
  checkBlockContext,
  computeMerkleRoot,
  encodeDataTransaction,
  encodeSignedTransaction,
  RuleError,
  workOf,
};
const params = createParams({ network: 'test', difficulty: 2 });

function mine(block: Block): Block {
  const nonce = searchNonce(encodeHeader(block.header), block.header.bits, sha256d, 0, 1_000_000)!;
  return withHeader(rules, block, { nonce });
}

/** Blocks 1 to 4, an entry in each; that of block 2 is signed, if so. */
function chain(isSigned = false): Block[] {
  const blocks: Block[] = [];
  for (let height = 1; height <= 4; height++) {
    const parent = blocks.at(-1) ?? params.genesis;
    const entry =
      isSigned && height === 2
        ? signedEntry('I owe you 5', params.genesis.hash)
        : createDataTransaction(`entry ${height}`, height, (length) => Buffer.alloc(length, height));
    const transactions = [createCoinbase(height, 0n, 'node-1'), entry];
    const merkleRoot = computeMerkleRoot(transactions.map(({ id }) => id)).root;
    const header = {
      ...params.genesis.header,
      previousHash: parent.hash,
      merkleRoot,
      time: parent.header.time + 1,
      nonce: 0,
    };
    blocks.push(mine(createBlock(header, transactions)));
  }
  return blocks;
}

const codes = (blocks: readonly Block[]): (string | undefined)[] =>
  judge(rules, blocks, { firstHeight: 1, parentHash: params.genesis.hash, params, checked: new Set() }).map(
    ({ code }) => code,
  );

describe('editing the past', () => {
  const honest = chain();
  const entryId = honest[1]!.transactions[1]!.id;

  it('finds nothing wrong with the chain as it is', () => {
    expect(codes(honest)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('breaks the Merkle root by another text, and every later block by its parent', () => {
    const edited = honest.with(1, changeText(rules, honest[1]!, entryId, 'something else'));
    expect(codes(edited)).toEqual([undefined, 'bad-txnmrklroot', 'bad-prevblk', 'bad-prevblk']);
  });

  it('costs the proof of work when the root is repaired, and cuts off the blocks above', () => {
    // One text in 256 has the proof of work by chance.
    const repaired = ['a', 'b', 'c'].map((text) => repairRoot(rules, changeText(rules, honest[1]!, entryId, text)));
    const found = repaired.map((block) => codes(honest.with(1, block)));
    expect(found).toContainEqual([undefined, 'high-hash', 'bad-prevblk', 'bad-prevblk']);
  });

  it('leaves the later blocks behind when the block is mined again, until they are mined again too', () => {
    const blocks = honest.with(1, mine(repairRoot(rules, changeText(rules, honest[1]!, entryId, 'other'))));
    expect(codes(blocks)).toEqual([undefined, undefined, 'bad-prevblk', 'bad-prevblk']);
    for (const i of [2, 3]) blocks[i] = mine(withHeader(rules, blocks[i]!, { previousHash: blocks[i - 1]!.hash }));
    expect(codes(blocks)).toEqual([undefined, undefined, undefined, undefined]);
    expect(workBehind(rules, blocks)).toBe(workBehind(rules, honest));
  });

  it('cannot change a signed text, whatever is mined again', () => {
    const signed = chain(true);
    expect(codes(signed)).toEqual([undefined, undefined, undefined, undefined]);
    const { id } = signed[1]!.transactions[1]!;
    const edited = mine(repairRoot(rules, changeText(rules, signed[1]!, id, 'I owe you 50')));
    expect(codes(signed.with(1, edited))).toEqual([undefined, 'bad-sig', 'bad-prevblk', 'bad-prevblk']);
  });
});

describe('searchNonce', () => {
  it('finds a nonce whose hash is at most the target, and none in a range without one', () => {
    const header = encodeHeader(params.genesis.header);
    const nonce = searchNonce(header, params.limitBits, sha256d, 0, 100_000)!;
    const solved = withHeader(rules, params.genesis, { nonce });
    expect(Number.parseInt(solved.hash.slice(0, 2), 16)).toBe(0);
    expect(searchNonce(header, params.limitBits, sha256d, 0, nonce)).toBeUndefined();
  });

  it('compares 32 bytes from the last to the first', () => {
    const target = targetBytes(0x2000ffff);
    expect(isWithin(target, target)).toBe(true);
    const above = Uint8Array.from(target);
    above[31]! += 1;
    expect(isWithin(above, target)).toBe(false);
    const below = Uint8Array.from(target);
    below[30]! -= 1;
    below[0] = 255;
    expect(isWithin(below, target)).toBe(true);
  });
});
