import type { Hash } from '../consensus/codec.js';
import {
  FORBIDDEN_TRANSACTION_BYTES,
  MAX_SALT_BYTES,
  createDataTransaction,
  encodeDataTransaction,
} from '../consensus/data-entry.js';
import { RuleError } from '../consensus/rule-error.js';
import { encodeSignedTransaction } from '../consensus/signed-entry.js';
import { decodeArmour } from '../consensus/ssh-signature.js';
import { checkTransaction, type Entry } from '../consensus/transaction.js';
import { hexOf } from './hex.js';
import { MinichainError } from './minichain-error.js';
import type { PostedEntry } from './routes.js';

const SALT_BYTES = 16;

export interface EntryChoices {
  /** Milliseconds since the epoch; by default now. */
  readonly timestampMs?: number | undefined;
  /** Up to 32 bytes; by default random. */
  readonly salt?: Uint8Array | undefined;
}

/** An entry that can be posted any number of times, and is one entry. */
export interface PreparedEntry {
  readonly id: Hash;
  /** What the id is the hash of. */
  readonly bytes: Uint8Array;
  /** For POST /blocks. */
  readonly body: PostedEntry;
}

/** Entries that are posted together, all of them or none. */
export interface PreparedEntries {
  /** In the order of the texts. The same text twice is one entry, with one id. */
  readonly ids: readonly Hash[];
  readonly body: PostedEntry;
}

/**
 * Makes an entry here, by the rules of the network, so that its id is known before it is sent.
 * @throws MinichainError with the code of a broken rule, such as `bad-txn-data-length`; RangeError for a timestamp that is not a
 *   whole number from 0 to the end of the year 9999.
 */
export function prepareEntry(data: string, { timestampMs = Date.now(), salt }: EntryChoices = {}): PreparedEntry {
  const entry = checked(() =>
    salt === undefined
      ? createDataTransaction(data, timestampMs, randomBytes)
      : encodeDataTransaction(data, timestampMs, salt),
  );
  return { id: entry.id, bytes: entry.bytes, body: { data, timestamp: timestampMs, salt: hexOf(entry.salt) } };
}

/**
 * As prepareEntry, of an entry that an SSH key has signed. Only the node checks the signature: it knows its network.
 * @param signature as `ssh-keygen -Y sign` writes it.
 * @throws MinichainError `bad-signature-armour`, `unsupported-signature`, or the code of a broken rule.
 */
export function prepareSigned(data: string, signature: string): PreparedEntry {
  const decoded = decodeArmour(signature);
  if (decoded.kind !== 'decoded') {
    const code = decoded.kind === 'malformed' ? 'bad-signature-armour' : 'unsupported-signature';
    throw new MinichainError({ code, detail: decoded.reason });
  }
  const { id, bytes } = checked(() => encodeSignedTransaction(data, decoded));
  return { id, bytes, body: { data, signature } };
}

/** As prepareEntry, of several entries with one timestamp and one salt. @throws as prepareEntry. */
export function prepareEntries(
  texts: readonly string[],
  { timestampMs = Date.now(), salt = randomBytes(saltBytesFor(texts)) }: EntryChoices = {},
): PreparedEntries {
  const entries = texts.map((data) => checked(() => encodeDataTransaction(data, timestampMs, salt)));
  return { ids: entries.map(({ id }) => id), body: { data: texts, timestamp: timestampMs, salt: hexOf(salt) } };
}

/** A length of the salt with which none of the texts comes to the forbidden 64 bytes. */
function saltBytesFor(texts: readonly string[]): number {
  const used = new Set(texts.map((text) => new TextEncoder().encode(text).length));
  // Kind, time, and the two lengths take 11 bytes of such a short transaction.
  const isFree = (saltBytes: number): boolean => !used.has(FORBIDDEN_TRANSACTION_BYTES - 11 - saltBytes);
  const candidates = [...Array(MAX_SALT_BYTES + 1).keys()].slice(SALT_BYTES);
  return candidates.find(isFree) ?? SALT_BYTES;
}

function checked<T extends Entry>(make: () => T): T {
  try {
    const entry = make();
    checkTransaction(entry);
    return entry;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new MinichainError({ code: error.code, detail: error.message, problem: error.data, cause: error });
  }
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
