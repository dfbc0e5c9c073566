import type { ChainService } from '../chain/chain.service.js';
import type { Hash } from '../consensus/codec.js';
import type { Entry } from '../consensus/transaction.js';
import type { MempoolMetrics, RefusalReason } from './mempool.metrics.js';
import type { MempoolStore } from './mempool.store.js';
import { hasRoom, limitsForGossip, type MempoolLimits } from './policy.js';
import type { Pool, PoolEntry } from './pool.js';

export type Admission = 'accepted' | 'duplicate' | 'full';

/** Valid transactions from one door. `origin`: id of the peer they came from; undefined = posted here. */
export interface Submission {
  readonly transactions: readonly Entry[];
  readonly origin: string | undefined;
}

/** What one SQLite transaction takes into the mempool; memory follows when it is committed. */
export class GroupedCommit {
  readonly #added = new Map<Hash, PoolEntry>();
  readonly #admissions = new Map<Hash, Admission>();
  readonly #refusals: RefusalReason[] = [];
  readonly addedByOrigin = new Map<string | undefined, Entry[]>();
  #addedBytes = 0;
  readonly #gossipLimits: MempoolLimits;

  constructor(
    private readonly pool: Pool,
    private readonly limits: MempoolLimits,
    private readonly chain: Pick<ChainService, 'hasTransaction'>,
    private readonly store: MempoolStore,
  ) {
    this.#gossipLimits = limitsForGossip(limits);
  }

  get added(): Iterable<PoolEntry> {
    return this.#added.values();
  }

  get admissions(): ReadonlyMap<Hash, Admission> {
    return this.#admissions;
  }

  /** Judges the transactions of one submission in order, and writes those that are accepted. */
  admit({ transactions, origin }: Submission): void {
    for (const transaction of transactions) {
      const { id } = transaction;
      if (this.#added.has(id)) continue;
      const admission = this.#judge(transaction, origin === undefined ? this.limits : this.#gossipLimits);
      this.#admissions.set(id, admission);
      if (admission !== 'accepted') {
        this.#refusals.push(admission === 'full' && origin !== undefined ? 'full-for-gossip' : admission);
        continue;
      }
      const entry: PoolEntry = { transaction, isAcknowledged: origin === undefined };
      this.store.append(entry);
      this.#added.set(id, entry);
      this.#addedBytes += transaction.bytes.length;
      const sameOrigin = this.addedByOrigin.get(origin);
      if (sameOrigin === undefined) this.addedByOrigin.set(origin, [transaction]);
      else sameOrigin.push(transaction);
    }
  }

  /** @param seconds how long it took. */
  report(metrics: MempoolMetrics, seconds: number): void {
    if (this.#added.size > 0) {
      metrics.commitSize.observe(this.#added.size);
      metrics.commitSeconds.observe(seconds);
    }
    for (const [origin, transactions] of this.addedByOrigin) {
      metrics.added.inc({ source: origin === undefined ? 'post' : 'peer' }, transactions.length);
    }
    for (const reason of this.#refusals) metrics.refused.inc({ reason });
  }

  #judge({ id, bytes }: Entry, limits: MempoolLimits): Admission {
    if (this.pool.has(id) || this.chain.hasTransaction(id)) return 'duplicate';
    const usage = {
      transactions: this.pool.size + this.#added.size,
      bytes: this.pool.bytes + this.#addedBytes,
    };
    return hasRoom(usage, bytes.length, limits) ? 'accepted' : 'full';
  }
}
