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
  /** Where there is no room for all of them, none is taken. */
  readonly isAtomic?: boolean;
}

/** What one SQLite transaction takes into the mempool; memory follows when it is committed. */
export class GroupedCommit {
  readonly #added = new Map<Hash, PoolEntry>();
  readonly #acknowledged: Hash[] = [];
  readonly #refusals: RefusalReason[] = [];
  readonly addedByOrigin = new Map<string | undefined, Entry[]>();
  #addedBytes = 0;
  readonly #gossipLimits: MempoolLimits;

  constructor(
    private readonly pool: Pool,
    private readonly limits: MempoolLimits,
    private readonly chain: Pick<ChainService, 'hasTransactions'>,
    private readonly store: MempoolStore,
  ) {
    this.#gossipLimits = limitsForGossip(limits);
  }

  /** Judges the transactions of one submission in order, and writes those that are accepted. */
  admit({ transactions, origin, isAtomic = false }: Submission): Admission[] {
    const limits = origin === undefined ? this.limits : this.#gossipLimits;
    const ids = transactions.map(({ id }) => id);
    const known = this.chain.hasTransactions(ids);
    for (const id of ids) if (this.#added.has(id) || this.pool.has(id)) known.add(id);
    const fresh = new Map(transactions.filter(({ id }) => !known.has(id)).map((item) => [item.id, item]));
    const hasRoomForAll = !isAtomic || this.#hasRoom([...fresh.values()], limits);
    return transactions.map((transaction) => {
      if (known.has(transaction.id)) return this.#takeKnown(transaction.id, origin);
      // It stands in this submission twice.
      if (this.#added.has(transaction.id)) return 'duplicate';
      if (hasRoomForAll && (isAtomic || this.#hasRoom([transaction], limits))) return this.#take(transaction, origin);
      this.#refusals.push(origin === undefined ? 'full' : 'full-for-gossip');
      return 'full';
    });
  }

  /** Memory follows, after the commit. */
  apply(): void {
    for (const entry of this.#added.values()) this.pool.append(entry);
    for (const id of this.#acknowledged) this.pool.acknowledge(id);
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

  #hasRoom(more: readonly Entry[], limits: MempoolLimits): boolean {
    const usage = {
      transactions: this.pool.size + this.#added.size,
      bytes: this.pool.bytes + this.#addedBytes,
    };
    const bytes = more.reduce((sum, transaction) => sum + transaction.bytes.length, 0);
    return hasRoom(usage, { transactions: more.length, bytes }, limits);
  }

  #take(transaction: Entry, origin: string | undefined): Admission {
    const entry: PoolEntry = { transaction, isAcknowledged: origin === undefined };
    this.store.append(entry);
    this.#added.set(transaction.id, entry);
    this.#addedBytes += transaction.bytes.length;
    const sameOrigin = this.addedByOrigin.get(origin);
    if (sameOrigin === undefined) this.addedByOrigin.set(origin, [transaction]);
    else sameOrigin.push(transaction);
    return 'accepted';
  }

  /** What a peer brought, and somebody posts here too, is owed from now on. */
  #takeKnown(id: Hash, origin: string | undefined): Admission {
    this.#refusals.push('duplicate');
    if (origin !== undefined) return 'duplicate';
    this.store.acknowledge(id);
    this.#acknowledged.push(id);
    return 'duplicate';
  }
}
