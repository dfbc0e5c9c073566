import type { Registry } from 'prom-client';
import type { ChainService } from '../../src/chain/chain.service.js';
import { ORPHAN_LIMITS } from '../../src/chain/orphan-pool.js';
import { DATABASE } from '../../src/storage/database-token.js';
import { REGISTRY } from '../../src/common/tokens.js';
import type { Node } from '../../src/node.js';
import { PeerStore } from '../../src/peers/peer.store.js';
import type { SimNetwork } from './sim-network.js';

const MAX_KNOWN_ADDRESSES = 1_000;
const MAX_SEEN_PER_PEER = 20_000;
/** Per session, once the network is at rest: a heartbeat, and what may follow it. */
const MAX_RESTING_REQUESTS = 3;
const REST_MS = 40_000;

/** Something that must hold after each run. It gives one line for each way in which it does not. */
export type Invariant = (net: SimNetwork) => Iterable<string> | AsyncIterable<string>;

const nameOf = (node: Node): string => node.config.node.nodeId;

/** All nodes have the same tip. */
export function* oneTip({ nodes }: SimNetwork): Iterable<string> {
  const tips = Map.groupBy(nodes, ({ chain }) => chain.tip.hash);
  if (tips.size <= 1) return;
  for (const [hash, holders] of tips) yield `tip ${hash} at ${holders.map(nameOf).join(' ')}`;
}

/** All nodes have the same block at every height. */
export function* sameHashes({ nodes }: SimNetwork): Iterable<string> {
  const [first, ...others] = nodes;
  if (first === undefined) return;
  for (const other of others) {
    for (let height = 0; height <= first.chain.tip.height; height++) {
      const [here, there] = [first, other].map(({ chain }) => chain.nodeAt(height)?.hash);
      if (here === there) continue;
      yield `at height ${height} ${nameOf(first)} has ${here}, ${nameOf(other)} ${there}`;
      break;
    }
  }
}

/** Each acknowledged entry is exactly once in the chain or the mempool of every node. */
export function* eachEntryOnce({ nodes, acknowledged }: SimNetwork): Iterable<string> {
  // The blocks themselves are counted once for each tip; on every node it is the index that programs would ask.
  for (const { chain } of new Map(nodes.map((node) => [node.chain.tip.hash, node])).values()) {
    for (const id of repeated(chain)) yield `entry ${id} stands twice in the chain with tip ${chain.tip.hash}`;
  }
  for (const node of nodes) {
    for (const [id, data] of acknowledged) {
      const places = Number(node.chain.hasTransaction(id)) + Number(node.mempool.has(id));
      if (places !== 1) yield `"${data}" is in ${places} places at ${nameOf(node)}`;
    }
  }
}

/** What SimNetwork saw on the way: chain work never went down at any node, not even by a restart. */
export function* noViolations({ violations }: SimNetwork): Iterable<string> {
  yield* violations;
}

/** Nobody is banned but those who may be. */
export function nobodyBanned(...except: readonly string[]): Invariant {
  const allowed = new Set(except.flatMap((name) => [`host:${name}`, `node:${name}`]));
  return function* ({ nodes, clock }) {
    for (const node of nodes) {
      const store = new PeerStore(node.app.get(DATABASE), () => {});
      for (const { subject, code } of store.loadBans(clock.nowMs())) {
        if (!allowed.has(subject)) yield `${nameOf(node)} has banned ${subject} for ${code}`;
      }
    }
  };
}

/** No node is still busy with a sync. */
export function* noSyncStuck({ nodes }: SimNetwork): Iterable<string> {
  for (const node of nodes) {
    const { state } = node.peers.syncStatus();
    if (state !== 'idle') yield `${nameOf(node)} is in sync state ${state}`;
  }
}

/** What nodes keep in memory stays within its bounds, and no request is forgotten. Wants a network at rest. */
export async function* boundedMemory({ nodes, clock }: SimNetwork): AsyncIterable<string> {
  let sessions = 0;
  for (const node of nodes) {
    const { connected } = node.peers.summary();
    sessions += connected;
    const registry = node.app.get<Registry>(REGISTRY);
    const bounds = {
      minichain_peers_known: MAX_KNOWN_ADDRESSES,
      minichain_peer_seen_items: MAX_SEEN_PER_PEER * connected,
      minichain_peer_requests_pending: MAX_RESTING_REQUESTS * connected,
      minichain_peer_outgoing_bytes: 0,
    };
    for (const [name, most] of Object.entries(bounds)) {
      const value = (await registry.getSingleMetric(name)!.get()).values[0]!.value;
      if (value > most) yield `${nameOf(node)} has ${name} ${value}, more than ${most}`;
    }
    const { orphanCount, orphanBytes } = node.chain;
    if (orphanCount > ORPHAN_LIMITS.maxCount || orphanBytes > ORPHAN_LIMITS.maxBytes) {
      yield `${nameOf(node)} keeps ${orphanCount} orphans of ${orphanBytes} bytes`;
    }
  }
  const mostTimers = 4 * sessions + 17 * nodes.length;
  if (clock.pendingTimers > mostTimers) yield `${clock.pendingTimers} timers are set, more than ${mostTimers}`;
}

export const INVARIANTS: readonly Invariant[] = [
  oneTip,
  sameHashes,
  eachEntryOnce,
  noViolations,
  noSyncStuck,
  boundedMemory,
];

/**
 * Lets the network come to rest, and checks all invariants.
 * @param options `banned`: names that may be banned, of attackers.
 * @throws Error that says what does not hold, and the seed.
 */
export async function checkInvariants(net: SimNetwork, options: { readonly banned?: readonly string[] } = {}) {
  await net.pass(REST_MS);
  const broken: string[] = [];
  for (const invariant of [...INVARIANTS, nobodyBanned(...(options.banned ?? []))]) {
    for await (const line of invariant(net)) broken.push(line);
  }
  if (broken.length > 0) throw new Error(`(seed ${net.seed}) ${broken.slice(0, 20).join('\n')}`);
}

function repeated(chain: ChainService): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (let from = 0; from <= chain.tip.height; from += 500) {
    for (const { transactions } of chain.getBlocks(from, 500)) {
      for (const { id } of transactions) {
        if (seen.has(id)) twice.push(id);
        seen.add(id);
      }
    }
  }
  return twice;
}
