import { beforeAll, describe, expect, it } from 'vitest';
import { ProofChain, failedCheck } from '../../../test/support/proof-rig.js';
import { entry } from '../../../test/support/chain-builders.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { signedEntry, testKey } from '../../../test/support/signing.js';
import { encodeDataTransaction } from '../../consensus/data-entry.js';
import { hashToBytes } from '../../consensus/codec.js';
import { hash256, sha256 } from '../../consensus/hash.js';
import { encodeHeader } from '../../consensus/header.js';
import { createParams } from '../../consensus/params.js';
import type { SignedTransaction } from '../../consensus/signed-entry.js';
import { fingerprintOf } from '../../consensus/ssh-signature.js';
import { encodeMerkleBlock } from './merkle-block.js';
import { branchOf } from './merkle-branch.js';
import { encodeOts } from './ots-file.js';
import { networkOf } from './network-rules.js';
import { HEADERS_IN_STEP, type Steps } from './steps.js';
import { stepsToTrust, trustHeaders, type TrustedHeaders } from './trusted-headers.js';
import { merkleBlockBytes } from './proof-form.js';
import { otsOfEntry } from './ots-proof.js';
import {
  stepsOfJsonProof,
  verifyJsonProof,
  verifyMerkleBlock,
  verifyOtsProof,
  type ProofData,
  type Proven,
  type VerifyOptions,
} from './verify-proof.js';
import { describeProof } from './words.js';

const FILE = Buffer.from('the contract, as signed\n');
const SEED = Date.now() % 1_000_000;
const LENGTH = 30;
const HEIGHT = 12;

/** Position of an entry and of a stamped file in block 12, the last of which has itself as its neighbour. */
const [ENTRY, STAMPED] = [3, 4];

let chain: ProofChain;
let trusted: TrustedHeaders;

beforeAll(() => {
  const stamped = encodeDataTransaction('contract.txt', 1_767_225_600_456, sha256(FILE));
  const entries = [entry('Hello'), entry('x'.repeat(3_000)), entry('hällo "you"'), stamped];
  chain = ProofChain.mine(LENGTH, (height) => (height === HEIGHT ? entries : height % 3 === 0 ? ['one'] : []));
  trusted = chain.trusted();
});

function dataOf(bytes: Buffer): ProofData {
  return { sha256: sha256(bytes), bytes };
}

function rawEntry(pos = ENTRY): Buffer {
  return chain.blocks[HEIGHT]!.transactions[pos]!.bytes;
}

function json(change: (proof: ReturnType<ProofChain['json']>) => object = (proof) => proof): string {
  return JSON.stringify(change(chain.json(HEIGHT, ENTRY)));
}

describe('proofs of an entry', () => {
  const forms: Record<string, (options: VerifyOptions) => Proven> = {
    JSON: (options) => verifyJsonProof(json(), options),
    'JSON from a checkpoint': (options) => verifyJsonProof(JSON.stringify(chain.json(HEIGHT, ENTRY, 5)), options),
    OpenTimestamps: (options) => verifyOtsProof(chain.ots(HEIGHT, ENTRY), trusted, options),
    merkleblock: (options) => verifyMerkleBlock(chain.merkleBlock(HEIGHT, ENTRY), trusted, options),
  };

  it.each(Object.keys(forms))('%s: shows the text, its block and the work on it', (form) => {
    const proven = forms[form]!({ data: dataOf(rawEntry()) });
    const { hash } = chain.blocks[HEIGHT]!;
    expect(proven).toMatchObject({
      id: chain.idsAt(HEIGHT)[ENTRY],
      entry: { data: 'hällo "you"' },
      block: { height: HEIGHT, hash },
      tip: { height: LENGTH, hash: chain.tip.hash },
      confirmations: LENGTH - HEIGHT + 1,
      work: BigInt(LENGTH - HEIGHT + 1) * 16n,
      fileSha256: undefined,
    });
  });

  it.each(Object.keys(forms))('%s: is refused with another file', (form) => {
    expect(failedCheck(() => forms[form]!({ data: dataOf(Buffer.from('another')) }))).toBe('data');
  });

  it.each(Object.keys(forms))('%s: a tip that is given decides', (form) => {
    expect(forms[form]!({ tip: chain.blocks[20]!.hash })).toMatchObject({ confirmations: 9, basis: 'tip' });
    expect(failedCheck(() => forms[form]!({ tip: 'ab'.repeat(32) }))).toBe('tip');
    expect(['undone', 'block']).toContain(failedCheck(() => forms[form]!({ tip: chain.blocks[HEIGHT - 1]!.hash })));
  });

  it('say in words what holds and what does not', () => {
    const whole = describeProof(forms['JSON']!({}));
    expect(whole.proven[0]).toBe(
      'The text "hällo \\"you\\"" stands in block 12 of network proofs, with 18 blocks of work on it.',
    );
    expect(whole.notProven).toEqual([
      expect.stringContaining('that no other chain has more work'),
      expect.stringContaining('exactly when the entry was written'),
      expect.stringContaining('that the timestamp of the entry, 2026-05-28T20:26:40.000Z, is right'),
      'who wrote the text, and whether it is true',
    ]);
    expect(describeProof(forms['JSON from a checkpoint']!({})).notProven[1]).toContain('which chain block 5');
    expect(describeProof(forms['OpenTimestamps']!({})).proven[0]).toMatch(
      /^The id [0-9a-f]{64} stands in block 12 of network [0-9a-f]{64}, with/,
    );
  });
});

