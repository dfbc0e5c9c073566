import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer/index.js';

// Stands in for node:crypto, of which consensus/ uses these two functions in one form each.

const HASHES = { sha256, sha512 };

export function hash(algorithm: keyof typeof HASHES, bytes: Uint8Array, _encoding: 'buffer'): Buffer {
  return Buffer.from(HASHES[algorithm](bytes));
}

/**
 * As OpenSSL, and unlike the `verify` of the library: S * B - k * A must have the encoding that the signature has as R, without a
 * cofactor.
 * @param key SubjectPublicKeyInfo of an Ed25519 key, which ends in the 32 bytes of the key.
 */
export function verify(
  _algorithm: null,
  message: Uint8Array,
  { key }: { key: Uint8Array },
  signature: Uint8Array,
): boolean {
  // Not outside of the function: whoever only hashes needs no curves, and the build leaves them out.
  const { Point } = ed25519;
  const publicKey = key.slice(-32);
  const r = signature.slice(0, 32);
  const s = numberOf(signature.slice(32));
  if (s >= Point.Fn.ORDER) return false;
  const k = Point.Fn.create(numberOf(sha512(Buffer.concat([r, publicKey, message]))));
  let a: InstanceType<typeof Point>;
  try {
    a = Point.fromBytes(publicKey);
  } catch {
    return false;
  }
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return Buffer.from(expected.toBytes()).equals(Buffer.from(r));
}

function numberOf(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex')}`);
}
