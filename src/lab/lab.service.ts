import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { HttpProblem } from '../common/http-problem.js';
import type { Logger } from '../common/logger.js';
import { CLOCK, LOGGER, NODE_CONFIG } from '../common/tokens.js';
import type { MineEmptyBlocks, NodeConfig } from '../config/node-config.js';
import { EventFeed } from '../events/event-feed.js';
import type { LabEvent } from '../events/event-schemas.js';
import { MinerService } from '../miner/miner.service.js';
import { PeersService } from '../peers/peers.service.js';
import {
  CLUSTER,
  ClusterRefusedError,
  type ClusterListener,
  type ClusterNode,
  type ClusterOrder,
  type ClusterPort,
  type ClusterRequest,
  type Partition,
  type ProcessVerb,
} from './cluster-port.js';
import type { LabView, LinkRequest, MiningMode, MiningRequest } from './lab-schemas.js';
import { LabMetrics } from './lab.metrics.js';
import { LinkFaults } from './link-faults.js';
import { checkKnown, planGroups } from './plan-groups.js';

/**
 * Causes faults on purpose, for those who want to see what the network does about them. Nothing of it is stored. What
 * concerns several nodes goes through the parent that runs them; without one, this node does its own part.
 */
@Injectable()
export class LabService implements OnApplicationBootstrap, BeforeApplicationShutdown, ClusterListener {
  readonly #config: NodeConfig;
  readonly #log: Logger;
  readonly #faults: LinkFaults;

