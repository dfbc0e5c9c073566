import { hash } from 'node:crypto';
import { hashFromBytes, type Hash } from './codec.js';

/** SHA-256 once, in digest order. */
export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-512, in digest order: for signatures only. */
export function sha512(bytes: Uint8Array): Buffer {
  return hash('sha512', bytes, 'buffer');
}

/** SHA-256 twice, in digest order: Bitcoin's hash of headers, transactions and inner Merkle nodes. */
export function sha256d(bytes: Uint8Array): Buffer {
  return sha256(sha256(bytes));
}

/** SHA-256d, shown as a Hash. */
export function hash256(bytes: Uint8Array): Hash {
  return hashFromBytes(sha256d(bytes));
}
