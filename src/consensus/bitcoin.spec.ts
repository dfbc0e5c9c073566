import { describe, expect, it } from 'vitest';
import { MAINNET, NOW_SECONDS, acceptHeader, treeOn } from '../../test/support/bitcoin.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { medianTimePast, type BlockNode } from './block-tree.js';
import { checkHeaderContext, checkProofOfWork } from './check-header.js';
import { isBetterTip, planReorg } from './fork-choice.js';
import { hash256 } from './hash.js';
import { decodeHeader, encodeHeader, hashHeader } from './header.js';
import { computeMerkleRoot } from './merkle.js';
import { nextBits } from './retarget.js';
import { formatBits, workOf } from './target.js';

/*
 * Headers and transaction ids of Bitcoin's main network, as any block explorer shows them. They prove in every clone that
 * the rules here are Bitcoin's own. Where ../shared/vectors is there, vectors*.spec.ts check thousands more.
 */

/** Bitcoin's first three headers. */
const FIRST = [
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c',
  '010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299',
  '010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000d5fdcc541e25de1c7a5addedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61',
];

/** 2287 to 2298; the last is the first header of the chain whose time is before its parent's. */
const BACK_IN_TIME = [
  '0100000053b718f06e18888f1ada7e5670a6f6cf0f84798305e32c847f44771e00000000088f2d4802396567a51755a47e479807ffab424889ed360c4aa2167639052bfefc3d8249ffff001d23fa06f5',
  '01000000fa4af5c8141047ae5a8b7c07db590e356c6a2189fe9430082abdae6500000000c4874dfa7dc4b19fa7d42ed4ceacd640628f6d7f9aef9c5d5fef76ddffe5725f25418249ffff001d3bc60704',
  '010000002df7e1c8190430d42c5e97d2ab1f02e6879e85198b6e3659ced75b62000000000ea4333bb6c40a698f45ae45abce15918581f3bd98d29a8a0a4623005cc61c7d1b448249ffff001d3155725e',
  '010000000c3217723ca0481f250f04d5243dee2fb9571cae2c5564f02b2068c0000000006d07e544dae9109caea63904c83d3fb474704aaf6158d29acdd05dda06bbbcc0dd458249ffff001db2f3eb04',
  '0100000023b46b8348a0daa6b737a752492853967c6d1a0c0e5f32dafb8cd58700000000aefee6a67770d50ea30c1e29a40b3ac18422dc7afc5b79787bd08ef46d78136b2e478249ffff001d24748457',
  '010000000da8690440e0cffdbef0b0517f0a914d97ea40f79e8df7c346be60ac00000000976c313f1b8d3a1bb89edd4788e97f683f4d1273d316bbb8783c537ea088b5e491478249ffff001dee1a4501',
  '010000001afdf649c64ad8860d4337b95bfac9a0fb8011c5336d8dbe7f5028f400000000520d988d007efc93bd89b292041a655e05d560069a54054db50223877dc8849a694a8249ffff001d277bcaba',
  '01000000f8189cb81761c3082a6fa976b6efab540cf0b1aeb7c7dce5e11f739900000000452f2591c20d621bbb8d184ea58b106cac9dbc5479d738ac2226a47b6ffc5cd3034c8249ffff001d30ad6e86',
  '01000000f67d4d416d17675fca4d74d8a7c8d9e225ea2b99aa83d6ab9f84f51800000000975d63065adf88552a0c11c348ff6e62aed20d5a76cec6ee1dd5d630db43ab0337518249ffff001d25e2b0e6',
  '010000001fec002c8a63d70182df6a3ca39e41f6e656291d474b6179cfaf73010000000058aea1d43caba560420dc4a52b82c336ee82175b61ab1a814127f0c61c1168f960518249ffff001d0d851700',
  '010000002ac90891c2f59e17d5aee1c8a61b1b1369a46ef755b13d606e4adf07000000009d6e47385b6b746163b4c3cf3d040c924072dd3c197c1c2c1a6fef57b5222a4e1f548249ffff001d5cb4d502',
  '01000000ac448dc8cdc96008660d1d428c77b8e02af7b0b470785c32760e1d46000000009c285653909817cbb1bfe64671b5131dd64fc32ab4f6f3a39a326fe5eb5d7b7df1538249ffff001d13e126fb',
];

/** The headers on both sides of a retarget, and the one that began the interval. */
interface Retarget {
  /** Of the first header after the retarget. */
  readonly height: number;
  readonly first: string;
  readonly last: string;
  readonly next: string;
  readonly hashes: readonly string[];
  readonly bits: readonly [string, string];
  /** Chain work of the last header of the interval, and of the next one. */
  readonly chainWork: readonly [bigint, bigint];
}