  constructor(
    @Inject(NODE_CONFIG) config: NodeConfig,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
    @Inject(CLUSTER) private readonly cluster: ClusterPort | undefined,
    private readonly peers: PeersService,
    private readonly miner: MinerService,
    private readonly feed: EventFeed,
    metrics: LabMetrics,
  ) {
    this.#config = config;
    this.#log = logger.child({ module: 'lab' });
    const ended = (text: string): void => this.#tell('end', text);
    this.#faults = new LinkFaults({ nodeId: config.node.nodeId, peers, clock, ended });
    metrics.watch(() => this.#faults.count);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#log.warn('The lab is on: whoever can write to this node can break its network');
    await this.cluster?.open(this);
  }

  beforeApplicationShutdown(): void {
    this.#faults.stop();
  }

  view(): LabView {
    const { partition, links } = this.#faults;
    const { nodes } = this.cluster ?? {};
    return {
      nodeId: this.#config.node.nodeId,
      mining: { mode: this.#mode, hashRate: this.miner.status.maxHashRate },
      links: links.map(({ nodeId, fault, endsInSeconds }) => ({ nodeId, ...fault, endsInSeconds })),
      groups: partition?.groups.map((group) => [...group]) ?? null,
      groupsEndInSeconds: partition?.seconds ?? null,
      nodes: [...this.#config.lab.nodes],
      cluster: nodes === undefined ? null : { nodes: [...nodes] },
    };
  }

  /** Lets only nodes of one group hear each other. @throws HttpProblem */
  async partition({ groups, seconds }: Partition): Promise<void> {
    await this.#everywhere({ kind: 'partition', groups: planGroups(groups, this.#known), seconds });
  }

  /** Cuts the link between this node and another one, or makes it slow. @throws HttpProblem */
  disturb(nodeId: string, { cut, delayMs = 0, jitterMs = 0, seconds }: LinkRequest): void {
    this.#checkOther(nodeId);
    this.#faults.disturb(nodeId, { cut: cut === true, delayMs, jitterMs }, seconds);
    const late = jitterMs === 0 ? `${delayMs} ms` : `${delayMs} to ${delayMs + jitterMs} ms`;
    this.#tell('link', `Link with ${nodeId} ${cut ? 'cut' : `slower by ${late}`} for ${seconds} s`);
  }

  /** Ends what `disturb` began. @throws HttpProblem */
  mend(nodeId: string): void {
    this.#checkOther(nodeId);
    if (this.#faults.mend(nodeId)) this.#tell('link', `Link with ${nodeId} as usual again`);
  }

  setMining({ mode, hashRate }: MiningRequest): void {
    if (mode !== undefined) this.#setMode(mode);
    if (hashRate !== undefined) this.miner.limitHashRate(hashRate);
    const limit = this.miner.status.maxHashRate;
    this.#tell('mining', `Mining: ${this.#mode}, ${limit === 0 ? 'as fast as it can' : `at most ${limit} hashes/s`}`);
  }

  /** Is the process of this node meant? Then the answer has to be out before it is done. */
  isOwn(nodeId: string): boolean {
    return nodeId === this.#config.node.nodeId;
  }

  /** @param check only say whether it would be refused. @throws HttpProblem */
  async process(nodeId: string, verb: ProcessVerb, seconds: number, check = false): Promise<void> {
    if (this.#isAlone) {
      const detail =
        'no cluster runs this node, so nothing can start or end its nodes; start them with `minichain cluster`';
      throw new HttpProblem(409, 'no-cluster', detail);
    }
    checkKnown(nodeId, this.#known);
    await this.#ask({ kind: 'process', nodeId, verb, seconds, ...(check ? { check } : {}) });
  }

  /** What holds once the process of this node, which is still here, has done this. */
  viewAfter(verb: ProcessVerb): LabView {
    const { cluster, ...rest } = this.view();
    const state = ({ kill: 'ended', stop: 'ended', pause: 'paused' } as const)[verb as string];
    const nodes = cluster?.nodes.map((node) => (this.isOwn(node.nodeId) && state ? { ...node, state } : node)) ?? [];
    return { ...rest, cluster: { nodes } };
  }

  /** Makes the network whole. Processes and mining stay as they are. */
  async heal(): Promise<void> {
    await this.#everywhere({ kind: 'heal' });
  }

  /** Makes the network whole, starts all nodes, and lets all mine as they are configured. */
  async reset(): Promise<void> {
    await this.#everywhere({ kind: 'reset' });
  }

  obey(order: ClusterOrder): void {
    switch (order.kind) {
      case 'partition': {
        this.#faults.divide(order);
        const groups = order.groups.map((group) => group.join(', ')).join(' / ');
        const what = this.#isAlone ? 'Only the links of this node, which no cluster runs, are cut' : 'Network cut';
        return this.#tell('partition', `${what} for ${order.seconds} s: ${groups}`);
      }
      case 'heal':
        this.#faults.mendAll();
        return this.#tell('heal', this.#healed);
      case 'reset': {
        this.#faults.mendAll();
        const { blockchain } = this.#config;
        this.miner.setSettings(blockchain);
        if (this.miner.status.maxHashRate !== blockchain.maxHashRate) this.miner.limitHashRate(blockchain.maxHashRate);
        return this.#tell('reset', `${this.#healed}, mining as configured`);
      }
      case 'dial':
        this.peers.redial();
    }
  }

  nodesChanged(nodes: readonly ClusterNode[], before: readonly ClusterNode[] | undefined): void {
    for (const { nodeId, state } of nodes) {
      const then = before?.find((node) => node.nodeId === nodeId)?.state;
      if (then !== undefined && then !== state)
        this.#tell('process', `${nodeId} ${state === 'ended' ? 'has' : 'is'} ${state}`);
    }
  }

  async #everywhere(
    order: Extract<ClusterRequest & ClusterOrder, { kind: 'partition' | 'heal' | 'reset' }>,
  ): Promise<void> {
    if (!this.#isAlone) return this.#ask(order);
    this.obey(order);
    if (order.kind !== 'partition') this.obey({ kind: 'dial' });
  }

  /** @throws HttpProblem where the parent refuses. */
  async #ask(request: ClusterRequest): Promise<void> {
    try {
      await this.cluster!.ask(request);
    } catch (error) {
      if (!(error instanceof ClusterRefusedError)) throw error;
      throw new HttpProblem(error.code === 'unknown-node' ? 404 : 409, error.code, error.message);
    }
  }

  /** No parent runs this node together with others. */
  get #isAlone(): boolean {
    return this.cluster?.nodes === undefined;
  }

  get #healed(): string {
    return this.#isAlone ? 'Links of this node healed' : 'Network healed';
  }

  get #known(): ReadonlySet<string> {
    const ofCluster = this.cluster?.nodes?.map(({ nodeId }) => nodeId);
    const ofPeers = this.peers.list().flatMap(({ id }) => id ?? []);
    return new Set([this.#config.node.nodeId, ...(ofCluster ?? ofPeers)]);
  }

  #checkOther(nodeId: string): void {
    const ofPeers = this.peers.list().flatMap(({ id }) => id ?? []);
    checkKnown(nodeId, new Set([...this.#known, ...ofPeers]));
    if (!this.isOwn(nodeId)) return;
    throw new HttpProblem(400, 'own-node', `${nodeId} is this node; a link is one between it and another node`);
  }

  get #mode(): MiningMode {
    const { autoMine, mineEmptyBlocks } = this.miner.settings;
    if (!autoMine) return 'off';
    return mineEmptyBlocks === 'always' ? 'always' : 'entries';
  }

  #setMode(mode: MiningMode): void {
    const configured = this.#config.blockchain.mineEmptyBlocks;
    const usual: MineEmptyBlocks = configured === 'always' ? 'on_tie' : configured;
    this.miner.setSettings({ autoMine: mode !== 'off', mineEmptyBlocks: mode === 'always' ? 'always' : usual });
  }

  #tell(change: LabEvent['change'], text: string): void {
    this.#log.warn({ change }, `Lab: ${text}`);
    this.feed.tell({ type: 'lab', change, text });
  }
}
