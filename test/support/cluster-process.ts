import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LabView } from '../../src/lab/lab-schemas.js';
import type { Status } from '../../src/ops/status-schemas.js';
import { freePort } from './node-process.js';
import { waitFor } from './wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');

/** The exit code of a command, and all that it wrote. */
export interface CommandResult {
  readonly code: number | null;
  readonly text: string;
}

/** Runs a command of `minichain` that asks the node at `url`. */
export async function runCommand(url: string, ...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { PATH: process.env['PATH'], MINICHAIN_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)));
  const code = await new Promise<number | null>((resolveCode) => child.once('close', resolveCode));
  return { code, text };
}

/** Three nodes that a real `minichain cluster` runs, with the lab that it gives them. */
export class ClusterProcess {
  readonly #output: string[] = [];
  readonly #child: ChildProcess;

  private constructor(
    private readonly directory: string,
    private readonly ports: readonly number[],
    options: readonly string[],
  ) {
    this.#child = spawn(process.execPath, [LAUNCHER, 'cluster', '--config-dir', directory, ...options], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => this.#output.push(String(chunk)));
  }

  /** Resolves when all nodes are connected. @param settings further lines of TOML. */
  static async start(
    directory: string,
    { settings = '', options = [] }: { readonly settings?: string; readonly options?: readonly string[] } = {},
  ): Promise<ClusterProcess> {
    mkdirSync(directory, { recursive: true });
    const ports = await Promise.all(Array.from({ length: 6 }, freePort));
    const bootstrap = ports.slice(3).map((port) => `"127.0.0.1:${port}"`);
    for (const n of [1, 2, 3]) {
      const toml = [
        '[node]',
        `node_id = "node-${n}"\nhttp_port = ${ports[n - 1]}\np2p_port = ${ports[n + 2]}`,
        `data_dir = ${JSON.stringify(join(directory, `data${n}`))}`,
        `[network]\nbootstrap_nodes = [${bootstrap.join(', ')}]\nheartbeat_seconds = 1`,
        `[blockchain]\ndifficulty = 2\nthreads = 1\n${settings}`,
      ];
      writeFileSync(join(directory, `node${n}.toml`), `${toml.join('\n')}\n`);
    }
    const cluster = new ClusterProcess(directory, ports, options);
    try {
      await waitFor('the cluster is connected', () => cluster.output.includes('three nodes connected'), 60_000);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get output(): string {
    return this.#output.join('');
  }

  /** Of node 1, 2 or 3. */
  url(n: number): string {
    return `http://127.0.0.1:${this.ports[n - 1]}`;
  }

  /** Runs a command of `minichain` that asks node 1, 2 or 3. */
  command(n: number, ...args: readonly string[]): Promise<CommandResult> {
    return runCommand(this.url(n), ...args);
  }

  async get<T>(n: number, path: string): Promise<T> {
    const response = await fetch(this.url(n) + path);
    if (!response.ok) throw new Error(`GET ${path} of node-${n}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  lab(n: number): Promise<LabView> {
    return this.get<LabView>(n, '/lab');
  }

  post(n: number, path: string, body?: unknown): Promise<Response> {
    return fetch(this.url(n) + path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  /** Mines, and resolves with the new tip. */
  async mine(n: number, blocks: number): Promise<string> {
    const { blocks: mined } = (await (await this.post(n, '/mine', { blocks })).json()) as {
      blocks: { hash: string }[];
    };
    return mined.at(-1)!.hash;
  }

  /** Waits until these nodes have this tip. */
  async agree(tip: string, ...nodes: readonly number[]): Promise<void> {
    await waitFor(
      `nodes ${nodes.join(', ')} have ${tip}`,
      async () => {
        const all = await Promise.all(nodes.map((n) => this.get<Status>(n, '/status')));
        return all.every((status) => status.tip === tip);
      },
      30_000,
    );
  }

  /** Waits until node n is connected to as many others. */
  async connected(n: number, others: number): Promise<void> {
    await waitFor(
      `node-${n} has ${others} peers`,
      async () => (await this.get<Status>(n, '/status')).peers.connected === others,
      30_000,
    );
  }

  /** Ctrl-C. @returns the exit code. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.#child.kill('SIGINT');
    return waitFor('the cluster ends', () => this.#child.exitCode ?? this.#child.signalCode ?? undefined, 30_000);
  }
}
