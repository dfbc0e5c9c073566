import type { Clock } from '../common/clock.js';
import { isLoopback } from '../config/address.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import type { RuleError } from '../consensus/rule-error.js';
import type { ChainService } from '../chain/chain.service.js';
import { Acceptance, DUPLICATE_SESSION, KEY_IN_USE, linkRefusal, type GoodHello } from './acceptance.js';
import type { Channel, Dialer } from './channel.js';
import { Dialling } from './dialling.js';
import type { SelfIdentity } from './handshake.js';
import { Heartbeat } from './heartbeat.js';
import type { HostRanges } from './host-ranges.js';
import { LinkDelays, type LinkDelay } from './link-delays.js';
import { LinkRefusals, type Refuser } from './link-refusals.js';
import type { BodyOf, WireError } from './messages.js';
import { BENIGN_REASONS, MAX_REASON_CHARS, Openings, SHUTTING_DOWN } from './openings.js';
import { RateLimits } from './rate-limits.js';
import { Peer, type Direction } from './peer.js';
import type { PeerBook } from './peer-book.js';
import { PeerTable } from './peer-table.js';
import { Penalties, type PenaltyMeter } from './penalties.js';
import { subjectOf, type Scoring } from './scoring.js';
import { ReadingPaces } from './reading-pace.js';
import type { Seeds } from './seeds.js';
import { SeenCache } from './seen-cache.js';
import type { HandlerTable, Session, TrafficMeter } from './session.js';
import { SlotPolicy } from './slot-policy.js';

/** A shorter session does not reset the back-off of its address: the peer may refuse us again and again. */
const LASTING_MS = 10_000;
/** Inbound sessions that have not proved who they are yet. */
const MAX_ARRIVING = 64;
/** Of these, from one other machine: some nodes behind one router may start together. */
const MAX_ARRIVING_PER_HOST = 8;
/** A minute, of one host: as many nodes as may run behind one address. */
const SESSION_LINES = 60;
/** Node ids that have been reported as shared. */
const MAX_SHARED_IDS = 1_000;

/** What the rest of the module does as peers come and go. */
export interface ConnectionsEvents {
  /** The messages that a peer may send once it has proved its key, except for the heartbeat. */
  handlersFor(peer: Peer): HandlerTable;
  connected(peer: Peer): void;
  /** `reason`: the peer's own words if it said why, otherwise ours. */
  disconnected(peer: Peer, reason: string): void;
  /** Other nodes, for one that we have no slot for. */
  alternatives(): BodyOf<'peers'>;
  /** A node that has no slot for us names others. */
  redirected(session: Session, message: BodyOf<'peers'>): void;
  /** A message of the peer showed its tip. */
  sawTip(peer: Peer): void;
}

/** Counts what happens on connections. */
export interface ConnectionsMeter extends TrafficMeter, PenaltyMeter {
  /** An inbound peer lost its slot to a newcomer. */
  evicted(): void;
}

export interface ConnectionsInit {
  readonly self: SelfIdentity;
  readonly maxPeers: number;
  readonly heartbeatMs: number;
  /** mTLS: a peer's Hello has to name the node that its certificate names. */
  readonly areCertificatesRequired: boolean;
  readonly chain: ChainService;
  readonly dialer: Dialer;
  readonly book: PeerBook;
  readonly ranges: HostRanges;
  readonly seeds: Seeds;
  readonly scoring: Scoring;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meter: ConnectionsMeter;
  readonly events: ConnectionsEvents;
}

/** Opens and keeps sessions: dialled and inbound channels, the proof of keys, the heartbeat, and their end. */
export class Connections {
  readonly peers = new PeerTable();
  /** Nodes with which this node keeps no session. */
  readonly refusals = new LinkRefusals();
  readonly #given: ConnectionsInit;
  readonly #lines: LogLimiter;
  readonly #limits: RateLimits;
  readonly #reading: ReadingPaces;
  readonly #heartbeat: Heartbeat;
  readonly #penalties: Penalties;
  readonly #openings: Openings;
  readonly #dialling: Dialling;
  readonly #delays: LinkDelays;
  readonly #sharedIds = new SeenCache(MAX_SHARED_IDS);
  #stopped = false;

