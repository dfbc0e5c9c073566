import { sha256 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer/index.js';

/** Stands in for `hash` of node:crypto, of which consensus/ uses this one form. */
export function hash(_algorithm: 'sha256', bytes: Uint8Array, _encoding: 'buffer'): Buffer {
  return Buffer.from(sha256(bytes));
}
