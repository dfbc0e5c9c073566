import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import { SteppedJob } from '../common/stepped-job.js';
import { CLOCK, CONSENSUS_PARAMS, LOGGER } from '../common/tokens.js';
import type { Turns } from '../common/turns.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { BlockHeader } from '../consensus/header.js';
import type { ConsensusParams } from '../consensus/params.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import type { Transaction } from '../consensus/transaction.js';
import type { BlockVerification, VerifiedBlock } from '../consensus/verify-block.js';
import type { Database } from '../storage/database.js';
import { DATABASE } from '../storage/database-token.js';
import { BlockIntake } from './block-intake.js';
import { BlockReader, type FoundTransaction, type LookedUp } from './block-reader.js';
import { ChainEvents, type AcceptOutcome, type ChainEventMap, type TipChange } from './chain.events.js';
import { ChainMetrics } from './chain.metrics.js';
import type { ChainState } from './chain-state.js';
import { ChainStore } from './chain.store.js';
import { Draft } from './draft.js';
import type { LookAhead } from './entry-index.js';
import { loadChain } from './load-chain.js';
import { OrphanPool, type Orphan } from './orphan-pool.js';
import { ReorgGuard } from './reorg-guard.js';
import { reportCommit } from './report-commit.js';
import { SignatureMemory } from './signature-memory.js';

/** After a write of the index that failed. */
const INDEX_RETRY_MS = 1_000;
/** Ids that are looked up at once where many are asked for. */
const LOOKUP_IDS = 100;

/** What became of a batch, one outcome for each block that was taken before the first that broke a rule. */
export interface BatchResult {
  readonly outcomes: AcceptOutcome[];
  readonly error?: RuleError;
}

