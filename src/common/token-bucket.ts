/** How much is let through: in the long run, and at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A rate limit: lets up to `burst` through at once, and refills at `perSecond`. It counts what it refuses, and forgets it
 * at the same rate. Times are monotonic, in milliseconds (Clock.monotonicMs).
 */
export class TokenBucket {
  #tokens: number;
  #excess = 0;
  #atMs: number;

  constructor(
    private readonly rate: Rate,
    nowMs: number,
  ) {
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** @returns how much of `wanted` there is room for; the rest is refused. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    this.#excess += wanted - taken;
    return taken;
  }

  /** Takes all of `wanted`, or nothing. @returns whether it was taken. */
  takeWhole(wanted: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const isTaken = this.#tokens >= wanted;
    if (isTaken) this.#tokens -= wanted;
    else this.#excess += wanted;
    return isTaken;
  }

  /** @returns in how many milliseconds there will be room for `wanted`, at most `burst`; 0 = now. Takes nothing. */
  msUntil(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, Math.ceil(((wanted - this.#tokens) / this.rate.perSecond) * 1000));
  }

  /** Was more refused lately than a whole burst? An honest client that sends a little too much stays below that. */
  get isFlooded(): boolean {
    return this.#excess > this.rate.burst;
  }

  #refill(nowMs: number): void {
    const gained = ((nowMs - this.#atMs) / 1000) * this.rate.perSecond;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + gained);
    this.#excess = Math.max(0, this.#excess - gained);
    this.#atMs = nowMs;
  }
}
