import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { hashFromBytes, type Hash } from '../consensus/codec.js';
import { hash256 } from '../consensus/hash.js';
import { HEADER_BYTES } from '../consensus/header.js';
import { checkSchema } from './storage-errors.js';
import type { Database } from './database.js';

/** A stored block as it was found; whoever takes it up checks it anew. */
export interface FoundBlock {
  readonly id: number;
  /** When it arrived, since the epoch. */
  readonly receivedMs: number;
  /** Header and body. */
  readonly bytes: Buffer;
}

/** `id`: its place in the order of arrival. */
export interface FoundEntry {
  readonly id: number;
  readonly acknowledged: number;
  readonly bytes: Buffer;
}

interface HeaderRow {
  readonly id: number;
  readonly header: Buffer | null;
}

interface BlockRow {
  readonly id: number;
  readonly received_ms: number;
  readonly header: Buffer | null;
  readonly body: Buffer | null;
}

interface Statement<Row> {
  get(key: number): Row | undefined;
}

/** Header and the smallest body: no block takes less of the file. */
const SMALLEST_BLOCK_ROW_BYTES = 160;
const SMALLEST_ENTRY_ROW_BYTES = 50;

/**
 * Reads what can still be read of a database that may be damaged anywhere: rows one by one, past those that cannot be
 * reached. Trusts no index but the tables' own keys. Nothing found here is known to be right.
 */
export class Salvage {
  readonly #database: Database;
  readonly #fileBytes: number;
  #unreadable = 0;

  /** @throws DatabaseTooOldError, DatabaseTooNewError */
  constructor(readonly file: string) {
    this.#database = new Sqlite(file, { fileMustExist: true });
    try {
      // Else SQLite reads nothing at all of a file that is shorter than it says itself.
      this.#database.unsafeMode(true);
      this.#attempt(() => this.#database.pragma('writable_schema = ON'));
      // So that the file stands for itself, without a -wal beside it, when another takes its place.
      this.#attempt(() => this.#database.pragma('wal_checkpoint(TRUNCATE)'));
      const version = this.#attempt(() => this.#database.pragma('user_version', { simple: true }) as number) ?? 0;
      checkSchema(file, version);
      this.#fileBytes = this.#sizeOf();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Stretches of the file that were asked for and could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** About how many blocks there are; for a progress display. */
  get blockCount(): number {
    return this.#highestKey('blocks', 'id', SMALLEST_BLOCK_ROW_BYTES);
  }

  /** Ids of the active chain's blocks, from the lowest up: the tip and its ancestors, as far down as they can be read. */
  activeBlockIds(): number[] {
    const links = new Map<Hash, { readonly id: number; readonly previousHash: Hash }>();
    let next: Hash | undefined;
    this.#attempt(() => {
      const tip = this.#database.prepare<[], Buffer>('SELECT hash FROM chain_tip').pluck().get();
      if (tip !== undefined) next = hashFromBytes(tip);
    });
    if (next === undefined) return [];
    // What cannot be read is counted when the blocks themselves are.
    const unreadable = this.#unreadable;
    const rows = this.#prepare<HeaderRow>('SELECT id, header FROM blocks NOT INDEXED WHERE id > ? ORDER BY id LIMIT 1');
    for (const { id, header } of this.#scan('blocks', 'id', SMALLEST_BLOCK_ROW_BYTES, rows)) {
      if (!Buffer.isBuffer(header) || header.length !== HEADER_BYTES) continue;
      links.set(hash256(header), { id, previousHash: hashFromBytes(header.subarray(4, 36)) });
    }
    this.#unreadable = unreadable;
    const ids: number[] = [];
    for (let link; (link = links.get(next)) !== undefined; next = link.previousHash) ids.push(link.id);
    return ids.reverse();
  }

