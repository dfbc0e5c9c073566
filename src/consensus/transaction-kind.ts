import type { ByteReader, Hash } from './codec.js';
import { RuleError, type RuleCode } from './rule-error.js';

/** What every transaction has. */
export interface Encoded {
  /** SHA-256d of `bytes`, shown as a Hash. */
  readonly id: Hash;
  readonly bytes: Buffer;
}

/** One row of the table of kinds (see transaction.ts): all that the rules have to know of a kind. */
export interface TransactionKind<T extends Encoded> {
  /** The first byte of the encoding. */
  readonly byte: number;
  /**
   * Reads what follows the first byte. Sizes are judged by `check`; here only what cannot be read is refused.
   * @throws RuleError with a code of its own, or the reader's where the bytes end too early.
   */
  read(reader: ByteReader): Omit<T, keyof Encoded>;
  /** The context-free rules of this kind alone, except those of its signature. @throws RuleError */
  check(transaction: T): void;
  /**
   * For a kind with a signature: the rules of that, on the network with this genesis. They cost far more than all others, and
   * are checked once for each id. @throws RuleError
   */
  checkSignature?(transaction: T, genesis: Hash): void;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws RuleError with `code` when `bytes` are not valid UTF-8; `what` names them in the message. */
export function decodeUtf8(bytes: Buffer, code: RuleCode, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RuleError(code, `${what} is not valid UTF-8`);
  }
}
