import type { Clock, Timer } from '../common/clock.js';
import type { Rate } from '../common/token-bucket.js';
import { clientOf } from '../config/client-address.js';

const MIB = 1024 * 1024;

/** What this node gives to peers that ask for it, in bytes; a newcomer verifies and stores less than that in a second. */
export const SERVING_RATES = {
  session: { perSecond: 24 * MIB, burst: 4 * MIB },
  host: { perSecond: 24 * MIB, burst: 4 * MIB },
  all: { perSecond: 32 * MIB, burst: 8 * MIB },
} as const satisfies Readonly<Record<string, Rate>>;

/** An answer has a cost beside its bytes, and so has each block, entry or header in it. */
const BYTES_PER_ANSWER = 4 * 1024;
/** Honest nodes ask for blocks twice at a time, and for headers and entries once each. */
const MAX_WAITING = 8;
/** Peers ask somebody else after two seconds; what waits longer than this is of no use to them. */
const MAX_WAIT_MS = 4_000;
/** A peer that does not read gets no more before it does. */
const MAX_UNSENT_BYTES = 4 * MIB;
/** How soon to look again where nobody may be served yet. */
const LOOK_AGAIN_MS = 10;

/** A session as far as it matters here. */
export interface ServedSession {
  readonly isClosed: boolean;
  readonly remoteHost: string;
  readonly queuedBytes: number;
  hold(): void;
  release(): void;
}

/** An answer and what it costs. */
export interface Serving<T> {
  readonly answer: T;
  /** In bytes, or what takes as long as so many bytes. */
  readonly cost: number;
}

/** Bytes that were served and do not count as worked off yet. */
class Served {
  #owed = 0;
  #atMs: number;

  constructor(
    private readonly rate: Rate,
    private readonly clock: Clock,
  ) {
    this.#atMs = clock.monotonicMs();
  }

  get mayServe(): boolean {
    this.#workOff();
    return this.#owed <= this.rate.burst;
  }

  get isIdle(): boolean {
    this.#workOff();
    return this.#owed === 0;
  }

  add(bytes: number): void {
    this.#workOff();
    this.#owed += bytes;
  }

  #workOff(): void {
    const nowMs = this.clock.monotonicMs();
    this.#owed = Math.max(0, this.#owed - ((nowMs - this.#atMs) / 1000) * this.rate.perSecond);
    this.#atMs = nowMs;
  }
}

interface Waiting {
  readonly sinceMs: number;
  /** Serves it; false: it waited too long. Returns the cost. */
  run(isInTime: boolean): number;
}

interface Customer {
  readonly session: ServedSession;
  readonly waiting: Waiting[];
  readonly limits: readonly Served[];
  /** Bytes that it got; for a newcomer a little less than anybody has who waits. Who has the least is next. */
  got: number;
  isHeld: boolean;
}

/**
 * Serves blocks, headers and entries to peers at a bounded rate: for each session, each other machine, and all together.
 * Where requests wait, the session that got the least is next, one answer in a turn of the event loop. Nobody waits for
 * longer than four seconds, and a session with many requests is not read until some are answered.
 */
export class ServingTurns {
  readonly #customers = new Map<ServedSession, Customer>();
  readonly #hosts = new Map<string, Served>();
  readonly #all: Served;
  #timer: Timer | undefined;

  constructor(private readonly clock: Clock) {
    this.#all = new Served(SERVING_RATES.all, clock);
  }

  /**
   * @param make the answer; it is called at once if nothing is in the way.
   * @param late the answer to a request that waited too long; undefined = none.
   * @throws what `make` throws.
   */
  serve<T>(session: ServedSession, make: () => Serving<T>, late: () => T | undefined): Promise<T | undefined> {
    const customer = this.#customerOf(session);
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    customer.waiting.push({
      sinceMs: this.clock.monotonicMs(),
      run: (isInTime) => {
        if (!isInTime) {
          resolve(late());
          return 0;
        }
        try {
          const { answer, cost } = make();
          resolve(answer);
          return cost;
        } catch (error) {
          reject(error);
          return 0;
        }
      },
    });
    if (this.#timer === undefined) this.#next();
    this.#holdOrRelease(customer);
    return promise;
  }

  /** The session is over; its requests need no answer. */
  leave(session: ServedSession): void {
    const customer = this.#customers.get(session);
    if (customer === undefined) return;
    for (const request of customer.waiting.splice(0)) request.run(false);
    this.#customers.delete(session);
  }

  #customerOf(session: ServedSession): Customer {
    let customer = this.#customers.get(session);
    if (customer === undefined) {
      const own = new Served(SERVING_RATES.session, this.clock);
      const limits = [own, ...this.#hostOf(session), this.#all];
      customer = { session, waiting: [], limits, got: 0, isHeld: false };
      this.#customers.set(session, customer);
    }
    if (customer.waiting.length === 0) {
      const others = [...this.#customers.values()].filter(({ waiting }) => waiting.length > 0);
      const least = Math.min(...others.map(({ got }) => got));
      customer.got = others.length === 0 ? customer.got : Math.max(customer.got, least - 1);
    }
    return customer;
  }

  /** Requests on this machine are bounded as sessions and all together. */
  #hostOf({ remoteHost }: ServedSession): Served[] {
    const host = clientOf(remoteHost);
    if (host === undefined) return [];
    for (const [other, served] of this.#hosts) {
      if (other !== host && served.isIdle && !this.#isUsed(served)) this.#hosts.delete(other);
    }
    const served = this.#hosts.get(host) ?? new Served(SERVING_RATES.host, this.clock);
    this.#hosts.set(host, served);
    return [served];
  }

  #isUsed(served: Served): boolean {
    for (const { limits } of this.#customers.values()) if (limits.includes(served)) return true;
    return false;
  }

  /** Answers one request, and sees to the others in later turns of the event loop. */
  #next(): void {
    this.#timer = undefined;
    this.#expire();
    const waiting = [...this.#customers.values()].filter((customer) => customer.waiting.length > 0);
    if (waiting.length === 0) return;
    const [next] = waiting.filter(mayBeServed).sort((one, other) => one.got - other.got);
    if (next !== undefined) {
      const cost = BYTES_PER_ANSWER + next.waiting.shift()!.run(true);
      next.got += cost;
      for (const limit of next.limits) limit.add(cost);
      this.#holdOrRelease(next);
    }
    if (waiting.some((customer) => customer.waiting.length > 0)) {
      this.#timer = this.clock.after(next === undefined ? LOOK_AGAIN_MS : 0, () => this.#next());
    }
  }

  #expire(): void {
    const dueMs = this.clock.monotonicMs() - MAX_WAIT_MS;
    for (const customer of this.#customers.values()) {
      while (customer.waiting.length > 0 && customer.waiting[0]!.sinceMs < dueMs) customer.waiting.shift()!.run(false);
      this.#holdOrRelease(customer);
    }
  }

  #holdOrRelease(customer: Customer): void {
    const isFull = customer.waiting.length >= MAX_WAITING;
    if (isFull === customer.isHeld) return;
    customer.isHeld = isFull;
    if (isFull) customer.session.hold();
    else customer.session.release();
  }
}

function mayBeServed({ session, limits }: Customer): boolean {
  return session.queuedBytes < MAX_UNSENT_BYTES && limits.every((limit) => limit.mayServe);
}
