import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Database } from 'better-sqlite3';
import { nowSeconds, type Clock } from '../common/clock.js';
import { EventHub, type EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { CLOCK, LOGGER, NODE_CONFIG, RANDOM } from '../common/tokens.js';
import { RuleError } from '../consensus/rule-error.js';
import { VERSION } from '../common/version.js';
import type { NodeConfig } from '../config/node-config.js';
import { ChainService } from '../chain/chain.service.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { DATABASE } from '../storage/storage.module.js';
import { advertise, hostOf } from './address.js';
import { DIALER, type Channel, type Dialer } from './channel.js';
import { ClockWatch } from './clock-watch.js';
import { Connections } from './connections.js';
import { Discovery } from './discovery.js';
import { Gossip } from './gossip.js';
import { serveHeaders } from './header-sync.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { PeerBook, type KnownAddress } from './peer-book.js';
import { PeerStore } from './peer.store.js';
import { PeersMetrics } from './peers.metrics.js';
import { RateLimits } from './rate-limits.js';
import { Scoring, type Ban } from './scoring.js';
import { Seeds } from './seeds.js';
import { serveBlocks } from './serve-blocks.js';
import { RequestFailedError, type HandlerTable } from './session.js';
import { Sync, type SyncState, type SyncStatus } from './sync.js';
import { LIMITS, decodeHash, decodeHashes, encodeTip } from './wire.js';

const RETRY_MS = 20_000;

export interface PeersEventMap {
  /** The state of the sync changed. */
  readonly sync: SyncState;
}

/** A line of GET /peers: a node we have a session with, or an address we only know. */
export interface PeerView {
  readonly id: string | null;
  readonly address: string;
  readonly connected: boolean;
  /** ISO 8601; null = never. */
  readonly lastSeen: string | null;
  readonly direction: 'inbound' | 'outbound' | null;
  readonly latencyMs: number | null;
  readonly height: number | null;
  readonly score: number;
}

/**
 * The node's place in the network: puts sessions, gossip, sync and discovery together and runs them from the start of
 * the application to its end.
 */
@Injectable()
export class PeersService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #events: EventHub<PeersEventMap>;
  readonly #connections: Connections;
  readonly #book: PeerBook;
  readonly #scoring: Scoring;
  readonly #gossip: Gossip;
  readonly #sync: Sync;
  readonly #discovery: Discovery;
  readonly #log: Logger;

  constructor(
    @Inject(NODE_CONFIG) config: NodeConfig,
    @Inject(DATABASE) database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) random: Random,
    @Inject(LOGGER) logger: Logger,
    @Inject(DIALER) dialer: Dialer,
    private readonly chain: ChainService,
    mempool: MempoolService,
    faults: Faults,
    metrics: PeersMetrics,
  ) {
    this.#events = new EventHub(faults.report);
    this.#log = logger.child({ module: 'peers' });
    const store = new PeerStore(database, faults.report);
    const peers = (): Iterable<Peer> => this.#connections.peers.values();
    const clockWatch = new ClockWatch(this.#log, peers);
    const tooNew = (peer: Peer, { data }: RuleError): void =>
      clockWatch.tooNew(peer, Number(data['time']) - nowSeconds(clock));
    const blame = (peer: Peer, error: RuleError | WireError): void => {
      if (error instanceof RuleError && error.code === 'time-too-new') tooNew(peer, error);
      else this.#connections.blame(peer, error);
    };
    this.#book = new PeerBook(store, clock, random, config.network.bootstrapNodes);
    this.#scoring = new Scoring(store, clock, config.network.banSeconds);
    this.#discovery = new Discovery(this.#book, random, this.#log, peers);
    this.#sync = new Sync(chain, clock, this.#log, {
      peers,
      blame,
      tooNew,
      stateChanged: (state) => {
        this.#events.emit('sync', state);
        if (state === 'idle') this.#gossip.announceTip();
      },
    });
    this.#gossip = new Gossip(chain, mempool, clock, this.#log, {
      peers,
      blame,
      clockAgreed: (peer) => clockWatch.agreed(peer),
      refusedAsTooNew: (peer) => clockWatch.refusedAsTooNew(peer),
      delivered: (tookMs) => metrics.delivered(tookMs),
      considerSync: (peer) => this.#sync.consider(peer),
      isCatchingUp: () => this.#sync.isCatchingUp,
    });
    const advertisedAddress = config.node.advertisedAddress ?? advertise(config.node.p2pHost, config.node.p2pPort);
    this.#book.isOwn(advertisedAddress);
    this.#connections = new Connections(
      {
        self: {
          nodeId: config.node.nodeId,
          instanceNonce: Buffer.from(random.bytes(8)).readBigUInt64LE(),
          advertisedAddress,
          userAgent: `minichain/${VERSION}`,
        },
        maxPeers: config.network.maxPeers,
        heartbeatMs: config.network.heartbeatSeconds * 1000,
        areCertificatesRequired: config.network.tls !== undefined,
      },
      chain,
      dialer,
      this.#book,
      new Seeds(config.network.bootstrapNodes, this.#book, dialer, clock, random, this.#log),
      this.#scoring,
      new RateLimits(clock),
      clock,
      this.#log,
      metrics,
      {
        handlersFor: (peer) => this.#handlersFor(peer),
        alternatives: () => this.#discovery.alternatives(),
        redirected: ({ remoteHost }, message) => this.#discovery.receiveAlternatives(message, remoteHost),
        connected: (peer) => this.#connected(peer),
        sawTip: (peer) => this.#sync.consider(peer),
        penalised: (code, banned) => metrics.penalised(code, banned),
        dropped: (kind) => metrics.dropped(kind),
        evicted: () => metrics.evicted(),
      },
    );
    metrics.observe({
      peers,
      knownAddresses: () => this.#book.size,
      bannedSubjects: () => this.#scoring.bannedCount,
      syncStatus: () => this.#sync.status,
    });
  }

  onApplicationBootstrap(): void {
    this.#gossip.start();
    this.#connections.start();
  }

  /** Before the servers close: gRPC's waits for open streams, so the sessions must end first. */
  beforeApplicationShutdown(): void {
    this.#sync.stop();
    this.#gossip.stop();
    this.#connections.stop();
  }

  get events(): EventSource<PeersEventMap> {
    return this.#events;
  }

  acceptInbound(channel: Channel): void {
    this.#connections.acceptInbound(channel);
  }

  list(): PeerView[] {
    const connected = [...this.#connections.peers.values()].map((peer) => this.#viewOf(peer));
    const others = this.#notConnected().map(({ address, nodeId, lastSeenMs }) => ({
      id: nodeId ?? null,
      address,
      connected: false,
      lastSeen: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString(),
      direction: null,
      latencyMs: null,
      height: null,
      score: this.#scoring.score(nodeId, hostOf(address)),
    }));
    return [...connected, ...others];
  }

  summary(): { readonly connected: number; readonly known: number } {
    const connected = this.#connections.peers.size;
    return { connected, known: connected + this.#notConnected().length };
  }

  #notConnected(): KnownAddress[] {
    return this.#book.known.filter(({ nodeId }) => nodeId === undefined || !this.#connections.peers.has(nodeId));
  }

  syncStatus(): SyncStatus {
    return this.#sync.status;
  }

  /** Many blocks are being fetched: what is mined on the present tip meanwhile would be in vain. */
  get isCatchingUp(): boolean {
    return this.#sync.isCatchingUp;
  }

  /** Bans in force. */
  bans(): readonly Ban[] {
    return this.#scoring.bans;
  }

  /** Lifts the bans of a node id or host, or of a subject as `bans` has it; gives those that there were. */
  pardon(name: string): readonly Ban[] {
    const lifted = this.#scoring.pardon(name);
    for (const { subject, code } of lifted) this.#log.info({ subject, code }, `Ban of ${subject} lifted`);
    return lifted;
  }

  /** Looks once more at all peers for a better chain. */
  startSync(): void {
    this.#sync.restart();
  }

  #viewOf(peer: Peer): PeerView {
    return {
      id: peer.nodeId,
      address: peer.displayAddress,
      connected: true,
      lastSeen: new Date(peer.lastSeenMs).toISOString(),
      direction: peer.direction,
      latencyMs: peer.latencyMs ?? null,
      height: peer.tip.length - 1,
      score: this.#scoring.score(peer.nodeId, peer.session.remoteHost),
    };
  }

  #connected(peer: Peer): void {
    this.#sync.consider(peer);
    const failed = (error: unknown): void => {
      if (error instanceof RuleError || error instanceof WireError) this.#connections.blame(peer, error);
      else if (error instanceof RequestFailedError) {
        this.#log.debug({ peer: peer.nodeId, reason: error.message }, 'exchange after the handshake broken off');
      } else this.#log.error({ err: error, peer: peer.nodeId }, 'exchange after the handshake failed on our side');
    };
    this.#discovery.introduce(peer).catch(failed);
    const fetchMempool = (): void => {
      this.#gossip.fetchMempool(peer).catch((error: unknown) => {
        failed(error);
        // What it holds now will not be told again, so a peer that is busy is asked once more.
        if (error instanceof RequestFailedError && error.reason === 'timeout') this.clock.after(RETRY_MS, fetchMempool);
      });
    };
    fetchMempool();
  }

  /** Every message that an admitted peer may send, and who answers it. */
  #handlersFor(peer: Peer): HandlerTable {
    return {
      getPeers: () => ({ $case: 'peers', value: this.#discovery.serve() }),
      peers: (message) => this.#discovery.receive(peer, message),
      getChainLength: () => ({ $case: 'chainLength', value: { tip: encodeTip(this.chain.tip) } }),
      getHeaders: ({ locator, stopHash }) => {
        const stop = stopHash.length === 0 ? undefined : decodeHash(stopHash);
        const headers = serveHeaders(this.chain, decodeHashes(locator, LIMITS.locator), stop);
        peer.limits.servedHeaders(headers.length);
        return { $case: 'headers', value: { headers: headers.map((raw) => ({ raw })) } };
      },
      getBlocks: (message) => ({ $case: 'blocks', value: serveBlocks(this.chain, message) }),
      newBlock: (message) => ({ $case: 'verdict', value: this.#gossip.receiveBlock(peer, message) }),
      newTransactions: (message) => this.#gossip.receiveTransactions(peer, message),
      getTransactions: (message) => ({
        $case: 'transactions',
        value: this.#gossip.serveTransactions(peer, message),
      }),
      getMempool: () => ({ $case: 'mempool', value: this.#gossip.serveMempool() }),
    };
  }
}
