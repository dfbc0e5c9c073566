import { crc32 } from 'node:zlib';
import { decodeBlock, openBlock, type Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { ByteReader, hashFromBytes, hashToBytes, type Hash } from '../consensus/codec.js';
import { hash256, sha256d } from '../consensus/hash.js';
import { HEADER_BYTES, type BlockHeader } from '../consensus/header.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import { readTransaction, type Transaction } from '../consensus/transaction.js';
import { createTransact, type Database } from '../storage/database.js';
import { DatabaseDamagedError, namingDamage } from '../storage/storage-errors.js';
import { BodyCache } from './body-cache.js';
import { EntryIndex, type EntryPlace, type LookAhead } from './entry-index.js';

/** The fields of a stored header that place it in the tree. */
export type BlockLink = { readonly id: number; readonly hash: Hash } & Pick<
  BlockHeader,
  'previousHash' | 'time' | 'bits'
>;

/** A stored block is not what was stored: its bytes changed on disk, or the disk does not give them. */
export class BlockDamagedError extends Error {
  override readonly name = 'BlockDamagedError';

  constructor(
    readonly node: BlockNode,
    file: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`block ${node.height} (${node.hash}) in ${file} is damaged: ${what}`, options);
  }
}

/** Row of `meta`: the program whose verdicts on blocks are stored. */
const VERDICTS_KEY = 'verdicts_of';

/**
 * Blocks, the tip and the index of entries in SQLite. All calls are synchronous; writes belong into transact(). Blocks are
 * named by BlockNode.id: the hash of a block is known to the tree in memory alone.
 */
