import { batch, computed, signal } from '@preact/signals';
import type { Status } from '../../ops/status-schemas.js';
import { BlockStore } from './block-store.js';
import { getJson } from './rest.js';
import { NodeFeed, TREE_HEIGHTS } from './node-feed.js';
import { Pace } from './pace.js';
import { recordReorg, type ReorgRecord } from './reorgs.js';
import { followEntries } from './follow.js';
import { announce } from './announce.js';
import { sentence, type Standing } from '../../common/network-sentence.js';
import type { Entry, Forks, NodeEvent, PeerEvent, PeerRow, Snapshot } from './wire.js';
import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';

export interface NodeState {
  readonly url: string;
  /** Empty until the node has answered. */
  readonly nodeId: string;
  /** Whether the page hears of it: `down` keeps what was known. */
  readonly link: 'connecting' | 'live' | 'down';
  readonly status: Status | undefined;
  readonly tip: { readonly hash: string; readonly height: number } | undefined;
  readonly peers: readonly PeerRow[];
  readonly mempool: { readonly transactions: number; readonly bytes: number; readonly entries: readonly Entry[] };
  /** Hash of the block that it searches a successor of. */
  readonly searchingOn: string | undefined;
}

/** The node whose page this is. */
export const HOME_URL = location.origin;

export const blocks = new BlockStore();
const states = signal<ReadonlyMap<string, NodeState>>(new Map());
const feeds = new Map<string, NodeFeed>();
const pace = new Pace({ nowMs: () => performance.now(), after: (ms, run) => void setTimeout(run, ms) });
/** Whether steps wait to be drawn. */
export const isBehind = signal(false);

/** Rises whenever the lab of a node may not be what it was. */
export const labChanges = signal(0);

/** The reorganisation that the page drew last. */
export const reorganised = signal<ReorgRecord | undefined>(undefined);

/** The nodes that the page follows, this one first. */
export const nodes = computed(() => [...states.value.values()]);
export const home = computed(() => states.value.get(HOME_URL));

/** Every node that is known, with the block that it is on: from its own events, or as this node's peers say. */
export const standings = computed<readonly Standing[]>(() => {
  const followed = nodes.value.filter(({ nodeId }) => nodeId !== '');
  const [first, ...rest] = followed.map(({ nodeId, link, tip }) => ({ nodeId, isDown: link === 'down', tip }));
  const own = first === undefined ? [] : [first, ...rest.sort(byName)];
  const seen = new Set(own.map(({ nodeId }) => nodeId));
  const others = (home.value?.peers ?? []).filter(({ id, connected }) => connected && id !== null && !seen.has(id));
  // While this node is down, what its peers were on may be long past.
  const isBlind = home.value?.link === 'down';
  return [...own, ...(isBlind ? [] : others.map(standingOfPeer).sort(byName))];
});

export const summary = computed(() => {
  const sync = home.value?.status?.sync;
  void blocks.version.value;
  return sentence({
    nodes: standings.value,
    parentOf: (hash) => blocks.parentOf(hash),
    sync: sync?.state === 'blocks' ? sync : undefined,
  });
});

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** How this page asks the node at `url`: its own node by the name that the reader has opened it by. */
export function urlHere(url: string): string {
  const { origin, hostname, port } = new URL(url);
  const isHome = port === location.port && LOOPBACK.test(hostname) && LOOPBACK.test(location.hostname);
  return isHome ? HOME_URL : origin;
}

/** Follows these nodes, and the home node in any case. */
export function follow(urls: readonly string[]): void {
  for (const url of new Set([HOME_URL, ...urls])) {
    if (feeds.has(url)) continue;
    const feed = new NodeFeed(url, {
      snapshot: (snapshot) => applySnapshot(url, snapshot),
      event: (event) => schedule(url, event),
      found: () => change(url, { link: 'live' }),
      lost: () => lose(url),
    });
    feeds.set(url, feed);
    change(url, {});
    feed.open();
  }
}

function change(url: string, changes: Partial<NodeState>): void {
  const fresh: NodeState = {
    url,
    nodeId: '',
    link: 'connecting',
    status: undefined,
    tip: undefined,
    peers: [],
    mempool: { transactions: 0, bytes: 0, entries: [] },
    searchingOn: undefined,
  };
  states.value = new Map(states.value).set(url, { ...(states.value.get(url) ?? fresh), ...changes });
}

function lose(url: string): void {
  const state = states.value.get(url);
  if (state === undefined || state.link === 'down') return;
  change(url, { link: 'down', searchingOn: undefined });
  if (state.nodeId !== '') announce(`${state.nodeId} does not answer.`);
}

function applySnapshot(url: string, { status, peers, mempool, forks }: Snapshot): void {
  labChanges.value += 1;
  const before = states.value.get(url);
  if (before?.link === 'down' && before.nodeId !== '') announce(`${status.nodeId} is back.`);
  pace.clear(url);
  batch(() => {
    blocks.addForks(forks, status.nodeId);
    change(url, {
      nodeId: status.nodeId,
      link: 'live',
      status,
      tip: { hash: forks.tip.hash, height: forks.tip.height },
      peers,
      mempool,
      searchingOn: status.mining.active ? forks.tip.hash : undefined,
    });
  });
}

