import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Database } from 'better-sqlite3';
import { every, nowSeconds, type Clock, type Timer } from '../common/clock.js';
import { EventHub, type EventSource } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { Turns } from '../common/turns.js';
import { CLOCK, LOGGER, NODE_CONFIG, RANDOM } from '../common/tokens.js';
import { RuleError } from '../consensus/rule-error.js';
import { VERSION } from '../common/version.js';
import type { NodeConfig } from '../config/node-config.js';
import { ChainService } from '../chain/chain.service.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { DATABASE } from '../storage/database-token.js';
import { advertise } from './address.js';
import { BlockRepair } from './block-repair.js';
import { DIALER, type Channel, type Dialer } from './channel.js';
import { ClockWatch } from './clock-watch.js';
import { Connections } from './connections.js';
import { Discovery } from './discovery.js';
import { FirstExchange } from './first-exchange.js';
import { EntryGossip } from './entry-gossip.js';
import { Gossip } from './gossip.js';
import { HostRanges } from './host-ranges.js';
import type { LinkDelay } from './link-delays.js';
import type { Refuser } from './link-refusals.js';
import { messageHandlers } from './message-handlers.js';
import type { WireError } from './messages.js';
import { openNodeKey, type KeyId, type NodeKey } from './node-key.js';
import type { Direction, Peer } from './peer.js';
import { PeerBook } from './peer-book.js';
import { PeerViews, type PeerView } from './peer-view.js';
import { PeerStore } from './peer.store.js';
import { PeersMetrics } from './peers.metrics.js';
import { Scoring, type Ban } from './scoring.js';
import { Seeds } from './seeds.js';
import { ServingTurns } from './serving-turns.js';
import { Sync, type SyncState, type SyncStatus } from './sync.js';
import { WakeWatch } from './wake-watch.js';
import type { PeerTip } from './wire.js';

export interface PeersEventMap {
  /** A session is open: both nodes have proved their keys. */
  readonly connected: {
    readonly nodeId: string;
    readonly direction: Direction;
    readonly address: string;
    readonly tip: PeerTip;
  };
  /** The session is over; `reason` is for people, in the peer's own words if it said why. */
  readonly disconnected: { readonly nodeId: string; readonly reason: string };
  /** A message of a connected peer shows another tip than before. */
  readonly tip: { readonly nodeId: string; readonly tip: PeerTip };
  /** The state of the sync changed. */
  readonly sync: SyncState;
  /** See isCatchingUp. */
  readonly catchingUp: boolean;
}

/** Whether there is a session with a node, and whether this node refuses to have one. */
export interface LinkState {
  readonly connected: boolean;
  readonly refused: boolean;
}

const STORE_AGAIN_MS = 1_000;

/**
 * The node's place in the network: puts sessions, gossip, sync and discovery together and runs them from the start of
 * the application to its end.
 */
