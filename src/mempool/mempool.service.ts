import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { TipChange } from '../chain/chain.events.js';
import { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { EventHub, type EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { SteppedJob } from '../common/stepped-job.js';
import { CLOCK, LOGGER, NODE_CONFIG, RANDOM } from '../common/tokens.js';
import { Turns } from '../common/turns.js';
import type { NodeConfig } from '../config/node-config.js';
import type { Hash } from '../consensus/codec.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import { createDataTransaction, encodeDataTransaction, type DataTransaction } from '../consensus/data-entry.js';
import { encodeSignedTransaction, type SignedTransaction } from '../consensus/signed-entry.js';
import type { KeyAndSignature } from '../consensus/ssh-signature.js';
import { isEntry, type Entry, type Transaction } from '../consensus/transaction.js';
import type { Database } from '../storage/database.js';
import { DATABASE } from '../storage/database-token.js';
import { CommitQueue } from './commit-queue.js';
import { EntryChecks, sliceEnd } from './entry-checks.js';
import { EntrySelection, type Selection } from './entry-selection.js';
import type { Admission } from './grouped-commit.js';
import { MempoolMetrics } from './mempool.metrics.js';
import { MempoolStore } from './mempool.store.js';
import { RETRY_AFTER_SECONDS, hasRoom, limitsForGossip, type MempoolLimits } from './policy.js';
import { Pool } from './pool.js';
import { Settlement } from './settlement.js';
import { planTipEffect, type TipEffect } from './tip-effect.js';

/** After a step that a fault broke off. */
const SETTLE_RETRY_MS = 5_000;

/** The mempool has no room for another entry; what is in it stays. */
export class MempoolFullError extends Error {
  override readonly name = 'MempoolFullError';

  constructor(
    message: string,
    readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

export interface MempoolEventMap {
  /** After the commit. `isReturned`: given back by a reorg. `origin`: id of the peer they came from, if they came from one. */
  readonly added: {
    readonly transactions: readonly Entry[];
    readonly origin: string | undefined;
    readonly isReturned: boolean;
  };
  /** After the commit: mined by anyone. */
  readonly removed: readonly Hash[];
  /** The mempool follows the active chain again after a reorganisation (see isSettling). */
  readonly settled: undefined;
}

/** What became of a transaction that came from a peer. */
export interface PeerTransactionResult {
  readonly id: Hash;
  readonly result: 'accepted' | 'duplicate' | 'full' | RuleCode;
}

/** What a poster may choose of its entries; both together fix the ids. */
export interface EntryChoices {
  /** Since the epoch, 0..MAX_TIMESTAMP_MS; by default now. */
  readonly timestampMs?: number | undefined;
  /** By default random. */
  readonly salt?: Uint8Array | undefined;
}

/**
 * Transactions that wait for a block. What it says yes to is on disk; it never drops one that no block holds, and gets
 * back those whose block leaves the active chain, in the very SQLite transaction by which it leaves.
 */
@Injectable()
export class MempoolService implements BeforeApplicationShutdown {
  readonly #events: EventHub<MempoolEventMap>;
  readonly #pool = new Pool();
  readonly #store: MempoolStore;
  readonly #settlement: Settlement;
  readonly #settling: SteppedJob;
  /** Of tips that are on disk, and still to be told. */
  readonly #effects = new WeakMap<TipChange, TipEffect>();
  readonly limits: MempoolLimits;
  readonly #log: Logger;
  readonly #queue: CommitQueue;
  readonly #turns: Turns;
  readonly #selection: EntrySelection;
  readonly #checks: EntryChecks;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(NODE_CONFIG) config: NodeConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
    @Inject(LOGGER) log: Logger,
    private readonly chain: ChainService,
    faults: Faults,
    private readonly metrics: MempoolMetrics,
  ) {
    this.#events = new EventHub(faults.report);
    this.limits = config.mempool;
    this.#log = log.child({ module: 'mempool' });
    this.#store = new MempoolStore(database);
    this.#settlement = new Settlement(chain, this.#store, this.#pool);
    this.#settling = new SteppedJob({
      clock,
      isDue: () => this.#settlement.isDue,
      step: () => this.#settle(),
      fault: faults.report,
      retryMs: SETTLE_RETRY_MS,
    });
    this.#turns = new Turns((task) => void clock.after(0, task));
    this.#selection = new EntrySelection({ chain, pool: this.#pool, settlement: this.#settlement, turns: this.#turns });
    const gossipLimits = limitsForGossip(this.limits);
    this.#checks = new EntryChecks({
      chain,
      metrics,
      hasRoom: ({ bytes }) => {
        const usage = { transactions: this.size, bytes: this.bytes };
        return hasRoom(usage, { transactions: 1, bytes: bytes.length }, gossipLimits);
      },
    });
    chain.signatures.trust(this.#pool);
    this.#queue = new CommitQueue({
      pool: this.#pool,
      limits: this.limits,
      chain,
      store: this.#store,
      clock,
      metrics,
      fault: faults.report,
      added: (transactions, origin) => this.#events.emit('added', { transactions, origin, isReturned: false }),
    });
    this.#load();
    chain.events.on('committing', (change) => this.#saveTipEffect(change));
    chain.events.on('committed', (change) => this.#applyTipEffect(change));
    chain.events.on('mended', (node) => {
      this.#settlement.retry(node);
      this.#settling.soon();
    });
    metrics.watch(this);
  }

  get events(): EventSource<MempoolEventMap> {
    return this.#events;
  }

  get size(): number {
    return this.#pool.size;
  }

  /** Encoded bytes of all that waits. */
  get bytes(): number {
    return this.#pool.bytes;
  }

  get acknowledgedCount(): number {
    return this.#pool.acknowledgedCount;
  }

  has(id: Hash): boolean {
    return this.#pool.has(id);
  }

  get(id: Hash): Entry | undefined {
    return this.#pool.get(id);
  }

  /** An entry that waits, or that a reorganisation is about to give back. */
  find(id: Hash): Entry | undefined {
    const waiting = this.#pool.get(id);
    if (waiting !== undefined || !this.#settlement.isOpen) return waiting;
    const moved = this.chain.findStoredTransaction(id, (node) => this.#settlement.covers(node))?.transaction;
    return moved !== undefined && isEntry(moved) ? moved : undefined;
  }

  /** In order of arrival. @param author only entries that the key with this fingerprint signed. */
  list(offset: number, limit: number, author?: string): Entry[] {
    return this.#pool.list(offset, limit, author);
  }

  ids(): Hash[] {
    return this.#pool.ids();
  }

  /** Is it still being brought in line with a reorganisation? Then some entries that wait are in the chain already. */
  get isSettling(): boolean {
    return this.#settlement.isDue;
  }

  /** What a block with this much room should hold, in order of arrival, and the tip that it is for. */
  select(maxBytes: number, maxEntries: number): Promise<Selection> {
    return this.#selection.select(maxBytes, maxEntries);
  }

  /**
   * Makes an entry of a posted string. Resolves when it is on disk; an entry that is there already, or in the chain, is
   * the same entry.
   * @throws RuleError `bad-txn-data-encoding`, `bad-txn-data-empty`, `bad-txn-data-length`, `bad-txn-64-bytes`;
   *   MempoolFullError; another Error is a fault of our own, and then the entry is not kept.
   */
  async submit(data: string, choices: EntryChoices = {}): Promise<DataTransaction> {
    const transaction = this.#create(data, choices);
    await this.#post([transaction]);
    return transaction;
  }

  /**
   * As submit, for a string that its author signed: key and signature fix the id.
   * @throws as submit, and RuleError `bad-sig-key`, `bad-sig-encoding`, `bad-sig`.
   */
  async submitSigned(data: string, signed: KeyAndSignature): Promise<SignedTransaction> {
    const transaction = this.#checks.checked(() => encodeSignedTransaction(data, signed));
    await this.#post([transaction]);
    return transaction;
  }

  /**
   * As submit, for several strings: one commit takes all of them, or none.
   * @throws as submit; the message and `data.index` of a RuleError say which string it is about.
   */
  async submitAll(data: readonly string[], choices: EntryChoices = {}): Promise<DataTransaction[]> {
    const transactions = data.map((item, index) => {
      try {
        return this.#create(item, choices);
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        throw new RuleError(error.code, `data.${index}: ${error.message}`, { ...error.data, index });
      }
    });
    // What is posted again may stand in as many blocks, each of which is read to compare it.
    if (choices.salt !== undefined) {
      const ids = transactions.map(({ id }) => id);
      await this.chain.lookUpInTurns(ids, this.#turns);
      await this.#turns.next();
    }
    await this.#post(transactions);
    return transactions;
  }

  /** Takes in what a peer sent, each by itself, and tells of each what became of it. Rejects only for a fault of our own. */
  async acceptFromPeer(transactions: readonly Transaction[], origin: string): Promise<PeerTransactionResult[]> {
    const results: PeerTransactionResult[] = [];
    for (let start = 0; start < transactions.length;) {
      // A part of which nothing is valid waits for no commit.
      if (start > 0) await this.#turns.next();
      const end = sliceEnd(transactions, start);
      results.push(...(await this.#acceptSlice(transactions.slice(start, end), origin)));
      start = end;
    }
    return results;
  }

  beforeApplicationShutdown(): void {
    this.#queue.close();
    this.#settling.cancel();
  }

  async #acceptSlice(transactions: readonly Transaction[], origin: string): Promise<PeerTransactionResult[]> {
    const { valid, unwanted, broken } = this.#checks.sort(transactions);
    const outcomes = valid.length > 0 ? await this.#queue.submit({ transactions: valid, origin }) : [];
    const admissions = new Map<Hash, Admission>();
    for (const [index, { id }] of valid.entries()) if (!admissions.has(id)) admissions.set(id, outcomes[index]!);
    return transactions.map(({ id }) => ({
      id,
      result: broken.get(id) ?? (unwanted.has(id) ? 'full' : admissions.get(id)!),
    }));
  }

  async #post(transactions: readonly Entry[]): Promise<void> {
    const admissions = await this.#queue.submit({ transactions, origin: undefined, isAtomic: true });
    if (!admissions.includes('full')) return;
    const many = transactions.length === 1 ? '' : `, and has no room for ${transactions.length} more`;
    throw new MempoolFullError(`the mempool is full (${this.size} transactions)${many}`, RETRY_AFTER_SECONDS);
  }

  #create(data: string, { timestampMs = this.clock.nowMs(), salt }: EntryChoices): DataTransaction {
    return this.#checks.checked(() =>
      salt === undefined
        ? createDataTransaction(data, timestampMs, (length) => this.random.bytes(length))
        : encodeDataTransaction(data, timestampMs, salt),
    );
  }

  #load(): void {
    const stored = this.#store.load();
    const mined = this.chain.hasTransactions(stored.map(({ transaction }) => transaction.id));
    this.#store.transact(() => this.#store.delete([...mined]));
    for (const entry of stored) if (!mined.has(entry.transaction.id)) this.#pool.append(entry);
    this.#settlement.add(this.#store.loadUnsettled().map((blockId) => this.chain.nodeById(blockId)!));
    this.#settling.soon();
    if (mined.size > 0 || this.size > 0) {
      this.#log.info({ transactions: this.size, mined: mined.size }, `Mempool loaded: ${this.size} entries wait`);
    }
  }

  #saveTipEffect(change: TipChange): void {
    const effect = planTipEffect(change, this.#pool);
    this.#effects.set(change, effect);
    this.#store.delete(effect.mined);
    for (const { id } of effect.unsettled) this.#store.saveUnsettled(id);
  }

  #applyTipEffect(change: TipChange): void {
    this.#selection.tipMoved();
    const { mined, unsettled, isBig } = this.#effects.get(change)!;
    this.#forget(mined.filter((id) => this.#pool.delete(id)));
    this.#settlement.add(unsettled);
    // Most reorganisations are small, and settled by the first step. Beside big blocks it would make this turn too long.
    if (isBig) this.#settling.soon();
    else this.#settling.now();
  }

  #settle(): void {
    const { mined, returned } = this.#settlement.step();
    this.metrics.added.inc({ source: 'reorg' }, returned.length);
    this.#forget(mined);
    if (returned.length > 0) {
      this.#events.emit('added', { transactions: returned, origin: undefined, isReturned: true });
    }
    if (!this.isSettling) this.#events.emit('settled', undefined);
  }

  #forget(mined: readonly Hash[]): void {
    this.metrics.mined.inc(mined.length);
    if (mined.length > 0) this.#events.emit('removed', mined);
  }
}