describe('a proof of the last block', () => {
  it('says that there is no block on it yet', () => {
    const short = ProofChain.mine(3, (height) => (height === 3 ? ['one'] : []));
    const { proven } = describeProof(verifyJsonProof(JSON.stringify(short.json(3, 1))));
    expect(proven[0]).toMatch(/ stands in block 3 of network proofs, with no block on it yet\.$/);
    expect(proven[2]).toBe('Its work: about 16 hashes.');
  });
});

describe('steps of a check', () => {
  const lengthOf = (steps: Steps<unknown>): number => [...steps].length;

  it('are as many as there are twenties of headers, in a proof and in headers to trust', () => {
    const headers = chain.headers(0);
    const source = { from: 0, headers, network: networkOf(chain.params) };
    expect(lengthOf(stepsOfJsonProof(chain.json(HEIGHT, ENTRY)))).toBe(Math.ceil(LENGTH / HEADERS_IN_STEP));
    expect(lengthOf(stepsToTrust([source]))).toBe(Math.ceil(headers.length / HEADERS_IN_STEP));
  });
});

describe('a hash inside the Merkle tree', () => {
  // Nothing proves how many transactions a block has, so half of them may be passed off as all.
  const inner = (): { merkleBlock: Buffer; ots: Buffer; preimage: Buffer } => {
    const ids = chain.idsAt(HEIGHT).map(hashToBytes);
    const pairs = [0, 2, 4].map((at) => Buffer.concat([ids[at]!, ids[at + 1] ?? ids[at]!]));
    const hashes = pairs.map((pair) => hash256(pair));
    const preimage = pairs[1]!;
    return {
      merkleBlock: encodeMerkleBlock(encodeHeader(chain.blocks[HEIGHT]!.header), hashes, (pos) => pos === 1),
      ots: otsOfEntry(preimage, branchOf(hashes, 1), HEIGHT),
      preimage,
    };
  };

  it('is not said to be an entry, where only its id is known', () => {
    const { merkleBlock, ots } = inner();
    for (const proven of [verifyMerkleBlock(merkleBlock, trusted), verifyOtsProof(ots, trusted)]) {
      expect(proven.entry).toBeUndefined();
      const { proven: holds, notProven } = describeProof(proven);
      expect(holds[0]).toMatch(/^The id [0-9a-f]{64} stands in block 12/);
      expect(notProven[0]).toBe(
        'that this is the id of an entry, and not a hash inside the Merkle tree: the bytes of the entry would show it',
      );
    }
  });

  it('is refused with the bytes that it is the hash of: no entry has 64', () => {
    const { merkleBlock, ots, preimage } = inner();
    const data = dataOf(preimage);
    expect(failedCheck(() => verifyMerkleBlock(merkleBlock, trusted, { data }))).toBe('transaction');
    expect(failedCheck(() => verifyOtsProof(ots, trusted, { data }))).toBe('transaction');
  });
});

describe('a stamped file', () => {
  it('is shown by its SHA-256 in the salt, by JSON and by OpenTimestamps', () => {
    const data = { sha256: sha256(FILE), bytes: undefined };
    const fileSha256 = sha256(FILE).toString('hex');
    const found = { entry: { data: 'contract.txt' }, fileSha256, block: { height: HEIGHT } };
    expect(verifyOtsProof(chain.fileOts(HEIGHT, STAMPED), trusted, { data })).toMatchObject(found);
    expect(verifyJsonProof(JSON.stringify(chain.json(HEIGHT, STAMPED)), { data })).toMatchObject(found);
  });
});

