import { verify } from 'node:crypto';
import { RuleError } from './rule-error.js';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** 2^255 - 19, the field of the curve, and the order of its base point (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** A y coordinate of the points of order 8. */
const Y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const FIELD = bigEndian(P);
const ORDER = bigEndian(L);
/** The y coordinates of the 8 points of small order. With either sign, and with the two that also have a form above P, these are 14 encodings. */
const SMALL_ORDER = new Set([0n, 1n, P - 1n, Y8, P - Y8].map((y) => bigEndian(y).toString('latin1')));
/** What stands before a key in the form that node:crypto reads: SubjectPublicKeyInfo of RFC 8410. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * A key has to be a number below the field's and not of small order: with such a key one signature fits many texts.
 * @throws RuleError `bad-sig-key`.
 */
export function checkPublicKey(key: Uint8Array): void {
  const fault = faultOfPoint(key);
  if (fault !== undefined) throw new RuleError('bad-sig-key', `the public key is not valid: ${fault}`);
}

/**
 * A signature has to have its one encoding, so that nobody can make a second entry of a signed one.
 * @throws RuleError `bad-sig-encoding`.
 */
export function checkSignatureEncoding(signature: Uint8Array): void {
  const fault = faultOfPoint(signature.subarray(0, 32));
  if (fault !== undefined) throw new RuleError('bad-sig-encoding', `R of the signature is not valid: ${fault}`);
  if (Buffer.compare(reversed(signature.subarray(32)), ORDER) >= 0) {
    throw new RuleError('bad-sig-encoding', 'S of the signature is not below the order of the curve');
  }
}

/**
 * Is it the key's signature of `message` (RFC 8032, without cofactor)? It takes about 0.1 ms. Only after
 * checkPublicKey and checkSignatureEncoding do all implementations agree on the answer.
 */
export function isSignedBy(message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, { key: Buffer.concat([SPKI_HEAD, key]), format: 'der', type: 'spki' }, signature);
}

/** @param point y in little endian, with the sign of x in the highest bit. */
function faultOfPoint(point: Uint8Array): string | undefined {
  const y = reversed(point);
  y[0]! &= 0x7f;
  if (Buffer.compare(y, FIELD) >= 0) return 'its coordinate is not below 2^255 - 19';
  return SMALL_ORDER.has(y.toString('latin1')) ? 'it is a point of small order' : undefined;
}

function reversed(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes).reverse();
}

function bigEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}
