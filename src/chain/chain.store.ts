import { decodeBlock, type Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { hashFromBytes, hashToBytes, type Hash } from '../consensus/codec.js';
import { HEADER_BYTES, type BlockHeader } from '../consensus/header.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import type { Database } from '../storage/database.js';
import { DatabaseDamagedError, namingDamage } from '../storage/storage-errors.js';

/** Where a transaction stands in the active chain. */
export interface TransactionPlace {
  readonly height: number;
  readonly position: number;
}

/** The fields of a stored header that place it in the tree. */
export type BlockLink = { readonly id: number; readonly hash: Hash } & Pick<
  BlockHeader,
  'previousHash' | 'time' | 'bits'
>;

/** Hash, previous hash, time and bits. */
const LINK_BYTES = 72;

/** What the active chain ended with when it was last written. */
export interface StoredTip {
  readonly hash: Hash;
  readonly height: number;
  readonly chainWork: bigint;
}

/** Blocks, the active chain and its transactions in SQLite. All calls are synchronous; writes belong into transact(). */
export class ChainStore {
  readonly #database: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #transact: (work: () => void) => void;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#transact = database.transaction((work: () => void) => work());
  }

  /** The database file, for messages. */
  get file(): string {
    return this.#database.name;
  }

  /** Runs `work` in one transaction: all of its writes are on disk when this returns, none when it throws. */
  transact(work: () => void): void {
    namingDamage(this.file, () => this.#transact(work));
  }

  /** What places each stored block in the tree, in order of arrival, so parents first. */
  *loadLinks(): Generator<BlockLink> {
    for (const row of namingDamage(this.file, () => this.#statements.links.all())) {
      const bytes = Buffer.from(row.slice(0, 2 * LINK_BYTES), 'hex');
      yield {
        id: Number(row.slice(2 * LINK_BYTES)),
        hash: hashFromBytes(bytes.subarray(0, 32)),
        previousHash: hashFromBytes(bytes.subarray(32, 64)),
        time: bytes.readUInt32LE(64),
        bits: bytes.readUInt32LE(68),
      };
    }
  }

  /** Ids of the blocks that are marked as active, from the genesis up: the index is the height. */
  loadActiveIds(): number[] {
    return namingDamage(this.file, () => this.#statements.activeIds.all());
  }

  loadTip(): StoredTip | undefined {
    const row = this.#statements.tip.get();
    if (row === undefined) return undefined;
    return {
      hash: hashFromBytes(row.hash),
      height: row.height,
      chainWork: BigInt(`0x${row.chain_work.toString('hex')}`),
    };
  }

  saveBlock(block: Block, node: BlockNode): void {
    const chainWork = Buffer.from(node.chainWork.toString(16).padStart(64, '0'), 'hex');
    const { bytes } = block;
    this.#statements.insertBlock.run(
      hashToBytes(block.hash),
      node.height,
      chainWork,
      bytes.subarray(0, HEADER_BYTES),
      bytes.subarray(HEADER_BYTES),
    );
  }

  deleteBlock(hash: Hash): void {
    this.#statements.deleteBlock.run(hashToBytes(hash));
  }

  /** Puts a stored block on top of the active chain, at `height`. */
  connect(block: Block, height: number): void {
    this.#statements.insertActive.run(height, hashToBytes(block.hash));
    for (const [position, transaction] of block.transactions.entries()) {
      this.#statements.insertTransaction.run(hashToBytes(transaction.id), height, position);
    }
  }

  /** Takes the top block of the active chain, at `height`, off it. */
  disconnect(block: Block, height: number): void {
    this.#statements.deleteActive.run(height);
    for (const transaction of block.transactions) {
      this.#statements.deleteTransaction.run(hashToBytes(transaction.id));
    }
  }

  findTransaction(id: Hash): TransactionPlace | undefined {
    return this.#statements.transaction.get(hashToBytes(id));
  }

  /** Why the block was found invalid, if it was. */
  invalidCode(hash: Hash): RuleCode | undefined {
    return this.#statements.invalid.get(hashToBytes(hash));
  }

  saveInvalid(hash: Hash, code: RuleCode): void {
    this.#statements.insertInvalid.run(hashToBytes(hash), code);
  }

  /** Forgets verdicts that hang on checkpoints, which may have changed since, and those on descendants of invalid blocks. */
  deletePolicyVerdicts(): void {
    this.#statements.deletePolicyVerdicts.run();
  }

  loadBlockBytes(hash: Hash): Buffer | undefined {
    const row = this.#statements.block.get(hashToBytes(hash));
    return row && Buffer.concat(row);
  }

  loadBlock(hash: Hash): Block | undefined {
    const bytes = this.loadBlockBytes(hash);
    if (bytes === undefined) return undefined;
    const block = this.#decode(bytes);
    if (block.hash !== hash) throw new DatabaseDamagedError(this.file, `block ${hash} reads as ${block.hash}`);
    return block;
  }

  /** Blocks of the active chain, from `fromHeight` up. */
  loadActiveBlocks(fromHeight: number, limit: number): Block[] {
    return this.#statements.activeBlocks.all(fromHeight, limit).map((row) => this.#decode(Buffer.concat(row)));
  }

  /** Headers of the active chain, 80 bytes each, from `fromHeight` up. */
  loadActiveHeaderBytes(fromHeight: number, limit: number): Buffer[] {
    return this.#statements.activeHeaders.all(fromHeight, limit);
  }

  /** A block was whole when it was stored, so one that does not decode is damage, never a peer's doing. */
  #decode(bytes: Buffer): Block {
    try {
      return decodeBlock(bytes);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      throw new DatabaseDamagedError(this.file, `a stored block cannot be decoded (${error.message})`, {
        cause: error,
      });
    }
  }
}

function prepareStatements(database: Database) {
  return {
    // Hash, then previous hash, time and bits out of the 80 bytes, then the id in decimal. This is most of a start, hence
    // no more than is needed, and as one text: Buffers are slow to make here.
    links: database
      .prepare<[], string>(
        `SELECT hex(hash) || hex(substr(header, 5, 32)) || hex(substr(header, 69, 8)) || id FROM blocks ORDER BY id`,
      )
      .pluck(),
    activeIds: database.prepare<[], number>('SELECT block_id FROM active_chain ORDER BY height').pluck(),
    tip: database.prepare<[], { hash: Buffer; height: number; chain_work: Buffer }>(
      `SELECT blocks.hash, active_chain.height, blocks.chain_work
       FROM active_chain JOIN blocks ON blocks.id = active_chain.block_id ORDER BY active_chain.height DESC LIMIT 1`,
    ),
    insertBlock: database.prepare<[Buffer, number, Buffer, Buffer, Buffer]>(
      'INSERT INTO blocks (hash, height, chain_work, header, body) VALUES (?, ?, ?, ?, ?)',
    ),
    deleteBlock: database.prepare<[Buffer]>('DELETE FROM blocks WHERE hash = ?'),
    insertActive: database.prepare<[number, Buffer]>(
      'INSERT INTO active_chain (height, block_id) VALUES (?, (SELECT id FROM blocks WHERE hash = ?))',
    ),
    deleteActive: database.prepare<[number]>('DELETE FROM active_chain WHERE height = ?'),
    insertTransaction: database.prepare<[Buffer, number, number]>(
      'INSERT INTO transactions (id, height, position) VALUES (?, ?, ?)',
    ),
    deleteTransaction: database.prepare<[Buffer]>('DELETE FROM transactions WHERE id = ?'),
    transaction: database.prepare<[Buffer], TransactionPlace>('SELECT height, position FROM transactions WHERE id = ?'),
    invalid: database.prepare<[Buffer], RuleCode>('SELECT code FROM invalid_blocks WHERE hash = ?').pluck(),
    insertInvalid: database.prepare<[Buffer, RuleCode]>(
      'INSERT OR IGNORE INTO invalid_blocks (hash, code) VALUES (?, ?)',
    ),
    deletePolicyVerdicts: database.prepare<[]>(
      `DELETE FROM invalid_blocks WHERE code IN ('checkpoint-mismatch', 'bad-prevblk')`,
    ),
    block: database.prepare<[Buffer], [Buffer, Buffer]>('SELECT header, body FROM blocks WHERE hash = ?').raw(),
    activeBlocks: database
      .prepare<[number, number], [Buffer, Buffer]>(
        `SELECT blocks.header, blocks.body FROM active_chain JOIN blocks ON blocks.id = active_chain.block_id
         WHERE active_chain.height >= ? ORDER BY active_chain.height LIMIT ?`,
      )
      .raw(),
    activeHeaders: database
      .prepare<[number, number], Buffer>(
        `SELECT blocks.header FROM active_chain JOIN blocks ON blocks.id = active_chain.block_id
         WHERE active_chain.height >= ? ORDER BY active_chain.height LIMIT ?`,
      )
      .pluck(),
  };
}
