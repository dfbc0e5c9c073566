import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import type { Entry } from '../../src/consensus/transaction.js';
import { MAX_MINE_BLOCKS } from '../../src/miner/mine-queue.js';
import type { Node } from '../../src/node.js';
import type { Channel } from '../../src/peers/channel.js';
import { DialectChannel } from './dialects.js';
import { GOOD_LINK, MemoryNetwork, type LinkConditions } from './memory-network.js';
import { SeededRandom } from './seeded-random.js';
import { signedEntry, testKey } from './signing.js';
import { addressOf, createSimNode, type SimNodeOptions } from './sim-node.js';
import { SettableClock } from './settable-clock.js';
import { VirtualClock } from './virtual-clock.js';

export interface SimOptions {
  /** By default a new one each time, or what MINICHAIN_SIM_SEED says. */
  readonly seed?: number;
  /** Keeps every log line of every node, for comparing runs. */
  readonly isRecording?: boolean;
  /** For all nodes, as in SimNodeOptions. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Member {
  readonly options: SimNodeOptions;
  readonly clock: SettableClock;
  /** Undefined while it is dead. */
  node: Node | undefined;
  unlisten: () => void;
  /** The most chain work it ever had; it must never have less again. */
  bestWork: bigint;
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
  #posts = 0;
  /** Data of each entry that a node has acknowledged, by id. */
  readonly acknowledged = new Map<string, string>();
  /** What was seen during the run that must never be. */
  readonly violations: string[] = [];
  /** Called with each verb and the virtual time, to follow a run. */
  onVerb: (verb: string, atMs: number) => void = () => {};
  readonly #members = new Map<string, Member>();
  readonly #isRecording: boolean;
  readonly #settings: Readonly<Record<string, string>>;
  #directory: string | undefined;

