import { HardenedContainer, connect, containerById, disconnect, type Place } from './docker-container.js';
import { outputOf, type Container } from './docker-engine.js';
import type { ChainBody } from './node-process.js';
import { waitFor } from './wait.js';

const HTTP_PORT = 8091;
/** A node that is stopped or cut off just does not answer. */
const REQUEST_MS = 5_000;
const PAGE = 1_000;
/** As `docker stop -t 10`. */
const STOP_SECONDS = 10;

export interface DockerNodeOptions {
  readonly nodeId: string;
  readonly image: string;
  readonly run: string;
  /** Of the container, and of its volume. */
  readonly name: string;
  /** Where its REST is published from and Prometheus reaches it; must sort before the peers' network. */
  readonly ops: Place;
  readonly p2p: Place;
  /** MINICHAIN_* variables, without the prefix. */
  readonly settings: Readonly<Record<string, string>>;
  /** Volumes beside its own: name to path, read-only. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Whether the engine runs the image's health check. Tests ask the node itself. */
  readonly isHealthChecked?: boolean;
}

export interface NodeStatus {
  readonly nodeId: string;
  readonly height: number;
  readonly tip: string;
  readonly chainWork: string;
  readonly version: string;
  readonly mempool: { readonly transactions: number };
}

type Block = ChainBody['blocks'][number] & { readonly previousHash: string; readonly miner: string };

/** A node in a container with a volume of its own, seen from outside: by its REST and by the engine. */
export class DockerNode {
  #container: Container | undefined;
  #url: string | undefined;
  #places: readonly Place[];
  #image: string;

  constructor(private readonly options: DockerNodeOptions) {
    this.#places = [options.p2p];
    this.#image = options.image;
  }

  get nodeId(): string {
    return this.options.nodeId;
  }

  get volume(): string {
    return this.options.name;
  }

  get container(): Container {
    if (this.#container === undefined) throw new Error(`${this.nodeId} has no container`);
    return this.#container;
  }

  /** Makes a container, of another image if so asked, on the volume that it had, and starts it. */
  async create(image = this.#image): Promise<this> {
    const { nodeId, run, name, ops, settings, volumes = {}, isHealthChecked = false } = this.options;
    this.#image = image;
    const variables = Object.entries({ NODE_NODE_ID: nodeId, BLOCKCHAIN_THREADS: '1', ...settings });
    const container = new HardenedContainer(image, run, name)
      .withPlaces(ops, ...this.#places)
      .withLoopbackPort(HTTP_PORT)
      .withEnvironment(Object.fromEntries(variables.map(([key, value]) => [`MINICHAIN_${key}`, value])))
      .withBindMounts([
        { source: name, target: '/data' },
        ...Object.entries(volumes).map(([source, target]) => ({ source, target, mode: 'ro' as const })),
      ]);
    if (!isHealthChecked) container.withoutHealthCheck();
    this.#container = await containerById((await container.start()).getId());
    await this.#findUrl();
    return this;
  }

  /** Starts the container that was killed or stopped. */
  async start(): Promise<this> {
    await this.container.start();
    await this.#findUrl();
    return this;
  }

  async ready(limitMs = 45_000): Promise<this> {
    try {
      await waitFor(`${this.nodeId} is ready`, async () => (await this.fetch('/health/ready')).ok, limitMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.tail()}`, { cause: error });
    }
    return this;
  }

  kill(): Promise<unknown> {
    return this.container.kill();
  }

  /** SIGTERM. @returns the exit code; 137 where the engine had to kill it after ten seconds. */
  async stop(): Promise<number> {
    await this.container.stop({ t: STOP_SECONDS });
    return (await this.container.inspect()).State.ExitCode;
  }

  async restart(): Promise<this> {
    await this.container.restart({ t: STOP_SECONDS });
    await this.#findUrl();
    return this;
  }

  async pause(): Promise<void> {
    // With cgroups v1 the engine cannot always freeze processes that come and go, as those of a health check, at once.
    await waitFor(`${this.nodeId} is paused`, async () => {
      if ((await this.container.inspect()).State.Paused) return true;
      await this.container.pause();
      return true;
    });
  }

  unpause(): Promise<unknown> {
    return this.container.unpause();
  }

  /** Removes the container; the volume stays. */
  async remove(): Promise<void> {
    await this.container.remove({ force: true });
    this.#container = undefined;
  }

  /** Moves it to other networks for peers; to none with no argument. */
  async move(...places: readonly Place[]): Promise<void> {
    for (const { network } of this.#places) await disconnect(this.container.id, network);
    this.#places = places;
    for (const place of places) await connect(this.container.id, place);
  }

  /** @throws Error where it is not on that network. */
  async addressOn(network: string): Promise<string> {
    const { NetworkSettings } = await this.container.inspect();
    const address = NetworkSettings.Networks[network]?.IPAddress;
    if (address === undefined || address === '') throw new Error(`${this.nodeId} has no address on ${network}`);
    return address;
  }

  async tail(lines = 20): Promise<string> {
    const { stdout, stderr } = await outputOf(this.container);
    return (stdout + stderr).trim().split('\n').slice(-lines).join('\n');
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    if (this.#url === undefined) return Promise.reject(new Error(`${this.nodeId} publishes no port`));
    return fetch(this.#url + path, { signal: AbortSignal.timeout(REQUEST_MS), ...init });
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (!response.ok) throw new Error(`GET ${path} of ${this.nodeId}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    const init = { method: 'POST', body: JSON.stringify(body), headers };
    const response = await this.fetch(path, { ...init, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`POST ${path} of ${this.nodeId}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  status(): Promise<NodeStatus> {
    return this.get('/status');
  }

  async peerIds(): Promise<string[]> {
    const { peers } = await this.get<{ peers: { id: string | null; connected: boolean }[] }>('/peers');
    return peers.flatMap(({ id, connected }) => (connected && id !== null ? [id] : [])).toSorted();
  }

  mine(blocks = 1): Promise<unknown> {
    return this.post('/mine', { blocks });
  }

  /** The whole active chain. */
  async chain(): Promise<Block[]> {
    const blocks: Block[] = [];
    for (;;) {
      const page = await this.get<{ blocks: Block[] }>(`/chain?from=${blocks.length}&limit=${PAGE}`);
      blocks.push(...page.blocks);
      if (page.blocks.length < PAGE) return blocks;
    }
  }

  /** Published ports are others after each start. Undefined for a container that is already gone. */
  async #findUrl(): Promise<void> {
    const { NetworkSettings } = await this.container.inspect();
    const port = NetworkSettings.Ports[`${HTTP_PORT}/tcp`]?.[0]?.HostPort;
    this.#url = port === undefined ? undefined : `http://127.0.0.1:${port}`;
  }
}
