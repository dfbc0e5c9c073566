import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Output, Terminal } from '../terminal.js';

const ESCAPE = '\x1b[';
/** The alternate screen, no cursor, no wrapping of lines that are too long for the terminal after all. */
const ENTER = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}?7l`;
const LEAVE = `${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;
/** Terminals that know it show what is between the two at once. Others ignore it. */
const BEGIN_FRAME = `${ESCAPE}?2026h`;
const END_FRAME = `${ESCAPE}?2026l`;
const CLEAR = `${ESCAPE}2J`;
/** Before its text: at the end of a full line it would take the last character. */
const CLEAR_LINE = `${ESCAPE}2K`;
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

const KEYS = { interrupt: '\x03', redraw: '\x0c', suspend: '\x1a' } as const;

/** Part of a terminal's standard input that tests need not have. */
type KeyInput = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): void };

/** Lines that are drawn again and again in one place, on a screen of their own, until it is closed. */
export class LiveScreen {
  readonly #output: Output;
  readonly #input: KeyInput;
  readonly #listeners: { readonly stop: () => void; readonly redraw: () => void };
  /** As they stand on the screen. */
  #lines: readonly string[] = [];
  #isOpen = false;

  /**
   * @param stop is called when q or Ctrl-C is pressed.
   * @param redraw is called when the terminal has another size.
   */
  constructor({ stdout, stdin }: Terminal, listeners: { readonly stop: () => void; readonly redraw: () => void }) {
    this.#output = stdout;
    this.#input = stdin;
    this.#listeners = listeners;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#output;
    return { columns: columns || DEFAULT_COLUMNS, rows: rows || DEFAULT_ROWS };
  }

  open(): void {
    this.#enter();
    this.#input.on('data', this.#onKeys);
    process.on('SIGWINCH', this.#onResize).on('SIGCONT', this.#onContinue);
    // However this process ends, the terminal must be what it was. A report of a crash would be lost on this screen.
    process.once('exit', this.#restore).prependListener('uncaughtException', this.#restore);
  }

  close(): void {
    this.#leave((text) => this.#output.write(text));
    this.#input.removeListener('data', this.#onKeys).pause();
    process.removeListener('SIGWINCH', this.#onResize).removeListener('SIGCONT', this.#onContinue);
    process.removeListener('exit', this.#restore).removeListener('uncaughtException', this.#restore);
  }

  /** Writes the lines that have changed. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const count = Math.max(lines.length, this.#lines.length);
    const changes = Array.from({ length: count }, (_, at) => {
      const line = lines[at] ?? '';
      return line === this.#lines[at] ? '' : `${ESCAPE}${at + 1};1H${CLEAR_LINE}${line}`;
    }).join('');
    this.#lines = lines;
    if (changes !== '') this.#output.write(`${BEGIN_FRAME}${changes}${END_FRAME}`);
  }

  readonly #onResize = (): void => this.#redraw();

  readonly #onContinue = (): void => {
    if (!this.#isOpen) this.#enter();
    this.#redraw();
  };

  readonly #onKeys = (chunk: Buffer | string): void => {
    const keys = String(chunk);
    if (keys.includes(KEYS.interrupt) || /^q$/i.test(keys)) this.#listeners.stop();
    else if (keys.includes(KEYS.suspend)) this.#suspend();
    else if (keys.includes(KEYS.redraw)) this.#redraw();
  };

  readonly #restore = (): void => this.#leave((text) => writeSync(this.#output.fd ?? 1, text));

  #redraw(): void {
    this.#output.write(CLEAR);
    this.#lines = [];
    this.#listeners.redraw();
  }

  /** As the shell's job control has it: `fg` brings it back. */
  #suspend(): void {
    this.#leave((text) => this.#output.write(text));
    process.kill(process.pid, 'SIGTSTP');
  }

  #enter(): void {
    this.#isOpen = true;
    this.#lines = [];
    // Otherwise keys would be written over the picture.
    if (this.#input.isTTY === true) this.#input.setRawMode?.(true);
    this.#output.write(ENTER + CLEAR);
  }

  #leave(write: (text: string) => unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (this.#input.isTTY === true) this.#input.setRawMode?.(false);
      write(LEAVE);
    } catch {
      // The terminal is gone, and its settings with it.
    }
  }
}
