import { RuleError } from '../consensus/rule-error.js';
import { hashToBytes, type Hash } from '../consensus/codec.js';
import { decodeTransaction, type DataTransaction } from '../consensus/transaction.js';
import type { Database } from '../storage/database.js';
import { DatabaseDamagedError, namingDamage } from '../storage/storage-errors.js';
import type { PoolEntry } from './pool.js';

interface Row {
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
    this.#transact = database.transaction((work: () => void) => work());
  }

  /** Runs `work` in one transaction: all of its writes are on disk when this returns, none when it throws. */
  transact(work: () => void): void {
    namingDamage(this.#database.name, () => this.#transact(work));
  }

  /** Deletes what stands in the active chain. @returns how many that were. */
  deleteMined(): number {
    return this.#statements.deleteMined.run().changes;
  }

  /** All that waits, in order. */
  load(): PoolEntry[] {
    return namingDamage(this.#database.name, () => this.#statements.all.all()).map((row) => ({
      transaction: this.#decode(row.bytes),
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

  delete(id: Hash): void {
    this.#statements.delete.run(hashToBytes(id));
  }

  #decode(bytes: Buffer): DataTransaction {
    try {
      const transaction = decodeTransaction(bytes);
      if (transaction.kind === 'data') return transaction;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
    }
    throw new DatabaseDamagedError(this.#database.name, 'a transaction of the mempool cannot be decoded');
  }
}

function prepareStatements(database: Database) {
  return {
    deleteMined: database.prepare<[]>(
      'DELETE FROM mempool WHERE EXISTS (SELECT 1 FROM transactions WHERE transactions.id = mempool.id)',
    ),
    all: database.prepare<[], Row>('SELECT acknowledged, bytes FROM mempool ORDER BY sequence'),
    lowest: database.prepare<[], number | null>('SELECT min(sequence) FROM mempool').pluck(),
    append: database.prepare<[Buffer, 0 | 1, Buffer]>('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, ?, ?)'),
    prepend: database.prepare<[number, Buffer, 0 | 1, Buffer]>(
      'INSERT OR IGNORE INTO mempool (sequence, id, acknowledged, bytes) VALUES (?, ?, ?, ?)',
    ),
    delete: database.prepare<[Buffer]>('DELETE FROM mempool WHERE id = ?'),
  };
}
