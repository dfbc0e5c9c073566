import { spawn, type ChildProcess } from 'node:child_process';
import type { ToNode } from '../../lab/cluster-port.js';
import type { Terminal } from '../terminal.js';
import { LastErrors } from './error-line.js';
import { relayLines } from './line-relay.js';
import type { PlannedNode } from './plan-cluster.js';

/** How a process ended; either the code or the signal is null. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The reason, as far as the process wrote one to stderr. */
  readonly errorLine?: string | undefined;
}

/** One node of the cluster as a process of its own. */
export class ChildNode {
  readonly name: string;
  /** Resolves when the process has ended and all that it wrote is relayed; never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;

  constructor(
    readonly plan: PlannedNode,
    launcher: string,
    prefix: string,
    terminal: Terminal,
  ) {
    this.name = plan.config.node.nodeId;
    this.#process = spawn(process.execPath, [launcher, 'start', '--config', plan.configPath], {
      env: plan.env,
      // The channel closes when this process is gone, and the node stops itself then.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own process group: Ctrl-C reaches this process alone, which then stops the nodes in order.
      detached: true,
    });
    this.ended = this.#run(prefix, terminal);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#process.on('message', listener);
  }

  /** False: the channel to the process is closed. */
  send(message: ToNode): boolean {
    if (!this.#process.connected) return false;
    // It may close at this very moment.
    this.#process.send(message, () => undefined);
    return true;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async #run(prefix: string, terminal: Terminal): Promise<ChildEnd> {
    const { stdout, stderr } = this.#process;
    const { promise, resolve } = Promise.withResolvers<ChildEnd>();
    this.#process.once('exit', (code, signal) => resolve({ code, signal }));
    this.#process.once('error', (error) => {
      terminal.stderr.write(`${prefix}cannot be started: ${error.message}\n`);
      resolve({ code: 1, signal: null });
    });
    const errors = new LastErrors();
    const watched = {
      write: (text: string): void => {
        errors.add(text.slice(prefix.length));
        terminal.stderr.write(text);
      },
    };
    const relayed = Promise.all([relayLines(stdout!, prefix, terminal.stdout), relayLines(stderr!, prefix, watched)]);
    const end = await promise;
    await relayed;
    return { ...end, errorLine: errors.reason };
  }
}