const RETARGETS: readonly Retarget[] = [
  // The first that changed the bits.
  {
    height: 32256,
    first:
      '01000000e6bf7fd7f7790a63786faa878d0dc7fd8f2ff365732e45862c66075100000000700d342f65c7b6834dffb615358a1897016f0448913372190cbe3d27a4b53355b1512b4bffff001dbfb02519',
    last: '0100000049c1daab3b6536ff1b2633c3a316a6e06ec287676cdeec4ca7baae6b00000000ac10b36b8f354b3353207de15940a5edbc05bb8364af75b4b5409e7823f2b48923ec3a4bffff001dbd5fa412',
    next: '010000004b0360d834a330ec7833e30e1f523ee05a0793361e29a73421964f980000000027b64a020af294e903feed93768705336a20090612a043f47af462a2f5e5b564f8ee3a4b6ad8001dd3a43707',
    hashes: [
      '000000000fa8bfa0f0dd32f956b874b2c7f1772c5fbedcb1b35e03335c7fb0a8',
      '00000000984f962134a7291e3693075ae03e521f0ee33378ec30a334d860034b',
      '000000004f2886a170adb7204cb0c7a824217dd24d11a74423d564c4e0904967',
    ],
    bits: ['1d00ffff', '1d00d86a'],
    chainWork: [0x7e007e007e00n, 0x7e01acd42dd2n],
  },
  // The second.
  {
    height: 34272,
    first:
      '010000004b0360d834a330ec7833e30e1f523ee05a0793361e29a73421964f980000000027b64a020af294e903feed93768705336a20090612a043f47af462a2f5e5b564f8ee3a4b6ad8001dd3a43707',
    last: '01000000405b203f92ee8012fffad48424cd52827504c06ca717cb7cd7aa69bc00000000a02521744962eccce06cb7187d2451f0dee624a291da2bf9c12ce786d92fa673b2a94b4b6ad8001dc0a41815',
    next: '01000000ce53367108008b0ab65be7a308c48a042167aaea7b2a45397e04365e0000000040fbd504d61cb1a110826bca68c81d41736908dcbdb3f65154bfaf9c92cf50d9c5aa4b4b28c4001dfe665c05',
    hashes: [
      '000000004f2886a170adb7204cb0c7a824217dd24d11a74423d564c4e0904967',
      '000000005e36047e39452a7beaaa6721048ac408a3e75bb60a8b0008713653ce',
      '000000002732d387256b57cabdcb17767e3d30e220ea73f844b1907c0b5919ea',
    ],
    bits: ['1d00d86a', '1d00c428'],
    chainWork: [0x8751410913c0n, 0x87528f22ef20n],
  },
  // The interval took less than a quarter of two weeks, so the clamp applies.
  {
    height: 68544,
    first:
      '010000004e8e5cf3c4e4b8f63a9cf88beb2dbaba1949182101ae4e5cf54ad100000000009f2a2344e8112b0d7bd8089414106ee5f17bb6cd64078883e1b661fa251aac6bed1d3c4cf4a3051c4dcd2b02',
    last: '010000000cfc9e4c2703d2da0276db10d809fbad119f4a7a015b83ffbdac090300000000c5907cdb4d947c8b73204658e6a6faae0307527bc4f6f5fdcf5e96d63b549d918788404cf4a3051c193bdd00',
    next: '01000000fb57c71ccd211b3de4ccc2e23b50a7cdb72aab91e60737b3a2bfdf030000000088a88ad9df68925e880e5d52b7e50cef225871c68b40a2cd0bca1084cd436037f388404cfd68011caeb1f801',
    hashes: [
      '0000000002216521d1a33de5bf19b3f8966395fbc81be449e2b2f1bdab2bd88f',
      '0000000003dfbfa2b33707e691ab2ab7cda7503be2c2cce43d1b21cd1cc757fb',
      '0000000000519051eb5f3c5943cdbc176a0eff4e1fbc3e08287bdb76299b8e5c',
    ],
    bits: ['1c05a3f4', '1c0168fd'],
    chainWork: [0x67127f0749ce0n, 0x671dd7c3f2badn],
  },
];

/**
 * Not of the public network: btcd's authors mined these for their tests, on Bitcoin's genesis and at its difficulty. We
 * have no headers of a race on the public network; nodes keep only the branch that won.
 */
