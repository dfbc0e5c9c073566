import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { waitFor } from './wait.js';

export interface TmuxOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A shell in a real terminal, whose screen a test reads and into which it types. */
export class Tmux {
  readonly #socket = `minichain-${randomUUID()}`;

  /** @param command of the shell. */
  constructor(command: string, { columns = 80, rows = 24, env = {} }: TmuxOptions = {}) {
    const size = ['-x', String(columns), '-y', String(rows)];
    const variables = Object.entries({ LANG: 'C.UTF-8', ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    this.#run('-f', '/dev/null', 'new-session', '-d', ...size, ...variables, command);
  }

  /** Lines of the screen, without blanks at their ends. */
  get lines(): string[] {
    return this.#run('capture-pane', '-p').replace(/\n+$/, '').split('\n');
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** As `text`, with the escape sequences of colours. */
  get coloured(): string {
    return this.#run('capture-pane', '-p', '-e');
  }

  /** Whether a program has the alternate screen, and whether the cursor is shown. */
  get modes(): { readonly isAlternate: boolean; readonly hasCursor: boolean } {
    const [alternate, cursor] = this.#run('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim().split(' ');
    return { isAlternate: alternate === '1', hasCursor: cursor === '1' };
  }

  /** Types keys as tmux names them: "Enter", "C-c", "Tab"; other texts as they are. */
  keys(...keys: readonly string[]): void {
    this.#run('send-keys', '--', ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#run('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Waits until the screen shows all of this. @returns the screen. */
  async shows(...parts: readonly (string | RegExp)[]): Promise<string> {
    const isThere = (text: string, part: string | RegExp): boolean =>
      typeof part === 'string' ? text.includes(part) : part.test(text);
    try {
      return await waitFor(
        `the screen shows ${parts.join(' and ')}`,
        () => {
          const { text } = this;
          return parts.every((part) => isThere(text, part)) && text;
        },
        60_000,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows\n${this.text}`, { cause: error });
    }
  }

  close(): void {
    try {
      this.#run('kill-server');
    } catch {
      // Its shell has ended, and it with it.
    }
  }

  #run(...args: readonly string[]): string {
    return execFileSync('tmux', ['-u', '-L', this.#socket, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      // Whether there are colours is for the test to say, not for whoever runs it.
      env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined },
    });
  }
}
