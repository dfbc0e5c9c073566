import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ChainService } from '../chain/chain.service.js';
import { SteppedCheck } from '../chain/stepped-check.js';
import type { Clock } from '../common/clock.js';
import { EventHub, type EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import { PassingFault } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { CLOCK, LOGGER, NODE_CONFIG, RANDOM } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { RuleError } from '../consensus/rule-error.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { isStorageFull } from '../storage/storage-errors.js';
import { BlockSearch, type SearchOutcome } from './block-search.js';
import { sealTemplate, type BlockTemplate } from './block-template.js';
import { HASHER, type Hasher } from './hasher.js';
import { MineQueue } from './mine-queue.js';
import type { MinerEventMap, SearchEnd, SearchStarted } from './miner.events.js';
import { MinerMetrics } from './miner.metrics.js';
import { MiningPolicy, type MiningReason, type MiningSettings } from './mining-policy.js';
import { RetryBackoff } from './retry-backoff.js';
import { TemplateSource } from './template-source.js';

export interface MinerStatus {
  /** Does it mine what comes into the mempool without being asked? */
  readonly auto: boolean;
  /** Is a search for a nonce running? */
  readonly active: boolean;
  /** Hashes per second over the last 10 s of searching, waits under a limit included. */
  readonly hashRate: number;
  /** Most hashes per second; 0 = no limit. */
  readonly maxHashRate: number;
}

/** Mining was asked of a node that is shutting down. */
export class MinerStoppedError extends Error {
  override readonly name = 'MinerStoppedError';

  constructor() {
    super('the node is shutting down and does not mine any more');
  }
}

/** A block that was found and could not be stored yet. */
interface UnstoredBlock {
  readonly block: VerifiedBlock;
  readonly search: SearchStarted;
}

/** A lock of another program ends at any moment, and an attempt to store a block that was found costs next to nothing. */
const STORE_AGAIN_MS = 1_000;
/** Checking or storing more than this takes tens of milliseconds. */
const BIG_BLOCK_TRANSACTIONS = 1_000;

/**
 * Mines: as long as the policy has a reason to, it searches for a block on the tip, one search at a time. A new tip ends
 * the search. A block that was found goes through ChainService.accept, like everybody else's. If it cannot be stored for
 * now (another program's lock, a full disk), it is kept and offered again, as long as its parent is the tip.
 */
@Injectable()
export class MinerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #events: EventHub<MinerEventMap>;
  #maxHashRate: number;
  readonly #log: Logger;
  readonly #policy: MiningPolicy;
  readonly #templates: TemplateSource;
  readonly #search: BlockSearch;
  readonly #backoff: RetryBackoff;
  readonly #requests = new MineQueue();
  #unstored: UnstoredBlock | undefined;
  #isStopped = false;
  #isLooping = false;
  readonly #subscriptions: (() => void)[] = [];

  constructor(
    @Inject(NODE_CONFIG) { blockchain, node }: NodeConfig,
    @Inject(CLOCK) clock: Clock,
    @Inject(RANDOM) random: Random,
    @Inject(LOGGER) log: Logger,
    @Inject(HASHER) private readonly hasher: Hasher,
    private readonly chain: ChainService,
    private readonly mempool: MempoolService,
    faults: Faults,
    private readonly metrics: MinerMetrics,
  ) {
    this.#events = new EventHub(faults.report);
    this.#maxHashRate = blockchain.maxHashRate;
    this.#log = log.child({ module: 'miner' });
    this.#policy = new MiningPolicy({
      settings: blockchain,
      requests: this.#requests,
      mempool,
      chain,
      clock,
      random,
      onDue: this.#wake,
    });
    this.#templates = new TemplateSource({ chain, mempool, clock, random, miner: node.nodeId });
    this.#search = new BlockSearch(hasher, clock, metrics);
    this.#backoff = new RetryBackoff(clock, this.#wake);
    metrics.watch(() => ({ ...this.status, hashesDone: hasher.hashesDone }));
  }

  get events(): EventSource<MinerEventMap> {
    return this.#events;
  }

  onApplicationBootstrap(): void {
    this.#subscriptions.push(
      this.chain.events.on('tip', this.#onTip),
      this.chain.events.on('block', this.#wake),
      this.mempool.events.on('added', ({ transactions }) => {
        this.#search.onAdded(transactions);
        this.#wake();
      }),
    );
    this.#wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopped = true;
    this.#dropUnstored('halted');
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#backoff.skip();
    this.setPaused('shutdown', true);
    this.#requests.rejectAll(new MinerStoppedError());
    await this.hasher.stop();
  }

  get status(): MinerStatus {
    return {
      auto: this.#policy.settings.autoMine,
      active: this.#search.isRunning,
      hashRate: Math.round(this.#search.hashesPerSecond),
      maxHashRate: this.#maxHashRate,
    };
  }

  /** From now on tries at most so many hashes per second (0 = no limit), until the end of the process. @throws RangeError */
  limitHashRate(hashesPerSecond: number): void {
    if (!Number.isSafeInteger(hashesPerSecond) || hashesPerSecond < 0) {
      throw new RangeError(`hashesPerSecond must be a whole number from 0, got ${hashesPerSecond}`);
    }
    this.#maxHashRate = hashesPerSecond;
    this.hasher.limit(hashesPerSecond);
    this.#log.info({ hashesPerSecond }, `Hash rate ${hashesPerSecond === 0 ? 'not limited' : 'limited'}`);
  }

  /**
   * Mines exactly `blocks` blocks, empty ones too, whether auto mining is on or not. Calls take turns, block by block.
   * While mining is paused they wait.
   * @param signal aborted when the caller has gone: nothing more is mined for it, and it gets what was found so far.
   * @throws (by rejecting) MineQueueFullError, MinerStoppedError, or the error that kept a block that was found out of the
   * chain.
   */
  mine(blocks: number, signal?: AbortSignal): Promise<BlockNode[]> {
    if (!Number.isInteger(blocks) || blocks < 1) {
      return Promise.reject(new RangeError(`blocks must be a whole number from 1, got ${blocks}`));
    }
    if (this.#isStopped) return Promise.reject(new MinerStoppedError());
    const mined = this.#requests.push(blocks, signal, this.#wake);
    // Somebody asks now, so the wait after an earlier failure ends.
    this.#backoff.skip();
    this.#wake();
    return mined;
  }

  /** When it mines without being asked. */
  get settings(): MiningSettings {
    return this.#policy.settings;
  }

  /** From now on mines without being asked as these say, until the end of the process. `mine` works whatever they are. */
  setSettings({ autoMine, mineEmptyBlocks }: MiningSettings): void {
    this.#policy.settings = { autoMine, mineEmptyBlocks };
    this.#wake();
  }

  /** Nothing is mined while at least one cause to pause holds (the initial sync, for example). */
  setPaused(cause: string, isPaused: boolean): void {
    this.#policy.setPaused(cause, isPaused);
    this.#wake();
  }

  /** Call it after any change: it starts mining when there is a reason to, and stops it when there is none. */
  readonly #wake = (): void => {
    this.#policy.update();
    if (this.#reason === undefined) this.#search.cancel('halted');
    if (this.#hasWork && !this.#isLooping) void this.#loop();
  };

  readonly #onTip = (): void => {
    this.#policy.onTip();
    this.#search.cancel('stale');
    this.#wake();
  };

  get #reason(): MiningReason | undefined {
    return this.#backoff.isWaiting || this.#unstored !== undefined ? undefined : this.#policy.reason;
  }

  /** Also while mining is paused, a block that was found is stored. */
  get #hasWork(): boolean {
    return this.#reason !== undefined || (this.#unstored !== undefined && !this.#backoff.isWaiting);
  }

  async #loop(): Promise<void> {
    this.#isLooping = true;
    while (this.#hasWork) {
      try {
        this.#storeAgain();
        await this.hasher.start();
        const reason = this.#reason;
        if (reason !== undefined) await this.#mineBlock();
        // Easy blocks may be found without ever giving way to other work, such as that of noticing that a caller has gone.
        if (reason === 'request' || this.#policy.settings.mineEmptyBlocks === 'always') await nextTurn();
      } catch (error) {
        this.#onFailure(error);
      }
    }
    this.#isLooping = false;
  }

  /** One search, and what becomes of it. Throws when no search is possible or the block found is not accepted. */
  async #mineBlock(): Promise<void> {
    const template = await this.#templates.next();
    const reason = this.#reason;
    if (reason === undefined) return;
    const started = { parent: template.parent, entries: template.transactions.length - 1, reason };
    const searching = this.#search.run(template);
    this.#events.emit('started', started);
    let end: SearchEnd = 'failed';
    try {
      end = await this.#finish(template, started, await searching);
    } finally {
      if (end !== 'found' && this.#unstored === undefined) this.#events.emit('cancelled', { ...started, end });
    }
  }

  async #finish(template: BlockTemplate, search: SearchStarted, outcome: SearchOutcome): Promise<SearchEnd> {
    if (outcome.kind !== 'found') return outcome.kind;
    if (this.#isStale(search)) return 'stale';
    const sealed = sealTemplate(template, outcome.nonce);
    if (sealed.transactions.length <= BIG_BLOCK_TRANSACTIONS) {
      this.#submit({ block: this.#counting(() => this.chain.verify(sealed)), search });
      return 'found';
    }
    const block = await this.#verifyInTurns(sealed);
    if (this.#isStopped) return 'halted';
    if (this.#isStale(search)) return 'stale';
    this.#submit({ block, search });
    await nextTurn();
    return 'found';
  }

  /** A big block takes turns of the event loop of its own: check it, look its entries up, store it, build on top of it. */
  async #verifyInTurns(sealed: Block): Promise<VerifiedBlock> {
    const check = new SteppedCheck(sealed, true, this.chain);
    let block: VerifiedBlock | undefined;
    while (block === undefined) {
      await nextTurn();
      block = this.#counting(() => check.step());
    }
    await nextTurn();
    return block;
  }

  /** The tip may have changed after the nonce was found and before this node handled that. */
  #isStale({ parent }: SearchStarted): boolean {
    if (parent === this.chain.tip) return false;
    this.metrics.blocksLost.inc({ reason: 'stale' });
    return true;
  }

  #submit(found: UnstoredBlock): void {
    const node = this.#store(found);
    const { entries } = found.search;
    this.#backoff.succeed();
    this.metrics.blocksMined.inc();
    this.#log.info({ height: node.height, hash: node.hash, entries }, `Mined block ${node.height}`);
    this.#requests.onMined(node);
    this.#events.emit('found', { node, entries });
  }

  /** Keeps the block if it cannot be stored now, but later. */
  #store(found: UnstoredBlock): BlockNode {
    try {
      const node = this.#accept(found.block);
      this.#unstored = undefined;
      return node;
    } catch (error) {
      this.#unstored = error instanceof PassingFault || isStorageFull(error) ? found : undefined;
      if (this.#unstored === undefined) this.#countLost(error);
      throw error;
    }
  }

  /** Offers the block that is kept once more, unless somebody else's has taken its place. Throws if that fails again. */
  #storeAgain(): void {
    if (this.#unstored === undefined) return;
    if (this.#isStale(this.#unstored.search)) this.#dropUnstored('stale');
    else this.#submit(this.#unstored);
  }

  #dropUnstored(end: 'stale' | 'halted'): void {
    if (this.#unstored === undefined) return;
    const { search } = this.#unstored;
    this.#unstored = undefined;
    this.#events.emit('cancelled', { ...search, end });
  }

  #accept(block: VerifiedBlock): BlockNode {
    const outcome = this.chain.accept(block);
    if (outcome.kind === 'extended') return outcome.node;
    throw new Error(`a block of this node's own on its tip came out as ${outcome.kind}`);
  }

  /** Counts the block that is lost when the work throws. */
  #counting<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#countLost(error);
      throw error;
    }
  }

  #countLost(error: unknown): void {
    this.metrics.blocksLost.inc({ reason: error instanceof RuleError ? 'refused' : 'fault' });
  }

  /** Waits before the next attempt, longer each time. The caller that asked for the block hears of the failure at once. */
  #onFailure(error: unknown): void {
    const retryMs = this.#backoff.fail(error instanceof PassingFault ? STORE_AGAIN_MS : undefined);
    const next = `next attempt in ${retryMs / 1000} s`;
    if (error instanceof RuleError && error.code === 'time-too-new') {
      this.#log.warn(
        { reason: error.message, retryMs },
        `Cannot mine, because the chain is ahead of this machine's clock; ${next}`,
      );
    } else if (error instanceof PassingFault) {
      this.#log.debug({ reason: error.message, retryMs }, `Mining failed, because nothing can be stored now; ${next}`);
    } else {
      const what =
        error instanceof RuleError ? 'This is a bug: the chain refused a block that this node mined' : 'Mining failed';
      this.#log.error({ err: error, retryMs }, `${what}; ${next}`);
    }
    this.#requests.rejectNext(error);
  }
}