@Injectable()
export class PeersService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #events: EventHub<PeersEventMap>;
  readonly #connections: Connections;
  readonly #views: PeerViews;
  readonly #scoring: Scoring;
  readonly #gossip: Gossip;
  readonly #entries: EntryGossip;
  readonly #repair: BlockRepair;
  readonly #sync: Sync;
  readonly #wakeWatch: WakeWatch;
  readonly #store: PeerStore;
  #storeTimer: Timer | undefined;
  readonly #log: Logger;
  readonly #book: PeerBook;
  readonly #key: NodeKey;

  constructor(
    @Inject(NODE_CONFIG) config: NodeConfig,
    @Inject(DATABASE) database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) random: Random,
    @Inject(LOGGER) logger: Logger,
    @Inject(DIALER) dialer: Dialer,
    chain: ChainService,
    mempool: MempoolService,
    faults: Faults,
    metrics: PeersMetrics,
  ) {
    const events = (this.#events = new EventHub<PeersEventMap>(faults.report));
    const log = (this.#log = logger.child({ module: 'peers' }));
    const { bootstrapNodes, banSeconds, heartbeatSeconds, maxPeers, tls, trustedRanges } = config.network;
    const key = (this.#key = openNodeKey(config.node.dataDir, random, log));
    const store = (this.#store = new PeerStore(database, faults.report));
    const peers = (): readonly Peer[] => this.#connections.peers.all;
    const clockWatch = new ClockWatch(log, new LogLimiter(log, clock), peers);
    const tooNew = (peer: Peer, { data }: RuleError): void =>
      clockWatch.tooNew(peer, Number(data['time']) - nowSeconds(clock));
    const blame = (peer: Peer, error: RuleError | WireError): void => {
      if (error instanceof RuleError && error.code === 'time-too-new') tooNew(peer, error);
      else this.#connections.blame(peer, error);
    };
    const ranges = new HostRanges(trustedRanges);
    const book = (this.#book = new PeerBook({ store, clock, random, ranges, bootstrap: bootstrapNodes }));
    const scoring = (this.#scoring = new Scoring(store, clock, banSeconds));
    const discovery = new Discovery(book, random, log, peers);
    const sync = (this.#sync = new Sync(chain, clock, log, {
      peers,
      blame,
      tooNew,
      stateChanged: (state) => {
        events.emit('sync', state);
        if (state === 'idle') this.#gossip.announceTip();
      },
      catchingUpChanged: (isCatchingUp) => {
        events.emit('catchingUp', isCatchingUp);
        if (!isCatchingUp) this.#gossip.announceTip();
      },
    }));
    const turns = new Turns((task) => void clock.after(0, task));
    const entries = (this.#entries = new EntryGossip({ chain, mempool, clock, turns, peers }));
    const gossip = (this.#gossip = new Gossip(chain, clock, log, turns, {
      peers,
      blame,
      acceptRepeat: (peer, bytes) => this.#connections.acceptRepeat(peer, bytes),
      clockAgreed: (peer) => clockWatch.agreed(peer),
      refusedAsTooNew: (peer) => clockWatch.refusedAsTooNew(peer),
      delivered: (tookMs) => metrics.delivered(tookMs),
      considerSync: (peer) => sync.consider(peer),
      isCatchingUp: () => sync.isCatchingUp,
    }));
    this.#repair = new BlockRepair({ chain, clock, log, turns, peers, blame });
    const serving = new ServingTurns(clock);
    const firstExchange = new FirstExchange({ discovery, entries, clock, log, blame });
    const advertisedAddress = config.node.advertisedAddress ?? advertise(config.node.p2pHost, config.node.p2pPort);
    book.noteOwn(advertisedAddress);
    const connections = (this.#connections = new Connections({
      self: {
        nodeId: config.node.nodeId,
        key,
        instanceNonce: Buffer.from(random.bytes(8)).readBigUInt64LE(),
        advertisedAddress,
        userAgent: `minichain/${VERSION}`,
      },
      maxPeers,
      heartbeatMs: heartbeatSeconds * 1000,
      areCertificatesRequired: tls !== undefined,
      chain,
      dialer,
      book,
      ranges,
      seeds: new Seeds({ bootstrap: bootstrapNodes, book, dialer, clock, random, log }),
      scoring,
      clock,
      random,
      log,
      meter: metrics,
      events: {
        handlersFor: (peer) => messageHandlers(peer, { chain, discovery, gossip, entries, serving }),
        alternatives: () => discovery.alternatives(),
        redirected: ({ remoteHost }, message) => discovery.receiveAlternatives(message, remoteHost),
        connected: (peer) => {
          const { nodeId, direction, displayAddress: address } = peer;
          peer.tipChanged = () => events.emit('tip', { nodeId, tip: peer.tip });
          events.emit('connected', { nodeId, direction, address, tip: peer.tip });
          sync.consider(peer);
          firstExchange.begin(peer);
          this.#repair.connected();
        },
        disconnected: ({ nodeId, session }, reason) => {
          serving.leave(session);
          events.emit('disconnected', { nodeId, reason });
        },
        sawTip: (peer) => sync.consider(peer),
      },
    }));
    const woke = (): void => {
      connections.recheck();
      sync.restart();
    };
    this.#wakeWatch = new WakeWatch({ clock, log, woke });
    this.#views = new PeerViews({ peers: connections.peers, book, scoring, refusals: connections.refusals });
    metrics.observe({
      peers,
      knownAddresses: () => book.size,
      bannedSubjects: () => scoring.bans.length,
      syncStatus: () => sync.status,
    });
  }

  onApplicationBootstrap(): void {
    this.#gossip.start();
    this.#entries.start();
    this.#repair.start();
    this.#connections.start();
    this.#wakeWatch.start();
    this.#storeTimer = every(this.clock, STORE_AGAIN_MS, () => this.#store.retry());
  }

  /** Before the servers close: gRPC's waits for open streams, so the sessions must end first. */
  beforeApplicationShutdown(): void {
    this.#wakeWatch.stop();
    this.#sync.stop();
    this.#gossip.stop();
    this.#entries.stop();
    this.#repair.stop();
    this.#connections.stop();
    this.#storeTimer?.cancel();
    this.#store.retry();
  }

  get events(): EventSource<PeersEventMap> {
    return this.#events;
  }

  /** This node's identity for others. */
  get key(): KeyId {
    return this.#key.id;
  }

  acceptInbound(channel: Channel): void {
    this.#connections.acceptInbound(channel);
  }

  list(): PeerView[] {
    return this.#views.list();
  }

  summary(): { readonly connected: number; readonly known: number } {
    return this.#views.summary();
  }

  /** Undefined: this node knows no node with this name (a node id or a key). */
  linkOf(name: string): LinkState | undefined {
    if (!this.#views.has(name)) return undefined;
    const { peers, refusals } = this.#connections;
    return { connected: peers.named(name).length > 0, refused: refusals.has(name, name) };
  }

  /** Ends the session with this node; either side may dial the other again. Returns whether there was one. */
  disconnect(name: string): boolean {
    return this.#connections.disconnect(name);
  }

  /**
   * Ends the session with this node, if there is one, and from now on neither dials nor accepts it, until `allow` or the
   * end of the process. Also for nodes that this one does not know yet. Returns whether there was a session.
   * @param name a node id, which stands for all nodes that have it, or a key.
   */
  refuse(name: string, by: Refuser = 'operator'): boolean {
    return this.#connections.refuse(name, by);
  }

  /**
   * Ends a refusal, and dials the node's known addresses at once. A ban stays in force, and so does the refusal of
   * another one: the lab does not lift what the operator wants, nor the operator what the lab does.
   */
  allow(name: string, by: Refuser = 'operator'): void {
    this.#connections.allow(name, by);
  }

  /** Dials all known addresses that are to be dialled at once, whatever their back-off. */
  redial(): void {
    this.#connections.redial();
  }

  /** Makes the messages of the link with this node late on purpose, until the end of the process; undefined = not any more. */
  delay(nodeId: string, delay: LinkDelay | undefined): void {
    this.#connections.delay(nodeId, delay);
  }

  syncStatus(): SyncStatus {
    return this.#sync.status;
  }

  /** Blocks of a better chain are coming in quickly: blocks mined on the present tip meanwhile would be wasted. */
  get isCatchingUp(): boolean {
    return this.#sync.isCatchingUp;
  }

  /** Bans in force. */
  bans(): readonly Ban[] {
    return this.#scoring.bans;
  }

  /** Lifts the bans of a node id, key or host, or of a subject from `bans`. Returns the bans that it lifted. */
  pardon(name: string): readonly Ban[] {
    const lifted = this.#scoring.pardon(name, ...this.#book.keysOf(name));
    for (const { subject, code } of lifted) this.#log.info({ subject, code }, `Ban of ${subject} lifted`);
    return lifted;
  }

  /** Looks at all peers again for a better chain. */
  startSync(): void {
    this.#sync.restart();
  }
}
