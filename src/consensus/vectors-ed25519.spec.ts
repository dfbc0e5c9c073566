import { describe, expect, it } from 'vitest';
import { hasVectors, readVectorText, vectorsNote } from '../../test/support/bitcoin.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { verify as verifyInBrowser } from '../explorer/browser/crypto.js';
import { checkPublicKey, checkSignatureEncoding, isSignedBy } from './ed25519.js';

interface Case {
  readonly key: Buffer;
  readonly signature: Buffer;
  readonly message: Buffer;
}

type Verify = (message: Buffer, key: Buffer, signature: Buffer) => boolean;

const inBrowser: Verify = (message, key, signature) => verifyInBrowser(null, message, { key }, signature);

function isValid({ key, signature, message }: Case, verify: Verify): boolean {
  const broken = brokenRule(() => {
    checkPublicKey(key);
    checkSignatureEncoding(signature);
  });
  return broken === undefined && verify(message, key, signature);
}

function validOf(cases: readonly Case[], verify: Verify): number[] {
  return cases.flatMap((item, index) => (isValid(item, verify) ? [index] : []));
}

describe.skipIf(!hasVectors)(`edge cases of Ed25519${vectorsNote}`, () => {
  const cctv = (): Case[] =>
    (JSON.parse(readVectorText('ed25519/cctv.json')) as { key: string; sig: string; msg: string }[]).map((item) => ({
      key: Buffer.from(item.key, 'hex'),
      signature: Buffer.from(item.sig, 'hex'),
      message: Buffer.from(item.msg),
    }));
  const speccheck = (): Case[] =>
    (
      JSON.parse(readVectorText('ed25519/speccheck.json')) as {
        pub_key: string;
        signature: string;
        message: string;
      }[]
    ).map((item) => ({
      key: Buffer.from(item.pub_key, 'hex'),
      signature: Buffer.from(item.signature, 'hex'),
      message: Buffer.from(item.message, 'hex'),
    }));

  it('are valid in exactly 43 of the 914 of C2SP', () => {
    const cases = cctv();
    expect(cases).toHaveLength(914);
    expect(validOf(cases, isSignedBy)).toHaveLength(43);
  });

  // Number 3 in the table of the paper (key and R of mixed order), which has one row for two of these.
  it('are valid only as number 7 of the 15 of speccheck', () => {
    const cases = speccheck();
    expect(cases).toHaveLength(15);
    expect(validOf(cases, isSignedBy)).toEqual([7]);
  });

  it('are judged alike by the library in the browser', () => {
    for (const cases of [cctv(), speccheck()]) expect(validOf(cases, inBrowser)).toEqual(validOf(cases, isSignedBy));
  });

  // Newer versions of OpenSSL refuse points of small order by themselves, so node:crypto does not show that rules 25 and 26 do.
  it('are far more by the equation alone', () => {
    const lax = cctv().filter(({ key, signature, message }) => inBrowser(message, key, signature));
    expect(lax.length).toBeGreaterThan(150);
  });
});
