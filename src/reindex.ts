import { copyFileSync, existsSync, linkSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { ChainMetrics } from './chain/chain.metrics.js';
import { ChainService } from './chain/chain.service.js';
import { WrongNetworkError } from './chain/load-chain.js';
import { systemClock } from './common/clock.js';
import { Faults } from './common/faults.js';
import type { Logger } from './common/logger.js';
import { decodeBlock, type Block } from './consensus/block.js';
import { ZERO_HASH, type Hash } from './consensus/codec.js';
import type { ConsensusParams } from './consensus/params.js';
import { RuleError } from './consensus/rule-error.js';
import { checkSignature, checkTransaction, decodeTransaction, isEntry, type Entry } from './consensus/transaction.js';
import type { VerifiedBlock } from './consensus/verify-block.js';
import { MempoolStore } from './mempool/mempool.store.js';
import type { PoolEntry } from './mempool/pool.js';
import { removeDatabaseFile, syncFile } from './storage/database-file.js';
import { DATABASE_FILE, lockDirectory, openSpareDatabase, type Database } from './storage/database.js';
import { Salvage, type FoundBlock } from './storage/salvage.js';

/** Bodies that share a commit. */
const BATCH_BLOCKS = 256;
const BATCH_BYTES = 16 * 1024 * 1024;

/** What a rebuilt database holds, and what of the old one it does not. */
export interface ReindexSummary {
  /** Blocks taken over, the genesis not counted. */
  readonly blocks: number;
  /** Readable blocks that break a rule; a block whose bytes were damaged is among them. */
  readonly refused: number;
  /** Readable blocks whose ancestors are lost. */
  readonly detached: number;
  /** Stretches of the old file that could not be read. */
  readonly unreadable: number;
  readonly height: number;
  readonly chainWork: bigint;
  /** Waiting entries taken over. */
  readonly entries: number;
  /** Waiting entries whose bytes were damaged. */
  readonly lostEntries: number;
  /** Where the old file is now. */
  readonly keptAs: string;
}

export interface ReindexOptions {
  readonly dataDir: string;
  readonly params: ConsensusParams;
  readonly log: Logger;
  /** Told now and then of how many blocks were looked at, and of about how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** None of the stored blocks belongs to the configured network: most likely the configuration is not this directory's. */
export class NothingToReindexError extends Error {
  override readonly name = 'NothingToReindexError';
}

/**
 * Builds a node's database anew from the blocks in the old one, each validated again from the genesis on, and puts it
 * in the old one's place by one rename; a crash at any moment leaves either the old or the new one there, whole. What is
 * derived (active chain, transaction index, heights, work) is taken over from nowhere, so whatever was wrong with it is
 * right afterwards. Waiting entries, known peers and bans are taken over as far as they can be read.
 * @throws DataDirInUseError while a node runs, NothingToReindexError, WrongNetworkError, DatabaseTooNewError: then nothing
 *   has changed.
 */
export function reindex(options: ReindexOptions): ReindexSummary {
  const { dataDir } = options;
  const file = join(resolve(dataDir), DATABASE_FILE);
  if (!existsSync(file)) throw new NothingToReindexError(`there is no database ${file}`);
  const lock = lockDirectory(dataDir);
  const spare = `${file}.reindex`;
  try {
    removeDatabaseFile(spare);
    const built = build(file, spare, options);
    return { ...built, keptAs: swap(file, spare) };
  } finally {
    removeDatabaseFile(spare);
    lock.close();
  }
}

function build(file: string, spare: string, options: ReindexOptions): Omit<ReindexSummary, 'keptAs'> {
  const old = new Salvage(file);
  try {
    const database = openSpareDatabase(spare, options.log);
    try {
      const blocks = takeBlocks(old, database, options);
      const entries = takeEntries(old, database, blocks.chain);
      for (const table of ['peers', 'bans'] as const) old.copyTable(table, database);
      const { tip } = blocks.chain;
      return {
        blocks: blocks.taken,
        refused: blocks.refused,
        detached: blocks.detached,
        unreadable: old.unreadable,
        height: tip.height,
        chainWork: tip.chainWork,
        ...entries,
      };
    } finally {
      database.close();
    }
  } finally {
    old.close();
  }
}

/** A block that obeys every context-free rule, and when it arrived, since the epoch. */
interface Candidate {
  readonly block: VerifiedBlock;
  readonly receivedMs: number;
}

interface TakenBlocks {
  readonly chain: ChainService;
  readonly taken: number;
  readonly refused: number;
  readonly detached: number;
}

/**
 * The old active chain goes first, so that of two branches with equal work it stays the active one, and no reorganisation
 * has to be undone that max_reorg_depth would not allow; then the rest, in order of arrival.
 */
function takeBlocks(old: Salvage, database: Database, options: ReindexOptions): TakenBlocks {
  const { params, log, onProgress = () => undefined } = options;
  const registry = new Registry();
  const faults = new Faults(log, registry);
  const chain = new ChainService(database, params, systemClock, log, faults, new ChainMetrics(registry, systemClock));
  const total = old.blockCount;
  const refused = new Set<Hash>();
  const detached = new Set<Hash>();
  const batch = new Map<Hash, Candidate>();
  let batchBytes = 0;
  let taken = 0;
  const flush = (): void => {
    for (let rest = [...batch.values()]; rest.length > 0;) {
      const { outcomes, error } = chain.acceptBatch(
        rest.map(({ block }) => block),
        rest.map(({ receivedMs }) => receivedMs),
      );
      for (const [index, { kind }] of outcomes.entries()) {
        if (kind === 'orphan') detached.add(rest[index]!.block.hash);
        else taken++;
      }
      if (error !== undefined) refused.add(rest[outcomes.length]!.block.hash);
      rest = rest.slice(outcomes.length + 1);
    }
    batch.clear();
    batchBytes = 0;
    onProgress(Math.min(taken, total), total);
  };
  const offer = (block: Block, receivedMs: number): void => {
    const { hash, header } = block;
    if (chain.node(hash) !== undefined || batch.has(hash) || refused.has(hash)) return;
    if (batch.size >= BATCH_BLOCKS || batchBytes >= BATCH_BYTES) flush();
    if (chain.node(header.previousHash) === undefined && !batch.has(header.previousHash)) detached.add(hash);
    else {
      detached.delete(hash);
      const verified = verifiedOrNone(block, chain);
      if (verified === undefined) refused.add(hash);
      else batch.set(hash, { block: verified, receivedMs });
      batchBytes += block.bytes.length;
    }
  };
  for (const id of old.activeBlockIds()) {
    const found = old.block(id);
    const block = decoded(found);
    if (found !== undefined && block !== undefined) offer(block, found.receivedMs);
  }
  flush();
  let genesis: { readonly hash: Hash; readonly bits: number } | undefined;
  let undecodable = 0;
  for (const found of old.blocks()) {
    const block = decoded(found);
    if (block === undefined) undecodable++;
    else if (block.header.previousHash === ZERO_HASH) genesis ??= { hash: block.hash, bits: block.header.bits };
    else offer(block, found.receivedMs);
  }
  flush();
  chain.finishIndex();
  if (taken === 0 && genesis !== undefined && genesis.hash !== params.genesis.hash) {
    throw new WrongNetworkError(old.file, params, genesis);
  }
  if (taken === 0 && detached.size + refused.size > 0) {
    throw new NothingToReindexError(
      `none of the ${detached.size + refused.size} blocks that can be read in ${old.file} can be taken over into network ` +
        `"${params.network}" as it is configured. Give the configuration that this data directory was made with; ` +
        'if it is this one, move the file away, and the node fetches the chain anew',
    );
  }
  return { chain, taken, refused: refused.size + undecodable, detached: detached.size };
}

/** Undefined when the block breaks a rule. */
function verifiedOrNone(block: Block, chain: ChainService): VerifiedBlock | undefined {
  try {
    return chain.verify(block);
  } catch (error) {
    if (error instanceof RuleError) return undefined;
    throw error;
  }
}

function decoded(found: FoundBlock | undefined): Block | undefined {
  if (found === undefined) return undefined;
  try {
    return decodeBlock(found.bytes);
  } catch (error) {
    if (error instanceof RuleError) return undefined;
    throw error;
  }
}

function takeEntries(old: Salvage, database: Database, chain: ChainService): { entries: number; lostEntries: number } {
  const store = new MempoolStore(database);
  const taken = new Map<Hash, PoolEntry>();
  let lostEntries = 0;
  for (const { bytes, acknowledged } of old.entries()) {
    const transaction = validEntry(bytes, chain.genesis.hash);
    if (transaction === undefined) lostEntries++;
    else if (!taken.has(transaction.id) && !chain.hasTransaction(transaction.id)) {
      taken.set(transaction.id, { transaction, isAcknowledged: acknowledged !== 0 });
    }
  }
  store.transact(() => {
    for (const hash of old.unsettledBlocks()) {
      const node = chain.node(hash);
      if (node !== undefined) store.saveUnsettled(node.id);
    }
    for (const entry of taken.values()) store.append(entry);
  });
  return { entries: taken.size, lostEntries };
}

function validEntry(bytes: Buffer, genesis: Hash): Entry | undefined {
  try {
    const transaction = decodeTransaction(bytes);
    checkTransaction(transaction);
    checkSignature(transaction, genesis);
    return isEntry(transaction) ? transaction : undefined;
  } catch (error) {
    if (error instanceof RuleError) return undefined;
    throw error;
  }
}

/** @returns the name under which the old file is kept. */
function swap(file: string, spare: string): string {
  const keptAs = `${file}.before-reindex-${new Date(systemClock.nowMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  keepUnder(file, keptAs);
  // Salvage has brought what it could of it into the file; beside another database it would be read as a part of that.
  for (const part of ['-wal', '-shm']) if (existsSync(file + part)) renameSync(file + part, keptAs + part);
  renameSync(spare, file);
  syncFile(file);
  return keptAs;
}

/** A second name for the same file, so that there is no moment without a database; a copy where links are not to be had. */
function keepUnder(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    copyFileSync(file, name);
  }
}
