import { printable } from '../format.js';

const KEPT_LINES = 20;
const MAX_SHOWN = 300;
/** What Node.js writes around the message of an uncaught error. */
const FRAME = /^(\s+at |Node\.js v|\s*[\^~]+\s*$|\s*[{}]|\s*$)/;
const ERROR = /\b(\w*error|fatal|minichain:)/i;

/** Remembers the end of what a process writes to stderr, to name the reason when it ends. */
export class LastErrors {
  readonly #lines: string[] = [];

  add(text: string): void {
    this.#lines.push(...text.split('\n').filter((line) => !FRAME.test(line)));
    this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }

  /** The line that most probably says why; undefined when nothing was written. */
  get reason(): string | undefined {
    const line = this.#lines.findLast((candidate) => ERROR.test(candidate)) ?? this.#lines.at(-1);
    return line === undefined ? undefined : printable(line.trim(), MAX_SHOWN);
  }
}
