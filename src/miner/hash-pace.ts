/** Under a limit, hashing goes on in pieces of about this length, with the waits in between. */
const PIECE_MS = 50;

/**
 * When hashing under a limit has to wait. What was done too late, because a wait took longer than it should, may be made up
 * for within one piece; longer pauses give no credit.
 */
export class HashPace {
  /** When the hashes done so far under the present limit have had their time. */
  #dueMs = -Infinity;
  #hashesPerSecond = 0;

  /** @param count of nonces that are at hand. @returns how many of them to try before the next wait; at least one. */
  piece(count: number, hashesPerSecond: number): number {
    if (hashesPerSecond === 0) return count;
    return Math.min(count, Math.max(1, Math.floor((hashesPerSecond * PIECE_MS) / 1000)));
  }

  /** Time to wait before the next piece; 0 = none. Another limit than before counts from now on. */
  waitMs(nowMs: number, hashesPerSecond: number): number {
    if (hashesPerSecond !== this.#hashesPerSecond) this.#dueMs = -Infinity;
    this.#hashesPerSecond = hashesPerSecond;
    return hashesPerSecond === 0 ? 0 : Math.max(0, this.#dueMs - nowMs);
  }

  /** `hashes` were tried. @param nowMs when they were begun. */
  did(hashes: number, nowMs: number): void {
    if (this.#hashesPerSecond === 0) return;
    this.#dueMs = Math.max(this.#dueMs, nowMs - PIECE_MS) + (hashes / this.#hashesPerSecond) * 1000;
  }
}