  constructor(given: ConnectionsInit) {
    const { book, chain, clock, events, log, maxPeers, meter, random, ranges, scoring, seeds, self } = given;
    this.#given = given;
    this.#limits = new RateLimits(clock);
    this.#delays = new LinkDelays(random);
    this.#reading = new ReadingPaces(clock);
    const lines = (this.#lines = new LogLimiter(log, clock));
    this.#penalties = new Penalties({ scoring, lines, meter });
    this.#heartbeat = new Heartbeat(given.heartbeatMs, chain, clock, {
      sawTip: (peer) => events.sawTip(peer),
      blame: (peer, error) => this.blame(peer, error),
    });
    const { peers, refusals } = this;
    const slots = new SlotPolicy({
      maxPeers,
      peers,
      book,
      ranges,
      clock,
      isRotation: (address) => this.#dialling.isRotation(address),
      evicted: () => meter.evicted(),
    });
    const acceptance = new Acceptance({
      self,
      genesis: chain.genesis,
      areCertificatesRequired: given.areCertificatesRequired,
      peers,
      slots,
      scoring,
      refusals,
      heartbeat: this.#heartbeat,
    });
    this.#openings = new Openings({
      ...{ self, chain, acceptance, penalties: this.#penalties, book, seeds, clock, random, log, lines, meter },
      events: {
        admit: (session, hello, dialled) => this.#admit(session, hello, dialled),
        closed: (peer, reason) => this.#closed(peer, reason),
        dialEnded: (address) => this.#dialling.ended(address),
        alternatives: () => events.alternatives(),
        redirected: (session, message) => events.redirected(session, message),
      },
    });
    this.#dialling = new Dialling({
      ...{ book, seeds, scoring, refusals, peers, slots, ranges, clock, random },
      dialer: given.dialer,
      open: (channel, address) => this.#openings.open(channel, address),
    });
  }

  start(): void {
    this.#dialling.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#dialling.stop();
    this.#openings.closeAll(SHUTTING_DOWN);
    for (const peer of this.peers.all) peer.session.close(SHUTTING_DOWN);
  }

  /** Time has passed that this process knows nothing of: each peer has to answer now, and all that failed is dialled again. */
  recheck(): void {
    for (const peer of this.peers.all) this.#heartbeat.probe(peer, 'no answer after this node slept');
    this.redial();
  }

  acceptInbound(channel: Channel): void {
    const { remoteHost } = channel;
    const { arriving } = this.#openings;
    const ofHost = arriving.filter((session) => session.remoteHost === remoteHost).length;
    const isFlooded = arriving.length >= MAX_ARRIVING || (ofHost >= MAX_ARRIVING_PER_HOST && !isLoopback(remoteHost));
    if (this.#stopped || isFlooded || this.#given.scoring.isBanned(undefined, remoteHost)) channel.close();
    else this.#openings.open(channel, undefined);
  }

  /** The peer broke a rule: score it, and end the session if that makes a ban. */
  blame(peer: Peer, error: RuleError | WireError): void {
    this.#penalties.blame(peer, error);
  }

  /** See GossipPorts. */
  acceptRepeat(peer: Peer, bytes: number): boolean {
    return this.#penalties.acceptRepeat(peer, bytes);
  }

  /**
   * Ends the sessions with the nodes of this name (a node id or a key); false if there are none. Either side may dial the
   * other again.
   */
  disconnect(name: string, reason = 'disconnected on request'): boolean {
    const peers = this.peers.named(name);
    for (const peer of peers) peer.session.close(reason);
    return peers.length > 0;
  }

  /** From now on there is no session with this node, whichever side dials. Returns whether there was one. */
  refuse(name: string, by: Refuser): boolean {
    const peers = this.peers.named(name);
    const keys = [...peers.map(({ key }) => key), ...this.#given.book.keysOf(name)];
    this.refusals.refuse(name, keys, peers[0]?.displayAddress, by);
    for (const peer of peers) peer.session.close(linkRefusal(peer.nodeId));
    return peers.length > 0;
  }

  /** Ends a refusal. If no other one is left, dials the node's known addresses at once, whatever their back-off. */
  allow(name: string, by: Refuser): void {
    this.refusals.allow(name, by);
    this.#given.book.resetBackoff(name);
    this.#dialling.dialDue();
  }

  /** Dials all addresses that are to be dialled at once, whatever their back-off. */
  redial(): void {
    this.#given.book.resetBackoff();
    this.#dialling.dialDue();
  }

  /** Makes the messages of the link with this node late on purpose, now and in later sessions. undefined = not any more. */
  delay(nodeId: string, delay: LinkDelay | undefined): void {
    this.#delays.set(nodeId, delay, this.peers.named(nodeId));
  }

  #admit(session: Session, { identity, tip }: GoodHello, dialled: string | undefined): Peer {
    const { book, clock, events } = this.#given;
    const limits = this.#limits.enter(subjectOf(identity.key, session.remoteHost)!);
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    const moment = { connectedAtMs: clock.monotonicMs(), lastSeenMs: clock.nowMs() };
    const reading = this.#reading.enter(session);
    const peer = new Peer({ identity, session, direction, dialled, tip, ...moment, limits, reading });
    this.#delays.apply(peer);
    session.gate = (body, bytes) => this.#penalties.acceptMessage(peer, body, bytes);
    this.#warnOfSharedId(peer);
    this.peers.add(peer);
    if (dialled !== undefined) book.reached(dialled, peer);
    const { address } = identity;
    if (address !== undefined && limits.takeAddresses(1) === 1) book.claimed(address, peer.key, session.remoteHost);
    this.#holdAnchors();
    session.handlers = {
      ...events.handlersFor(peer),
      ping: (ping) => this.#heartbeat.answer(peer, ping),
      goodbye: ({ reason }) => {
        peer.farewell = reason.slice(0, MAX_REASON_CHARS);
      },
    };
    const facts = { peer: peer.nodeId, key: peer.key, address: peer.displayAddress, direction };
    const line = { level: 'info', kind: 'new sessions', host: session.remoteHost, perHost: SESSION_LINES } as const;
    this.#lines.write(line, facts, `Connected to peer ${peer.nodeId}`);
    this.#heartbeat.keep(peer);
    events.connected(peer);
    return peer;
  }

  /** Node ids are labels: two nodes may share one, but whoever runs them should know. */
  #warnOfSharedId(peer: Peer): void {
    const { self } = this.#given;
    const { nodeId } = peer;
    const other = nodeId === self.nodeId ? 'this node' : this.peers.named(nodeId)[0]?.displayAddress;
    if (other === undefined || this.#sharedIds.has(nodeId)) return;
    this.#sharedIds.add(nodeId);
    const text = `Two nodes call themselves ${nodeId}: ${other} and ${peer.displayAddress}. Give each its own node_id`;
    const line = { level: 'warn', kind: 'shared node ids', host: peer.session.remoteHost } as const;
    this.#lines.write(line, { peer: nodeId, addresses: [other, peer.displayAddress] }, text);
  }

  /** The nodes that we dialled, the one that has stayed longest first. */
  #holdAnchors(): void {
    this.#given.book.holdAnchors(this.peers.all.flatMap(({ dialled }) => dialled ?? []));
  }

  #closed(peer: Peer, reason: string): void {
    const { book, clock, events, log } = this.#given;
    this.peers.remove(peer);
    peer.reading.end();
    this.#limits.leave(subjectOf(peer.key, peer.session.remoteHost)!, peer.limits);
    if (!this.#stopped) this.#holdAnchors();
    if (clock.monotonicMs() - peer.connectedAtMs >= LASTING_MS) book.lost(peer.key);
    // The other side may be the first to settle which of two sessions gives way; that is no loss either.
    const isSettled = BENIGN_REASONS.has(reason) || peer.farewell === DUPLICATE_SESSION;
    const level = isSettled ? 'debug' : peer.farewell === KEY_IN_USE ? 'warn' : 'info';
    const said = peer.farewell === KEY_IN_USE ? `: ${KEY_IN_USE}` : '';
    const facts = { peer: peer.nodeId, reason, said: peer.farewell };
    const text = `Disconnected from peer ${peer.nodeId}${said}`;
    const host = peer.session.remoteHost;
    if (level === 'debug') log.debug(facts, text);
    else this.#lines.write({ level, kind: 'ended sessions', host, perHost: SESSION_LINES }, facts, text);
    events.disconnected(peer, peer.farewell ?? reason);
  }
}