describe('a signed entry', () => {
  /** Its proofs in all forms, with headers whose network is known. */
  const formsOf = (transaction: SignedTransaction): ((options?: VerifyOptions) => Proven)[] => {
    const signed = ProofChain.mine(3, (height) => (height === 2 ? [transaction] : []));
    const data = dataOf(transaction.bytes);
    return [
      () => verifyJsonProof(JSON.stringify(signed.json(2, 1))),
      () => verifyOtsProof(signed.ots(2, 1), signed.trusted(), { data }),
      () => verifyMerkleBlock(signed.merkleBlock(2, 1), signed.trusted(), { data }),
    ];
  };
  const { genesis } = createParams({ network: 'proofs', difficulty: 1 });
  const author = testKey('author');

  it('is shown with the key whose signature holds', () => {
    for (const verify of formsOf(signedEntry('I owe you 5', genesis.hash, author))) {
      const proven = verify();
      expect(proven).toMatchObject({ entry: { data: 'I owe you 5' }, author: fingerprintOf(author.publicKey) });
      const words = describeProof(proven);
      expect(words.proven[1]).toBe(`The owner of the key ${proven.author} signed it for this network.`);
      expect(words.notProven.at(-1)).toBe('who owns the key, and whether the text is true');
    }
  });

  it('is refused where its signature was made for another network', () => {
    for (const verify of formsOf(signedEntry('I owe you 5', 'ab'.repeat(32)))) {
      expect(failedCheck(verify)).toBe('signature');
    }
  });

  it('is refused for its signature, whichever byte of key, signature or text is another', () => {
    const signed = ProofChain.mine(3, (height) => (height === 2 ? [signedEntry('I owe you 5', genesis.hash)] : []));
    const proof = signed.json(2, 1);
    const bytes = Buffer.from(proof.transaction, 'hex');
    const lengthAt = 1 + 32 + 64;
    for (let at = 1; at < bytes.length; at++) {
      if (at === lengthAt) continue;
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      const text = JSON.stringify({ ...proof, transaction: changed.toString('hex') });
      expect(
        failedCheck(() => verifyJsonProof(text)),
        `byte ${at}`,
      ).toBe('signature');
    }
  });

  it('says that its signature is not checked where the network is not known', () => {
    const transaction = signedEntry('I owe you 5', genesis.hash);
    const signed = ProofChain.mine(3, (height) => (height === 2 ? [transaction] : []));
    const headers = signed.trusted(2);
    const proven = verifyMerkleBlock(signed.merkleBlock(2, 1), headers, { data: dataOf(transaction.bytes) });
    expect(proven.author).toBeUndefined();
    expect(describeProof(proven).notProven).toContainEqual(expect.stringContaining('that its signature holds'));
  });
});

describe('a chain that went on otherwise', () => {
  it('has undone the block, whichever form the proof has', () => {
    const other = chain.fork(10, 25).trusted();
    expect(failedCheck(() => verifyJsonProof(json(), { headers: other }))).toBe('undone');
    expect(failedCheck(() => verifyMerkleBlock(chain.merkleBlock(HEIGHT, ENTRY), other))).toBe('undone');
    expect(failedCheck(() => verifyOtsProof(chain.ots(HEIGHT, ENTRY), other))).toBe('merkle');
  });

  it('is outweighed, or not, where the headers of both are given', () => {
    const other = chain.fork(10, 25);
    const both = trustHeaders([chain.source(), other.source()]);
    expect(failedCheck(() => verifyJsonProof(json(), { headers: both }))).toBe('undone');
    expect(verifyJsonProof(json(), { headers: both, tip: chain.tip.hash })).toMatchObject({ confirmations: 19 });
    const shorter = trustHeaders([chain.source(), chain.fork(10, 3).source()]);
    expect(verifyJsonProof(json(), { headers: shorter })).toMatchObject({ confirmations: 19, basis: 'headers' });
  });

  it('is of another network when its genesis is another one', () => {
    const params = createParams({ network: 'others', difficulty: 1 });
    const other = ProofChain.mine(20, () => ['x'], params);
    expect(failedCheck(() => verifyJsonProof(json(), { headers: other.trusted() }))).toBe('network');
    expect(failedCheck(() => verifyOtsProof(chain.ots(HEIGHT, ENTRY), other.trusted()))).toBe('merkle');
    expect(failedCheck(() => verifyMerkleBlock(chain.merkleBlock(HEIGHT, ENTRY), other.trusted()))).toBe('undone');
    expect(failedCheck(() => trustHeaders([chain.source(), other.source()]))).toBe('network');
  });
});

