import { RuleError } from '../consensus/rule-error.js';
import { hashFromBytes, hashToBytes, type Hash } from '../consensus/codec.js';
import { decodeTransaction, isEntry, type Entry } from '../consensus/transaction.js';
import { BULK, inBulk } from '../storage/bulk.js';
import { checkFiles, createTransact, type Database } from '../storage/database.js';
import { DatabaseDamagedError, namingDamage } from '../storage/storage-errors.js';
import type { PoolEntry } from './pool.js';

interface Row {
  readonly id: Buffer;
  readonly acknowledged: 0 | 1;
  readonly bytes: Buffer;
}

/** The mempool in SQLite. Writes belong into transact(), or into a transaction of the chain. */
export class MempoolStore {
  readonly #database: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #transact: (work: () => void) => void;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#transact = createTransact(database);
  }

  /** Runs `work` in one transaction: all of its writes are on disk when this returns, none when it throws. */
  transact(work: () => void): void {
    this.#transact(work);
  }

  /** @throws DataDirLostError when what was written stands where no start looks for it. */
  checkFiles(): void {
    checkFiles(this.#database);
  }

  /** All that waits, in order. */
  load(): PoolEntry[] {
    return namingDamage(this.#database.name, () => this.#statements.all.all()).map((row) => ({
      transaction: this.#decode(row),
      isAcknowledged: row.acknowledged === 1,
    }));
  }

  append({ transaction, isAcknowledged }: PoolEntry): void {
    this.#statements.append.run(hashToBytes(transaction.id), isAcknowledged ? 1 : 0, transaction.bytes);
  }

  /** Puts entries before all others, keeping their order among themselves; leaves those alone that are there. */
  prepend(entries: readonly PoolEntry[]): void {
    if (entries.length === 0) return;
    const first = (this.#statements.lowest.get() ?? 0) - entries.length;
    for (const [index, { transaction, isAcknowledged }] of entries.entries()) {
      const id = hashToBytes(transaction.id);
      this.#statements.prepend.run(first + index, id, isAcknowledged ? 1 : 0, transaction.bytes);
    }
  }

  /** Notes that this node owes the entry to somebody. */
  acknowledge(id: Hash): void {
    this.#statements.acknowledge.run(hashToBytes(id));
  }

  /** Ids of blocks that entered or left the active chain, whose entries are still to be looked at. */
  loadUnsettled(): number[] {
    return this.#statements.unsettled.all();
  }

  saveUnsettled(blockId: number): void {
    this.#statements.insertUnsettled.run(blockId);
  }

  deleteUnsettled(blockId: number): void {
    this.#statements.deleteUnsettled.run(blockId);
  }

  delete(ids: readonly Hash[]): void {
    inBulk(
      ids,
      (part) => this.#statements.deleteMany.run(...part.map(hashToBytes)),
      (id) => this.#statements.delete.run(hashToBytes(id)),
    );
  }

  #decode({ id, bytes }: Row): Entry {
    try {
      const transaction = decodeTransaction(bytes);
      if (isEntry(transaction) && transaction.id === hashFromBytes(id)) return transaction;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
    }
    throw new DatabaseDamagedError(this.#database.name, 'an entry of the mempool is not the one that was stored');
  }
}

function prepareStatements(database: Database) {
  return {
    all: database.prepare<[], Row>('SELECT id, acknowledged, bytes FROM mempool ORDER BY sequence'),
    acknowledge: database.prepare<[Buffer]>('UPDATE mempool SET acknowledged = 1 WHERE id = ?'),
    unsettled: database.prepare<[], number>('SELECT block_id FROM unsettled_blocks').pluck(),
    insertUnsettled: database.prepare<[number]>('INSERT OR IGNORE INTO unsettled_blocks (block_id) VALUES (?)'),
    deleteUnsettled: database.prepare<[number]>('DELETE FROM unsettled_blocks WHERE block_id = ?'),
    lowest: database.prepare<[], number | null>('SELECT min(sequence) FROM mempool').pluck(),
    append: database.prepare<[Buffer, 0 | 1, Buffer]>('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, ?, ?)'),
    prepend: database.prepare<[number, Buffer, 0 | 1, Buffer]>(
      'INSERT OR IGNORE INTO mempool (sequence, id, acknowledged, bytes) VALUES (?, ?, ?, ?)',
    ),
    delete: database.prepare<[Buffer]>('DELETE FROM mempool WHERE id = ?'),
    deleteMany: database.prepare<Buffer[]>(`DELETE FROM mempool WHERE id IN (${Array(BULK).fill('?').join(', ')})`),
  };
}
