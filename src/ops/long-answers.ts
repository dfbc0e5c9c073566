import { every, type Clock, type Timer } from '../common/clock.js';
import { HttpProblem } from '../common/http-problem.js';

/**
 * Each holds a block of up to 1 MiB and some text that waits to be sent, so all of them take less than 128 MiB. More
 * readers at a time would not be served faster: the node makes one chunk after another.
 */
const MAX_ANSWERS = 64;
/** Of one client. This machine itself may have three quarters: a proxy here stands for many. */
const MAX_PER_CLIENT = 16;
const MAX_LOCAL = 48;
/** A reader that has taken nothing for so long gives way to another one. */
const GIVES_WAY_MS = 2_000;
/** A reader that takes nothing for so long is given up: sooner than a connection that costs less (see HttpConnections). */
const SILENT_MS = 20_000;
/** A reader has to take this much in each period: below 9 kB/s an answer is held, not read. */
const LEAST_BYTES = 262_144;
const PERIOD_MS = 30_000;
const SWEEP_MS = 1_000;
const RETRY_AFTER_SECONDS = 5;

interface Answer {
  readonly client: string | undefined;
  readonly end: () => void;
  /** Since when it waits for its reader to take what was made; undefined while the node is at work. */
  waitsSinceMs: number | undefined;
  periodStartMs: number;
  periodBytes: number;
}

/** What an answer tells of itself. */
export interface LongAnswer {
  /** From now on it waits for its reader to take what was made. */
  offered(): void;
  /** Its reader took so much. */
  taken(bytes: number): void;
  /** It is over, or its connection. */
  close(): void;
}

/** The long answers that are being sent: bounded in all and for each client, and ended where nobody reads them. */
export class LongAnswers {
  readonly #open = new Set<Answer>();
  readonly #sweep: Timer;
  #refused = 0;
  #ended = 0;

  constructor(private readonly clock: Clock) {
    this.#sweep = every(clock, SWEEP_MS, () => this.#endUnread());
  }

  get size(): number {
    return this.#open.size;
  }

  /** Answers for which there was no room, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Answers broken off because their readers did not take them, since the start. */
  get ended(): number {
    return this.#ended;
  }

  close(): void {
    this.#sweep.cancel();
  }

  /**
   * Makes room where an answer waits for its reader.
   * @param client as clientOf() gives it.
   * @throws HttpProblem 503 `too-many-long-answers` when there is no room.
   */
  requireRoom(client: string | undefined): void {
    if (this.#makeRoom(client)) return;
    this.#refused += 1;
    const detail = `this node sends as many long answers as it can; try again in ${RETRY_AFTER_SECONDS} s`;
    const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
    throw new HttpProblem(503, 'too-many-long-answers', detail, headers, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /**
   * Takes a place. @param end ends the connection.
   * @throws as requireRoom()
   */
  open(client: string | undefined, end: () => void): LongAnswer {
    this.requireRoom(client);
    const answer: Answer = {
      client,
      end,
      waitsSinceMs: undefined,
      periodStartMs: this.clock.monotonicMs(),
      periodBytes: 0,
    };
    this.#open.add(answer);
    return {
      offered: () => (answer.waitsSinceMs = this.clock.monotonicMs()),
      taken: (bytes) => {
        answer.waitsSinceMs = undefined;
        answer.periodBytes += bytes;
      },
      close: () => void this.#open.delete(answer),
    };
  }

  #makeRoom(client: string | undefined): boolean {
    const own = this.#countOf(client);
    if (own >= (client === undefined ? MAX_LOCAL : MAX_PER_CLIENT))
      return this.#evict((each) => each.client === client);
    return this.#open.size < MAX_ANSWERS || this.#evict(() => true);
  }

  /** Ends the answer that has waited for its reader for longest, of the client with the most. */
  #evict(isCandidate: (answer: Answer) => boolean): boolean {
    const [victim] = [...this.#open]
      .filter((answer) => isCandidate(answer) && this.#waitedMs(answer) >= GIVES_WAY_MS)
      .sort(
        (one, other) =>
          this.#countOf(other.client) - this.#countOf(one.client) || this.#waitedMs(other) - this.#waitedMs(one),
      );
    if (victim === undefined) return false;
    this.#end(victim);
    return true;
  }

  #endUnread(): void {
    const nowMs = this.clock.monotonicMs();
    for (const answer of this.#open) {
      const isPeriodOver = nowMs - answer.periodStartMs >= PERIOD_MS;
      // While the node was at work, its reader had nothing to take.
      const isSlow = isPeriodOver && answer.periodBytes < LEAST_BYTES && answer.waitsSinceMs !== undefined;
      if (isSlow || this.#waitedMs(answer) >= SILENT_MS) this.#end(answer);
      else if (isPeriodOver) {
        answer.periodStartMs = nowMs;
        answer.periodBytes = 0;
      }
    }
  }

  #end(answer: Answer): void {
    this.#open.delete(answer);
    this.#ended += 1;
    answer.end();
  }

  #waitedMs({ waitsSinceMs }: Answer): number {
    return waitsSinceMs === undefined ? 0 : this.clock.monotonicMs() - waitsSinceMs;
  }

  #countOf(client: string | undefined): number {
    let count = 0;
    for (const answer of this.#open) if (answer.client === client) count += 1;
    return count;
  }
}