describe('headers', () => {
  it('may come in parts, in any order, and overlap', () => {
    const parts = trustHeaders([chain.source(11), chain.source(0, 12)]);
    expect(verifyJsonProof(json(), { headers: parts })).toMatchObject({ confirmations: 19, basis: 'headers' });
  });

  it.each<[string, string, () => unknown]>([
    ['a gap in what is given', 'link', () => trustHeaders([chain.source(0, 8), chain.source(10)])],
    [
      'a gap in the proof',
      'link',
      () => verifyJsonProof(json((proof) => ({ ...proof, headers: proof.headers.toSpliced(20, 1) }))),
    ],
    ['a wrong height', 'link', () => trustHeaders([chain.source(), { ...chain.source(9), from: 8 }])],
    ['nothing', 'format', () => trustHeaders([])],
    ['a header of 79 bytes', 'format', () => trustHeaders([{ ...chain.source(), headers: [Buffer.alloc(79)] }])],
    [
      'another order',
      'link',
      () => verifyJsonProof(json((proof) => ({ ...proof, headers: proof.headers.toReversed() }))),
    ],
    ['only those above the block', 'block', () => verifyJsonProof(json(), { headers: chain.trusted(13) })],
    [
      'only those below the block',
      'block',
      () =>
        verifyJsonProof(
          json((proof) => ({
            ...proof,
            tip: { height: 8, hash: chain.blocks[8]!.hash },
            headers: proof.headers.slice(0, 8),
          })),
        ),
    ],
    [
      'fewer than the tip needs',
      'tip',
      () => verifyJsonProof(json((proof) => ({ ...proof, headers: proof.headers.slice(0, -1) }))),
    ],
  ])('with %s are refused: %s', (_, check, verify) => {
    expect(failedCheck(verify)).toBe(check);
  });

  it('need the work, bits and times of the network', () => {
    const easy = createParams({ network: 'proofs', difficulty: 0 });
    const weak = ProofChain.mine(40, () => ['x'], easy);
    const { network } = chain.json(HEIGHT, ENTRY);
    expect(failedCheck(() => verifyJsonProof(JSON.stringify({ ...weak.json(12, 1), network })))).toBe('genesis');
    const anchored = { ...weak.json(12, 1, 5), network };
    expect(failedCheck(() => verifyJsonProof(JSON.stringify(anchored)))).toBe('work');
    const hard = ProofChain.mine(20, () => ['x'], createParams({ network: 'proofs', difficulty: 2 }));
    expect(failedCheck(() => verifyJsonProof(JSON.stringify({ ...hard.json(12, 1, 5), network })))).toBe('difficulty');
  });
});

describe('what cannot be a proof', () => {
  it.each<[string, string, string]>([
    ['an empty file', 'format', ''],
    ['half a proof', 'format', '{"proof":"minichain","version":1,'],
    ['a list', 'format', '[]'],
    ['another object', 'format', '{"proof":"minichain"}'],
  ])('%s is refused', (_, check, text) => {
    expect(failedCheck(() => verifyJsonProof(text))).toBe(check);
  });

  it.each<[string, (proof: ReturnType<ProofChain['json']>) => object, string]>([
    ['an id of 63 digits', (proof) => ({ ...proof, id: proof.id.slice(1) }), 'format'],
    ['a hash of 66 digits', (proof) => ({ ...proof, merkle: proof.merkle.map((hash) => `${hash}00`) }), 'format'],
    ['an id in upper case', (proof) => ({ ...proof, id: 'AB'.repeat(32) }), 'format'],
    ['a field too many', (proof) => ({ ...proof, more: 1 }), 'format'],
    ['a position below 0', (proof) => ({ ...proof, pos: -1 }), 'format'],
    ['newer rules', (proof) => ({ ...proof, network: { ...proof.network, ruleSet: 99 } }), 'rules'],
    [
      'a retarget that cannot be',
      (proof) => ({ ...proof, network: { ...proof.network, retargetInterval: 1 } }),
      'rules',
    ],
    [
      'a network of another name',
      (proof) => ({ ...proof, network: { ...proof.network, network: 'other' } }),
      'genesis',
    ],
    ['another entry', (proof) => ({ ...proof, transaction: rawEntry(1).toString('hex') }), 'transaction'],
    ['a coinbase', (proof) => ({ ...proof, ...chain.json(HEIGHT, 0) }), 'transaction'],
    ['a text that has more bytes', (proof) => ({ ...proof, transaction: `${proof.transaction}00` }), 'transaction'],
    ['another height', (proof) => ({ ...proof, block_height: HEIGHT + 1 }), 'block'],
    ['another position', (proof) => ({ ...proof, pos: 2 }), 'merkle'],
  ])('one with %s is refused', (_, change, check) => {
    expect(failedCheck(() => verifyJsonProof(json(change)))).toBe(check);
  });

  it('an OpenTimestamps proof of something else is refused', () => {
    const digest = sha256(FILE);
    const steps = [{ op: 'append' as const, argument: Buffer.from('x') }, { op: 'sha256' as const }];
    expect(failedCheck(() => verifyOtsProof(encodeOts(digest, steps, HEIGHT), trusted))).toBe('transaction');
    expect(
      failedCheck(() => verifyOtsProof(encodeOts(digest, [{ op: 'sha256' }, { op: 'reverse' }], 1), trusted)),
    ).toBe('merkle');
    expect(failedCheck(() => verifyOtsProof(encodeOts(digest, [{ op: 'sha256' }], 99), trusted))).toBe('block');
  });
});