  constructor({ seed, isRecording = false, settings = {} }: SimOptions = {}) {
    this.seed = seed ?? Number(process.env['MINICHAIN_SIM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
    this.#isRecording = isRecording;
    this.#settings = settings;
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

  /** Names of nodes that are dead at present. */
  get dead(): string[] {
    return [...this.#members].flatMap(([name, { node }]) => (node === undefined ? name : []));
  }

  async add(name: string, options: SimNodeOptions = {}): Promise<Node> {
    const member: Member = {
      options,
      clock: new SettableClock(this.clock, options.clockOffsetMs),
      node: undefined,
      unlisten: () => {},
      bestWork: 0n,
    };
    this.#members.set(name, member);
    return this.#start(name, member);
  }

  /** The node is gone at once, without a word to anybody. */
  async kill(name: string): Promise<void> {
    this.#verb(`kill ${name}`);
    const member = this.#members.get(name)!;
    member.unlisten();
    this.net.drop(name);
    await this.#end(member);
  }

  /** The node ends as it does on SIGTERM. */
  async stop(name: string): Promise<void> {
    this.#verb(`stop ${name}`);
    const member = this.#members.get(name)!;
    member.unlisten();
    await this.#end(member);
  }

  /** Starts a killed or stopped node again, with what is in its directory. */
  restart(name: string): Promise<Node> {
    return this.#start(name, this.#members.get(name)!);
  }

  /** Of a dead node. */
  eraseDisk(name: string): void {
    this.#verb(`erase disk ${name}`);
    rmSync(this.#dataDirOf(name, this.#members.get(name)!), { recursive: true });
  }

  /** Cuts the network into these groups of nodes; whoever is in none stands alone. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#verb(`partition ${groups.map((group) => group.join(' ')).join(' | ')}`);
    this.net.partition(...groups);
  }

  /** Cuts it without a sign: the nodes have to notice by their heartbeats. */
  partitionSilently(...groups: readonly (readonly string[])[]): void {
    this.#verb(`partition silently ${groups.map((group) => group.join(' ')).join(' | ')}`);
    this.net.partitionSilently(...groups);
  }

  /** Ends partitions. How links behave stays as it is. */
  heal(): void {
    this.#verb('heal');
    this.net.heal();
  }

  /** From now on all links (but those set one by one) behave like this; what is left out, like good ones. */
  weather(conditions: Partial<LinkConditions> = {}): void {
    this.#verb(`weather ${JSON.stringify(conditions)}`);
    this.net.conditions = { ...GOOD_LINK, ...conditions };
    if (Object.keys(conditions).length === 0) this.net.resetLinks();
  }

  /** From now on the link between two nodes behaves like this. */
  link(a: string, b: string, conditions: Partial<LinkConditions>): void {
    this.#verb(`link ${a} ${b} ${JSON.stringify(conditions)}`);
    this.net.setLink(a, b, { ...GOOD_LINK, ...conditions });
  }

  /** Sets the wall clock of a node forward, or back if negative. */
  jumpClock(name: string, byMs: number): void {
    this.#verb(`jump clock ${name} ${byMs}`);
    this.#members.get(name)!.clock.offsetMs += byMs;
  }

  async mine(name: string, blocks: number): Promise<BlockNode[]> {
    this.#verb(`mine ${name} ${blocks}`);
    const mined: BlockNode[] = [];
    while (mined.length < blocks) {
      const count = Math.min(blocks - mined.length, MAX_MINE_BLOCKS);
      mined.push(...(await this.clock.during(`${name} mines ${count} blocks`, this.node(name).miner.mine(count))));
    }
    return mined;
  }

  /** Lets virtual time pass. */
  async pass(durationMs: number): Promise<void> {
    this.#verb(`pass ${durationMs}`);
    await this.clock.advance(durationMs);
  }

  /** Posts a string, every third one signed; resolves with its id when it is on disk, as the 202 of REST does. */
  async post(name: string, data: string): Promise<string> {
    this.#verb(`post ${name} ${data}`);
    const { chain, mempool } = this.node(name);
    // The same key would make one entry of two posts of a string.
    const signer = this.#posts++ % 3 === 0 ? testKey(`poster ${this.#posts}`) : undefined;
    const posting =
      signer === undefined
        ? mempool.submit(data)
        : mempool.submitSigned(data, signedEntry(data, chain.genesis.hash, signer));
    const transaction = await this.clock.during<Entry>(`${name} stores "${data}"`, posting);
    this.acknowledged.set(transaction.id, data);
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
    for (const member of this.#members.values()) await this.#end(member);
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(name: string, member: Member): Promise<Node> {
    this.#verb(`start ${name}`);
    const { dialect } = member.options;
    const spoken = (channel: Channel): Channel =>
      dialect === undefined ? channel : new DialectChannel(channel, dialect);
    const dialer = this.net.dialerOf(name);
    const node = await createSimNode(
      name,
      { ...member.options, settings: { ...this.#settings, ...member.options.settings } },
      {
        dataDir: this.#dataDirOf(name, member),
        clock: member.clock,
        random: this.random.fork(),
        dialer: { ...dialer, dial: (address) => spoken(dialer.dial(address)) },
        logger: this.#logger(),
      },
    );
    this.#watchWork(name, member, node);
    member.node = node;
    if (member.options.isBehindNat !== true) {
      member.unlisten = this.net.listen(addressOf(name), (channel) => node.peers.acceptInbound(spoken(channel)));
    }
    await node.start();
    return node;
  }

  async #end(member: Member): Promise<void> {
    const { node } = member;
    member.node = undefined;
    await node?.close();
  }

  #dataDirOf(name: string, { options }: Member): string {
    if (options.isDurable !== true) return options.dataDir ?? ':memory:';
    // In memory where there is such a file system: it is processes that die here, not the power.
    this.#directory ??= mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'minichain-sim-'));
    return join(this.#directory, name);
  }

  #watchWork(name: string, member: Member, { chain, config }: Node): void {
    const note = (): void => {
      const { chainWork, height } = chain.tip;
      if (chainWork < member.bestWork) this.violations.push(`${name} had more chain work than now at height ${height}`);
      else member.bestWork = chainWork;
    };
    if (config.node.dataDir === ':memory:') member.bestWork = 0n;
    note();
    chain.events.on('tip', note);
  }

  #verb(verb: string): void {
    const nowMs = this.clock.nowMs();
    if (this.#isRecording) this.log.push(`${nowMs} ${verb}\n`);
    this.onVerb(verb, this.clock.monotonicMs());
  }

  #logger(): pino.Logger {
    if (!this.#isRecording) return pino({ level: 'silent' });
    const options = { level: 'debug', base: {}, timestamp: () => `,"time":${this.clock.nowMs()}` };
    // The name of the directory is all that two runs with one seed do not share.
    const withoutDirectory = (line: string): string =>
      this.#directory === undefined ? line : line.replaceAll(this.#directory, '');
    return pino(options, { write: (line) => void this.log.push(withoutDirectory(line)) });
  }
}

function stateOf({ chain, mempool, peers }: Node): string {
  const { height, hash } = chain.tip;
  const connected = peers.list().flatMap((peer) => (peer.connected ? peer.id : []));
  return `height ${height}, tip ${hash.slice(-8)}, ${mempool.size} pending, sync ${peers.syncStatus().state}, peers ${connected.join(' ')}`;
}
