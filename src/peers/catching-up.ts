import type { Clock, Timer } from '../common/clock.js';

const WINDOW_MS = 2_000;
/** Slower than this a branch costs its sender about as much as the pause would cost this node. */
const BRISK_BLOCKS = 64;

/**
 * Whether blocks are coming in so fast that it is worth waiting for the rest before mining and announcing. Only blocks
 * that are here and move the tip count, never headers or claims: a peer that shows a better branch and delivers it
 * slowly, or not at all, must not stop this node.
 */
export class CatchingUp {
  #isBrisk = false;
  #blocks = 0;
  #timer: Timer | undefined;

  /** @param changed called with each new value. */
  constructor(
    private readonly clock: Clock,
    private readonly changed: (isCatchingUp: boolean) => void,
  ) {}

  get isCatchingUp(): boolean {
    return this.#isBrisk;
  }

  /** `count` blocks are about to become part of the active chain. */
  connecting(count: number): void {
    this.#blocks += count;
    this.#timer ??= this.clock.after(WINDOW_MS, () => this.#windowOver());
    if (this.#blocks >= BRISK_BLOCKS) this.#set(true);
  }

  /** No more blocks will come. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#blocks = 0;
    this.#set(false);
  }

  #windowOver(): void {
    this.#timer = undefined;
    if (this.#blocks < BRISK_BLOCKS) return this.end();
    this.#blocks = 0;
    this.#timer = this.clock.after(WINDOW_MS, () => this.#windowOver());
  }

  #set(isBrisk: boolean): void {
    if (isBrisk === this.#isBrisk) return;
    this.#isBrisk = isBrisk;
    this.changed(isBrisk);
  }
}