const RACE = {
  forkPoint:
    '010000001b5514b83257d924be7f10c65b95b1f3c0e50081e1dfd8943eece5eb000000007bf583e6b91af0b6405d2b2530488edd37d5f52aa8b2bd02472b205a9840e789daaf5f49ffff001dac1901ce',
  seenFirst:
    '01000000979fc39616bf1dc6b1f88167f76383d44d65ccd0fc99b7f91bcb2c9500000000f514b5bb76a2f0e12ab5ece6b677dbc9a28df272f429ced3101ea2cc0e2723bc33b25f49ffff001de06e1da7',
  rival:
    '01000000979fc39616bf1dc6b1f88167f76383d44d65ccd0fc99b7f91bcb2c95000000002d18a10c7f32af3ce3b92a128380045a2d44ffba2fe373176bc2f11edd01aa0832b25f49ffff001df2c86150',
  onRival:
    '01000000dd63f62ef59d5b6a6da2a36407f76e4e28026a3fd3a46700d2844247000000007fa55061fc4bd2a3558da5bd1e2f949225ec6a44a1e52c1b9a1aed355dd5d3058ab45f49ffff001df83345c6',
};

/** A block of December 2010. Nine transactions make rows of 9, 5 and 3 ids: an odd row three times. */
const BLOCK = {
  header:
    '0100000090f0a9f110702f808219ebea1173056042a714bad51b916cb6800000000000005275289558f51c9966699404ae2294730c3c9f9bda53523ce50e9b95e558da2fdb261b4d4c86041b1ab1bf93',
  hash: '0000000000013b8ab2cd513b0261a14096412195a72a0c4827d229dcc7e0f7af',
  txids: [
    'ef1d870d24c85b89d92ad50f4631026f585d6a34e972eaf427475e5d60acf3a3',
    'f9fc751cb7dc372406a9f8d738d5e6f8f63bab71986a39cf36ee70ee17036d07',
    'db60fb93d736894ed0b86cb92548920a3fe8310dd19b0da7ad97e48725e1e12e',
    '220ebc64e21abece964927322cba69180ed853bb187fbc6923bac7d010b9d87a',
    '71b3dbaca67e9f9189dad3617138c19725ab541ef0b49c05a94913e9f28e3f4e',
    'fe305e1ed08212d76161d853222048eea1f34af42ea0e197896a269fbf8dc2e0',
    '21d2eb195736af2a40d42107e6abd59c97eb6cffd4a5a7a7709e86590ae61987',
    'dd1fd2a6fc16404faf339881a90adbde7f4f728691ac62e8f168809cdfae1053',
    '74d681e0e03bafa802c8aa084379aa98d9fcd632ddc2ed9782b586ec87451f20',
  ],
};

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** A node linked directly to `first`, though `blocks` headers above it; all headers between have the same bits. */
function nodeAbove(first: BlockNode, hex: string, blocks: number): BlockNode {
  const { time, bits } = decodeHeader(bytesOf(hex));
  const chainWork = first.chainWork + BigInt(blocks) * workOf(bits);
  return { hash: hash256(bytesOf(hex)), parent: first, height: first.height + blocks, time, bits, chainWork, id: 0 };
}

function linkedInterval({ height, first, last, chainWork }: Retarget): BlockNode {
  const { time, bits } = decodeHeader(bytesOf(first));
  const blocks = 2015;
  const before = chainWork[0] - BigInt(blocks) * workOf(bits);
  const begin = { hash: hash256(bytesOf(first)), parent: undefined, height: height - 2016, time, bits, id: 0 };
  return nodeAbove({ ...begin, chainWork: before }, last, blocks);
}