/** The chain of this node and the only one who changes it. */
@Injectable()
export class ChainService {
  readonly #events: ChainEvents;
  readonly #store: ChainStore;
  readonly #state: ChainState;
  readonly #reader: BlockReader;
  readonly #orphans = new OrphanPool();
  readonly #guard: ReorgGuard;
  readonly #intake: BlockIntake;
  readonly #log: Logger;
  /** Entries whose signatures need no second check. */
  readonly signatures = new SignatureMemory();
  #isCommitting = false;
  /** Writes what is missing in the index of entries. */
  readonly #indexing: SteppedJob;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(CONSENSUS_PARAMS) readonly params: ConsensusParams,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
    private readonly faults: Faults,
    private readonly metrics: ChainMetrics,
  ) {
    this.#events = new ChainEvents(faults.report);
    this.#log = log.child({ module: 'chain' });
    this.#store = new ChainStore(database);
    this.#state = loadChain(this.#store, params, clock.nowMs());
    this.#reader = new BlockReader(this.#store, this.#state, {
      damaged: (error) => {
        faults.report(error);
        this.#events.emit('damaged', error.node);
      },
      mended: (node) => {
        this.#log.info({ hash: node.hash, height: node.height }, `Block ${node.height} mended`);
        this.#events.emit('mended', node);
      },
    });
    this.#guard = new ReorgGuard(params.maxReorgDepth, metrics, this.#log);
    this.#intake = new BlockIntake({
      params,
      clock,
      log: this.#log,
      metrics,
      store: this.#store,
      state: this.#state,
      reader: this.#reader,
      orphans: this.#orphans,
      guard: this.#guard,
      signatures: this.signatures,
      write: (work) => (this.#isCommitting ? work() : this.#commit(work)),
    });
    this.#indexing = new SteppedJob({
      clock,
      isDue: () => this.#store.isOpen && this.#store.isIndexBehind,
      step: () => this.#store.indexStep(),
      fault: faults.report,
      retryMs: INDEX_RETRY_MS,
    });
    metrics.watch(this);
  }

  get events(): EventSource<ChainEventMap> {
    return this.#events;
  }

  get tip(): BlockNode {
    return this.#state.tip;
  }

  get genesis(): BlockNode {
    return this.#state.genesis;
  }

  get orphanCount(): number {
    return this.#orphans.count;
  }

  get orphanBytes(): number {
    return this.#orphans.bytes;
  }

  /** Stored blocks whose bytes changed on disk, and that are not whole again yet. */
  get damagedBlocks(): ReadonlySet<BlockNode> {
    return this.#reader.damagedBlocks;
  }

  /** A stored block, of the active chain or a side branch. */
  node(hash: Hash): BlockNode | undefined {
    return this.#state.node(hash);
  }

  /** The stored block with this id (see BlockNode.id). */
  nodeById(id: number): BlockNode | undefined {
    return this.#state.nodeById(id);
  }

  /** The active chain's block at `height`. */
  nodeAt(height: number): BlockNode | undefined {
    return this.#state.nodeAt(height);
  }

  isActive(node: BlockNode): boolean {
    return this.#state.isActive(node);
  }

  /** Why the block was found invalid, if it is remembered so; `bad-prevblk` for descendants of such a block. */
  invalidCode(hash: Hash): RuleCode | undefined {
    return this.#store.invalidCode(hash);
  }

  /** @throws BlockDamagedError when its bytes changed on disk; it is reported, and fetched again from a peer. */
  getBlock(hash: Hash): Block | undefined {
    return this.#reader.block(hash);
  }

  /** The transactions of a stored block, decoded as the caller takes them. @throws BlockDamagedError, as getBlock. */
  transactionsOf(node: BlockNode): Iterator<Transaction> {
    return this.#reader.transactions(node);
  }

  /** @throws BlockDamagedError, as getBlock. */
  getBlockBytes(hash: Hash): Buffer | undefined {
    return this.#reader.blockBytes(hash);
  }

  /** Blocks of the active chain, from `fromHeight` up. @throws BlockDamagedError, as getBlock. */
  getBlocks(fromHeight: number, limit: number): Block[] {
    return this.#nodesFrom(fromHeight, limit).map(({ hash }) => this.#reader.block(hash)!);
  }

  /** Headers of the active chain, 80 bytes each, from `fromHeight` up. */
  getHeaderBytes(fromHeight: number, limit: number): Buffer[] {
    return this.#store.loadHeaderBytes(this.#nodesFrom(fromHeight, limit));
  }

  /** Headers of these stored blocks, 80 bytes each. */
  getHeadersOf(nodes: readonly BlockNode[]): Buffer[] {
    return this.#store.loadHeaderBytes(nodes);
  }

  /** Height of the highest stored block, of the active chain or a side branch. */
  get topHeight(): number {
    return this.#state.topHeight;
  }

  /** All stored blocks at this height: those of the active chain and of side branches, in order of arrival. */
  nodesAt(height: number): readonly BlockNode[] {
    return this.#state.nodesAt(height);
  }

  /** Blocks whose parent is unknown, oldest first. */
  get orphans(): Iterable<Orphan> {
    return this.#orphans.all;
  }

  /** When a stored block arrived here, in milliseconds since the epoch. */
  receivedMs(node: BlockNode): number | undefined {
    return this.#store.loadReceivedMs(node);
  }

  /** An entry of the active chain, and the block that it is in. Coinbases are found by their blocks alone. */
  findTransaction(id: Hash): FoundTransaction | undefined {
    return this.#reader.findEntry(id, (node) => this.#state.isActive(node));
  }

  /** An entry of any stored block for which `isWanted` holds, also of one that is not active. */
  findStoredTransaction(id: Hash, isWanted: (node: BlockNode) => boolean): FoundTransaction | undefined {
    return this.#reader.findEntry(id, isWanted);
  }

  /** Does an entry stand in the active chain? */
  hasTransaction(id: Hash): boolean {
    return this.#reader.hasEntry(id, (node) => this.#state.isActive(node));
  }

  /** Those of the entries with these ids that stand in the active chain. */
  hasTransactions(ids: readonly Hash[]): Set<Hash> {
    return this.#reader.lookUp(ids, (node) => this.#state.isActive(node), Number.POSITIVE_INFINITY).found;
  }

  /**
   * As hasTransactions, for as many of the ids as one turn of the event loop should look up: each may stand in a block of
   * 1 MiB of its own.
   */
  lookUp(ids: readonly Hash[]): LookedUp {
    return this.#reader.lookUp(ids, (node) => this.#state.isActive(node));
  }

  /** As hasTransactions, in as many turns of the event loop as it should take; the first begins at once. */
  async lookUpInTurns(ids: readonly Hash[], turns: Turns): Promise<Set<Hash>> {
    const all = new Set<Hash>();
    for (let start = 0; start < ids.length;) {
      if (start > 0) await turns.next();
      const { count, found } = this.lookUp(ids.slice(start, start + LOOKUP_IDS));
      for (const id of found) all.add(id);
      start += count;
    }
    return all;
  }

  locator(): Hash[] {
    return this.#state.locator();
  }

  /** The highest block of the active chain that the locator names; the genesis if it names none. */
  findLocatorFork(locator: readonly Hash[]): BlockNode {
    return this.#state.findLocatorFork(locator);
  }

  /** Ends of other stored branches with as much work as the active tip. */
  competingTips(): BlockNode[] {
    return this.#state.competingTips();
  }

  /** Counts and logs headers of a peer that break a checkpoint of ours, once for each such branch. */
  refusedByCheckpoint(error: RuleError): void {
    this.#guard.brokeCheckpoint(error);
  }

  /**
   * All that the 80 bytes of a header tell of its block, before its body is decoded or hashed.
   * @returns the outcome, where the block is known already; undefined where its body has to be looked at.
   * @throws RuleError when the header breaks a rule or was found invalid before.
   */
  judgeHeader(hash: Hash, header: BlockHeader): AcceptOutcome | undefined {
    return this.#intake.judgeHeader(hash, header);
  }

  /**
   * Checks all context-free rules, which is most of what a block costs. Nothing is written except the verdict on a block
   * that breaks a rule for good.
   * @throws RuleError
   */
  verify(block: Block): VerifiedBlock {
    return this.verification(block).step({ left: Number.POSITIVE_INFINITY })!;
  }

  /** As verify, in steps: 10,000 signatures that were not checked before take about a second. */
  verification(block: Block): Pick<BlockVerification, 'step'> {
    return this.#intake.verification(block);
  }

  /**
   * Looks up in steps whether entries of a big block stand in other blocks already. `accept` does it at once otherwise, which
   * may take some hundred milliseconds where the index is long.
   */
  lookAhead(block: VerifiedBlock): LookAhead {
    return this.#intake.lookAhead(block);
  }

  /**
   * Takes in one block; see acceptBatch.
   * @throws RuleError when it breaks a rule; another Error is a fault of our own, and then nothing has changed.
   */
  accept(block: VerifiedBlock): AcceptOutcome {
    const { outcomes, error } = this.acceptBatch([block]);
    if (error !== undefined) throw error;
    return outcomes[0]!;
  }

  /**
   * Takes in blocks in order, and stops at the first that breaks a rule; what came before it is kept. The only way by
   * which the chain changes. Effects, in this order:
   * 1. Before the transaction: orphans that waited too long are dropped.
   * 2. In one SQLite transaction, for each block: its header in its context and its connection to its own branch are
   *    checked before anything is written for it; then the block with its index of entries, or the verdict on it. The
   *    same for orphans that waited for it. Last the tip, if it moves, and `committing`. Already now, and not undone with the
   *    transaction: blocks whose parent is unknown go into the orphan pool, refused ones are counted and logged, and the
   *    guard of max_reorg_depth remembers branches that it refused.
   * 3. Commit. A fault up to here undoes the transaction: the chain in memory and on disk is as before, the fault is
   *    reported and thrown.
   * 4. Memory: tree and active chain; adopted orphans leave the pool.
   * 5. Events: `committed` and `tip`, if it moved; then `block` for each block stored, `orphan` for each put aside.
   * 6. The RuleError of the block that broke a rule is handed back (thrown by accept).
   * @param receivedMs when each block arrived, since the epoch; by default now.
   */
  acceptBatch(blocks: readonly VerifiedBlock[], receivedMs: readonly number[] = []): BatchResult {
    if (this.#isCommitting) throw new Error('a listener of `committing` must not hand in blocks');
    const stopTimer = this.metrics.acceptSeconds.startTimer({ call: blocks.length === 1 ? 'one' : 'batch' });
    const nowMs = this.clock.nowMs();
    this.#orphans.expire(this.clock.monotonicMs());
    const draft = new Draft(this.#state);
    const adopted: Hash[] = [];
    const outcomes: AcceptOutcome[] = [];
    const orphaned: ChainEventMap['orphan'][] = [];
    let error: RuleError | undefined;
    let change: TipChange | undefined;
    this.#commit(() => {
      for (const [index, block] of blocks.entries()) {
        const isKnownOrphan = this.#orphans.has(block.hash);
        const arrivedMs = receivedMs[index] ?? nowMs;
        const result = this.#intake.take(block, arrivedMs, draft, adopted);
        if (result instanceof RuleError) {
          error = result;
          break;
        }
        outcomes.push(result);
        if (result.kind === 'orphan' && !isKnownOrphan) orphaned.push({ block, receivedMs: arrivedMs });
      }
      change = draft.tipChange();
      if (change === undefined) return;
      this.#store.saveTip(change.tip);
      this.#events.emitOrThrow('committing', change);
    });
    draft.apply();
    for (const hash of adopted) this.#orphans.remove(hash);
    stopTimer();
    reportCommit({ outcomes, stored: draft.stored, change }, this.metrics, this.#log);
    this.#events.publish(change, draft.stored);
    for (const orphan of orphaned) this.#events.emit('orphan', orphan);
    this.#indexing.soon();
    return error === undefined ? { outcomes } : { outcomes, error };
  }

  /** Puts a fetched block in the place of a stored one that is damaged; does nothing for any other. */
  mend(block: VerifiedBlock): void {
    this.#reader.mend(block, (work) => this.#commit(work));
    this.#indexing.soon();
  }

  /** Writes what is missing in the index of entries; otherwise that is done in later turns of the event loop. */
  finishIndex(): void {
    this.#store.finishIndex((id) => this.#state.nodeById(id));
  }

  /** As mend, for the genesis: every node can derive it. */
  mendGenesis(): void {
    this.#reader.mend(this.params.genesis, (work) => this.#commit(work));
  }

  #nodesFrom(fromHeight: number, limit: number): BlockNode[] {
    const nodes: BlockNode[] = [];
    const end = Math.min(this.tip.height + 1, fromHeight + limit);
    for (let height = fromHeight; height < end; height++) nodes.push(this.#state.nodeAt(height)!);
    return nodes;
  }

  #commit(work: () => void): void {
    this.#isCommitting = true;
    try {
      this.#store.transact(work);
    } catch (error) {
      this.faults.report(error as Error);
      throw error;
    } finally {
      this.#isCommitting = false;
    }
  }
}
