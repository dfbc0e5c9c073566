/** Steps that the page draws are at least so far apart, so that an eye can follow them. */
export const STEP_MS = 600;
/** When more steps wait, they are drawn at once, but for the last. */
const MOST_WAITING = 20;

export interface Timer {
  nowMs(): number;
  after(ms: number, run: () => void): void;
}

interface Step {
  readonly key: string;
  readonly actions: { readonly source: string; readonly run: () => void }[];
}

/**
 * Draws what happened step by step. A step is all that has one key, such as one block: where it appeared, and how each
 * node moved onto it. What belongs to the step that was drawn last is drawn with it.
 */
export class Pace {
  readonly #timer: Timer;
  #waiting: Step[] = [];
  #lastKey: string | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isSet = false;

  constructor(timer: Timer) {
    this.#timer = timer;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * @param key undefined for what needs no step of its own: it goes with the last that waits, or is drawn at once.
   * @param source whose event it is.
   */
  push(key: string | undefined, source: string, run: () => void): void {
    const action = { source, run };
    const same = key === undefined ? this.#waiting.at(-1) : this.#waiting.findLast((step) => step.key === key);
    if (same !== undefined) same.actions.push(action);
    else if (key === undefined || (key === this.#lastKey && this.#waiting.length === 0)) run();
    else {
      this.#waiting.push({ key, actions: [action] });
      if (this.#waiting.length > MOST_WAITING) this.#catchUp();
      this.#arm();
    }
  }

  /** Forgets what waits of this source: a snapshot has it all. */
  clear(source: string): void {
    const steps = this.#waiting.map(({ key, actions }) => ({
      key,
      actions: actions.filter((action) => action.source !== source),
    }));
    this.#waiting = steps.filter(({ actions }) => actions.length > 0);
  }

  #catchUp(): void {
    const late = this.#waiting.splice(0, this.#waiting.length - 1);
    for (const step of late) this.#draw(step);
  }

  #arm(): void {
    if (this.#isSet || this.#waiting.length === 0) return;
    this.#isSet = true;
    this.#timer.after(Math.max(0, this.#lastMs + STEP_MS - this.#timer.nowMs()), () => {
      this.#isSet = false;
      // A catching up may have drawn meanwhile.
      const isDue = this.#timer.nowMs() >= this.#lastMs + STEP_MS;
      const step = isDue ? this.#waiting.shift() : undefined;
      if (step !== undefined) this.#draw(step);
      this.#arm();
    });
  }

  #draw({ key, actions }: Step): void {
    this.#lastKey = key;
    this.#lastMs = this.#timer.nowMs();
    for (const { run } of actions) run();
  }
}
