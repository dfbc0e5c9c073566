import * as fc from 'fast-check';
import { readKeyFile, signBytes } from '../../src/cli/sign/private-key.js';
import type { Hash } from '../../src/consensus/codec.js';
import { isSignedBy } from '../../src/consensus/ed25519.js';
import { sha256 } from '../../src/consensus/hash.js';
import { parseHeaderFile } from '../../src/proofs/offline/header-file.js';
import { encodeMerkleBlock } from '../../src/proofs/offline/merkle-block.js';
import { encodeOts } from '../../src/proofs/offline/ots-file.js';
import { formOf, merkleBlockBytes } from '../../src/proofs/offline/proof-form.js';
import { trustHeaders } from '../../src/proofs/offline/trusted-headers.js';
import {
  verifyJsonProof,
  verifyMerkleBlock,
  verifyOtsProof,
  type Proven,
} from '../../src/proofs/offline/verify-proof.js';
import { describeProof } from '../../src/proofs/offline/words.js';
import { encodeDataTransaction } from '../../src/consensus/data-entry.js';
import { damaged } from '../support/arbitraries.js';
import { ProofChain } from '../support/proof-rig.js';
import { keyFileOf, signedEntry, testKey } from '../support/signing.js';
import type { FuzzTarget } from './fuzz.js';
import { check, outcomeOf } from './outcome.js';

const LENGTH = 12;
/** With entries of each kind; the last of the seven has itself as its neighbour. */
const HEIGHT = 5;
const FILE = Buffer.from('a file');

const genesis = ProofChain.mine(0, () => []).params.genesis.hash;
const entries = [
  'Hello',
  'Grüße "you"',
  signedEntry('signed', genesis),
  encodeDataTransaction('note.txt', 1_767_225_600_000, sha256(FILE)),
  'four',
  'five',
];
const chain = ProofChain.mine(LENGTH, (height) => (height === HEIGHT ? entries : height % 2 === 0 ? ['one'] : []));
const trusted = trustHeaders([chain.source()]);
const known = new Set(chain.blocks.flatMap((_, height) => chain.idsAt(height)));
const places = entries.map((_, index) => index + 1);
/** Of the stamped file in its block. */
const STAMPED = 4;

function text(value: object): Buffer {
  return Buffer.from(JSON.stringify(value), 'latin1');
}

/** Whatever is said to be proven stands in the chain. */
function checkProven(proven: Proven): void {
  const { entry, id, confirmations } = proven;
  if (entry !== undefined) check(entry.id === id && known.has(id), `an entry that is in no block: ${id}`);
  check(confirmations >= 1 && proven.work > 0n, 'a proof of no work');
  check(describeProof(proven).proven.length > 1, 'a proof without words');
}

/** Proofs as JSON, with headers that are trusted, and without. */
export function jsonProofTarget(): FuzzTarget {
  const seeds = [0, 3].flatMap((anchor) => places.map((pos) => text(chain.json(HEIGHT, pos, anchor))));
  const headers = { headers: trusted };
  return {
    seeds,
    tokens: ['null', '[]', '{}', '-1', '1e9', '""', '"network":', '"__proto__":', '[[', '\\u0000'].map((token) =>
      Buffer.from(token),
    ),
    structured: fc.oneof(
      damaged(fc.constantFrom(...seeds)),
      fc
        .tuple(fc.constantFrom(...Object.keys(chain.json(HEIGHT, 1))), fc.jsonValue())
        .map(([key, value]) => text({ ...chain.json(HEIGHT, 1), [key]: value })),
      fc.json().map((json) => Buffer.from(json)),
    ),
    run: (input) => {
      const alone = outcomeOf(() => void describeProof(verifyJsonProof(input.toString('latin1'))));
      const held = outcomeOf(() => checkProven(verifyJsonProof(input.toString('latin1'), headers)));
      check(held === 'rejected' || alone === 'accepted', 'a proof that holds only by the headers of others');
      return held;
    },
  };
}

