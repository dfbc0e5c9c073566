import { every, type Clock, type Timer } from '../common/clock.js';
import type { Rate } from '../common/token-bucket.js';
import { clientOf } from '../config/client-address.js';

const MIB = 1024 * 1024;

/**
 * What peers may cost without bringing anything, in bytes. A node that is posted 4,000 entries a second, and hears of
 * each of them again from a neighbour, stays below that; so do ten full blocks a second that somebody else sent first.
 */
export const READING_RATES = {
  session: { perSecond: 16 * MIB, burst: 16 * MIB },
  host: { perSecond: 16 * MIB, burst: 32 * MIB },
  all: { perSecond: 32 * MIB, burst: 64 * MIB },
} as const satisfies Readonly<Record<string, Rate>>;

/** An entry that was decoded and hashed takes about as long as so many bytes that were only received. */
const BYTES_PER_ENTRY = 1024;
/** A session that owes no more than this never waits, whatever others do. */
const RESERVED_BYTES = 256 * 1024;
/** How often the waiting sessions are looked at. */
const TICK_MS = 25;

/** A session as far as it matters here. */
export interface ReadableSession {
  readonly isClosed: boolean;
  readonly remoteHost: string;
  /** Reads nothing more until `release` was called as often. */
  hold(): void;
  release(): void;
}

/** Costs that were not worked off yet. */
class Debt {
  owed = 0;
  /** Number of sessions that wait. */
  waiting = 0;

  constructor(readonly rate: Rate) {}

  get isOver(): boolean {
    return this.owed > this.rate.burst;
  }

  /** What one of the waiting sessions gets of it. */
  get share(): number {
    return this.rate.perSecond / Math.max(1, this.waiting);
  }

  workOff(seconds: number): void {
    this.owed = Math.max(0, this.owed - this.rate.perSecond * seconds);
  }
}

/** What the messages of one session cost. The owner calls `end` with the session. */
export interface ReadingPace {
  /** It sent so many bytes, and nobody knows yet what for. */
  received(bytes: number): void;
  /** So many entries are decoded and hashed. */
  decoded(entries: number): void;
  /** So much of that was worth it. */
  brought(bytes: number, entries: number): void;
  end(): void;
}

/**
 * How fast this node reads from peers that bring nothing new. What a peer sends is charged to its session, its host and
 * all peers together, and what was new and valid is given back. A session above its limit is not read until it has
 * worked that off: HTTP/2 then stops the sender. Where the host's or the common limit is reached, only those wait that
 * owe more than a small reserve, each with its fair share.
 */
export class ReadingPaces {
  readonly #all = new Debt(READING_RATES.all);
  /** Other machines. Those on this one are bounded as sessions and all together. */
  readonly #hosts = new Map<string, Debt>();
  readonly #sessions = new Set<SessionPace>();
  #workedOffAtMs: number;
  #timer: Timer | undefined;

  constructor(private readonly clock: Clock) {
    this.#workedOffAtMs = clock.monotonicMs();
  }

  enter(session: ReadableSession): ReadingPace {
    const host = clientOf(session.remoteHost);
    let debt = host === undefined ? undefined : this.#hosts.get(host);
    if (host !== undefined && debt === undefined) this.#hosts.set(host, (debt = new Debt(READING_RATES.host)));
    const pace = new SessionPace(session, debt === undefined ? [this.#all] : [debt, this.#all], () => this.#update());
    this.#sessions.add(pace);
    return pace;
  }

  #update(): void {
    const nowMs = this.clock.monotonicMs();
    const seconds = (nowMs - this.#workedOffAtMs) / 1000;
    this.#workedOffAtMs = nowMs;
    this.#all.workOff(seconds);
    for (const debt of this.#hosts.values()) debt.workOff(seconds);
    const isAnyWaiting = this.#settle(seconds);
    if (isAnyWaiting) this.#timer ??= every(this.clock, TICK_MS, () => this.#update());
    else {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  /** @returns whether any session waits. */
  #settle(seconds: number): boolean {
    for (const pace of this.#sessions) {
      pace.settle(seconds);
      if (pace.isOver) this.#sessions.delete(pace);
    }
    const isUsed = new Set([...this.#sessions].flatMap(({ debts }) => debts));
    for (const [host, debt] of this.#hosts) if (debt.owed === 0 && !isUsed.has(debt)) this.#hosts.delete(host);
    return this.#all.waiting > 0;
  }
}

class SessionPace implements ReadingPace {
  readonly #own = new Debt(READING_RATES.session);
  #isWaiting = false;
  #isEnded = false;

  constructor(
    private readonly session: ReadableSession,
    readonly debts: readonly Debt[],
    private readonly update: () => void,
  ) {}

  get isOver(): boolean {
    return this.#isEnded;
  }

  received(bytes: number): void {
    this.#add(bytes);
    // The sum is right at each tick; between them only a session that may have to wait is looked at.
    if (!this.#isWaiting && this.#mustWait) this.update();
  }

  brought(bytes: number, entries: number): void {
    this.#add(-bytes - entries * BYTES_PER_ENTRY);
  }

  decoded(entries: number): void {
    this.received(entries * BYTES_PER_ENTRY);
  }

  end(): void {
    this.#isEnded = true;
    this.update();
  }

  settle(seconds: number): void {
    const share = Math.min(this.#own.rate.perSecond, ...this.debts.map((debt) => debt.share));
    this.#own.owed = Math.max(0, this.#own.owed - share * seconds);
    const mustWait = this.#mustWait && !this.#isEnded && !this.session.isClosed;
    if (mustWait === this.#isWaiting) return;
    this.#isWaiting = mustWait;
    for (const debt of this.debts) debt.waiting += mustWait ? 1 : -1;
    if (mustWait) this.session.hold();
    else this.session.release();
  }

  get #mustWait(): boolean {
    return this.#own.isOver || (this.#own.owed > RESERVED_BYTES && this.debts.some((debt) => debt.isOver));
  }

  #add(bytes: number): void {
    for (const debt of [this.#own, ...this.debts]) debt.owed = Math.max(0, debt.owed + bytes);
  }
}