export class ChainStore {
  readonly #database: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #transact: (work: () => void) => void;
  readonly #bodies = new BodyCache();
  readonly #index: EntryIndex;
  #lastId: number;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#transact = createTransact(database);
    this.#index = new EntryIndex(database);
    this.#lastId = namingDamage(this.file, () => this.#statements.lastId.get()) ?? 0;
  }

  get isOpen(): boolean {
    return this.#database.open;
  }

  /** The database file, for messages. */
  get file(): string {
    return this.#database.name;
  }

  /** Runs `work` in one transaction: all of its writes are on disk when this returns, none when it throws. */
  transact(work: () => void): void {
    try {
      this.#transact(work);
    } catch (error) {
      this.#index.rolledBack();
      throw error;
    }
    this.#index.committed();
  }

  /** The id for the next block to be stored. Ids rise in the order of arrival; one may be left out. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** What places each stored block in the tree, in order of arrival, so parents first. */
  *loadLinks(): Generator<BlockLink> {
    for (const row of namingDamage(this.file, () => this.#statements.links.all())) {
      const header = Buffer.from(row.slice(0, 2 * HEADER_BYTES), 'hex');
      yield {
        id: Number(row.slice(2 * HEADER_BYTES)),
        hash: hashFromBytes(sha256d(header)),
        previousHash: hashFromBytes(header.subarray(4, 36)),
        time: header.readUInt32LE(68),
        bits: header.readUInt32LE(72),
      };
    }
  }

  /** The block that the active chain ends with; undefined in an empty database. */
  loadTip(): { readonly id: number; readonly hash: Hash } | undefined {
    const row = namingDamage(this.file, () => this.#statements.tip.get());
    return row && { id: row.block_id, hash: hashFromBytes(row.hash) };
  }

  saveTip({ id, hash }: BlockNode): void {
    this.#statements.saveTip.run(id, hashToBytes(hash));
  }

  /** @param receivedMs when it arrived, since the epoch. */
  saveBlock({ bytes, transactions }: Block, { id, height }: BlockNode, receivedMs: number): void {
    const body = bytes.subarray(HEADER_BYTES);
    this.#statements.insertBlock.run(id, height, receivedMs, crc32(body), bytes.subarray(0, HEADER_BYTES), body);
    this.#index.add(id, transactions);
  }

  /** Puts the right bytes in the place of a damaged block's. */
  mendBlock({ bytes, transactions }: Block, { id }: BlockNode): void {
    const body = bytes.subarray(HEADER_BYTES);
    this.#bodies.delete(id);
    this.#statements.mendBlock.run(crc32(body), bytes.subarray(0, HEADER_BYTES), body, id);
    this.#index.mended(id, transactions);
  }

  /** Where entries with these ids may be. Only 48 bits of the ids are compared: the caller has to compare the rest. */
  findPlaces(ids: readonly Hash[]): ReadonlyMap<Hash, readonly EntryPlace[]> {
    return this.#index.find(ids);
  }

  /** As findPlaces for the entries of a block that is about to be stored, in steps. */
  lookAhead({ transactions }: Block): LookAhead {
    return this.#index.lookAhead(transactions);
  }

  /** Is the index of entries behind the stored blocks, so that indexStep() has work to do? */
  get isIndexBehind(): boolean {
    return this.#index.isBehind;
  }

  /** Brings the index a bounded step further. @throws as transact. */
  indexStep(): void {
    this.#index.writeStep((write) => this.transact(write));
  }

  /** Brings the index up to date with all stored blocks. @param nodeById finds them. */
  finishIndex(nodeById: (id: number) => BlockNode | undefined): void {
    while (this.#index.isBehind) this.indexStep();
    for (const id of namingDamage(this.file, () => this.#index.unindexedBlocks())) {
      this.#index.restore(id, this.#readable(nodeById(id)!)?.transactions);
      while (this.#index.isBehind) this.indexStep();
    }
  }

  /** The transaction at a place. @throws BlockDamagedError */
  loadTransaction(node: BlockNode, offset: number): Transaction {
    const body = this.#loadBody(node);
    return this.#naming(node, () => readTransaction(new ByteReader(body.subarray(offset), 'bad-txn-encoding')));
  }

  /** When the block arrived, since the epoch. */
  loadReceivedMs({ id }: BlockNode): number | undefined {
    return this.#statements.receivedMs.get(id);
  }

  /** Bytes of a body that was read lately, so that loadTransaction() need not read it from disk; 0 for any other. */
  bytesAtHand({ id }: BlockNode): number {
    return this.#bodies.bytesOf(id);
  }

  /** Why the block was found invalid, if it was. */
  invalidCode(hash: Hash): RuleCode | undefined {
    return this.#statements.invalid.get(hashToBytes(hash));
  }

  saveInvalid(hash: Hash, code: RuleCode): void {
    this.#statements.insertInvalid.run(hashToBytes(hash), code);
  }

  /**
   * Drops the verdicts with these codes, and all of them where another program (`judge`) gave them: it may have judged by
   * other rules, or wrongly.
   */
  dropVerdicts(codes: readonly RuleCode[], judge: string): void {
    if (this.#statements.judge.get(VERDICTS_KEY) !== judge) {
      this.#statements.deleteVerdicts.run();
      this.#statements.saveJudge.run(VERDICTS_KEY, judge);
    }
    for (const code of codes) this.#statements.deleteVerdictsOf.run(code);
  }

  /** Header and body. @throws BlockDamagedError when they are not those that were stored. */
  loadBlockBytes(node: BlockNode): Buffer {
    return Buffer.concat(this.#loadRow(node));
  }

  /** @throws BlockDamagedError */
  loadBlock(node: BlockNode): Block {
    return this.#naming(node, () => decodeBlock(this.loadBlockBytes(node)));
  }

  /** Decodes the transactions as the caller takes them. @throws BlockDamagedError */
  *loadTransactions(node: BlockNode): Generator<Transaction, undefined> {
    const block = this.#naming(node, () => openBlock(this.loadBlockBytes(node)));
    const rest = block.transactions[Symbol.iterator]();
    for (;;) {
      const next = this.#naming(node, () => rest.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  #readable(node: BlockNode): Block | undefined {
    try {
      return this.loadBlock(node);
    } catch (error) {
      if (error instanceof BlockDamagedError) return undefined;
      throw error;
    }
  }

  #loadBody(node: BlockNode): Buffer {
    const known = this.#bodies.get(node.id);
    if (known !== undefined) return known;
    const [, body] = this.#loadRow(node);
    this.#bodies.add(node.id, body);
    return body;
  }

  /** Headers, 80 bytes each. Blocks with neighbouring ids are read in one go. */
  loadHeaderBytes(nodes: readonly BlockNode[]): Buffer[] {
    const headers: Buffer[] = [];
    for (let start = 0; start < nodes.length;) {
      let end = start + 1;
      while (end < nodes.length && nodes[end]!.id === nodes[end - 1]!.id + 1) end++;
      for (const header of this.#statements.headers.all(nodes[start]!.id, nodes[end - 1]!.id)) headers.push(header);
      start = end;
    }
    return headers;
  }

  #loadRow(node: BlockNode): [header: Buffer, body: Buffer] {
    const row = this.#naming(node, () => this.#statements.block.get(node.id));
    if (row === undefined) throw new BlockDamagedError(node, this.file, 'it is missing');
    const [header, bodyCrc, body] = row;
    if (hash256(header) !== node.hash) throw new BlockDamagedError(node, this.file, 'its header has another hash');
    if (crc32(body) !== bodyCrc) throw new BlockDamagedError(node, this.file, 'its body has another CRC-32');
    return [header, body];
  }

  /** What SQLite or the codec says of a block that was whole when it was stored is damage, never a peer's doing. */
  #naming<T>(node: BlockNode, read: () => T): T {
    try {
      return namingDamage(this.file, read);
    } catch (cause) {
      if (cause instanceof RuleError || cause instanceof DatabaseDamagedError) {
        throw new BlockDamagedError(node, this.file, cause.message, { cause });
      }
      throw cause;
    }
  }
}

function prepareStatements(database: Database) {
  return {
    // The 80 bytes as hex, then the id in decimal: one text, since Buffers are slow to make here and this is most of a start.
    links: database.prepare<[], string>(`SELECT hex(header) || id FROM blocks ORDER BY id`).pluck(),
    lastId: database.prepare<[], number | null>('SELECT max(id) FROM blocks').pluck(),
    tip: database.prepare<[], { block_id: number; hash: Buffer }>('SELECT block_id, hash FROM chain_tip'),
    saveTip: database.prepare<[number, Buffer]>('REPLACE INTO chain_tip (one, block_id, hash) VALUES (1, ?, ?)'),
    insertBlock: database.prepare<[number, number, number, number, Buffer, Buffer]>(
      'INSERT INTO blocks (id, height, received_ms, body_crc, header, body) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    mendBlock: database.prepare<[number, Buffer, Buffer, number]>(
      'UPDATE blocks SET body_crc = ?, header = ?, body = ? WHERE id = ?',
    ),
    receivedMs: database.prepare<[number], number>('SELECT received_ms FROM blocks WHERE id = ?').pluck(),
    invalid: database.prepare<[Buffer], RuleCode>('SELECT code FROM invalid_blocks WHERE hash = ?').pluck(),
    insertInvalid: database.prepare<[Buffer, RuleCode]>(
      'INSERT OR IGNORE INTO invalid_blocks (hash, code) VALUES (?, ?)',
    ),
    deleteVerdicts: database.prepare<[]>('DELETE FROM invalid_blocks'),
    deleteVerdictsOf: database.prepare<[RuleCode]>('DELETE FROM invalid_blocks WHERE code = ?'),
    judge: database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck(),
    saveJudge: database.prepare<[string, string]>('REPLACE INTO meta (key, value) VALUES (?, ?)'),
    block: database
      .prepare<[number], [Buffer, number, Buffer]>('SELECT header, body_crc, body FROM blocks WHERE id = ?')
      .raw(),
    headers: database
      .prepare<[number, number], Buffer>('SELECT header FROM blocks WHERE id BETWEEN ? AND ? ORDER BY id')
      .pluck(),
  };
}
