import { Inject, Injectable } from '@nestjs/common';
import { nowSeconds, type Clock } from '../common/clock.js';
import type { EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import { CLOCK, CONSENSUS_PARAMS, LOGGER } from '../common/tokens.js';
import type { Block } from '../consensus/block.js';
import { linkHeader, type BlockNode } from '../consensus/block-tree.js';
import { checkBlock, checkBlockContext, isBodyMismatch } from '../consensus/check-block.js';
import { checkHeaderContext, checkProofOfWork } from '../consensus/check-header.js';
import type { Hash } from '../consensus/codec.js';
import type { ConsensusParams } from '../consensus/params.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import type { Database } from '../storage/database.js';
import { DatabaseDamagedError } from '../storage/storage-errors.js';
import { DATABASE } from '../storage/storage.module.js';
import { ChainEvents, type AcceptOutcome, type ChainEventMap, type TipChange } from './chain.events.js';
import { ChainMetrics } from './chain.metrics.js';
import type { ChainState } from './chain-state.js';
import { ChainStore } from './chain.store.js';
import { Draft } from './draft.js';
import { loadChain } from './load-chain.js';
import { OrphanPool } from './orphan-pool.js';
import { placeBlock } from './place-block.js';
import { ReorgGuard } from './reorg-guard.js';
import { reportCommit } from './report-commit.js';

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
  readonly #orphans = new OrphanPool();
  readonly #guard: ReorgGuard;
  readonly #log: Logger;
  #isCommitting = false;

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
    this.#state = loadChain(this.#store, params);
    this.#guard = new ReorgGuard(params.maxReorgDepth, metrics, this.#log);
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

  /** A stored block, of the active chain or a side branch. */
  node(hash: Hash): BlockNode | undefined {
    return this.#state.node(hash);
  }

  /** The active chain's block at `height`. */
  nodeAt(height: number): BlockNode | undefined {
    return this.#state.nodeAt(height);
  }

  isActive(node: BlockNode): boolean {
    return this.#state.isActive(node);
  }

  /** Why the block was found invalid, if it is remembered so; `bad-prevblk` for descendants of such a block. */
  isInvalid(hash: Hash): RuleCode | undefined {
    return this.#store.invalidCode(hash);
  }

  isOrphan(hash: Hash): boolean {
    return this.#orphans.has(hash);
  }

  getBlock(hash: Hash): Block | undefined {
    return this.#store.loadBlock(hash);
  }

  getBlockBytes(hash: Hash): Buffer | undefined {
    return this.#store.loadBlockBytes(hash);
  }

  /** Blocks of the active chain, from `fromHeight` up. */
  getBlocks(fromHeight: number, limit: number): Block[] {
    return this.#store.loadActiveBlocks(fromHeight, limit);
  }

  /** Headers of the active chain, 80 bytes each, from `fromHeight` up. */
  getHeaderBytes(fromHeight: number, limit: number): Buffer[] {
    return this.#store.loadActiveHeaderBytes(fromHeight, limit);
  }

  /** Where a transaction stands in the active chain. */
  findTransaction(id: Hash): { node: BlockNode; index: number } | undefined {
    const place = this.#store.findTransaction(id);
    return place && { node: this.#state.nodeAt(place.height)!, index: place.position };
  }

  /** Does a transaction stand in the active chain? */
  hasTransaction(id: Hash): boolean {
    return this.#store.findTransaction(id) !== undefined;
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

  /** Headers that a peer shows break a checkpoint of ours: counts and logs it, once for each such branch. */
  refusedByCheckpoint(error: RuleError): void {
    this.#guard.brokeCheckpoint(error);
  }

  /**
   * Takes in one block; see acceptBatch.
   * @throws RuleError when it breaks a rule; another Error is a fault of our own, and then nothing has changed.
   */
  accept(block: Block): AcceptOutcome {
    const { outcomes, error } = this.acceptBatch([block]);
    if (error !== undefined) throw error;
    return outcomes[0]!;
  }

  /**
   * Takes in blocks in order, and stops at the first that breaks a rule; what came before it is kept. The only way by
   * which the chain changes. Effects, in this order:
   * 1. Each block is judged (own proof of work, body, parent, header in its context, connection to the branch it is on)
   *    before anything is written for it; one whose parent is unknown goes into the orphan pool.
   * 2. In one SQLite transaction: the blocks, the moves of the active chain and its transaction index, verdicts on
   *    invalid blocks, then the same for orphans that waited for any of these; last `committing`, if the tip moves.
   * 3. Commit. A fault up to here undoes it all: memory and disk are as before, the fault is reported and thrown.
   * 4. Memory: tree and active chain; adopted orphans leave the pool.
   * 5. Events: `committed` and `tip`, if it moved; then `block` for each block stored.
   * 6. The RuleError of the block that broke a rule is handed back (thrown by accept).
   */
  acceptBatch(blocks: readonly Block[]): BatchResult {
    if (this.#isCommitting) throw new Error('a listener of `committing` must not hand in blocks');
    const stopTimer = this.metrics.acceptSeconds.startTimer({ call: blocks.length === 1 ? 'one' : 'batch' });
    this.#orphans.expire(this.clock.nowMs());
    const draft = new Draft(this.#state, (hash) => this.#loadKnown(hash));
    const adopted: Hash[] = [];
    const outcomes: AcceptOutcome[] = [];
    let error: RuleError | undefined;
    let change: TipChange | undefined;
    this.#commit(() => {
      for (const block of blocks) {
        const result = this.#take(block, draft, adopted);
        if (result instanceof RuleError) {
          error = result;
          break;
        }
        outcomes.push(result);
      }
      change = draft.tipChange();
      if (change !== undefined) this.#events.emitOrThrow('committing', change);
    });
    draft.apply();
    for (const hash of adopted) this.#orphans.remove(hash);
    stopTimer();
    reportCommit({ outcomes, stored: draft.stored, change }, this.metrics, this.#log);
    this.#events.publish(change, draft.stored);
    return error === undefined ? { outcomes } : { outcomes, error };
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

  /** Judges and writes one block, then the orphans whose parent's fate is now known: no recursion, chains can be long. */
  #take(block: Block, draft: Draft, adopted: Hash[]): AcceptOutcome | RuleError {
    const result = this.#judge(block, draft, { isAdopted: false });
    const settled = isSettled(result) ? [block.hash] : [];
    for (const parent of settled) {
      for (const orphan of this.#orphans.childrenOf(parent)) {
        adopted.push(orphan.hash);
        if (isSettled(this.#judge(orphan, draft, { isAdopted: true }))) settled.push(orphan.hash);
      }
    }
    return result;
  }

  /** Judges one block and writes what follows from it. A broken rule is handed back, so that a batch can go on after it. */
  #judge(block: Block, draft: Draft, how: { isAdopted: boolean }): AcceptOutcome | RuleError {
    try {
      return this.#check(block, draft, how);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (isForGood(error)) this.#store.saveInvalid(block.hash, error.code);
      this.metrics.rejected.inc({ code: error.code });
      if (breaksCheckpoint(error)) this.#guard.brokeCheckpoint(error);
      else this.#log.info({ hash: block.hash, code: error.code, ...error.data }, `block refused: ${error.message}`);
      return error;
    }
  }

  #check(block: Block, draft: Draft, how: { isAdopted: boolean }): AcceptOutcome {
    const { hash, header } = block;
    if (draft.node(hash) !== undefined) return { kind: 'duplicate' };
    const verdict = this.#store.invalidCode(hash);
    if (verdict !== undefined) throw new RuleError(verdict, `block ${hash} was found invalid before`);
    const parent = draft.node(header.previousHash);
    if (parent === undefined && !how.isAdopted && this.#orphans.has(hash)) return this.#orphanOutcome(block);
    // Before any memory or disk is spent on it: what is kept or remembered must have cost its sender work.
    if (!how.isAdopted) checkProofOfWork(header, hash, this.params);
    if (parent === undefined && this.#store.invalidCode(header.previousHash) !== undefined) {
      throw new RuleError('bad-prevblk', `parent ${header.previousHash} is invalid`, { parent: header.previousHash });
    }
    if (!how.isAdopted) checkBlock(block, this.params);
    if (parent === undefined) {
      this.#orphans.add(block, this.clock.nowMs());
      return this.#orphanOutcome(block);
    }
    checkHeaderContext(header, hash, parent, this.params, nowSeconds(this.clock));
    checkBlockContext(block, parent.height + 1);
    const outcome = placeBlock(block, linkHeader(hash, header, parent), draft, this.#store, this.#guard);
    draft.add(block, outcome);
    return outcome;
  }

  #orphanOutcome(block: Block): AcceptOutcome {
    return { kind: 'orphan', missing: this.#orphans.missingAncestor(block) };
  }

  #loadKnown(hash: Hash): Block {
    const block = this.#store.loadBlock(hash);
    if (block === undefined) throw new DatabaseDamagedError(this.#store.file, `block ${hash} is missing`);
    return block;
  }
}

/** Is it known now what the block is, so that its children can be judged? */
function isSettled(result: AcceptOutcome | RuleError): boolean {
  return result instanceof RuleError ? isForGood(result) : result.kind !== 'orphan';
}

/** Does the block itself stand in a checkpoint's place (and was not only found invalid for that before)? */
function breaksCheckpoint({ code, data }: RuleError): boolean {
  return code === 'checkpoint-mismatch' && data['expected'] !== undefined;
}

/** Is the header invalid for ever, and was it paid for with work, so that it is worth remembering? */
function isForGood(error: RuleError): boolean {
  return error.code !== 'high-hash' && error.code !== 'time-too-new' && !isBodyMismatch(error);
}