/** OpenTimestamps files, with the file that they are about, and without. */
export function otsTarget(): FuzzTarget {
  const hashed = [{ op: 'sha1' }, { op: 'reverse' }, { op: 'hexlify' }, { op: 'keccak256' }] as const;
  const other = encodeOts(sha256(FILE), [...hashed, { op: 'ripemd160' }, { op: 'sha256' }], HEIGHT);
  const seeds = [...places.map((pos) => chain.ots(HEIGHT, pos)), chain.fileOts(HEIGHT, STAMPED), other];
  const data = { sha256: sha256(FILE), bytes: FILE };
  return {
    seeds,
    tokens: ['ff', 'f0', 'f120', '08', '000588960d73d71901', '0083dfe30d2ef90c8e'].map((hex) =>
      Buffer.from(hex, 'hex'),
    ),
    structured: damaged(fc.constantFrom(...seeds)),
    run: (input) => {
      const outcome = outcomeOf(() => checkProven(verifyOtsProof(input, trusted)));
      outcomeOf(() => checkProven(verifyOtsProof(input, trusted, { data })));
      return outcome;
    },
  };
}

/** Merkleblocks, as hex digits and as bytes, with an entry at hand, and without. */
export function merkleBlockTarget(): FuzzTarget {
  const some = [...places.map((pos) => chain.merkleBlock(HEIGHT, pos)), several()];
  const seeds = [...some, ...some.map((bytes) => Buffer.from(bytes.toString('hex')))];
  const { bytes } = chain.blocks[HEIGHT]!.transactions[1]!;
  const data = { sha256: sha256(bytes), bytes };
  return {
    seeds,
    structured: damaged(fc.constantFrom(...seeds)),
    run: (input) => {
      formOf(input);
      const tree = merkleBlockBytes(input);
      const outcome = outcomeOf(() => checkProven(verifyMerkleBlock(tree, trusted)));
      outcomeOf(() => checkProven(verifyMerkleBlock(tree, trusted, { data })));
      return outcome;
    },
  };
}

function several(): Buffer {
  return encodeMerkleBlock(chain.headers(HEIGHT)[0]!, chain.idsAt(HEIGHT), (pos) => pos % 2 === 0);
}

/** Files with headers, in each of their forms; beside them, headers that are trusted. */
export function headersTarget(): FuzzTarget {
  const hex = chain.headers(0).map((header) => header.toString('hex'));
  const seeds = [
    text({ from: 0, length: LENGTH + 1, headers: hex }),
    text({ from: 4, length: LENGTH + 1, headers: hex.slice(4) }),
    text(chain.json(HEIGHT, 1)),
    text(chain.json(HEIGHT, 1, 3)),
    Buffer.concat(chain.headers(0)),
    Buffer.from(hex.join('\n')),
  ];
  const isKnown = (hash: Hash): boolean => chain.blocks.some((block) => block.hash === hash);
  return {
    seeds,
    tokens: ['"from":', '1e300', '-1', '0.5', '{', '\n', ' '].map((token) => Buffer.from(token)),
    structured: fc.oneof(
      damaged(fc.constantFrom(...seeds)),
      fc
        .tuple(fc.jsonValue(), fc.array(fc.oneof(fc.jsonValue(), fc.constantFrom(...hex))))
        .map(([from, headers]) => text({ from, headers })),
    ),
    run: (input) => {
      const outcome = outcomeOf(() => {
        const { tree } = trustHeaders([parseHeaderFile(input)]);
        check(tree.best.height >= tree.root.height, 'a tip below its root');
      });
      outcomeOf(() => {
        const source = parseHeaderFile(input);
        const { tree, genesis: found } = trustHeaders([source, chain.source()]);
        check(found === genesis && isKnown(tree.root.hash), 'headers of two networks in one tree');
      });
      return outcome;
    },
  };
}

/** Key files of OpenSSH: what is read as a key signs. */
export function keyFileTarget(): FuzzTarget {
  const whole = Buffer.from(keyFileOf(testKey('alice')));
  const others = [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a\n',
    'sk-ssh-ed25519@openssh.com AAAA x',
    'ssh-rsa AAAA x',
    '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n',
  ];
  const seeds = [whole, ...others.map((line) => Buffer.from(line))];
  const blob = Buffer.from(whole.toString('latin1').replaceAll(/-----.*-----/g, ''), 'base64');
  const armoured = (bytes: Buffer): Buffer =>
    Buffer.from(
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    );
  return {
    seeds,
    structured: damaged(fc.constant(blob)).map(armoured),
    run: (input) => {
      const file = readKeyFile(input.toString('latin1'));
      if (file.kind !== 'private') {
        check(file.kind !== 'refused' || /^it [^\n]{5,200}$/.test(file.reason), 'a key refused without a clear reason');
        return 'rejected';
      }
      const { publicKey } = file.key;
      check(isSignedBy(FILE, publicKey, signBytes(file.key, FILE)), 'a key whose signature does not hold');
      return 'accepted';
    },
  };
}
