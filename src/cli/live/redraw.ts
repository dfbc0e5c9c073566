/** Not more often, so that a terminal far away keeps up, and a reader too. */
const LEAST_PAUSE_MS = 200;
/** Ages grow without an event. */
const TICK_MS = 1_000;

/** Draws at once when something has changed, five times a second at the most, and once a second in any case. */
export class Redraw {
  #timer: NodeJS.Timeout | undefined;
  #drawnMs = -Infinity;
  #isEnded = false;
  /** The next drawing is one for a change, not the tick. */
  #isSoon = false;

  constructor(private readonly draw: () => void) {}

  changed(): void {
    if (this.#isSoon || this.#isEnded) return;
    this.#isSoon = true;
    clearTimeout(this.#timer);
    const pauseMs = Math.max(0, this.#drawnMs + LEAST_PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.now(), pauseMs);
  }

  now(): void {
    if (this.#isEnded) return;
    clearTimeout(this.#timer);
    this.#drawnMs = performance.now();
    this.draw();
    this.#isSoon = false;
    this.#timer = setTimeout(() => this.now(), TICK_MS);
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }
}
