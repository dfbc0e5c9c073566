import { randomBytes } from 'node:crypto';
import { getContainerRuntimeClient } from 'testcontainers';
import type { Place } from './docker-container.js';
import { labelsOf, removeAllOf } from './docker-engine.js';
import { DockerNode } from './docker-node.js';
import { waitFor } from './wait.js';

const P2P_PORT = 9091;
/** On the peers' network this name leads to all nodes, as a headless service does. */
const SEED_NAME = 'peers';
const WATCH_MS = 200;

export interface DockerClusterOptions {
  readonly image: string;
  /** Settings of all nodes: MINICHAIN_* variables, without the prefix. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface AddOptions {
  /** Node ids; by default all that were there before. 'seed': the one name that leads to all of them. */
  readonly bootstrap?: readonly string[] | 'seed';
  readonly settings?: Readonly<Record<string, string>>;
  readonly volumes?: Readonly<Record<string, string>>;
  readonly isHealthChecked?: boolean;
}

/**
 * Nodes in containers on a network of their own, published by a second one, which no cut touches. Keeps a ledger of what
 * was acknowledged, and watches all the while that no node's chain work goes down.
 */
export class DockerCluster {
  readonly nodes: DockerNode[] = [];
  /** Id to data of every entry that was answered 202. */
  readonly acknowledged = new Map<string, string>();
  /** What was seen that must never be seen. */
  readonly violations: string[] = [];
  readonly #work = new Map<string, bigint>();
  readonly #watchers: Promise<void>[] = [];
  #isEnding = false;
  #islands = 0;

  private constructor(
    readonly run: string,
    private readonly options: DockerClusterOptions,
  ) {}

  /** @param run the name of the run, of which the cluster's begins. */
  static async create(run: string, options: DockerClusterOptions): Promise<DockerCluster> {
    const cluster = new DockerCluster(`${run}-${randomBytes(2).toString('hex')}`, options);
    await cluster.#createNetwork(cluster.opsNetwork);
    await cluster.#createNetwork(cluster.p2pNetwork);
    return cluster;
  }

  /** Published ports belong to the network whose name sorts first, hence the a and the z. */
  get opsNetwork(): string {
    return `${this.run}-a-ops`;
  }

  get p2pNetwork(): string {
    return `${this.run}-z-p2p`;
  }

  node(nodeId: string): DockerNode {
    const node = this.nodes.find((one) => one.nodeId === nodeId);
    if (node === undefined) throw new Error(`there is no ${nodeId}`);
    return node;
  }

  /** Starts `count` nodes, node-1 and so on, that know each other's names, and waits until all are connected. */
  async startAll(count = 3): Promise<readonly DockerNode[]> {
    const ids = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
    await Promise.all(ids.map((id) => this.add(id, { bootstrap: ids.filter((other) => other !== id) })));
    this.nodes.sort((a, b) => a.nodeId.localeCompare(b.nodeId));
    await this.meshed();
    return this.nodes;
  }

  async add(nodeId: string, options: AddOptions = {}): Promise<DockerNode> {
    const {
      bootstrap = this.nodes.map((node) => node.nodeId),
      settings = {},
      volumes,
      isHealthChecked = false,
    } = options;
    const names = bootstrap === 'seed' ? [SEED_NAME] : bootstrap;
    const node = new DockerNode({
      nodeId,
      image: this.options.image,
      run: this.run,
      name: await this.#createVolume(`${this.run}-${nodeId}`),
      ops: { network: this.opsNetwork, aliases: [nodeId.replace('-', '')] },
      p2p: this.#place(nodeId),
      settings: {
        NETWORK_BOOTSTRAP_NODES: names.map((name) => `${name}:${P2P_PORT}`).join(','),
        NETWORK_HEARTBEAT_SECONDS: '1',
        BLOCKCHAIN_DIFFICULTY: '3',
        ...this.options.settings,
        ...settings,
      },
      ...(volumes && { volumes }),
      isHealthChecked,
    });
    this.nodes.push(node);
    await node.create();
    this.#watchers.push(this.#watch(node));
    return node.ready();
  }

  /** Posts an entry; what was answered 202 is in the ledger. @returns its id. */
  async post(node: DockerNode, data: string, headers: Record<string, string> = {}): Promise<string> {
    const { id } = await node.post<{ id: string }>('/blocks', { data }, headers);
    this.acknowledged.set(id, data);
    return id;
  }

  /** Removes a node for good. */
  async drop(node: DockerNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.remove();
  }

  /** Puts these nodes on a network of their own; one alone is on none. */
  async cut(...nodes: readonly DockerNode[]): Promise<void> {
    if (nodes.length === 1) return nodes[0]!.move();
    const island = `${this.p2pNetwork}-${++this.#islands}`;
    await this.#createNetwork(island);
    await Promise.all(nodes.map((node) => node.move(this.#place(node.nodeId, island))));
  }

  async heal(...nodes: readonly DockerNode[]): Promise<void> {
    await Promise.all(nodes.map((node) => node.move(this.#place(node.nodeId))));
  }

  /** Waits until these nodes, or all, are connected each to all others of them. */
  async meshed(nodes: readonly DockerNode[] = this.nodes, limitMs = 60_000): Promise<void> {
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node).map((other) => other.nodeId);
      await waitFor(
        `${node.nodeId} is connected to ${others.join(', ')}`,
        async () => {
          const connected = await node.peerIds();
          return others.every((other) => connected.includes(other));
        },
        limitMs,
      );
    }
  }

  /** Waits until these nodes, or all, have one tip, above `height` if given. @returns its height. */
  async converged(nodes: readonly DockerNode[] = this.nodes, above = -1, limitMs = 60_000): Promise<number> {
    return waitFor(
      `${nodes.map((node) => node.nodeId).join(', ')} have one tip${above < 0 ? '' : ` above ${above}`}`,
      async () => {
        const [first, ...others] = await Promise.all(nodes.map((node) => node.status()));
        return first !== undefined && first.height > above && others.every(({ tip }) => tip === first.tip)
          ? first.height
          : undefined;
      },
      limitMs,
    );
  }

  /** A volume of the cluster's, gone with it. */
  async volume(name: string): Promise<string> {
    return this.#createVolume(`${this.run}-${name}`);
  }

  /** Removes everything, also of nodes that came half way. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#watchers);
    await removeAllOf(this.run);
  }

  #place(nodeId: string, network = this.p2pNetwork): Place {
    return { network, aliases: [nodeId, SEED_NAME] };
  }

  /** One request at a time for each node: so what it answers later is later. */
  async #watch(node: DockerNode): Promise<void> {
    while (!this.#isEnding) {
      const status = await node.status().catch(() => undefined);
      if (status !== undefined) {
        const work = BigInt(`0x${status.chainWork}`);
        const before = this.#work.get(node.nodeId) ?? 0n;
        if (work < before) this.violations.push(`chain work of ${node.nodeId} fell from ${before} to ${work}`);
        else this.#work.set(node.nodeId, work);
      }
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    }
  }

  async #createNetwork(name: string): Promise<void> {
    const { network } = await getContainerRuntimeClient();
    await network.create({ Name: name, CheckDuplicate: true, Labels: await this.#labels() });
  }

  async #createVolume(name: string): Promise<string> {
    const { container } = await getContainerRuntimeClient();
    await container.dockerode.createVolume({ Name: name, Labels: await this.#labels() });
    return name;
  }

  #labels(): Promise<Record<string, string>> {
    return labelsOf(this.run);
  }
}