/** Which step of the drawing an event belongs to. */
function stepOf(event: NodeEvent): string | undefined {
  if (event.type === 'block') return blocks.get(event.block.hash) === undefined ? event.block.hash : undefined;
  if (event.type === 'tip') return event.tip.hash;
  return event.type === 'entry' && event.state === 'pending' ? 'entries' : undefined;
}

/** The lab says what was done on purpose; it is not part of the drawing. */
type DrawnEvent = Exclude<NodeEvent, { type: 'lab' }>;

function schedule(url: string, event: NodeEvent): void {
  if (event.type === 'lab') {
    labChanges.value += 1;
    return;
  }
  pace.push(stepOf(event), url, () => {
    batch(() => apply(url, event));
    isBehind.value = pace.waiting > 0;
  });
  isBehind.value = pace.waiting > 0;
}

function apply(url: string, event: DrawnEvent): void {
  const state = states.value.get(url)!;
  followEntries(state.nodeId, event);
  switch (event.type) {
    case 'block':
      blocks.add(event.block, state.nodeId);
      return;
    case 'tip': {
      const { height, hash, chainWork } = event.tip;
      const status = state.status && { ...state.status, height, tip: hash, chainWork };
      change(url, { tip: { hash, height }, status, searchingOn: undefined });
      if (event.reorg !== null) reorganised.value = recordReorg(state.nodeId, event, event.reorg);
      else if (url === HOME_URL) announceTip(state.nodeId, event);
      if (event.afterSync) void refreshTree(url);
      return;
    }
    case 'mining':
      change(url, { searchingOn: event.state === 'started' ? event.parent.hash : undefined });
      return;
    case 'sync':
      change(url, { status: state.status && { ...state.status, sync: event } });
      return;
    case 'entry':
      void refresh(url, 'mempool');
      return;
    case 'peer':
      if (event.state === 'tip') change(url, { peers: state.peers.map((peer) => withTip(peer, event)) });
      else void refresh(url, 'peers');
      return;
  }
}

function withTip(peer: PeerRow, { id, tip }: PeerEvent): PeerRow {
  return peer.id !== id || tip === null ? peer : { ...peer, ...tip, tip: tip.hash };
}

/** A sync brings blocks without events. */
async function refreshTree(url: string): Promise<void> {
  const { nodeId, tip } = states.value.get(url)!;
  const from = Math.max(0, (tip?.height ?? 0) - TREE_HEIGHTS + 1);
  const forks = await getJson<Forks>(`${url}/forks?from=${from}`).catch(() => undefined);
  if (forks !== undefined) blocks.addForks(forks, nodeId);
}

function announceTip(nodeId: string, { tip, reorg }: Extract<NodeEvent, { type: 'tip' }>): void {
  const miner = blocks.get(tip.hash)?.miner;
  if (reorg === null) announce(`${nodeId}: block ${tip.height}${miner ? `, mined by ${miner}` : ''}.`);
}

/** Parts of a node's state that are fetched again when an event says that they changed; at most one request at a time. */
const refreshing = new Map<string, 'once' | 'again'>();

async function refresh(url: string, part: 'mempool' | 'peers'): Promise<void> {
  const key = `${part} ${url}`;
  if (refreshing.has(key)) {
    refreshing.set(key, 'again');
    return;
  }
  refreshing.set(key, 'once');
  try {
    if (part === 'peers') change(url, { peers: (await getJson<Peers>(`${url}/peers`)).peers });
    else change(url, { mempool: await getJson<MempoolPage>(`${url}/mempool?limit=100`) });
  } catch {
    // A node that does not answer is noticed by its stream.
  }
  const again = refreshing.get(key) === 'again';
  refreshing.delete(key);
  if (again) await refresh(url, part);
}

/** Asks for what no event says: hash rates, latencies. */
export async function refreshFigures(): Promise<void> {
  await Promise.all(
    nodes.value
      .filter(({ link }) => link === 'live')
      .map(async ({ url }) => {
        const status = await getJson<Status>(`${url}/status`).catch(() => undefined);
        const state = states.value.get(url)!;
        // Height and tip are what the page has drawn.
        if (status !== undefined && state.status !== undefined) {
          const { mining, mempool, sync, uptimeSeconds } = status;
          change(url, { status: { ...state.status, mining, mempool, sync, uptimeSeconds } });
        }
        await refresh(url, 'peers');
      }),
  );
}

function byName(a: Standing, b: Standing): number {
  return a.nodeId.localeCompare(b.nodeId, 'en', { numeric: true });
}

function standingOfPeer({ id, height, tip }: PeerRow): Standing {
  const isKnown = height !== null && tip !== null && tip !== undefined;
  return { nodeId: id!, isDown: false, tip: isKnown ? { hash: tip, height } : undefined };
}
