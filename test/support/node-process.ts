import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { waitFor } from './wait.js';

/** Tests and benchmarks run from the project's root. */
const LAUNCHER = resolve('scripts/minichain.mjs');

export interface ChainBody {
  readonly length: number;
  readonly tip: string;
  readonly blocks: readonly {
    readonly index: number;
    readonly hash: string;
    readonly transactions: readonly { readonly id: string; readonly kind: string; readonly data: string | null }[];
  }[];
}

/** A node that is short of places may close an idle connection at the very moment in which it is used again. */
const ONCE = { connection: 'close' };

/**
 * Below what systems give to outgoing connections (Linux from 32,768 on): a node that is stopped and started again finds
 * its port free, however many connections others have opened meanwhile.
 */
const PORTS = { least: 12_000, count: 20_000 };
/** Test files that run at once take no port that another may be about to use: each worker of Vitest has a part of its own. */
const PARTS = 16;
const OWN_PART = Number(process.env['VITEST_POOL_ID'] ?? 0) % PARTS;
const given = new Set<number>();

/** A port of 127.0.0.1 that was free a moment ago, another one at each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.least + PARTS * Math.floor((Math.random() * PORTS.count) / PARTS) + OWN_PART;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolveFree) => {
    const server = createServer().once('error', () => resolveFree(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolveFree(true)));
  });
}

/** A directory that is removed by `remove()`. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'minichain-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A node in a process of its own, as `minichain start` runs it, on ports and a data directory of its own. */
export class NodeProcess {
  readonly #output: string[] = [];
  #child: ChildProcess | undefined;

  private constructor(
    readonly nodeId: string,
    readonly httpPort: number,
    readonly p2pPort: number,
    readonly dataDir: string,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly prefix: readonly string[],
  ) {}

  /**
   * @param settings further MINICHAIN_* variables, without the prefix.
   * @param prefix a command, with its arguments, that runs the node by exec, such as nsenter.
   */
  static async create(
    nodeId: string,
    dataDir: string,
    settings: Readonly<Record<string, string>> = {},
    prefix: readonly string[] = [],
  ): Promise<NodeProcess> {
    return new NodeProcess(nodeId, await freePort(), await freePort(), dataDir, settings, prefix);
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get p2pAddress(): string {
    return `127.0.0.1:${this.p2pPort}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it has written to standard output and error, all runs together. */
  get output(): string {
    return this.#output.join('');
  }

  /** Starts the process; ready() says when it answers. */
  spawn(bootstrap: readonly Pick<NodeProcess, 'p2pAddress'>[] = []): this {
    const [command, ...args] = [...this.prefix, process.execPath, LAUNCHER, 'start'];
    const child = spawn(command, args, {
      env: {
        PATH: process.env['PATH'],
        MINICHAIN_NODE_NODE_ID: this.nodeId,
        MINICHAIN_NODE_HTTP_PORT: String(this.httpPort),
        MINICHAIN_NODE_P2P_PORT: String(this.p2pPort),
        MINICHAIN_NODE_DATA_DIR: this.dataDir,
        MINICHAIN_NETWORK_BOOTSTRAP_NODES: bootstrap.map((node) => node.p2pAddress).join(','),
        MINICHAIN_BLOCKCHAIN_THREADS: '1',
        ...Object.fromEntries(Object.entries(this.settings).map(([key, value]) => [`MINICHAIN_${key}`, value])),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => this.#output.push(String(chunk)));
    this.#child = child;
    return this;
  }

  async ready(limitMs = 90_000): Promise<this> {
    const isRunning = await waitFor(
      `${this.nodeId} is ready`,
      async () => {
        if (this.exit !== null) return 'no';
        return (await fetch(`${this.url}/health/ready`, { headers: ONCE })).ok && 'yes';
      },
      limitMs,
    );
    if (isRunning === 'no') throw new Error(`${this.nodeId} is not running:\n${this.output}`);
    return this;
  }

  /** Sends a signal and waits for the end. @returns exit code, or the signal that ended it. */
  async kill(signal: NodeJS.Signals = 'SIGTERM', limitMs = 12_000): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error(`${this.nodeId} was not started`);
    child.kill(signal);
    return waitFor(`${this.nodeId} ends on ${signal}`, () => this.exit ?? undefined, limitMs);
  }

  /** How it ended; null while it runs. */
  get exit(): number | NodeJS.Signals | null {
    return this.#child?.exitCode ?? this.#child?.signalCode ?? null;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path, { headers: ONCE });
    if (!response.ok) throw new Error(`GET ${path} of ${this.nodeId}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(this.url + path, { method: 'POST', headers: ONCE, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path} of ${this.nodeId}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Posts an entry; resolves with its id once the node has acknowledged it. */
  async submit(data: string): Promise<string> {
    return (await this.post<{ id: string }>('/blocks', { data })).id;
  }

  chain(): Promise<ChainBody> {
    return this.get<ChainBody>('/chain?limit=1000');
  }

  async connectedTo(...others: readonly NodeProcess[]): Promise<void> {
    await waitFor(`${this.nodeId} is connected to ${others.map((node) => node.nodeId).join(', ')}`, async () => {
      const { peers } = await this.get<{ peers: { id: string; connected: boolean }[] }>('/peers');
      return others.every((node) => peers.some((peer) => peer.id === node.nodeId && peer.connected));
    });
  }
}

/** All data entries of a chain, in order. */
export function entriesOf(chain: ChainBody): string[] {
  return chain.blocks.flatMap((block) => block.transactions.flatMap(({ data }) => (data === null ? [] : [data])));
}

/** Waits until all nodes have the same tip and, if given, `isDone` holds for their chain; returns that chain. */
export async function converged(
  nodes: readonly NodeProcess[],
  isDone: (chain: ChainBody) => boolean = () => true,
  limitMs = 60_000,
): Promise<ChainBody> {
  return waitFor(
    `${nodes.map((node) => node.nodeId).join(', ')} agree`,
    async () => {
      const chains = await Promise.all(nodes.map((node) => node.chain()));
      const [first] = chains;
      return first !== undefined && chains.every(({ tip }) => tip === first.tip) && isDone(first) ? first : undefined;
    },
    limitMs,
  );
}
