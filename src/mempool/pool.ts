import type { Hash } from '../consensus/codec.js';
import type { Entry } from '../consensus/transaction.js';

/** A waiting transaction. `isAcknowledged`: this node owes it to somebody (posted here, or mined before a reorg). */
export interface PoolEntry {
  readonly transaction: Entry;
  readonly isAcknowledged: boolean;
}

/** The mempool in memory, in the order in which blocks take it up. */
export class Pool {
  #entries = new Map<Hash, PoolEntry>();
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
    return [...this.#entries.keys()];
  }

  list(offset: number, limit: number): Entry[] {
    const listed: Entry[] = [];
    let position = 0;
    for (const { transaction } of this.#entries.values()) {
      if (position >= offset + limit) break;
      if (position++ >= offset) listed.push(transaction);
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
    for (const { transaction } of this.#entries.values()) {
      if (room < SMALLEST_TRANSACTION_BYTES || selected.length >= maxEntries) break;
      if (transaction.bytes.length > room || !isWanted(transaction)) continue;
      room -= transaction.bytes.length;
      selected.push(transaction);
    }
    return selected;
  }

  append(entry: PoolEntry): void {
    this.#entries.set(entry.transaction.id, entry);
    this.#count(entry, 1);
  }

  /** Puts entries before all others, keeping their order among themselves. */
  prepend(entries: readonly PoolEntry[]): void {
    if (entries.length === 0) return;
    const rest = this.#entries;
    this.#entries = new Map();
    for (const entry of entries) this.append(entry);
    for (const [id, entry] of rest) this.#entries.set(id, entry);
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
    this.#count(entry, -1);
    return true;
  }

  #count({ transaction, isAcknowledged }: PoolEntry, sign: 1 | -1): void {
    this.#bytes += sign * transaction.bytes.length;
    if (isAcknowledged) this.#acknowledged += sign;
  }
}

/** Kind, timestamp, no salt, one byte of data. */
const SMALLEST_TRANSACTION_BYTES = 12;
