import { pino } from 'pino';
import { Registry } from 'prom-client';
import { ChainMetrics } from '../../src/chain/chain.metrics.js';
import type { AcceptOutcome } from '../../src/chain/chain.events.js';
import { ChainService, type BatchResult } from '../../src/chain/chain.service.js';
import type { Clock } from '../../src/common/clock.js';
import { Faults } from '../../src/common/faults.js';
import type { Random } from '../../src/common/random.js';
import type { NodeConfig } from '../../src/config/node-config.js';
import { createBlock, type Block } from '../../src/consensus/block.js';
import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import { computeMerkleRoot } from '../../src/consensus/merkle.js';
import { BLOCK_VERSION, createParams, type ConsensusParams } from '../../src/consensus/params.js';
import { RuleError } from '../../src/consensus/rule-error.js';
import type { VerifiedBlock } from '../../src/consensus/verify-block.js';
import { nextBits } from '../../src/consensus/retarget.js';
import { isHashBelowTarget } from '../../src/consensus/target.js';
import { createCoinbase } from '../../src/consensus/coinbase.js';
import { createDataTransaction, type DataTransaction } from '../../src/consensus/data-entry.js';
import { isEntry, type Transaction } from '../../src/consensus/transaction.js';
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

/** Takes a block in as from a peer: cheap questions first. @throws RuleError */
export function accept(chain: ChainService, block: Block): AcceptOutcome {
  return chain.judgeHeader(block.hash, block.header) ?? chain.accept(chain.verify(block));
}

/** Verifies blocks and takes them in, up to the first that breaks a rule. */
export function acceptBatch(chain: ChainService, blocks: readonly Block[]): BatchResult {
  const verified: VerifiedBlock[] = [];
  let broken: RuleError | undefined;
  for (const block of blocks) {
    try {
      verified.push(chain.verify(block));
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      broken = error;
      break;
    }
  }
  const result = chain.acceptBatch(verified);
  return broken === undefined || result.error !== undefined ? result : { ...result, error: broken };
}

/** The data strings of the active chain, oldest first. */
export function chainData(chain: ChainService): string[] {
  return chain
    .getBlocks(0, Number.MAX_SAFE_INTEGER)
    .flatMap(({ transactions }) => transactions.flatMap((item) => (isEntry(item) ? [item.data] : [])));
}
