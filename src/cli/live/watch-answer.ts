import type { Command } from 'commander';
import { clientOf, print, type ClientOptions } from '../client-command.js';
import { cutEnd, padEnd } from '../cells.js';
import { clockTime } from '../format.js';
import type { Answer, NodeClient } from '../node-client.js';
import { widthOf, type Terminal } from '../terminal.js';
import { LiveScreen } from './live-screen.js';
import { onChange } from './on-change.js';
import { untilStopped } from './until-stopped.js';

const PAUSE_MS = 500;
/** Latencies and hash rates change without an event. */
const EVERY_MS = 5_000;

/** An answer of a node that a command shows once, or again and again. */
export interface Shown<T> {
  readonly ask: (client: NodeClient) => Promise<Answer<T>>;
  readonly show: (body: T, width: number) => string;
}

export interface WatchOptions extends ClientOptions {
  readonly watch?: boolean;
}

export function withWatch(command: Command): Command {
  return command.option('--watch', 'show it again whenever it changes, until q or Ctrl-C');
}

/** Shows an answer once; with --watch in place on a terminal, elsewhere anew after each change. */
export async function showAnswer<T>(options: WatchOptions, terminal: Terminal, shown: Shown<T>): Promise<void> {
  const client = clientOf(options, terminal);
  const { stdout } = terminal;
  const first = await shown.ask(client);
  const show = (body: T): string => shown.show(body, widthOf(stdout));
  if (!options.watch) return print(terminal, options, first, show);
  await untilStopped(async (signal, stop) => {
    if (stdout.isTTY === true && !options.json) return watchInPlace(client, terminal, shown, signal, stop);
    let last = '';
    const refresh = async (): Promise<void> => {
      const answer = await shown.ask(client);
      const text = options.json ? `${answer.text.trimEnd()}\n` : show(answer.body);
      if (text !== last) stdout.write(options.json || last === '' ? text : `\n${text}`);
      last = text;
    };
    await onChange({ client, terminal, signal, isRelevant: () => true, refresh, pauseMs: PAUSE_MS });
  });
}

async function watchInPlace<T>(
  client: NodeClient,
  terminal: Terminal,
  { ask, show }: Shown<T>,
  signal: AbortSignal,
  stop: () => void,
): Promise<void> {
  let text = '';
  let problem = '';
  const draw = (): void => {
    const { columns, rows } = screen.size;
    const title = `${padEnd(cutEnd(client.url, columns - 20), columns - 18)}${clockTime(Date.now())}  q quits`;
    screen.draw([cutEnd(title, columns), cutEnd(problem, columns), ...text.split('\n')].slice(0, rows));
  };
  const screen: LiveScreen = new LiveScreen(terminal, { stop, redraw: draw });
  const refresh = async (): Promise<void> => {
    const { body } = await ask(client);
    text = show(body, screen.size.columns);
    problem = '';
    draw();
  };
  // A line on standard error would be written across the picture.
  const stderr = {
    write: (line: string | Uint8Array): void => {
      problem = String(line).trim();
      draw();
    },
  };
  screen.open();
  try {
    await onChange({
      client,
      terminal: { stderr },
      signal,
      isRelevant: () => true,
      refresh,
      pauseMs: PAUSE_MS,
      everyMs: EVERY_MS,
    });
  } finally {
    screen.close();
  }
}
