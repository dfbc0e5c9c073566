import { every, type Clock, type Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';

const LOOK_EVERY_MS = 1_000;
/** A busy event loop is late by less than this. */
const GAP_MS = 10_000;

export interface WakeWatchInit {
  readonly clock: Clock;
  readonly log: Logger;
  /** The process has not run for a while, so what it knows of the world may be out of date. */
  readonly woke: () => void;
}

/**
 * Notices that this process has not run for a while: the machine slept, or the process was stopped (SIGSTOP, a paused
 * virtual machine). On Linux neither monotonic time nor timers advance while the machine sleeps, so after it only wall
 * time shows the gap; after SIGSTOP both do. A wall clock that somebody sets forward looks like a sleep; taking it for
 * one does no harm.
 */
export class WakeWatch {
  readonly #given: WakeWatchInit;
  #timer: Timer | undefined;

  constructor(given: WakeWatchInit) {
    this.#given = given;
  }

  start(): void {
    const { clock, log, woke } = this.#given;
    let [wallMs, nowMs] = [clock.nowMs(), clock.monotonicMs()];
    this.#timer = every(clock, LOOK_EVERY_MS, () => {
      const passedMs = Math.max(clock.nowMs() - wallMs, clock.monotonicMs() - nowMs);
      [wallMs, nowMs] = [clock.nowMs(), clock.monotonicMs()];
      if (passedMs < LOOK_EVERY_MS + GAP_MS) return;
      const seconds = Math.round(passedMs / 1000);
      log.info({ seconds }, `This node slept, or its clock was set forward, by ${seconds} s: checking all peers`);
      woke();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
