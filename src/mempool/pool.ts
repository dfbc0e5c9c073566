import type { Hash } from '../consensus/codec.js';
import { fingerprintOf } from '../consensus/ssh-signature.js';
import type { Entry } from '../consensus/transaction.js';

/** A waiting transaction. `isAcknowledged`: this node owes it to somebody (posted here, or mined before a reorg). */
export interface PoolEntry {
  readonly transaction: Entry;
  readonly isAcknowledged: boolean;
}

interface Held extends PoolEntry {
  /** The part of the order that it is in. */
  readonly list: Set<Hash>;
}

/** The mempool in memory, in the order in which blocks take it up. */
export class Pool {
  readonly #entries = new Map<Hash, Held>();
  /** Ids in order. Each prepend puts a list of its own in front, so that it costs no more than what it adds. */
  #order: Set<Hash>[] = [new Set()];
  /** Ids of signed entries, by the fingerprints of their keys. */
  readonly #authors = new Map<string, Set<Hash>>();
  #bytes = 0;
  #acknowledged = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get acknowledgedCount(): number {
    return this.#acknowledged;
  }

  has(id: Hash): boolean {
    return this.#entries.has(id);
  }

  get(id: Hash): Entry | undefined {
    return this.#entries.get(id)?.transaction;
  }

  ids(): Hash[] {
    return [...this.#ids()];
  }

  /** @param author only entries that the key with this fingerprint signed. */
  list(offset: number, limit: number, author?: string): Entry[] {
    const listed: Entry[] = [];
    const theirs = author === undefined ? undefined : (this.#authors.get(author) ?? new Set());
    let position = 0;
    for (const id of theirs?.size === 0 ? [] : this.#ids()) {
      if (position >= offset + limit) break;
      if (theirs?.has(id) === false) continue;
      if (position++ >= offset) listed.push(this.get(id)!);
    }
    return listed;
  }

  /**
   * The first ones for which `isWanted` holds and that fit into `maxBytes` together, in order; a later one may fill what an
   * earlier one leaves.
   */
  select(maxBytes: number, maxEntries: number, isWanted: (entry: Entry) => boolean = () => true): Entry[] {
    const selected: Entry[] = [];
    let room = maxBytes;
    for (const id of this.#ids()) {
      if (room < SMALLEST_TRANSACTION_BYTES || selected.length >= maxEntries) break;
      const transaction = this.get(id)!;
      if (transaction.bytes.length > room || !isWanted(transaction)) continue;
      room -= transaction.bytes.length;
      selected.push(transaction);
    }
    return selected;
  }

  append(entry: PoolEntry): void {
    this.#add(entry, this.#order.at(-1)!);
  }

  /** Puts entries before all others, keeping their order among themselves. */
  prepend(entries: readonly PoolEntry[]): void {
    if (entries.length === 0) return;
    const front = new Set<Hash>();
    // The last list takes what is appended, so it stays.
    this.#order = [front, ...this.#order.filter((ids, index) => ids.size > 0 || index === this.#order.length - 1)];
    for (const entry of entries) this.#add(entry, front);
  }

  /** Notes that this node owes the entry to somebody; does nothing for one that is not there. */
  acknowledge(id: Hash): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.isAcknowledged) return;
    this.#entries.set(id, { ...entry, isAcknowledged: true });
    this.#acknowledged++;
  }

  /** @returns whether it was there. */
  delete(id: Hash): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    this.#entries.delete(id);
    entry.list.delete(id);
    this.#countAuthor(entry.transaction, 'delete');
    this.#count(entry, -1);
    return true;
  }

  *#ids(): Generator<Hash> {
    for (const ids of this.#order) yield* ids;
  }

  #add(entry: PoolEntry, list: Set<Hash>): void {
    this.#entries.set(entry.transaction.id, { ...entry, list });
    list.add(entry.transaction.id);
    this.#countAuthor(entry.transaction, 'add');
    this.#count(entry, 1);
  }

  #countAuthor(transaction: Entry, change: 'add' | 'delete'): void {
    if (transaction.kind !== 'signed') return;
    const author = fingerprintOf(transaction.publicKey);
    const ids = this.#authors.get(author) ?? new Set();
    ids[change](transaction.id);
    if (ids.size === 0) this.#authors.delete(author);
    else this.#authors.set(author, ids);
  }

  #count({ transaction, isAcknowledged }: PoolEntry, sign: 1 | -1): void {
    this.#bytes += sign * transaction.bytes.length;
    if (isAcknowledged) this.#acknowledged += sign;
  }
}

/** Kind, timestamp, no salt, one byte of data. */
const SMALLEST_TRANSACTION_BYTES = 12;
