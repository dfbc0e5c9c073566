import { pino } from 'pino';
import { parseConfig } from '../../src/config/load-config.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import { createNode, type Node } from '../../src/node.js';
import { MemoryNetwork } from './memory-network.js';
import { SeededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

const PORT = 9000;

export interface SimOptions {
  /** By default a new one each time, or what MINICHAIN_SIM_SEED says. */
  readonly seed?: number;
  /** Keeps every log line of every node, for comparing runs. */
  readonly isRecording?: boolean;
}

export interface SimNodeOptions {
  /** Names of nodes. */
  readonly bootstrap?: readonly string[];
  /** By default nothing is mined but on request. */
  readonly autoMine?: boolean;
  /** A directory, for a node that is to survive its death; by default the database dies with it. */
  readonly dataDir?: string;
  /** More settings, as environment variables without their prefix: `NETWORK_MAX_PEERS`. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Member {
  readonly options: SimNodeOptions;
  /** Undefined while it is dead. */
  node: Node | undefined;
  unlisten: () => void;
}

/**
 * Whole nodes in one process, over a network in memory and on virtual time: the same seed and the same calls give the
 * same run. Verbs do, `converged` waits.
 */
export class SimNetwork {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly net: MemoryNetwork;
  /** Log lines of all nodes in order, when recording. */
  readonly log: string[] = [];
  readonly #members = new Map<string, Member>();
  readonly #isRecording: boolean;

  constructor({ seed, isRecording = false }: SimOptions = {}) {
    this.seed = seed ?? Number(process.env['MINICHAIN_SIM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    this.#isRecording = isRecording;
    this.random = new SeededRandom(this.seed);
    this.net = new MemoryNetwork(this.clock, this.random.fork());
  }

  /** Nodes that are alive. */
  get nodes(): Node[] {
    return [...this.#members.values()].flatMap(({ node }) => node ?? []);
  }

  node(name: string): Node {
    const node = this.#members.get(name)?.node;
    if (node === undefined) throw new Error(`no node ${name} is alive`);
    return node;
  }

  async add(name: string, options: SimNodeOptions = {}): Promise<Node> {
    const member: Member = { options, node: undefined, unlisten: () => {} };
    this.#members.set(name, member);
    return this.#start(name, member);
  }

  /** The node is gone at once, without a word to anybody. */
  async kill(name: string): Promise<void> {
    const member = this.#members.get(name)!;
    member.unlisten();
    this.net.drop(name);
    await member.node!.close();
    member.node = undefined;
  }

  /** Starts a killed node again, with what is in its directory. */
  restart(name: string): Promise<Node> {
    return this.#start(name, this.#members.get(name)!);
  }

  /** Cuts the network into these groups of nodes; sessions across break at once. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.net.partition(...groups);
  }

  /** Cuts it without a sign: the nodes have to notice by their heartbeats. */
  partitionSilently(...groups: readonly (readonly string[])[]): void {
    this.net.partitionSilently(...groups);
  }

  heal(): void {
    this.net.heal();
  }

  mine(name: string, blocks: number): Promise<BlockNode[]> {
    return this.clock.during(`${name} mines ${blocks} blocks`, this.node(name).miner.mine(blocks));
  }

  /** Posts a string; resolves with its id when it is on disk, as the 202 of REST does. */
  async post(name: string, data: string): Promise<string> {
    const transaction = await this.clock.during(`${name} stores "${data}"`, this.node(name).mempool.submit(data));
    return transaction.id;
  }

  /** Waits until every node has a session with every other one. */
  async meshed(limitMs?: number): Promise<void> {
    const isMeshed = (): boolean =>
      this.nodes.every(({ peers }) => peers.summary().connected === this.nodes.length - 1);
    await this.until('all have a session with all', isMeshed, limitMs);
  }

  /** Waits until these nodes (by default all) have one tip and the same mempool, and no sync runs. */
  async converged(names?: readonly string[], limitMs?: number): Promise<void> {
    const nodes = names === undefined ? this.nodes : names.map((name) => this.node(name));
    const isOne = (values: readonly string[]): boolean => new Set(values).size <= 1;
    const isConverged = (): boolean =>
      isOne(nodes.map(({ chain }) => chain.tip.hash)) &&
      isOne(nodes.map(({ mempool }) => mempool.ids().sort().join())) &&
      nodes.every(({ peers }) => peers.syncStatus().state === 'idle');
    await this.until('one tip and one mempool', isConverged, limitMs);
  }

  /** @throws Error that says where each node stands, and the seed. */
  async until(what: string, isDone: () => boolean, limitMs?: number): Promise<void> {
    try {
      await this.clock.until(what, isDone, limitMs);
    } catch (error) {
      const states = [...this.#members].map(
        ([name, { node }]) => `${name}: ${node === undefined ? 'dead' : stateOf(node)}`,
      );
      throw new Error(`${(error as Error).message} (seed ${this.seed})\n${states.join('\n')}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    for (const { node } of this.#members.values()) await node?.close();
  }

  async #start(name: string, member: Member): Promise<Node> {
    const { bootstrap = [], autoMine = false, dataDir = ':memory:', settings = {} } = member.options;
    const env = {
      NODE_NODE_ID: name,
      NODE_DATA_DIR: dataDir,
      NODE_ADVERTISED_ADDRESS: `${name}:${PORT}`,
      NETWORK_BOOTSTRAP_NODES: bootstrap.map((other) => `${other}:${PORT}`).join(','),
      BLOCKCHAIN_DIFFICULTY: '0',
      BLOCKCHAIN_AUTO_MINE: String(autoMine),
      ...settings,
    };
    const config = parseConfig({
      env: Object.fromEntries(Object.entries(env).map(([key, value]) => [`MINICHAIN_${key}`, value])),
    });
    const node = await createNode(
      { ...config, blockchain: { ...config.blockchain, threads: 0 } },
      {
        clock: this.clock,
        random: this.random.fork(),
        dialer: this.net.dialerOf(name),
        logger: this.#logger(),
      },
    );
    member.node = node;
    member.unlisten = this.net.listen(`${name}:${PORT}`, (channel) => node.peers.acceptInbound(channel));
    await node.start();
    return node;
  }

  #logger(): pino.Logger {
    if (!this.#isRecording) return pino({ level: 'silent' });
    const options = { level: 'debug', base: {}, timestamp: () => `,"time":${this.clock.nowMs()}` };
    return pino(options, { write: (line) => void this.log.push(line) });
  }
}

function stateOf({ chain, mempool, peers }: Node): string {
  const { height, hash } = chain.tip;
  const connected = peers.list().flatMap((peer) => (peer.connected ? peer.id : []));
  return `height ${height}, tip ${hash.slice(-8)}, ${mempool.size} pending, sync ${peers.syncStatus().state}, peers ${connected.join(' ')}`;
}
