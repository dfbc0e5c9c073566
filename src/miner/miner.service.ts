import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { CLOCK, LOGGER, NODE_CONFIG, RANDOM } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import { MAX_BLOCK_TRANSACTIONS, type Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { encodeHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import type { Entry } from '../consensus/transaction.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { buildTemplate, sealTemplate, type BlockTemplate } from './block-template.js';
import { HASHER, encodeTarget, type Hasher, type SearchResult } from './hasher.js';
import { HashRateMeter } from './hash-rate.js';
import { MineQueue } from './mine-queue.js';
import { MinerMetrics, type SearchEnd } from './miner.metrics.js';
import { StandingReason, type DelayMs } from './standing-reason.js';

/** A template older than this is built anew when transactions have come in that it has room for. */
const REFRESH_MS = 250;
/** With nothing to mine nobody would ever end a tie. */
const TIE_DELAY_MS: DelayMs = [2000, 6000];
/**
 * The node that an entry was posted to mines it at once; the others only after this, should that node not. Else all of them
 * would find a block for it within milliseconds of each other, and tie (docs/decisions/0003).
 */
const OTHERS_ENTRIES_DELAY_MS: DelayMs = [300, 900];
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

export interface MinerStatus {
  /** Does it mine by itself what comes into the mempool? */
  readonly auto: boolean;
  /** Is a search for a nonce running? */
  readonly active: boolean;
  /** Hashes per second over the last 10 s of searching. */
  readonly hashRate: number;
  /** Since the node started. */
  readonly blocksMined: number;
}

/** Mining was asked of a node that is shutting down. */
export class MinerStoppedError extends Error {
  override readonly name = 'MinerStoppedError';

  constructor() {
    super('the node is shutting down, it does not mine any more');
  }
}

/** The search that runs. */
interface Search {
  readonly template: BlockTemplate;
  readonly builtMs: number;
  /** Set once it is cancelled. */
  cancelledAs?: SearchEnd;
}

/**
 * Decides when to mine and on what: on request; by itself (`auto_mine`) what is in the mempool; empty blocks always, or
 * one to end a tie. One search runs at a time, on the tip; a new tip ends it. Found blocks go through ChainService.accept
 * like everybody else's.
 */
@Injectable()
export class MinerService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #emptyBlocks: NodeConfig['blockchain']['mineEmptyBlocks'];
  readonly #minerId: string;
  readonly #log: Logger;
  readonly #rate = new HashRateMeter();
  readonly #tie: StandingReason;
  readonly #othersEntries: StandingReason;
  readonly #requests = new MineQueue();
  readonly #pausedFor = new Set<string>();
  #auto: boolean;
  #extraNonce: bigint;
  #blocksMined = 0;
  #stopped = false;
  #running = false;
  #search: Search | undefined;
  #refresh: Timer | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  readonly #subscriptions: (() => void)[] = [];

  constructor(
    @Inject(NODE_CONFIG) config: NodeConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) random: Random,
    @Inject(LOGGER) log: Logger,
    @Inject(HASHER) private readonly hasher: Hasher,
    private readonly chain: ChainService,
    private readonly mempool: MempoolService,
    private readonly metrics: MinerMetrics,
  ) {
    this.#auto = config.blockchain.autoMine;
    this.#emptyBlocks = config.blockchain.mineEmptyBlocks;
    this.#minerId = config.node.nodeId;
    this.#log = log.child({ module: 'miner' });
    // Random, so that two nodes never search the same header, not even two with the same id.
    this.#extraNonce = Buffer.from(random.bytes(8)).readBigUInt64LE();
    const standing = (delayMs: DelayMs, stands: () => boolean): StandingReason =>
      new StandingReason({ clock, random, delayMs, stands, onDue: () => this.#wake() });
    this.#tie = standing(TIE_DELAY_MS, () => this.#isTied());
    this.#othersEntries = standing(OTHERS_ENTRIES_DELAY_MS, () => this.#hasOnlyOthersEntries());
    metrics.watch(() => ({ ...this.status, hashesDone: hasher.hashesDone }));
  }

  onApplicationBootstrap(): void {
    this.#subscriptions.push(
      this.chain.events.on('tip', this.#onTip),
      this.chain.events.on('block', this.#wake),
      this.mempool.events.on('added', this.#onAdded),
    );
    this.#wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#retry?.cancel();
    this.#wake();
    this.#requests.rejectAll(new MinerStoppedError());
    await this.hasher.stop();
  }

  get status(): MinerStatus {
    this.#rate.sample(this.clock.nowMs(), this.hasher.hashesDone);
    return {
      auto: this.#auto,
      active: this.#search !== undefined,
      hashRate: Math.round(this.#rate.hashesPerSecond),
      blocksMined: this.#blocksMined,
    };
  }

  /**
   * Mines exactly `blocks` blocks, empty ones too, whether auto mining is on or not. Calls queue up. While mining is
   * paused they wait.
   * @throws (by rejecting) MinerStoppedError, or whatever kept a found block out of the chain.
   */
  mine(blocks: number): Promise<BlockNode[]> {
    if (!Number.isInteger(blocks) || blocks < 1) {
      return Promise.reject(new RangeError(`blocks must be a whole number from 1, got ${blocks}`));
    }
    if (this.#stopped) return Promise.reject(new MinerStoppedError());
    const mined = this.#requests.push(blocks);
    // Somebody asks now: no need to sit out the wait after an earlier failure.
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#wake();
    return mined;
  }

  setAuto(on: boolean): void {
    this.#auto = on;
    this.#wake();
  }

  /** Nothing is mined while at least one reason to pause stands (the initial sync, say). */
  setPaused(reason: string, paused: boolean): void {
    if (paused) this.#pausedFor.add(reason);
    else this.#pausedFor.delete(reason);
    this.#wake();
  }

  /** To be called after any change: starts mining when there is a reason to, and stops it when there is none. */
  readonly #wake = (): void => {
    this.#tie.update();
    this.#othersEntries.update();
    if (!this.#isWanted()) this.#cancel('halted');
    else if (!this.#running) void this.#run();
  };

  readonly #onTip = (): void => {
    this.#tie.reset();
    this.#othersEntries.reset();
    this.#cancel('stale');
    this.#wake();
  };

  readonly #onAdded = ({ transactions }: { readonly transactions: readonly Entry[] }): void => {
    const search = this.#search;
    const fits = ({ bytes }: Entry): boolean => bytes.length <= search!.template.roomBytes;
    if (search !== undefined && this.#refresh === undefined && transactions.some(fits)) {
      // Less than nothing when the clock has been set back.
      const ageMs = Math.max(0, this.clock.nowMs() - search.builtMs);
      this.#refresh = this.clock.after(Math.max(0, REFRESH_MS - ageMs), () => this.#cancel('refreshed'));
    }
    this.#wake();
  };

  #canMine(): boolean {
    return !this.#stopped && this.#pausedFor.size === 0;
  }

  #isWanted(): boolean {
    if (!this.#canMine() || this.#retry !== undefined) return false;
    if (!this.#requests.isEmpty) return true;
    if (!this.#auto) return false;
    const hasOwnEntries = this.mempool.acknowledgedCount > 0;
    return hasOwnEntries || this.#othersEntries.isDue || this.#emptyBlocks === 'always' || this.#tie.isDue;
  }

  #hasOnlyOthersEntries(): boolean {
    return this.#auto && this.#canMine() && this.mempool.size > 0 && this.mempool.acknowledgedCount === 0;
  }

  #isTied(): boolean {
    if (!this.#auto || this.#emptyBlocks !== 'on_tie' || !this.#canMine() || this.mempool.size > 0) return false;
    return this.chain.competingTips().length > 0;
  }

  #cancel(as: SearchEnd): void {
    if (this.#search === undefined || this.#search.cancelledAs !== undefined) return;
    this.#search.cancelledAs = as;
    this.hasher.cancel();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#isWanted()) {
      try {
        await this.hasher.start();
        if (this.#isWanted()) await this.#mineBlock();
        // Easy blocks may be found without ever waiting, and here there is always a next one.
        if (this.#emptyBlocks === 'always') await nextTurn();
      } catch (error) {
        this.#onFailure(error);
      }
    }
    this.#running = false;
  }

  /** One search, and what becomes of it. Throws when no search is possible or a found block is not accepted. */
  async #mineBlock(): Promise<void> {
    const template = this.#nextTemplate();
    const { header, parent } = template;
    const search: Search = { template, builtMs: this.clock.nowMs() };
    this.#search = search;
    this.#rate.begin(search.builtMs, this.hasher.hashesDone);
    let result: SearchResult;
    try {
      result = await this.hasher.search(encodeHeader(header), encodeTarget(header.bits));
    } finally {
      this.#endSearch();
    }
    this.metrics.searches.inc({ result: result.kind === 'cancelled' ? (search.cancelledAs ?? 'halted') : result.kind });
    if (result.kind !== 'found') return;
    // The tip may have changed after the nonce was found and before we came to hear of it.
    if (parent === this.chain.tip) this.#submit(template, result.nonce);
    else this.metrics.blocksLost.inc({ reason: 'stale' });
  }

  #endSearch(): void {
    this.#rate.end(this.clock.nowMs(), this.hasher.hashesDone);
    this.#search = undefined;
    this.#refresh?.cancel();
    this.#refresh = undefined;
  }

  /** Each template has an extra nonce of its own, so that none is searched twice, also when its nonces are exhausted. */
  #nextTemplate(): BlockTemplate {
    this.#extraNonce = BigInt.asUintN(64, this.#extraNonce + 1n);
    const { params, tip } = this.chain;
    return buildTemplate({
      parent: tip,
      transactions: this.mempool.select(params.maxBlockBytes, MAX_BLOCK_TRANSACTIONS - 1),
      params,
      miner: this.#minerId,
      extraNonce: this.#extraNonce,
      nowMs: this.clock.nowMs(),
    });
  }

  #submit(template: BlockTemplate, nonce: number): void {
    const block = sealTemplate(template, nonce);
    const node = this.#accept(block);
    this.#failures = 0;
    this.#blocksMined += 1;
    this.metrics.blocksMined.inc();
    this.#log.info(
      { height: node.height, hash: node.hash, transactions: block.transactions.length - 1 },
      'mined block',
    );
    this.#requests.onMined(node);
  }

  #accept(block: Block): BlockNode {
    try {
      const outcome = this.chain.accept(this.chain.verify(block));
      if (outcome.kind === 'extended') return outcome.node;
      throw new Error(`own block on the tip came out as ${outcome.kind}`);
    } catch (error) {
      this.metrics.blocksLost.inc({ reason: error instanceof RuleError ? 'refused' : 'fault' });
      throw error;
    }
  }

  /** Waits before the next attempt, longer each time. Who had asked for the block is told at once. */
  #onFailure(error: unknown): void {
    const retryMs = Math.min(MIN_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures += 1;
    if (error instanceof RuleError && error.code === 'time-too-new') {
      this.#log.warn(
        { reason: error.message, retryMs },
        'cannot mine: the chain is ahead of the clock of this machine',
      );
    } else {
      const what = error instanceof RuleError ? 'the chain refused a block of our own: this is a bug' : 'mining failed';
      this.#log.error({ err: error, retryMs }, what);
    }
    this.#retry = this.clock.after(retryMs, () => {
      this.#retry = undefined;
      this.#wake();
    });
    this.#requests.rejectOldest(error);
  }
}
