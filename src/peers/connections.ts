import type { Clock } from '../common/clock.js';
import { PassingFault } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import type { RuleError } from '../consensus/rule-error.js';
import type { ChainService } from '../chain/chain.service.js';
import { Acceptance, DUPLICATE_SESSION, linkRefusal, type HelloDecision, type TurnAway } from './acceptance.js';
import { isLoopback } from '../config/address.js';
import { hostOf } from './address.js';
import type { Channel, Dialer } from './channel.js';
import { Dialling } from './dialling.js';
import { createHello, type HelloRefusal, type SelfIdentity } from './handshake.js';
import { Heartbeat } from './heartbeat.js';
import { LinkRefusals } from './link-refusals.js';
import type { Body, BodyOf, WireError } from './messages.js';
import { RateLimits } from './rate-limits.js';
import { Peer, type Direction, type PeerIdentity } from './peer.js';
import type { PeerBook } from './peer-book.js';
import { PeerTable } from './peer-table.js';
import { Penalties, type PenaltyMeter } from './penalties.js';
import { subjectOf, type Scoring } from './scoring.js';
import type { Seeds } from './seeds.js';
import { Session, type HandlerTable, type TrafficMeter } from './session.js';

const HANDSHAKE_MS = 5_000;
/** A shorter session does not reset the back-off of its address: the peer may refuse us again and again. */
const LASTING_MS = 10_000;
/** Inbound sessions that have not said Hello yet. */
const MAX_ARRIVING = 64;
/** Of these, from one other machine: some nodes behind one router may start together. */
const MAX_ARRIVING_PER_HOST = 8;
/** Unknown messages before Hello: a newer node may send some, but there is no reason for many. */
const MAX_UNKNOWN_BEFORE_HELLO = 20;
const MAX_REASON_CHARS = 200;

const SHUTTING_DOWN = 'shutting down';
const BENIGN_REASONS: ReadonlySet<string> = new Set([DUPLICATE_SESSION, SHUTTING_DOWN]);

/** What the rest of the module does as peers come and go. */
export interface ConnectionsEvents {
  /** The messages that a peer may send once the Hellos are exchanged, except for the heartbeat. */
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
  readonly seeds: Seeds;
  readonly scoring: Scoring;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meter: ConnectionsMeter;
  readonly events: ConnectionsEvents;
}

/** Opens and keeps sessions: dialled and inbound channels, the exchange of Hellos, the heartbeat, and their end. */
export class Connections {
  readonly peers: PeerTable;
  /** Nodes with which this node keeps no session. */
  readonly refusals = new LinkRefusals();
  readonly #given: ConnectionsInit;
  readonly #limits: RateLimits;
  readonly #heartbeat: Heartbeat;
  readonly #penalties: Penalties;
  readonly #acceptance: Acceptance;
  readonly #dialling: Dialling;
  /** Sessions before the exchange of Hellos. */
  readonly #opening = new Map<Session, Direction>();
  #stopped = false;

