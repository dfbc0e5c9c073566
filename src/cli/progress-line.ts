import type { Terminal } from './terminal.js';

/** Between lines where progress cannot be shown in place. */
const LINE_EVERY_MS = 5_000;

/** One line on stderr that is rewritten in place on a terminal, and now and then a new line elsewhere. */
export class ProgressLine {
  #shownMs: number;

  /** @param firstAfterMs how soon the first line may come where there is no terminal. */
  constructor(
    private readonly terminal: Pick<Terminal, 'stderr'>,
    firstAfterMs = 0,
  ) {
    this.#shownMs = performance.now() - LINE_EVERY_MS + firstAfterMs;
  }

  show(text: string): void {
    const { stderr } = this.terminal;
    // A terminal without a known width says 0.
    if (stderr.isTTY) stderr.write(`\r\x1b[K${text.slice(0, (stderr.columns || 80) - 1)}`);
    else if (performance.now() - this.#shownMs >= LINE_EVERY_MS) {
      stderr.write(`${text}\n`);
      this.#shownMs = performance.now();
    }
  }

  clear(): void {
    if (this.terminal.stderr.isTTY) this.terminal.stderr.write('\r\x1b[K');
  }
}
