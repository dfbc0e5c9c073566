import { describe, expect, it } from 'vitest';
import { hasVectors, vectorsNote } from '../../../test/support/bitcoin.js';
import { readCctv, readSpeccheck, validOf, type Verify } from '../../../test/support/ed25519-vectors.js';
import { signedEntry } from '../../../test/support/signing.js';
import { isSignedBy } from '../ed25519.js';
import { bytesToSign } from '../ssh-signature.js';
import { sha256, sha512 } from '../hash.js';
import { hash, verify } from './crypto.js';

const inBrowser: Verify = (message, key, signature) => verify(null, message, { key }, signature);

describe('the hashes of the page', () => {
  it('are those of Node.js', () => {
    for (const bytes of ['', 'abc', 'x'.repeat(1_000)].map((text) => Buffer.from(text))) {
      expect(Buffer.from(hash('sha256', bytes, 'buffer'))).toEqual(sha256(bytes));
      expect(Buffer.from(hash('sha512', bytes, 'buffer'))).toEqual(sha512(bytes));
    }
  });
});

describe('the signature check of the page', () => {
  it('takes a good signature, and no other', () => {
    const { publicKey, signature } = signedEntry('x', '00');
    const message = bytesToSign(Buffer.from('x'), 'minichain/00');
    expect(inBrowser(message, publicKey, signature)).toBe(true);
    expect(inBrowser(Buffer.from('other'), publicKey, signature)).toBe(false);
    expect(inBrowser(message, Buffer.alloc(32, 2), signature)).toBe(false);
    expect(inBrowser(message, publicKey, Buffer.alloc(64, 0xff))).toBe(false);
  });
});

describe.skipIf(!hasVectors)(`edge cases of Ed25519 in the page${vectorsNote}`, () => {
  it('are judged as in a node', () => {
    for (const cases of [readCctv(), readSpeccheck()]) {
      expect(validOf(cases, inBrowser)).toEqual(validOf(cases, isSignedBy));
    }
  });

  // Newer versions of OpenSSL refuse points of small order by themselves, so node:crypto does not show that rules 25 and 26 do.
  it('would be valid far more often by the equation alone', () => {
    const lax = readCctv().filter(({ key, signature, message }) => inBrowser(message, key, signature));
    expect(lax.length).toBeGreaterThan(150);
  });
});