describe('headers of Bitcoin', () => {
  it('have the well-known fields and hashes', () => {
    const genesis = decodeHeader(bytesOf(FIRST[0]!));
    expect(genesis).toEqual({
      version: 1,
      previousHash: '0'.repeat(64),
      merkleRoot: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
      time: Date.UTC(2009, 0, 3, 18, 15, 5) / 1000,
      bits: 0x1d00ffff,
      nonce: 2083236893,
    });
    expect(FIRST.map((hex) => hash256(bytesOf(hex)))).toEqual([
      '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
      '00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048',
      '000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd',
    ]);
  });

  it('come out of the codec as they went in, and do their work', () => {
    const all = [...FIRST, ...BACK_IN_TIME, ...RETARGETS.flatMap(({ first, last, next }) => [first, last, next])];
    for (const hex of [...all, ...Object.values(RACE), BLOCK.header]) {
      const header = decodeHeader(bytesOf(hex));
      expect(encodeHeader(header).toString('hex')).toBe(hex);
      expect(() => checkProofOfWork(header, hashHeader(header), MAINNET)).not.toThrow();
      const other = { ...header, nonce: (header.nonce + 1) >>> 0 };
      expect(brokenRule(() => checkProofOfWork(other, hashHeader(other), MAINNET))).toBe('high-hash');
    }
  });

  it('follow each other from the genesis, and add up their work', () => {
    const tree = treeOn(bytesOf(FIRST[0]!));
    for (const hex of FIRST.slice(1)) tree.add(acceptHeader(bytesOf(hex), tree));
    const [tip] = tree.tips;
    expect([tip!.height, tip!.chainWork]).toEqual([2, 3n * 0x100010001n]);
  });

  it('may be earlier than their parents, as long as they are above the median of the last eleven', () => {
    const tree = treeOn(bytesOf(BACK_IN_TIME[0]!));
    for (const hex of BACK_IN_TIME.slice(1)) tree.add(acceptHeader(bytesOf(hex), tree));
    const [tip] = tree.tips;
    const parent = tip!.parent!;
    const median = medianTimePast(parent, 11);
    expect(tip!.time).toBeLessThan(parent.time);
    expect(tip!.time).toBeGreaterThan(median);
    const header = decodeHeader(bytesOf(BACK_IN_TIME.at(-1)!));
    const ruleOf = (time: number): string | undefined =>
      brokenRule(() => checkHeaderContext({ ...header, time }, tip!.hash, parent, MAINNET, NOW_SECONDS));
    expect([median, median + 1].map(ruleOf)).toEqual(['time-too-old', undefined]);
  });
});

describe.each(RETARGETS)('the retarget at block $height', (retarget) => {
  const { first, last, next, hashes, bits, chainWork } = retarget;
  const header = decodeHeader(bytesOf(next));

  it('has these headers, which link and add up to the work of the real chain', () => {
    const parent = linkedInterval(retarget);
    expect([first, last, next].map((hex) => hash256(bytesOf(hex)))).toEqual(hashes);
    expect(header.previousHash).toBe(parent.hash);
    expect([parent.chainWork, nodeAbove(parent, next, 1).chainWork]).toEqual(chainWork);
  });

  it('gives the bits that the next header has, and no others', () => {
    const parent = linkedInterval(retarget);
    expect([parent.bits, header.bits, nextBits(parent, MAINNET)].map(formatBits)).toEqual([bits[0], bits[1], bits[1]]);
    const ruleOf = (found: number): string | undefined =>
      brokenRule(() => checkHeaderContext({ ...header, bits: found }, hashes[2]!, parent, MAINNET, NOW_SECONDS));
    expect([header.bits, header.bits + 1, parent.bits].map(ruleOf)).toEqual([
      undefined,
      'bad-diffbits',
      'bad-diffbits',
    ]);
  });
});

it('keeps the first seen of two headers with equal work, until the other branch has more', () => {
  const tree = treeOn(bytesOf(RACE.forkPoint));
  const [seenFirst, rival, onRival] = [RACE.seenFirst, RACE.rival, RACE.onRival].map((hex) => {
    const node = acceptHeader(bytesOf(hex), tree);
    tree.add(node);
    return node;
  });
  expect(rival!.hash).not.toBe(seenFirst!.hash);
  expect([rival!.parent, rival!.chainWork]).toEqual([seenFirst!.parent, seenFirst!.chainWork]);
  expect([isBetterTip(rival!, seenFirst!), isBetterTip(seenFirst!, rival!)]).toEqual([false, false]);
  expect(isBetterTip(onRival!, seenFirst!)).toBe(true);
  expect(planReorg(seenFirst!, onRival!)).toEqual({
    forkPoint: tree.genesis,
    disconnect: [seenFirst],
    connect: [rival, onRival],
  });
});

describe('a block of Bitcoin', () => {
  const header = decodeHeader(bytesOf(BLOCK.header));

  it('commits to its transactions by the Merkle root in its header', () => {
    expect(hashHeader(header)).toBe(BLOCK.hash);
    expect(computeMerkleRoot(BLOCK.txids)).toEqual({ root: header.merkleRoot, mutated: false });
  });

  it('does not commit to them in another order, nor to others', () => {
    const swapped = [BLOCK.txids[1]!, BLOCK.txids[0]!, ...BLOCK.txids.slice(2)];
    for (const ids of [swapped, BLOCK.txids.slice(0, -1), [...BLOCK.txids.slice(0, -1), BLOCK.hash]]) {
      expect(computeMerkleRoot(ids).root).not.toBe(header.merkleRoot);
    }
    // The last id twice: the forgery of CVE-2012-2459, which has the same root and is found out.
    const forged = [...BLOCK.txids, BLOCK.txids.at(-1)!];
    expect(computeMerkleRoot(forged)).toEqual({ root: header.merkleRoot, mutated: true });
  });
});
