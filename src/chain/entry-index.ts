import { varintLength, type Hash } from '../consensus/codec.js';
import { isEntry, type Transaction } from '../consensus/transaction.js';
import { BULK, inBulk } from '../storage/bulk.js';
import type { Database } from '../storage/database.js';

/** Where an entry stands among all stored blocks. */
export interface EntryPlace {
  readonly blockId: number;
  /** Bytes from the start of the body. */
  readonly offset: number;
}

/**
 * Rows in the order of the index, so that neighbours meet in its pages. Of each the last 48 bits of an entry's id, and its
 * block's id * OFFSETS + its offset. Arrays of doubles, because ten thousand small objects for each block are a lot to collect.
 */
interface Rows {
  readonly prefixes: Float64Array;
  readonly places: Float64Array;
}

/** The rows of a block that are not all written yet. */
interface Unwritten {
  readonly rows: Rows;
  written: number;
}

/** A body of at most 1 MiB leaves an offset of 20 bits, and ids of 33 bits in a number that a double holds exactly. */
const OFFSETS = 2 ** 20;
const PREFIX_DIGITS = 12;
/** Rows that one commit writes, and ids that one step looks up. In a big index each is a page of its own. */
const STEP_ROWS = 1_000;
/** Blocks whose rows may wait in memory; the rows of more are written with their block. */
const MAX_UNWRITTEN_BLOCKS = 8;

/**
 * Which blocks hold which entries. The rows of a big block change up to as many pages as it has entries, which would hold up
 * everything else for hundreds of milliseconds. So they are written after the block, in steps; until then they are in
 * memory, and `unindexed_blocks` says which blocks have to be read again after a crash.
 */
export class EntryIndex {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #unwritten = new Map<number, Unwritten>();
  /** Blocks that came with the transaction that is open. */
  #uncommitted: number[] = [];
  /** Blocks without rows that cannot be read: each may hold any entry. */
  readonly #unreadable = new Set<number>();
  #lookAheads: WeakRef<LookAhead>[] = [];

  constructor(database: Database) {
    this.#statements = prepareStatements(database);
  }

