import { describe, expect, it } from 'vitest';
import {
  HEADER_BITS,
  MAINNET,
  NOW_SECONDS,
  acceptHeader,
  hasVectors,
  readVector,
  treeOn,
  vectorsNote,
  withFlippedBit,
} from '../../test/support/bitcoin.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { linkHeader, medianTimePast, type BlockNode, type BlockTree } from './block-tree.js';
import { checkHeaderContext, checkProofOfWork } from './check-header.js';
import { hash256 } from './hash.js';
import { HEADER_BYTES, decodeHeader, encodeHeader, hashHeader } from './header.js';

const FLIP_SEED = 20_260_101;

/** A flip in the previous hash breaks the link upwards, one anywhere else the work. */
function ruleOfFlippedBit(bit: number): string {
  return bit >= 4 * 8 && bit < 36 * 8 ? 'bad-prevblk' : 'high-hash';
}

describe.skipIf(!hasVectors)(`Bitcoin's first 9,000 headers${vectorsNote}`, () => {
  function readHeaders(): Buffer[] {
    const file = readVector('mainnet-0-8999.headers.bin');
    return Array.from({ length: file.length / HEADER_BYTES }, (_, i) =>
      file.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES),
    );
  }

  let linked: { headers: Buffer[]; nodes: BlockNode[]; tree: BlockTree } | undefined;

  /** The headers and their nodes, linked without checks, once for all tests. */
  function linkAll(): { headers: Buffer[]; nodes: BlockNode[]; tree: BlockTree } {
    if (linked !== undefined) return linked;
    const headers = readHeaders();
    const tree = treeOn(headers[0]!);
    const nodes = [tree.genesis];
    for (const bytes of headers.slice(1)) {
      nodes.push(linkHeader(hash256(bytes), decodeHeader(bytes), nodes.at(-1)));
      tree.add(nodes.at(-1)!);
    }
    linked = { headers, nodes, tree };
    return linked;
  }

  /** expect() for many thousands of times: it would take longer than what is tested. */
  function hold(what: string, found: unknown, expected: unknown): void {
    if (found !== expected) expect.fail(`${what}: found ${String(found)}, expected ${String(expected)}`);
  }

  it('pass link, work, retarget and median time, one after the other', () => {
    const headers = readHeaders();
    expect(headers.length).toBe(9000);
    const genesis = decodeHeader(headers[0]!);
    checkProofOfWork(genesis, hashHeader(genesis), MAINNET);
    const tree = treeOn(headers[0]!);
    let tip = tree.genesis;
    let earlierThanParent = 0;
    for (const bytes of headers.slice(1)) {
      hold(`encoded ${tree.size}`, encodeHeader(decodeHeader(bytes)).equals(bytes), true);
      const node = acceptHeader(bytes, tree);
      hold(`parent of ${tree.size}`, node.parent, tip);
      if (node.time < tip.time) earlierThanParent++;
      tree.add(node);
      tip = node;
    }
    expect(tree.genesis.hash).toBe('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
    expect([tip.height, tip.chainWork]).toEqual([8999, 9000n * 0x100010001n]);
    expect([...tree.tips]).toEqual([tip]);
    // So "later than the parent" is not the rule.
    expect(earlierThanParent).toBe(24);
  });

  it('would each fail at the median time past, one second too far ahead, and with a flipped bit of bits', () => {
    const { headers, nodes } = linkAll();
    for (const [height, bytes] of headers.entries()) {
      if (height === 0) continue;
      const header = decodeHeader(bytes);
      const parent = nodes[height - 1]!;
      const ruleOf = (change: object, nowSeconds = NOW_SECONDS): string | undefined =>
        brokenRule(() =>
          checkHeaderContext({ ...header, ...change }, nodes[height]!.hash, parent, MAINNET, nowSeconds),
        );
      const median = medianTimePast(parent, 11);
      hold(`${height} at the median`, ruleOf({ time: median }), 'time-too-old');
      hold(`${height} above it`, ruleOf({ time: median + 1 }), undefined);
      hold(`${height} two hours ahead`, ruleOf({}, header.time - 7200), undefined);
      hold(`${height} and a second`, ruleOf({}, header.time - 7201), 'time-too-new');
      hold(`bits of ${height}`, ruleOf({ bits: (header.bits ^ (1 << (height % 32))) >>> 0 }), 'bad-diffbits');
    }
  });

  it('fail with any one of their 640 bits flipped (40 headers, all bits)', () => {
    const { headers, nodes, tree } = linkAll();
    for (let height = 100; height < headers.length; height += 225) {
      for (let bit = 0; bit < HEADER_BITS; bit++) {
        const bytes = withFlippedBit(headers[height]!, bit);
        const broken = brokenRule(() => acceptHeader(bytes, tree));
        hold(`bit ${bit} of ${height}`, broken, ruleOfFlippedBit(bit));
        hold(`link to ${height} with bit ${bit} flipped`, hash256(bytes) === nodes[height]!.hash, false);
      }
    }
  });

  it(`fail with one bit flipped, in every header (seed ${FLIP_SEED})`, () => {
    const { headers, tree } = linkAll();
    const random = new SeededRandom(FLIP_SEED);
    for (const [height, bytes] of headers.entries()) {
      const bit = random.below(HEADER_BITS);
      const flipped = withFlippedBit(bytes, bit);
      // The genesis has no known parent, whatever is done to it.
      const expected = height === 0 ? 'bad-prevblk' : ruleOfFlippedBit(bit);
      const broken = brokenRule(() => acceptHeader(flipped, tree));
      hold(`bit ${bit} of ${height}`, broken, expected);
      const next = headers[height + 1];
      if (next !== undefined) {
        const links = decodeHeader(next).previousHash === hash256(flipped);
        hold(`link to ${height} with bit ${bit} flipped`, links, false);
      }
    }
  });
});