describe('a proof that is cut off, or goes on', () => {
  it.each<[string, () => Buffer, (bytes: Buffer) => unknown]>([
    ['JSON', () => Buffer.from(json(), 'latin1'), (bytes) => verifyJsonProof(bytes.toString('latin1'))],
    ['OpenTimestamps', () => chain.ots(HEIGHT, ENTRY), (bytes) => verifyOtsProof(bytes, trusted)],
    ['merkleblock', () => chain.merkleBlock(HEIGHT, ENTRY), (bytes) => verifyMerkleBlock(bytes, trusted)],
    [
      'merkleblock as hex digits',
      () => Buffer.from(chain.merkleBlock(HEIGHT, ENTRY).toString('hex')),
      (bytes) => verifyMerkleBlock(merkleBlockBytes(bytes), trusted),
    ],
  ])('%s: is refused at every length but its own', (_, whole, verify) => {
    const bytes = whole();
    verify(bytes);
    for (let length = 0; length < bytes.length; length++) {
      expect([length, failedCheck(() => verify(bytes.subarray(0, length)))]).toEqual([length, 'format']);
    }
    for (const more of ['x', '\0', '00', '{}']) {
      expect(failedCheck(() => verify(Buffer.concat([bytes, Buffer.from(more)])))).toBe('format');
    }
  });
});

describe(`every byte of a proof, changed (seed ${SEED})`, () => {
  /** Each byte in turn becomes another one, by chance; all of its bits are tried over the runs. */
  function* changed(whole: Buffer): Generator<[at: number, Buffer]> {
    const random = new SeededRandom(SEED);
    for (let at = 0; at < whole.length; at++) {
      for (let n = 0; n < 3; n++) {
        const copy = Buffer.from(whole);
        copy[at]! ^= 1 + Math.floor(random.next() * 255);
        yield [at, copy];
      }
    }
  }

  function refusals(whole: Buffer, verify: (bytes: Buffer) => unknown): number[] {
    verify(whole);
    return [...changed(whole)].filter(([, bytes]) => failedCheck(() => verify(bytes)) === 'holds').map(([at]) => at);
  }

  it('JSON: is refused', () => {
    const utf8 = (bytes: Buffer): string => bytes.toString('latin1');
    expect(refusals(Buffer.from(json(), 'latin1'), (bytes) => verifyJsonProof(utf8(bytes)))).toEqual([]);
  });

  it('JSON from a checkpoint: is refused', () => {
    const whole = Buffer.from(JSON.stringify(chain.json(HEIGHT, STAMPED, 9)), 'latin1');
    expect(refusals(whole, (bytes) => verifyJsonProof(bytes.toString('latin1')))).toEqual([]);
  });

  it('OpenTimestamps, of an entry and of a file: is refused', () => {
    const data = dataOf(rawEntry());
    expect(refusals(chain.ots(HEIGHT, ENTRY), (bytes) => verifyOtsProof(bytes, trusted, { data }))).toEqual([]);
    const file = { sha256: sha256(FILE), bytes: undefined };
    const whole = chain.fileOts(HEIGHT, STAMPED);
    expect(refusals(whole, (bytes) => verifyOtsProof(bytes, trusted, { data: file }))).toEqual([]);
  });

  it('merkleblock: is refused, or is in the number of transactions, which nothing proves', () => {
    const whole = chain.merkleBlock(HEIGHT, ENTRY);
    const data = dataOf(rawEntry());
    const held = refusals(whole, (bytes) => verifyMerkleBlock(bytes, trusted, { data }));
    expect(held.filter((at) => at < 80 || at >= 84)).toEqual([]);
  });
});