  /** Are there rows that writeStep() can write? */
  get isBehind(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Adds the entries of a block, within the transaction that stores it. */
  add(blockId: number, transactions: readonly Transaction[]): void {
    const rows = rowsOf(blockId, transactions);
    for (const ahead of this.#othersThan(transactions)) ahead.see(rows);
    const { length } = rows.places;
    if (length <= STEP_ROWS || this.#unwritten.size >= MAX_UNWRITTEN_BLOCKS) return this.#write(rows, 0, length);
    this.#statements.insertUnindexed.run(blockId);
    this.#uncommitted.push(blockId);
    this.#unwritten.set(blockId, { rows, written: 0 });
  }

  /** The transaction with what was added is on disk. */
  committed(): void {
    this.#uncommitted = [];
  }

  /** The transaction with what was added failed. */
  rolledBack(): void {
    for (const blockId of this.#uncommitted) this.#unwritten.delete(blockId);
    this.#uncommitted = [];
  }

  /** Writes some of the rows that wait. @param transact runs the write, and throws when it fails. */
  writeStep(transact: (write: () => void) => void): void {
    const [next] = this.#unwritten;
    if (next === undefined) return;
    const [blockId, waiting] = next;
    const { rows, written } = waiting;
    const end = Math.min(rows.places.length, written + STEP_ROWS);
    const isLast = end === rows.places.length;
    transact(() => {
      this.#write(rows, written, end);
      if (isLast) this.#statements.deleteUnindexed.run(blockId);
    });
    waiting.written = end;
    if (isLast) this.#unwritten.delete(blockId);
  }

  /** Blocks whose rows a former run did not write. */
  unindexedBlocks(): number[] {
    return this.#statements.unindexed.all();
  }

  /** Hands in such a block. @param transactions undefined where it cannot be read. */
  restore(blockId: number, transactions: readonly Transaction[] | undefined): void {
    this.#unreadable.delete(blockId);
    if (transactions === undefined) this.#unreadable.add(blockId);
    else this.#unwritten.set(blockId, { rows: rowsOf(blockId, transactions), written: 0 });
  }

  /** The block can be read again. */
  mended(blockId: number, transactions: readonly Transaction[]): void {
    if (this.#unreadable.has(blockId)) this.restore(blockId, transactions);
  }

  /** Where entries with these ids may be. Only 48 bits of the ids are compared: the caller has to compare the rest. */
  find(ids: readonly Hash[]): Map<Hash, EntryPlace[]> {
    const prefixes = ids.map(prefixOf);
    const places = new Map<number, number[]>();
    const put = (prefix: number, place: number): void => append(places, prefix, place);
    inBulk(
      prefixes,
      (part) => {
        for (const [prefix, place] of this.#statements.rowsOfMany.all(...part)) put(prefix, place);
      },
      (prefix) => {
        for (const [, place] of this.#statements.rowsOfOne.all(prefix)) put(prefix, place);
      },
    );
    for (const { rows } of this.#unwritten.values()) {
      for (const prefix of prefixes) {
        for (let at = firstOf(rows.prefixes, prefix); rows.prefixes[at] === prefix; at++) put(prefix, rows.places[at]!);
      }
    }
    for (const blockId of this.#unreadable) for (const prefix of prefixes) put(prefix, blockId * OFFSETS);
    const found = new Map<Hash, EntryPlace[]>();
    for (const [index, id] of ids.entries()) {
      const at = places.get(prefixes[index]!);
      if (at !== undefined) found.set(id, at.map(toPlace));
    }
    return found;
  }

  /** Begins to look up where the entries of a block stand that is about to be stored. */
  lookAhead(transactions: readonly Transaction[]): LookAhead {
    const ahead = new LookAhead(transactions, (ids) => this.find(ids));
    this.#lookAheads.push(new WeakRef(ahead));
    return ahead;
  }

  /** Drops the one of the block that is stored now, and those whose blocks were given up. */
  #othersThan(stored: readonly Transaction[]): LookAhead[] {
    const others = this.#lookAheads.flatMap((ref) => ref.deref() ?? []).filter((one) => one.transactions !== stored);
    if (others.length < this.#lookAheads.length) this.#lookAheads = others.map((one) => new WeakRef(one));
    return others;
  }

  #write({ prefixes, places }: Rows, start: number, end: number): void {
    inBulk(
      Array.from({ length: end - start }, (_, index) => start + index),
      (rows) => this.#statements.insertMany.run(...rows.flatMap((row) => [prefixes[row]!, places[row]!])),
      (row) => this.#statements.insertOne.run(prefixes[row]!, places[row]!),
    );
  }
}

/**
 * Where the entries of one block stand in other blocks: looked up in steps before it is stored, and kept up to date as other
 * blocks are stored meanwhile.
 */
export class LookAhead {
  readonly #places = new Map<Hash, EntryPlace[]>();
  /** In the order of their prefixes. */
  readonly #ids: readonly Hash[];
  readonly #prefixes: Float64Array;
  #done = 0;

  constructor(
    readonly transactions: readonly Transaction[],
    private readonly find: (ids: readonly Hash[]) => ReadonlyMap<Hash, readonly EntryPlace[]>,
  ) {
    const { order, prefixes } = inOrder(transactions);
    this.#ids = order.map((index) => transactions[index]!.id);
    this.#prefixes = prefixes;
  }

  get isDone(): boolean {
    return this.#done >= this.#ids.length;
  }

  /** Places of all that were found. */
  get places(): ReadonlyMap<Hash, readonly EntryPlace[]> {
    return this.#places;
  }

  step(): void {
    const part = this.#ids.slice(this.#done, this.#done + STEP_ROWS);
    this.#done += STEP_ROWS;
    for (const [id, places] of this.find(part)) for (const place of places) append(this.#places, id, place);
  }

  /** Another block is stored. */
  see({ prefixes, places }: Rows): void {
    for (let row = 0; row < prefixes.length; row++) {
      const prefix = prefixes[row]!;
      let at = firstOf(this.#prefixes, prefix);
      for (; this.#prefixes[at] === prefix; at++) append(this.#places, this.#ids[at]!, toPlace(places[row]!));
    }
  }
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function rowsOf(blockId: number, transactions: readonly Transaction[]): Rows {
  const offsets: number[] = [];
  const entries: Transaction[] = [];
  let offset = varintLength(transactions.length);
  for (const transaction of transactions) {
    if (isEntry(transaction)) {
      entries.push(transaction);
      offsets.push(blockId * OFFSETS + offset);
    }
    offset += transaction.bytes.length;
  }
  const { order, prefixes } = inOrder(entries);
  return { prefixes, places: Float64Array.from(order, (index) => offsets[index]!) };
}

/** @returns places in the list by rising prefix, and the prefixes themselves. */
function inOrder(transactions: readonly Transaction[]): { order: number[]; prefixes: Float64Array } {
  const prefixes = Float64Array.from(transactions, ({ id }) => prefixOf(id));
  const order = Array.from(prefixes.keys()).sort((one, other) => prefixes[one]! - prefixes[other]!);
  return { order, prefixes: prefixes.sort() };
}

/** Where the prefix stands first, or would. */
function firstOf(prefixes: Float64Array, prefix: number): number {
  let low = 0;
  for (let high = prefixes.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (prefixes[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}

function prefixOf(id: Hash): number {
  return Number.parseInt(id.slice(-PREFIX_DIGITS), 16);
}

function toPlace(place: number): EntryPlace {
  return { blockId: Math.floor(place / OFFSETS), offset: place % OFFSETS };
}

function prepareStatements(database: Database) {
  // Rows that a crash left of a block which is not whole yet are written again.
  const insert = 'INSERT OR IGNORE INTO entries (prefix, place) VALUES';
  const select = 'SELECT prefix, place FROM entries WHERE prefix';
  return {
    insertOne: database.prepare<[number, number]>(`${insert} (?, ?)`),
    insertMany: database.prepare<number[]>(`${insert} ${Array(BULK).fill('(?, ?)').join(', ')}`),
    rowsOfOne: database.prepare<[number], [number, number]>(`${select} = ?`).raw(),
    rowsOfMany: database
      .prepare<number[], [number, number]>(`${select} IN (${Array(BULK).fill('?').join(', ')})`)
      .raw(),
    unindexed: database.prepare<[], number>('SELECT block_id FROM unindexed_blocks ORDER BY block_id').pluck(),
    insertUnindexed: database.prepare<[number]>('INSERT INTO unindexed_blocks (block_id) VALUES (?)'),
    deleteUnindexed: database.prepare<[number]>('DELETE FROM unindexed_blocks WHERE block_id = ?'),
  };
}
