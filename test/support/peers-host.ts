import type { Logger } from '../../src/common/logger.js';
import type { NodeConfig } from '../../src/config/node-config.js';
import { PRIVATE_RANGES } from '../../src/config/schema.js';
import { PeersMetrics } from '../../src/peers/peers.metrics.js';
import { PeersService } from '../../src/peers/peers.service.js';
import { openChain, silentLog, type TestChain } from './chain-builders.js';
import type { MemoryNetwork } from './memory-network.js';
import { ScriptedPeer, serving } from './scripted-peer.js';

export interface HostOptions {
  /** "host:port" each. */
  readonly bootstrap?: readonly string[];
  readonly maxPeers?: number;
  readonly heartbeatSeconds?: number;
  readonly dataDir?: string;
  /** By default its name. */
  readonly nodeId?: string;
  /** What it says of itself; by default where it is. ":9000", as from a node that listens on all interfaces. */
  readonly advertised?: string;
  readonly log?: Logger;
  /** By default the private ranges, as in the configuration. */
  readonly trustedRanges?: readonly string[];
  /** Asks peers for a certificate, as with mTLS. */
  readonly isCertified?: boolean;
}

/** Chain, mempool and peers of one node on a memory network, without Nest and without a miner. */
export interface PeersHost extends TestChain {
  readonly name: string;
  readonly address: string;
  readonly peers: PeersService;
  /** Node ids that it has a session with. */
  connected(): string[];
}

export function openHost(net: MemoryNetwork, name: string, options: HostOptions = {}): PeersHost {
  const { bootstrap = [], maxPeers = 32, heartbeatSeconds = 5, dataDir = ':memory:', log = silentLog } = options;
  const { trustedRanges = PRIVATE_RANGES } = options;
  const address = `${name}:9000`;
  const test = openChain({ clock: net.clock, dataDir });
  const config = {
    node: {
      nodeId: options.nodeId ?? name,
      advertisedAddress: options.advertised ?? address,
      p2pHost: name,
      p2pPort: 9000,
      dataDir,
    },
    network: {
      bootstrapNodes: bootstrap,
      maxPeers,
      heartbeatSeconds,
      banSeconds: 3_600,
      trustedRanges,
      ...(options.isCertified === true ? { tls: {} } : {}),
    },
  } as NodeConfig;
  const { database, chain, mempool } = test;
  const metrics = new PeersMetrics(test.registry);
  const dialer = net.dialerOf(name);
  const peers = new PeersService(
    config,
    database,
    net.clock,
    net.random.fork(),
    log,
    dialer,
    chain,
    mempool,
    test.faults,
    metrics,
  );
  const unlisten = net.listen(address, (channel) => peers.acceptInbound(channel));
  peers.onApplicationBootstrap();
  return {
    ...test,
    name,
    address,
    peers,
    connected: () =>
      peers
        .list()
        .flatMap((peer) => (peer.connected && peer.id !== null ? peer.id : []))
        .sort(),
    close: () => {
      unlisten();
      peers.beforeApplicationShutdown();
      test.close();
    },
  };
}

/** A scripted peer that has dialled the host and has a session with it; honest, except for what `handlers` say. */
export async function greet(
  net: MemoryNetwork,
  host: PeersHost,
  name: string,
  handlers: ScriptedPeer['handlers'] = {},
): Promise<ScriptedPeer> {
  const peer = new ScriptedPeer(net, name, { ...serving(host.chain), ...handlers });
  peer.dial(host.address);
  peer.sayHello(host.chain.genesis);
  const isAdmitted = (): boolean =>
    host.peers.list().some(({ key, connected }) => connected && key === peer.key.id) && peer.count('proof') > 0;
  await waitUntil(net, isAdmitted, `${name} is greeted`);
  return peer;
}

/** Lets virtual time pass until it is so. */
export async function waitUntil(
  net: MemoryNetwork,
  isDone: () => boolean,
  what = 'the condition',
  limitMs = 60_000,
): Promise<void> {
  await net.clock.until(what, isDone, limitMs);
}