  constructor(given: ConnectionsInit) {
    const { chain, clock, events, log, maxPeers, meter, scoring } = given;
    this.#given = given;
    this.#limits = new RateLimits(clock);
    this.peers = new PeerTable(maxPeers);
    this.#penalties = new Penalties({ scoring, log, meter });
    this.#heartbeat = new Heartbeat(given.heartbeatMs, chain, clock, {
      sawTip: (peer) => events.sawTip(peer),
      blame: (peer, error) => this.blame(peer, error),
    });
    const shared = { peers: this.peers, refusals: this.refusals, scoring, clock };
    this.#acceptance = new Acceptance({
      ...shared,
      self: given.self,
      genesis: chain.genesis,
      areCertificatesRequired: given.areCertificatesRequired,
      heartbeat: this.#heartbeat,
      evicted: () => meter.evicted(),
    });
    this.#dialling = new Dialling({
      ...shared,
      book: given.book,
      seeds: given.seeds,
      dialer: given.dialer,
      open: (channel, address) => this.#open(channel, address),
    });
  }

  start(): void {
    this.#dialling.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#dialling.stop();
    for (const session of [...this.#opening.keys()]) session.close(SHUTTING_DOWN);
    for (const peer of this.peers.all) peer.session.close(SHUTTING_DOWN);
  }

  /** Time has passed that this process knows nothing of: each peer has to answer now, and all that failed is dialled again. */
  recheck(): void {
    for (const peer of this.peers.all) this.#heartbeat.probe(peer, 'no answer after this node slept');
    this.#given.book.resetBackoff();
    this.#dialling.dialDue();
  }

  acceptInbound(channel: Channel): void {
    const { remoteHost } = channel;
    const arriving = [...this.#opening].filter(([, direction]) => direction === 'inbound');
    const ofHost = arriving.filter(([session]) => session.remoteHost === remoteHost).length;
    const isFlooded = arriving.length >= MAX_ARRIVING || (ofHost >= MAX_ARRIVING_PER_HOST && !isLoopback(remoteHost));
    if (this.#stopped || isFlooded || this.#given.scoring.isBanned(undefined, remoteHost)) channel.close();
    else this.#open(channel, undefined);
  }

  /** The peer broke a rule: score it, and end the session if that makes a ban. */
  blame(peer: Peer, error: RuleError | WireError): void {
    this.#penalties.blame(peer, error);
  }

  /** Ends the session with this node; false if there is none. Either side may dial the other again. */
  disconnect(nodeId: string, reason = 'disconnected on request'): boolean {
    const peer = this.peers.get(nodeId);
    peer?.session.close(reason);
    return peer !== undefined;
  }

  /** From now on there is no session with this node, whichever side dials. Returns whether there was one. */
  refuse(nodeId: string): boolean {
    this.refusals.refuse(nodeId, this.peers.get(nodeId)?.displayAddress);
    return this.disconnect(nodeId, linkRefusal(nodeId));
  }

  /** Sessions with this node are welcome again. Dials its known addresses at once, whatever their back-off. */
  allow(nodeId: string): void {
    this.refusals.allow(nodeId);
    this.#given.book.resetBackoff(nodeId);
    this.#dialling.dialDue();
  }

  /**
   * The side that dialled says Hello first; the other one answers with its own once it has accepted the dialler.
   * @param dialled undefined for an inbound channel.
   */
  #open(channel: Channel, dialled: string | undefined): void {
    const { clock, log, meter } = this.#given;
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    let peer: Peer | undefined;
    const session: Session = new Session(channel, clock, meter, {
      misbehaved: (error) => this.#penalties.penalise(session, peer?.nodeId, error),
      failed: (error, kind) => {
        // Reported where it arose, once for all messages that meet it.
        const level = error instanceof PassingFault ? 'debug' : 'error';
        log[level]({ err: error, peer: peer?.nodeId, message: kind }, `Failed to handle a message (${kind})`);
      },
      closed: (reason) => {
        deadline.cancel();
        this.#opened(session, dialled);
        if (peer !== undefined) this.#closed(peer, reason);
        else log.debug({ address: dialled ?? session.remoteHost, reason }, `Session not opened: ${reason}`);
      },
    });
    const deadline = clock.after(HANDSHAKE_MS, () => session.close('no Hello in time'));
    session.gate = this.#gateBeforeHello(session);
    session.handlers = {
      hello: (hello) => {
        deadline.cancel();
        const host = dialled === undefined ? session.remoteHost : hostOf(dialled);
        const decision = this.#acceptance.acceptHello(hello, session, direction, host);
        if (decision.kind === 'unacceptable') this.#refuseHello(session, dialled, decision.refusal);
        else if (decision.kind === 'turned-away') {
          this.#turnAway(session, dialled, decision.identity, decision.turnAway);
        } else {
          if (direction === 'inbound') this.#sayHello(session);
          peer = this.#admit(session, decision, dialled);
        }
      },
      goodbye: ({ reason }) => this.#refusedBy(dialled ?? session.remoteHost, reason),
    };
    if (dialled !== undefined) this.#awaitRedirection(session);
    this.#opening.set(session, direction);
    session.open();
    if (direction === 'outbound') this.#sayHello(session);
  }

  /** The exchange of Hellos is over. */
  #opened(session: Session, dialled: string | undefined): void {
    this.#opening.delete(session);
    if (dialled !== undefined) this.#dialling.ended(dialled);
  }

  /** Unknown messages before Hello are ignored without an answer, because nothing is served before it. */
  #gateBeforeHello(session: Session): (body: Body | undefined) => boolean {
    let unknown = 0;
    return (body) => {
      if (body !== undefined) return true;
      unknown += 1;
      if (unknown > MAX_UNKNOWN_BEFORE_HELLO) session.close('flood of unknown messages before Hello');
      return false;
    };
  }

  #sayHello(session: Session): void {
    const { self, chain } = this.#given;
    session.notify({ $case: 'hello', value: createHello(self, chain.genesis, chain.tip) });
  }

  #refuseHello(session: Session, dialled: string | undefined, { kind, reason }: HelloRefusal): void {
    const { book, log, seeds } = this.#given;
    if (kind !== 'self') {
      const address = dialled ?? session.remoteHost;
      log.warn({ address, reason }, `Peer at ${address} not accepted: ${reason.slice(0, MAX_REASON_CHARS)}`);
    } else if (dialled !== undefined) {
      if (seeds.has(dialled)) seeds.ledToSelf(dialled);
      else book.noteOwn(dialled);
    } else this.#sayHello(session); // So that our dialling end, too, learns whom it has reached.
    session.close(reason);
  }

  #turnAway(session: Session, dialled: string | undefined, { nodeId }: PeerIdentity, why: TurnAway): void {
    // Now we know who is behind the address, and need not dial it again for as long as this reason holds.
    const isAddressSettled = why.kind === 'duplicate' || why.kind === 'link-refused';
    if (isAddressSettled && dialled !== undefined) this.#given.book.reached(dialled, nodeId);
    // So does the side that dialled us.
    if (why.kind === 'duplicate' && dialled === undefined) this.#sayHello(session);
    // Otherwise a newcomer that knows only full nodes would stay alone for ever.
    if (why.kind === 'no-slot' && dialled === undefined) {
      session.notify({ $case: 'peers', value: this.#given.events.alternatives() });
    }
    session.close(why.reason);
  }

  /** Before its Hello a node that we dialled may name others, once: it has no slot for us. */
  #awaitRedirection(session: Session): void {
    const { handlers } = session;
    const peers = (message: BodyOf<'peers'>): void => {
      session.handlers = handlers;
      this.#given.events.redirected(session, message);
    };
    session.handlers = { ...handlers, peers };
  }

  #refusedBy(address: string, text: string): void {
    const level = BENIGN_REASONS.has(text) ? 'debug' : 'info';
    const reason = text.slice(0, MAX_REASON_CHARS);
    this.#given.log[level]({ address, reason }, `Peer at ${address} refused us: ${reason}`);
  }

  #admit(session: Session, accepted: HelloDecision & { kind: 'accepted' }, dialled: string | undefined): Peer {
    const { book, clock, events, log } = this.#given;
    const { identity, tip } = accepted;
    const limits = this.#limits.enter(subjectOf(identity.nodeId, session.remoteHost)!);
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    const moment = { connectedAtMs: clock.monotonicMs(), lastSeenMs: clock.nowMs() };
    const peer = new Peer({ identity, session, direction, dialled, tip, ...moment, limits });
    session.gate = (body) => this.#penalties.acceptMessage(peer, body);
    this.#opened(session, dialled);
    this.peers.add(peer);
    if (dialled !== undefined) book.reached(dialled, peer.nodeId);
    if (identity.address !== undefined) book.claimed(identity.address, peer.nodeId);
    this.#holdAnchors();
    session.handlers = {
      ...events.handlersFor(peer),
      ping: (ping) => this.#heartbeat.answer(peer, ping),
      goodbye: ({ reason }) => {
        peer.farewell = reason.slice(0, MAX_REASON_CHARS);
      },
    };
    log.info({ peer: peer.nodeId, address: peer.displayAddress, direction }, `Connected to peer ${peer.nodeId}`);
    this.#heartbeat.keep(peer);
    events.connected(peer);
    return peer;
  }

  /** The nodes that we dialled, the one that has stayed longest first. */
  #holdAnchors(): void {
    this.#given.book.holdAnchors(this.peers.all.flatMap(({ dialled }) => dialled ?? []));
  }

  #closed(peer: Peer, reason: string): void {
    const { book, clock, events, log } = this.#given;
    this.peers.remove(peer);
    this.#limits.leave(subjectOf(peer.nodeId, peer.session.remoteHost)!, peer.limits);
    if (!this.#stopped) this.#holdAnchors();
    if (clock.monotonicMs() - peer.connectedAtMs >= LASTING_MS) book.lost(peer.nodeId);
    // The other side may be the first to settle which of two sessions gives way; that is no loss either.
    const isSettled = BENIGN_REASONS.has(reason) || peer.farewell === DUPLICATE_SESSION;
    const level = isSettled ? 'debug' : 'info';
    log[level]({ peer: peer.nodeId, reason, said: peer.farewell }, `Disconnected from peer ${peer.nodeId}`);
    events.disconnected(peer, peer.farewell ?? reason);
  }
}
