import { setImmediate } from 'node:timers';

/** Connections that wait to be accepted come faster than this one after another. */
const QUIET_MS = 1;
/** Work waits at most this long for newcomers, so that a stream of them does not end it. */
const MAX_BURST_MS = 20;

/**
 * Lets connections in before long work goes on. libuv accepts one connection in each turn of the event loop. If long work
 * filled each turn, a hundred newcomers would wait for a hundred pieces of it, and a health check behind them too.
 */
class Arrivals {
  #lastMs = -Infinity;
  #burstStartMs = -Infinity;

  /** A connection was accepted. */
  note(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs > QUIET_MS) this.#burstStartMs = nowMs;
    this.#lastMs = nowMs;
  }

  /** Runs a piece of long work in a later turn of the event loop, once no connection waits. */
  defer(work: () => void): void {
    setImmediate(() => {
      if (this.#arePouringIn) this.defer(work);
      else work();
    });
  }

  get #arePouringIn(): boolean {
    const nowMs = performance.now();
    return nowMs - this.#lastMs <= QUIET_MS && nowMs - this.#burstStartMs <= MAX_BURST_MS;
  }
}

/** Those of all servers of this process: they share one event loop. */
export const arrivals = new Arrivals();