  /** Hashes of the blocks whose entries the mempool has still to look at. */
  unsettledBlocks(): Hash[] {
    const headers =
      this.#attempt(() =>
        this.#database
          .prepare<[], Buffer | null>('SELECT header FROM unsettled_blocks JOIN blocks ON blocks.id = block_id')
          .pluck()
          .all(),
      ) ?? [];
    return headers.flatMap((header) => (Buffer.isBuffer(header) ? hash256(header) : []));
  }

  block(id: number): FoundBlock | undefined {
    return this.#attempt(() => toBlock(this.#blockRows('id = ?').get(id)));
  }

  /** In order of arrival, so parents before their children. */
  *blocks(): Generator<FoundBlock> {
    for (const row of this.#scan('blocks', 'id', SMALLEST_BLOCK_ROW_BYTES, this.#blockRows('id > ?'))) {
      const block = toBlock(row);
      if (block !== undefined) yield block;
    }
  }

  /** What waited in the mempool, in its order. */
  *entries(): Generator<FoundEntry> {
    const next = this.#prepare<FoundEntry>(
      'SELECT sequence AS id, acknowledged, bytes FROM mempool WHERE sequence > ? ORDER BY sequence LIMIT 1',
    );
    for (const entry of this.#scan('mempool', 'sequence', SMALLEST_ENTRY_ROW_BYTES, next)) {
      if (Buffer.isBuffer(entry.bytes)) yield entry;
    }
  }

  /** Copies the rows that can be read of a table which nothing else depends on. @returns how many. */
  copyTable(table: 'peers' | 'bans', target: Database): number {
    let copied = 0;
    this.#attempt(() => {
      for (const row of this.#database.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).iterate()) {
        const columns = Object.keys(row);
        const sql = `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`;
        copied += this.#attempt(() => target.prepare(sql).run(...Object.values(row)).changes) ?? 0;
      }
    });
    return copied;
  }

  close(): void {
    this.#database.close();
  }

  #blockRows(condition: string): Statement<BlockRow> {
    return this.#prepare(
      `SELECT id, received_ms, header, body FROM blocks NOT INDEXED WHERE ${condition} ORDER BY id LIMIT 1`,
    );
  }

  /** Answers for a table that cannot even be found as if it were empty. */
  #prepare<Row>(sql: string): Statement<Row> {
    const statement = this.#attempt(() => this.#database.prepare<[number], Row>(sql));
    if (statement !== undefined) return statement;
    this.#unreadable++;
    return { get: () => undefined };
  }

  /** Steps over keys that lead to damage, one by one, until there is something to be read again. */
  *#scan<Row extends { readonly id: number }>(
    table: string,
    key: string,
    rowBytes: number,
    next: Statement<Row>,
  ): Generator<Row> {
    const last = this.#highestKey(table, key, rowBytes);
    let isReadable = true;
    for (let after = this.#lowestKey(table, key) - 1; after < last;) {
      let row: Row | undefined;
      try {
        row = next.get(after);
      } catch (error) {
        if (!isDamage(error)) throw error;
        if (isReadable) this.#unreadable++;
        isReadable = false;
        after++;
        continue;
      }
      isReadable = true;
      if (row === undefined) return;
      after = row.id;
      yield row;
    }
  }

  #lowestKey(table: string, key: string): number {
    return this.#attempt(() => this.#pluck(`SELECT min(${key}) FROM ${table} NOT INDEXED`)) ?? 0;
  }

  /** The highest key of a table; where it cannot be read, no more rows than the file has room for. */
  #highestKey(table: string, key: string, rowBytes: number): number {
    const room = Math.ceil(this.#fileBytes / rowBytes);
    try {
      return this.#pluck(`SELECT max(${key}) FROM ${table} NOT INDEXED`) ?? 0;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return room;
    }
  }

  #pluck(sql: string): number | undefined {
    return this.#database.prepare<[], number | null>(sql).pluck().get() ?? undefined;
  }

  #sizeOf(): number {
    const count = this.#attempt(() => this.#database.pragma('page_count', { simple: true }) as number) ?? 0;
    const size = this.#attempt(() => this.#database.pragma('page_size', { simple: true }) as number) ?? 0;
    return Math.max(count * size, statSync(this.file).size);
  }

  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }
}

function toBlock(row: BlockRow | undefined): FoundBlock | undefined {
  if (!Buffer.isBuffer(row?.header) || !Buffer.isBuffer(row.body)) return undefined;
  return { id: row.id, receivedMs: row.received_ms, bytes: Buffer.concat([row.header, row.body]) };
}

/** Pages that make no sense, that the disk does not give, or a schema that has lost a table. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Sqlite.SqliteError)) return false;
  return /^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(error.code) || error.message.startsWith('no such table');
}
