/** The limit in the long run, and at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Takes up to `burst` at once, and refills at `perSecond`. It counts what it refuses, and forgets that at the same rate. */
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

  /** Takes as much of `wanted` as there is room for; returns how much. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    this.#excess += wanted - taken;
    return taken;
  }

  /** Takes all of `wanted` or nothing; returns whether it did. */
  takeWhole(wanted: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const isTaken = this.#tokens >= wanted;
    if (isTaken) this.#tokens -= wanted;
    else this.#excess += wanted;
    return isTaken;
  }

  /** Was more than another whole burst refused lately? No honest node sends so much. */
  get isFlooded(): boolean {
    return this.#excess > this.rate.burst;
  }

  #refill(nowMs: number): void {
    // A clock that was set back gives nothing, and takes nothing.
    const gained = (Math.max(0, nowMs - this.#atMs) / 1000) * this.rate.perSecond;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + gained);
    this.#excess = Math.max(0, this.#excess - gained);
    this.#atMs = nowMs;
  }
}
