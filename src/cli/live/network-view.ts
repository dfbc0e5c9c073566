import type { Forks } from '../../chain/fork-schemas.js';
import { sentence, type Sentence, type Standing } from '../../common/network-sentence.js';
import type { FeedEvent } from '../../events/event-schemas.js';
import type { Status } from '../../ops/status-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import { nodeName, shortHash } from '../format.js';
import { BlockTree } from './block-tree.js';
import { describeEvent, isNews } from './describe-event.js';
import type { Figures } from './node-feed.js';

const MAX_NEWS = 100;
/** What all nodes of a cluster say of a fault is one piece of news. */
const SHARED: ReadonlySet<string> = new Set(['partition', 'process', 'heal', 'reset', 'end']);
const SAME_NEWS_MS = 3_000;
/** Stands where a node stands otherwise. */
const LAB = 'lab';
const LAB_EFFECT_MS = 5_000;

export interface NodeState {
  readonly url: string;
  /** Fit to be printed. */
  nodeId: string;
  link: 'connecting' | 'live' | 'down';
  /** While it is down: why. */
  reason: string;
  tip: { readonly hash: string; readonly height: number } | undefined;
  status: Status | undefined;
  peers: Peers['peers'];
  isMining: boolean;
}

/** Something that a reader wants to know of who was not looking. */
export interface News {
  readonly atMs: number;
  readonly nodeId: string;
  readonly text: string;
  /** A session began or ended. */
  readonly isLink?: boolean;
}

/** What is known of some nodes and their blocks. The first node is the one that was asked. */
export class NetworkView {
  readonly blocks = new BlockTree();
  readonly #nodes = new Map<string, NodeState>();
  /** Newest first. */
  news: readonly News[] = [];

  /** @param nodes their addresses, and what to call them until they answer. */
  constructor(nodes: readonly { readonly url: string; readonly name: string }[]) {
    for (const { url, name } of nodes) {
      this.#nodes.set(url, {
        url,
        nodeId: nodeName(name),
        link: 'connecting',
        reason: '',
        tip: undefined,
        status: undefined,
        peers: [],
        isMining: false,
      });
    }
  }

  get nodes(): readonly NodeState[] {
    return [...this.#nodes.values()];
  }

  get network(): string {
    const status = this.nodes.find((node) => node.status !== undefined)?.status;
    return status === undefined ? '' : nodeName(status.network);
  }

  snapshot(url: string, figures: Figures, forks: Forks, nowMs: number): void {
    const node = this.#nodes.get(url)!;
    this.blocks.addForks(forks);
    this.#setFigures(node, figures);
    node.tip = forks.tip;
    this.found(url, nowMs);
  }

  figures(url: string, figures: Figures, nowMs: number): void {
    const node = this.#nodes.get(url)!;
    this.found(url, nowMs);
    this.#setFigures(node, figures);
  }

  event(url: string, event: FeedEvent): void {
    const node = this.#nodes.get(url)!;
    if (event.type === 'block') this.blocks.add(event.block);
    if (event.type === 'tip') node.tip = event.tip;
    if (event.type === 'mining') node.isMining = event.state === 'started';
    if (event.type === 'sync' && node.status !== undefined) node.status = { ...node.status, sync: event };
    if (!isNews(event)) return;
    const isShared = event.type === 'lab' && SHARED.has(event.change);
    const nodeId = isShared ? LAB : node.nodeId;
    const isLink = event.type === 'peer';
    // Sessions that end and begin because the lab made them do so are no news of their own.
    if (isShared) this.news = this.news.filter((item) => !item.isLink || event.atMs - item.atMs > LAB_EFFECT_MS);
    const cause = this.news.find((item) => item.nodeId === LAB);
    if (isLink && cause !== undefined && event.atMs - cause.atMs < LAB_EFFECT_MS) return;
    this.#add({ atMs: event.atMs, nodeId, text: describeEvent(event, shortHash), isLink });
  }

  lost(url: string, reason: string, nowMs: number): void {
    const node = this.#nodes.get(url)!;
    const isNew = node.link !== 'down';
    Object.assign(node, { link: 'down', reason, isMining: false });
    if (isNew) this.#add({ atMs: nowMs, nodeId: node.nodeId, text: `does not answer: ${reason}` });
  }

  found(url: string, nowMs: number): void {
    const node = this.#nodes.get(url)!;
    const wasDown = node.link === 'down';
    Object.assign(node, { link: 'live', reason: '' });
    if (wasDown) this.#add({ atMs: nowMs, nodeId: node.nodeId, text: 'is back' });
  }

  /** The state of all of them in one sentence. */
  sentence(): Sentence {
    const own = this.nodes.map(({ nodeId, link, tip }): Standing => ({ nodeId, isDown: link === 'down', tip }));
    const sync = this.nodes[0]?.status?.sync;
    const parentOf = (hash: string): string | undefined => this.blocks.parentOf(hash);
    return sentence({
      nodes: [...own, ...this.#standingsOfPeers()],
      parentOf,
      sync: sync?.state === 'blocks' ? sync : undefined,
    });
  }

  /** Nodes that are not followed, as the first node sees them. */
  #standingsOfPeers(): Standing[] {
    const [home] = this.nodes;
    if (home === undefined || home.link === 'down') return [];
    const followed = new Set(this.nodes.map(({ nodeId }) => nodeId));
    return home.peers
      .filter(({ id, connected }) => connected && id !== null && !followed.has(id))
      .map(({ id, tip, height }) => {
        const isKnown = tip !== null && height !== null;
        return {
          nodeId: nodeName(id!),
          isDown: false,
          tip: isKnown ? { hash: tip, height } : undefined,
        };
      });
  }

  #setFigures(node: NodeState, { status, peers }: Figures): void {
    Object.assign(node, { status, peers: peers.peers, nodeId: nodeName(status.nodeId) });
    node.tip = { hash: status.tip, height: status.height };
    node.isMining = status.mining.active;
  }

  #add(item: News): void {
    const isTold = this.news.some(
      ({ atMs, nodeId, text }) =>
        text === item.text && nodeId === item.nodeId && Math.abs(atMs - item.atMs) < SAME_NEWS_MS,
    );
    if (!isTold) this.news = [item, ...this.news].slice(0, MAX_NEWS);
  }
}
