import * as fc from 'fast-check';
import { decodeBlock } from '../../src/consensus/block.js';
import { checkProofOfWork } from '../../src/consensus/check-header.js';
import { decodeHeader, encodeHeader, hashHeader } from '../../src/consensus/header.js';
import {
  decodeBits,
  difficultyOf,
  encodeBits,
  formatBits,
  isHashBelowTarget,
  targetOf,
  workOf,
} from '../../src/consensus/target.js';
import { decodeArmour, encodeArmour } from '../../src/consensus/ssh-signature.js';
import { checkSignature, checkTransaction, decodeTransaction } from '../../src/consensus/transaction.js';
import { verifyBlock } from '../../src/consensus/verify-block.js';
import { blocks, damaged, hashes, headers, transactions, uint32 } from '../support/arbitraries.js';
import { easyParams, genesisNode, mineChain } from '../support/chain-builders.js';
import { armourOf, signedEntry } from '../support/signing.js';
import type { FuzzTarget } from './fuzz.js';
import { check, outcomeOf } from './outcome.js';

const { hash: genesis } = easyParams.genesis;
const mined = mineChain(genesisNode(), 4, (index) =>
  Array.from({ length: index * 2 }, (_, n) =>
    n % 2 === 0 ? `entry ${n} äöü €` : signedEntry(`signed ${index} ${n} €`, genesis),
  ),
);

export function headerTarget(): FuzzTarget {
  return {
    seeds: mined.blocks.map(({ header }) => encodeHeader(header)),
    structured: fc.oneof(headers.map(encodeHeader), damaged(headers.map(encodeHeader))),
    run: (input) =>
      outcomeOf(() => {
        const header = decodeHeader(input);
        check(encodeHeader(header).equals(input), 'a header that does not encode to what it was decoded from');
        checkProofOfWork(header, hashHeader(header), easyParams);
      }),
  };
}

/** A header's bits, then a hash to hold against them. */
export function bitsTarget(): FuzzTarget {
  const encode = (bits: number, hash: string): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bits);
    return Buffer.concat([head, Buffer.from(hash, 'hex')]);
  };
  const seeds = [0x1d00ffff, 0x207fffff, 0x2100ffff, 0x03123456, 0x04923456, 0xff123456, 0x00000000];
  return {
    seeds: seeds.map((bits) => encode(bits, 'ab'.repeat(32))),
    structured: fc.tuple(uint32, hashes).map(([bits, hash]) => encode(bits, hash)),
    run: (input) => {
      const padded = Buffer.concat([input, Buffer.alloc(36)]);
      const bits = padded.readUInt32LE();
      const hash = padded.subarray(4, 36).toString('hex');
      const { target } = decodeBits(bits);
      check(target >= 0n && target < 1n << 256n, 'a target outside of 256 bits');
      check(formatBits(bits).length === 8 && Number.isFinite(difficultyOf(bits)), 'bits that cannot be shown');
      const valid = targetOf(bits);
      check(workOf(bits) > 0n === (valid !== undefined), 'work without a target, or a target without work');
      isHashBelowTarget(hash, bits);
      if (valid === undefined) return 'rejected';
      check(targetOf(encodeBits(valid)) === valid, 'a target that does not survive its compact form');
      return 'accepted';
    },
  };
}

export function transactionTarget(): FuzzTarget {
  const bytes = transactions.map((transaction) => transaction.bytes);
  return {
    seeds: mined.blocks.flatMap((block) => block.transactions.map((transaction) => transaction.bytes)),
    structured: fc.oneof(bytes, damaged(bytes)),
    run: (input) =>
      outcomeOf(() => {
        const transaction = decodeTransaction(input);
        check(transaction.bytes.equals(input), 'a transaction whose bytes are not those it was decoded from');
        checkTransaction(transaction);
        checkSignature(transaction, genesis);
      }),
  };
}

export function blockTarget(): FuzzTarget {
  const bytes = blocks.map((block) => block.bytes);
  return {
    seeds: mined.blocks.map((block) => block.bytes),
    structured: fc.oneof(bytes, damaged(bytes)),
    run: (input) =>
      outcomeOf(() => {
        const block = decodeBlock(input);
        check(block.bytes.equals(input), 'a block whose bytes are not those it was decoded from');
        verifyBlock(block, easyParams);
      }),
  };
}

export function armourTarget(): FuzzTarget {
  const seeds = ['', 'x', 'Grüße'].map((data) => Buffer.from(armourOf(data, genesis)));
  return {
    seeds,
    structured: damaged(fc.constantFrom(...seeds)),
    run: (input) => {
      const decoded = decodeArmour(input.toString('utf8'));
      if (decoded.kind !== 'decoded') return 'rejected';
      const again = decodeArmour(encodeArmour(decoded, decoded.namespace));
      check(JSON.stringify(again) === JSON.stringify(decoded), 'a signature that does not survive its own armour');
      return 'accepted';
    },
  };
}
