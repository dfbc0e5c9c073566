/** How much may come in the long run, and at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Takes up to `burst` at once, and refills at `perSecond`. What it had to refuse is counted, and forgotten at that rate. */
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

  /** As much of `wanted` as there is room for. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    this.#excess += wanted - taken;
    return taken;
  }

  /** All of it, or nothing. */
  takeWhole(wanted: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const isTaken = this.#tokens >= wanted;
    if (isTaken) this.#tokens -= wanted;
    else this.#excess += wanted;
    return isTaken;
  }

  /** Was so much refused lately that it can be no slip: as much again as a whole burst? */
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
