import type { Clock, Timer } from '../common/clock.js';
import type { Hash } from '../consensus/codec.js';
import type { Entry } from '../consensus/transaction.js';
import { DatabaseBusyError } from '../storage/storage-errors.js';
import type { Admission, Submission } from './grouped-commit.js';

/** While another program holds a lock on the database: how often a commit is tried, and for how long. */
const RETRY_MS = 50;
const PATIENCE_MS = 1_000;

type Admissions = ReadonlyMap<Hash, Admission>;

/** A caller that waits for the commit of what it handed in. */
interface Request extends Submission {
  readonly resolve: (admissions: Admissions) => void;
  readonly reject: (fault: unknown) => void;
}

export interface CommitQueueInit {
  readonly clock: Clock;
  /** Commits all of these at once. Throws faults of our own; then nothing has changed. */
  readonly commit: (submissions: readonly Submission[]) => Admissions;
  /** Is what was written where the next start looks for it? @throws DataDirLostError */
  readonly checkFiles: () => void;
  /** Told of each fault once, however many callers it concerns. */
  readonly onFault: (fault: Error) => void;
}

/** Callers whose transactions share the next commit. */
export class CommitQueue {
  readonly #given: CommitQueueInit;
  #waiting: Request[] = [];
  #timer: Timer | undefined;
  /** Since when the database is locked, in monotonic time. */
  #busySinceMs: number | undefined;
  #isClosing = false;

  constructor(given: CommitQueueInit) {
    this.#given = given;
  }

  /** All that comes until the event loop has gone round shares one commit, and so one fsync. Resolves after it. */
  add(transactions: readonly Entry[], origin: string | undefined): Promise<Admissions> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transactions, origin, resolve, reject });
      this.#timer ??= this.#given.clock.after(0, () => this.#flush());
    });
  }

  /** Commits what waits now, in one attempt. */
  close(): void {
    this.#isClosing = true;
    this.#flush();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const requests = this.#waiting;
    if (requests.length === 0) return;
    this.#waiting = [];
    try {
      const admissions = this.#given.commit(requests);
      this.#busySinceMs = undefined;
      this.#given.checkFiles();
      for (const { resolve } of requests) resolve(admissions);
    } catch (fault) {
      if (fault instanceof DatabaseBusyError && this.#isWorthWaiting()) {
        this.#waiting = [...requests, ...this.#waiting];
        this.#timer ??= this.#given.clock.after(RETRY_MS, () => this.#flush());
        return;
      }
      this.#given.onFault(fault as Error);
      for (const { reject } of requests) reject(fault);
    }
  }

  /** Locks of other programs are mostly short. */
  #isWorthWaiting(): boolean {
    if (this.#isClosing) return false;
    const nowMs = this.#given.clock.monotonicMs();
    this.#busySinceMs ??= nowMs;
    return nowMs - this.#busySinceMs < PATIENCE_MS;
  }
}
