import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ChainMetrics } from '../../src/chain/chain.metrics.js';
import { ChainService } from '../../src/chain/chain.service.js';
import type { Clock } from '../../src/common/clock.js';
import { Faults } from '../../src/common/faults.js';
import type { Random } from '../../src/common/random.js';
import type { NodeConfig } from '../../src/config/node-config.js';
import { createBlock, type Block } from '../../src/consensus/block.js';
import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import { computeMerkleRoot } from '../../src/consensus/merkle.js';
import { BLOCK_VERSION, createParams, type ConsensusParams } from '../../src/consensus/params.js';
import { nextBits } from '../../src/consensus/retarget.js';
import { isHashBelowTarget } from '../../src/consensus/target.js';
import {
  createCoinbase,
  createDataTransaction,
  type DataTransaction,
  type Transaction,
} from '../../src/consensus/transaction.js';
import { MempoolMetrics } from '../../src/mempool/mempool.metrics.js';
import { MempoolService } from '../../src/mempool/mempool.service.js';
import type { MempoolLimits } from '../../src/mempool/policy.js';
import { openDatabase, type Database } from '../../src/storage/database.js';
import { VirtualClock } from './virtual-clock.js';

export const silentLog = pino({ level: 'silent' });

/** A network on which nearly every nonce is good. */
export const easyParams = createParams({ network: 'test', difficulty: 0 });

let counter = 0n;

/** Bytes that never come again within a run, and are the same in every run. */
export function countedBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeBigUInt64LE(++counter, 0);
  return bytes;
}

/** An entry with this string; two of one string are two entries. */
export function entry(data: string): DataTransaction {
  return createDataTransaction(data, 1_780_000_000_000, countedBytes);
}

export interface BlockOptions {
  /** Header time, in seconds; by default one second after the parent. */
  readonly time?: number;
  readonly bits?: number;
  /** What the coinbase says; by default the height at which the block stands. */
  readonly coinbaseHeight?: number;
  readonly params?: ConsensusParams;
}

/** Mines a block on `parent` with these entries (strings become new ones) after its coinbase. Two calls, two blocks. */
export function mineOn(
  parent: BlockNode,
  entries: readonly (string | Transaction)[] = [],
  options: BlockOptions = {},
): Block {
  const coinbase = createCoinbase(options.coinbaseHeight ?? parent.height + 1, ++counter, 'miner');
  const transactions = [coinbase, ...entries.map((item) => (typeof item === 'string' ? entry(item) : item))];
  return mineTransactions(parent, transactions, options);
}

/** Mines a block on `parent` with exactly these transactions. */
export function mineTransactions(parent: BlockNode, transactions: Transaction[], options: BlockOptions = {}): Block {
  const bits = options.bits ?? nextBits(parent, options.params ?? easyParams);
  const header = {
    version: BLOCK_VERSION,
    previousHash: parent.hash,
    merkleRoot: computeMerkleRoot(transactions.map(({ id }) => id)).root,
    time: options.time ?? parent.time + 1,
    bits,
  };
  for (let nonce = 0; ; nonce++) {
    const block = createBlock({ ...header, nonce }, transactions);
    if (isHashBelowTarget(block.hash, bits)) return block;
  }
}

export function genesisNode(params = easyParams): BlockNode {
  return linkHeader(params.genesis.hash, params.genesis.header, undefined);
}

/** The node that a block has on `parent`, without any chain. */
export function nodeOf(block: Block, parent: BlockNode): BlockNode {
  return linkHeader(block.hash, block.header, parent);
}

/** Mines `count` blocks on top of each other, the first on `parent`; `entriesAt` gives the entries of the i-th. */
export function mineChain(
  parent: BlockNode,
  count: number,
  entriesAt: (index: number) => readonly (string | Transaction)[] = () => [],
): { blocks: Block[]; nodes: BlockNode[] } {
  const blocks: Block[] = [];
  const nodes: BlockNode[] = [];
  for (let at = parent; blocks.length < count;) {
    const block = mineOn(at, entriesAt(blocks.length));
    at = nodeOf(block, at);
    blocks.push(block);
    nodes.push(at);
  }
  return { blocks, nodes };
}

export interface TestChainOptions {
  /** A directory, or ':memory:' (the default). */
  readonly dataDir?: string;
  readonly params?: ConsensusParams;
  /** By default a virtual one, months after the genesis: tens of thousands of blocks a second apart are not ahead of it. */
  readonly clock?: Clock;
  readonly limits?: MempoolLimits;
}

/** A node's chain and mempool, without Nest. */
export interface TestChain {
  readonly database: Database;
  readonly chain: ChainService;
  readonly mempool: MempoolService;
  readonly faults: Faults;
  readonly registry: Registry;
  close(): void;
}

export function openChain(options: TestChainOptions = {}): TestChain {
  const clock = options.clock ?? new VirtualClock();
  const registry = new Registry();
  const random: Random = { next: () => 0.5, bytes: countedBytes };
  const config = { mempool: options.limits ?? { maxTransactions: 2_000, maxBytes: 2_000_000 } } as NodeConfig;
  const database = openDatabase(options.dataDir ?? ':memory:', silentLog);
  try {
    const params = options.params ?? easyParams;
    const faults = new Faults(silentLog, registry);
    const chain = new ChainService(database, params, clock, silentLog, faults, new ChainMetrics(registry, clock));
    const metrics = new MempoolMetrics(registry);
    const mempool = new MempoolService(database, config, clock, random, silentLog, chain, faults, metrics);
    return { database, chain, mempool, faults, registry, close: () => void database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The data strings of the active chain, oldest first. */
export function chainData(chain: ChainService): string[] {
  return chain
    .getBlocks(0, Number.MAX_SAFE_INTEGER)
    .flatMap(({ transactions }) => transactions.flatMap((item) => (item.kind === 'data' ? [item.data] : [])));
}
