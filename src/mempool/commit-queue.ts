import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import type { Entry } from '../consensus/transaction.js';
import { DatabaseBusyError } from '../storage/storage-errors.js';
import { GroupedCommit, type Admission, type Submission } from './grouped-commit.js';
import type { MempoolMetrics } from './mempool.metrics.js';
import type { MempoolStore } from './mempool.store.js';
import type { MempoolLimits } from './policy.js';
import type { Pool } from './pool.js';

/** One commit takes no more than this, but at least one submission: some tens of milliseconds. */
const COMMIT_ENTRIES = 1_000;
const COMMIT_BYTES = 2 * 1024 * 1024;
/** While another program holds a lock on the database: how often a commit is tried, and for how long. */
const BUSY_RETRY_MS = 50;
const BUSY_PATIENCE_MS = 1_000;

export interface CommitQueueOptions {
  readonly pool: Pool;
  readonly limits: MempoolLimits;
  readonly chain: Pick<ChainService, 'hasTransactions'>;
  readonly store: MempoolStore;
  readonly clock: Clock;
  readonly metrics: MempoolMetrics;
  /** Told of each fault once, however many callers it concerns. */
  readonly fault: (error: Error) => void;
  /** After each commit, for each origin. */
  readonly added: (transactions: readonly Entry[], origin: string | undefined) => void;
}

/** A caller that waits for the commit of what it handed in. */
interface Request extends Submission {
  readonly bytes: number;
  readonly resolve: (admissions: readonly Admission[]) => void;
  readonly reject: (fault: unknown) => void;
}

/** Submissions that wait for the next commit: all that comes until the event loop has gone round shares one fsync. */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Request[] = [];
  #timer: Timer | undefined;
  /** Since when the database is locked, in monotonic time. */
  #busySinceMs: number | undefined;
  #isClosing = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /** Resolves after the commit, with what became of each. Rejects only for a fault of our own; then none is kept. */
  submit(submission: Submission): Promise<readonly Admission[]> {
    return new Promise((resolve, reject) => {
      const bytes = submission.transactions.reduce((sum, transaction) => sum + transaction.bytes.length, 0);
      this.#waiting.push({ ...submission, bytes, resolve, reject });
      this.#schedule(0);
    });
  }

  /** Commits what waits now, each part in one attempt. */
  close(): void {
    this.#isClosing = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.length > 0) this.#commit(this.#take());
  }

  #schedule(delayMs: number): void {
    this.#timer ??= this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      const requests = this.#take();
      if (this.#waiting.length > 0) this.#schedule(0);
      this.#commit(requests);
    });
  }

  #take(): Request[] {
    let entries = 0;
    let bytes = 0;
    const end = this.#waiting.findIndex((request, index) => {
      entries += request.transactions.length;
      bytes += request.bytes;
      return index > 0 && (entries > COMMIT_ENTRIES || bytes > COMMIT_BYTES);
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  #commit(requests: readonly Request[]): void {
    const { pool, limits, chain, store, metrics, added } = this.#options;
    const commit = new GroupedCommit(pool, limits, chain, store);
    const admissions: Admission[][] = [];
    const startedMs = performance.now();
    try {
      store.transact(() => {
        for (const request of requests) admissions.push(commit.admit(request));
      });
      this.#busySinceMs = undefined;
      store.checkFiles();
    } catch (error) {
      this.#failed(requests, error);
      return;
    }
    const seconds = (performance.now() - startedMs) / 1000;
    commit.apply();
    commit.report(metrics, seconds);
    for (const [index, { resolve }] of requests.entries()) resolve(admissions[index]!);
    for (const [origin, transactions] of commit.addedByOrigin) added(transactions, origin);
  }

  #failed(requests: readonly Request[], error: unknown): void {
    if (error instanceof DatabaseBusyError && this.#isWorthWaiting()) {
      this.#waiting = [...requests, ...this.#waiting];
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#schedule(BUSY_RETRY_MS);
      return;
    }
    this.#options.fault(error as Error);
    for (const { reject } of requests) reject(error);
  }

  /** Locks of other programs are mostly short. */
  #isWorthWaiting(): boolean {
    if (this.#isClosing) return false;
    const nowMs = this.#options.clock.monotonicMs();
    this.#busySinceMs ??= nowMs;
    return nowMs - this.#busySinceMs < BUSY_PATIENCE_MS;
  }
}
