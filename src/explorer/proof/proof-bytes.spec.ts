import { describe, expect, it } from 'vitest';
import { entry } from '../../../test/support/chain-builders.js';
import { ProofChain } from '../../../test/support/proof-rig.js';
import { SeededRandom } from '../../../test/support/seeded-random.js';
import { signedEntry } from '../../../test/support/signing.js';
import {
  changeAnyByte,
  changedBytes,
  changesOf,
  entrySegments,
  hexOf,
  shownRanges,
  turned,
  withDigit,
  withHex,
} from './proof-bytes.js';

const SEED = Date.now() % 1_000_000;
const chain = ProofChain.mine(6, (height) => (height === 3 ? [entry('one'), entry('two'), entry('hällo')] : []));
const proof = chain.json(3, 3);

/** The bytes of each segment, by its name. */
const segmentsOf = (hex: string): Record<string, string> =>
  Object.fromEntries(entrySegments(hex).map(({ name, from, to }) => [name, hex.slice(2 * from, 2 * to)]));

describe('digits of a proof', () => {
  it('turn in a circle, up and down', () => {
    expect([turned('9', 1), turned('f', 1), turned('0', -1), turned('a', -1)]).toEqual(['a', '0', 'f', '9']);
    expect(withDigit('00ff', 2, 'a')).toBe('00af');
  });

  it.each(['transaction', 'id', 'merkle', 'headers'] as const)('are changed in %s, and nowhere else', (name) => {
    const part = { name, at: name === 'headers' ? 4 : name === 'merkle' ? 1 : 0 };
    const hex = hexOf(proof, part);
    const changed = withHex(proof, part, withDigit(hex, 5, turned(hex[5]!, 1)));
    expect(changesOf(changed, proof)).toEqual([{ part, bytes: [2] }]);
    expect(changesOf(withHex(changed, part, hex), proof)).toEqual([]);
  });
});

describe(`a byte at random (seed ${SEED})`, () => {
  it('is one byte, sometimes of the entry, sometimes of a sibling, sometimes of a header', () => {
    const random = new SeededRandom(SEED);
    const seen = new Set<string>();
    for (let n = 0; n < 200; n++) {
      const changes = changesOf(
        changeAnyByte(proof, () => random.next()),
        proof,
      );
      expect(changes).toMatchObject([{ bytes: [expect.any(Number)] }]);
      seen.add(changes[0]!.part.name);
    }
    expect(seen).toEqual(new Set(['transaction', 'merkle', 'headers']));
  });

  it('is one of the entry where there is nothing else', () => {
    const changed = changeAnyByte({ ...proof, merkle: [], headers: [] }, () => 0.999);
    expect(changedBytes(changed.transaction, proof.transaction)).toHaveLength(1);
  });
});

describe('what the bytes of an entry mean', () => {
  it('of a data entry', () => {
    const { kind, text, length } = segmentsOf(proof.transaction);
    expect([kind, length, Buffer.from(text!, 'hex').toString()]).toEqual(['01', '06', 'hällo']);
  });

  it('of a long one, whose length has three bytes', () => {
    const long = segmentsOf(entry('x'.repeat(300)).bytes.toString('hex'));
    expect([long['length'], long['text']!.length]).toEqual(['fd2c01', 600]);
  });

  it('of a signed one', () => {
    const { bytes, publicKey, signature } = signedEntry('signed', chain.params.genesis.hash);
    expect(segmentsOf(bytes.toString('hex'))).toEqual({
      kind: '02',
      'public key': publicKey.toString('hex'),
      signature: signature.toString('hex'),
      length: '06',
      text: Buffer.from('signed').toString('hex'),
    });
  });

  it('is nothing where they are no entry', () => {
    expect(entrySegments('ff00')).toEqual([]);
    expect(entrySegments(chain.blocks[1]!.transactions[0]!.bytes.toString('hex'))).toEqual([]);
  });
});

describe('a long field', () => {
  it('is shown at both ends and around what changed, in ranges that do not meet', () => {
    expect(shownRanges(120, [50])).toEqual([[0, 120]]);
    expect(shownRanges(1_000, [])).toEqual([
      [0, 96],
      [976, 1_000],
    ]);
    expect(shownRanges(1_000, [100, 500, 510, 999])).toEqual([
      [0, 109],
      [492, 519],
      [976, 1_000],
    ]);
  });
});
