import { every, type Clock, type Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { RuleError } from '../consensus/rule-error.js';
import type { ChainService } from '../chain/chain.service.js';
import { hostOf, isLoopback } from './address.js';
import type { Channel, Dialer } from './channel.js';
import { certificateMismatch, createHello, readHello, type HelloRefusal, type SelfIdentity } from './handshake.js';
import { Heartbeat } from './heartbeat.js';
import { WireError, type Body, type BodyCase, type BodyOf } from './messages.js';
import type { RateLimits } from './rate-limits.js';
import { Peer, type Direction, type PeerIdentity } from './peer.js';
import type { PeerBook } from './peer-book.js';
import { PENALTIES, subjectOf, type Scoring } from './scoring.js';
import type { Seeds } from './seeds.js';
import { Session, type HandlerTable, type TrafficMeter } from './session.js';
import { directionCap, planEviction } from './slots.js';
import type { PeerTip } from './wire.js';

const HANDSHAKE_MS = 5_000;
const DIAL_CHECK_MS = 250;
/** A session that lasted less leaves the back-off of its address as it is: it may be refused again and again. */
const LASTING_MS = 10_000;
/** Dials at a time: a book full of dead addresses must not become a storm of connection attempts. */
const MAX_DIALLING = 8;
/** Lookups at a time: libuv begins no more either, and where no DNS answers each takes 10 s or longer. */
const MAX_LOOKUPS = 2;
/** Inbound sessions that have not said Hello yet. */
const MAX_ARRIVING = 64;
/** Of these, from one other machine: some nodes behind one router may start together. */
const MAX_ARRIVING_PER_HOST = 8;
const MAX_REASON_CHARS = 200;

const DUPLICATE_SESSION = 'duplicate session';
const NO_FREE_SLOT = 'no free slot';
const SHUTTING_DOWN = 'shutting down';
const EVICTED = 'evicted: another peer needs the slot';
const BENIGN_REASONS: ReadonlySet<string> = new Set([DUPLICATE_SESSION, SHUTTING_DOWN]);

export interface ConnectionsOptions {
  readonly self: SelfIdentity;
  readonly maxPeers: number;
  readonly heartbeatMs: number;
  /** mTLS: a peer's Hello has to name the node that its certificate names. */
  readonly areCertificatesRequired: boolean;
}

/** What the rest of the module does with peers as they come and go. */
export interface ConnectionsEvents {
  /** The messages that a peer may send once the Hellos are exchanged, but for the heartbeat. */
  handlersFor(peer: Peer): HandlerTable;
  connected(peer: Peer): void;
  /** Other nodes, for one that we have no slot for. */
  alternatives(): BodyOf<'peers'>;
  /** A node that has no slot for us names others. */
  redirected(session: Session, message: BodyOf<'peers'>): void;
  /** A message of the peer showed its tip. */
  sawTip(peer: Peer): void;
  penalised(code: string, banned: boolean): void;
  /** A message above the peer's limits was not handled. */
  dropped(kind: BodyCase): void;
  /** A useless inbound peer had to make room. */
  evicted(): void;
}

/**
 * Opens and keeps sessions: dials what the peer book has due, takes inbound channels, exchanges Hellos, settles which
 * of two sessions between the same nodes stays, keeps the heartbeat, and turns misbehaviour into scores and bans.
 */
export class Connections {
  readonly #peers = new Map<string, Peer>();
  /** Sessions before the exchange of Hellos, with the address dialled if it was we who dialled. */
  readonly #opening = new Map<Session, string | undefined>();
  /** Names that are being looked up, to be dialled then. */
  readonly #lookedUp = new Set<string>();
  readonly #heartbeat: Heartbeat;
  readonly #timers: Timer[] = [];
  #stopped = false;

  constructor(
    private readonly options: ConnectionsOptions,
    private readonly chain: ChainService,
    private readonly dialer: Dialer,
    private readonly book: PeerBook,
    private readonly seeds: Seeds,
    private readonly scoring: Scoring,
    private readonly limits: RateLimits,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly meter: TrafficMeter,
    private readonly events: ConnectionsEvents,
  ) {
    this.#heartbeat = new Heartbeat(options.heartbeatMs, chain, clock, {
      sawTip: (peer) => this.events.sawTip(peer),
      blame: (peer, error) => this.blame(peer, error),
    });
  }

  get peers(): ReadonlyMap<string, Peer> {
    return this.#peers;
  }

  start(): void {
    this.#dialDue();
    this.#timers.push(every(this.clock, DIAL_CHECK_MS, () => this.#dialDue()));
  }

  stop(): void {
    this.#stopped = true;
    this.seeds.stop();
    for (const timer of this.#timers) timer.cancel();
    for (const session of [...this.#opening.keys()]) session.close(SHUTTING_DOWN);
    for (const peer of [...this.#peers.values()]) peer.session.close(SHUTTING_DOWN);
  }

  acceptInbound(channel: Channel): void {
    const { remoteHost } = channel;
    const arriving = [...this.#opening].filter(([, dialled]) => dialled === undefined);
    const ofHost = arriving.filter(([session]) => session.remoteHost === remoteHost).length;
    const isFlooded = arriving.length >= MAX_ARRIVING || (ofHost >= MAX_ARRIVING_PER_HOST && !isLoopback(remoteHost));
    if (this.#stopped || isFlooded || this.scoring.isBanned(undefined, remoteHost)) channel.close();
    else this.#open(channel, 'inbound', undefined);
  }

  /** The peer broke a rule: score it, and end the session when that makes a ban. */
  blame(peer: Peer, error: RuleError | WireError): void {
    this.#penalise(peer.session, peer.nodeId, error);
  }

  /** Addresses that are being dialled. */
  #dialling(): Set<string> {
    return new Set([...this.#opening.values()].filter((address) => address !== undefined));
  }

  #dialDue(): void {
    const dialling = this.#dialling();
    const isUnwanted = (address: string, nodeId: string | undefined): boolean =>
      dialling.has(address) || this.#lookedUp.has(address) || (nodeId !== undefined && this.#peers.has(nodeId));
    for (const { address, nodeId } of this.book.due(isUnwanted)) {
      if (dialling.size >= Math.min(MAX_DIALLING, this.#freeSlots('outbound'))) return;
      if (this.scoring.isBanned(nodeId, hostOf(address))) continue;
      if (!this.seeds.has(address)) {
        dialling.add(address);
        this.book.dialling(address);
        this.#open(this.dialer.dial(address), 'outbound', address);
      } else if (this.#lookedUp.size < MAX_LOOKUPS) void this.#dialSeed(address);
    }
  }

  /** A lookup takes no slot: names that no DNS knows must not keep us from addresses that answer. */
  async #dialSeed(address: string): Promise<void> {
    this.#lookedUp.add(address);
    this.book.dialling(address);
    const isToBeDialled = await this.seeds.lookUp(address);
    this.#lookedUp.delete(address);
    if (isToBeDialled && !this.#stopped) this.#open(this.dialer.dial(address), 'outbound', address);
  }

  /** The side that dialled says Hello first; the other one answers with its own once it takes the dialler. */
  #open(channel: Channel, direction: Direction, dialled: string | undefined): void {
    let peer: Peer | undefined;
    const session: Session = new Session(channel, this.clock, this.meter, {
      misbehaved: (error) => this.#penalise(session, peer?.nodeId, error),
      failed: (error, kind) => this.log.error({ err: error, peer: peer?.nodeId, message: kind }, 'message not handled'),
      closed: (reason) => {
        deadline.cancel();
        this.#opening.delete(session);
        if (peer === undefined)
          this.log.debug({ address: dialled ?? session.remoteHost, reason }, 'session not opened');
        else this.#closed(peer, reason);
      },
    });
    const deadline = this.clock.after(HANDSHAKE_MS, () => session.close('no Hello in time'));
    session.handlers = {
      hello: (hello) => {
        deadline.cancel();
        const host = dialled === undefined ? session.remoteHost : hostOf(dialled);
        const outcome = readHello(hello, this.options.self, this.chain.genesis, host);
        if (outcome.kind !== 'accepted') return this.#refuse(session, dialled, outcome);
        const mismatch = this.options.areCertificatesRequired
          ? certificateMismatch(outcome.identity.nodeId, session.provenNodeId)
          : undefined;
        if (mismatch !== undefined) return this.#refuse(session, dialled, mismatch);
        const refusal = this.#refusalOf(outcome.identity, direction, session);
        if (refusal === undefined) {
          if (direction === 'inbound') this.#sayHello(session);
          peer = this.#admit(session, outcome.identity, outcome.tip, direction, dialled);
        } else this.#turnAway(session, dialled, outcome.identity, refusal);
      },
      goodbye: ({ reason }) => this.#refusedBy(dialled ?? session.remoteHost, reason),
    };
    if (dialled !== undefined) this.#awaitRedirection(session);
    this.#opening.set(session, dialled);
    session.open();
    if (direction === 'outbound') this.#sayHello(session);
  }

  #sayHello(session: Session): void {
    session.notify({ $case: 'hello', value: createHello(this.options.self, this.chain.genesis, this.chain.tip) });
  }

  /** The Hello itself cannot be taken. */
  #refuse(session: Session, dialled: string | undefined, refusal: HelloRefusal): void {
    if (refusal.kind !== 'self') {
      this.log.warn({ address: dialled ?? session.remoteHost, reason: refusal.reason }, 'peer not accepted');
    } else if (dialled !== undefined) {
      if (this.seeds.has(dialled)) this.seeds.ledToSelf(dialled);
      else this.book.isOwn(dialled);
    } else this.#sayHello(session); // So that our dialling end, too, learns whom it has reached.
    session.close(refusal.reason);
  }

  /** The Hello is good, but there is no place for its sender. */
  #turnAway(session: Session, dialled: string | undefined, { nodeId }: PeerIdentity, refusal: string): void {
    if (refusal === DUPLICATE_SESSION) {
      // Whoever dialled knows now who sits behind the address, and need not dial it again.
      if (dialled === undefined) this.#sayHello(session);
      else this.book.reached(dialled, nodeId);
    }
    // Or a newcomer that knows only nodes that are full would stay alone for ever.
    if (refusal === NO_FREE_SLOT && dialled === undefined) {
      session.notify({ $case: 'peers', value: this.events.alternatives() });
    }
    session.close(refusal);
  }

  /** Before its Hello a node that we dialled may name others, once: it has no slot for us. */
  #awaitRedirection(session: Session): void {
    const { handlers } = session;
    const peers = (message: BodyOf<'peers'>): void => {
      session.handlers = handlers;
      this.events.redirected(session, message);
    };
    session.handlers = { ...handlers, peers };
  }

  #refusedBy(address: string, reason: string): void {
    const level = BENIGN_REASONS.has(reason) ? 'debug' : 'info';
    this.log[level]({ address, reason: reason.slice(0, MAX_REASON_CHARS) }, 'peer refused us');
  }

  /** Why this peer cannot be taken, or undefined. Closes an older session that must give way to the new one. */
  #refusalOf(identity: PeerIdentity, direction: Direction, session: Session): string | undefined {
    if (this.scoring.isBanned(identity.nodeId, session.remoteHost)) return 'banned';
    const present = this.#peers.get(identity.nodeId);
    if (present === undefined) return this.#findSlot(direction) ? undefined : NO_FREE_SLOT;
    // Both sides must keep the same one of two: that which the node with the lower id dialled.
    const preferred: Direction = this.options.self.nodeId < identity.nodeId ? 'outbound' : 'inbound';
    const isSameProcess = present.identity.instanceNonce === identity.instanceNonce;
    if (isSameProcess && present.direction !== preferred && direction === preferred) {
      present.session.close(DUPLICATE_SESSION);
      return undefined;
    }
    // The old session may be dead without our knowing, above all if the other node has restarted.
    this.#heartbeat.probe(present);
    return isSameProcess ? DUPLICATE_SESSION : `node id ${identity.nodeId} has a session already`;
  }

  #freeSlots(direction: Direction): number {
    const { maxPeers } = this.options;
    const taken = [...this.#peers.values()].filter((peer) => peer.direction === direction).length;
    return Math.min(maxPeers - this.#peers.size, directionCap(maxPeers) - taken);
  }

  /** Is there a slot for a new peer, or one that a useless inbound peer can give up? */
  #findSlot(direction: Direction): boolean {
    if (this.#freeSlots(direction) > 0) return true;
    const evicted = direction === 'inbound' ? planEviction(this.#peers.values(), this.clock.nowMs()) : undefined;
    evicted?.session.close(EVICTED);
    if (evicted !== undefined) this.events.evicted();
    return evicted !== undefined;
  }

  #admit(
    session: Session,
    identity: PeerIdentity,
    tip: PeerTip,
    direction: Direction,
    dialled: string | undefined,
  ): Peer {
    const limits = this.limits.enter(subjectOf(identity.nodeId, session.remoteHost)!);
    const peer = new Peer(identity, session, direction, dialled, tip, this.clock.nowMs(), limits);
    session.gate = (body) => this.#letIn(peer, body);
    this.#opening.delete(session);
    this.#peers.set(peer.nodeId, peer);
    if (dialled !== undefined) this.book.reached(dialled, peer.nodeId);
    if (identity.address !== undefined) this.book.claimed(identity.address, peer.nodeId);
    this.#holdAnchors();
    session.handlers = {
      ...this.events.handlersFor(peer),
      ping: (ping) => this.#heartbeat.answer(peer, ping),
      goodbye: ({ reason }) => {
        peer.farewell = reason.slice(0, MAX_REASON_CHARS);
      },
    };
    this.log.info({ peer: peer.nodeId, address: peer.displayAddress, direction }, `Connected to peer ${peer.nodeId}`);
    this.#heartbeat.keep(peer);
    this.events.connected(peer);
    return peer;
  }

  /** Is the message within what the peer may send? */
  #letIn(peer: Peer, body: Body): boolean {
    const admission = peer.limits.admit(body);
    if (admission === 'pass') return true;
    this.events.dropped(body.$case);
    if (admission === 'blame') this.blame(peer, new WireError('too-many-messages', `too much of ${body.$case}`));
    else if (admission === 'flood') peer.session.close(`flood of ${body.$case}`);
    return false;
  }

  /** The nodes that we dialled, the one that has stayed longest first: Map keeps the order of arrival. */
  #holdAnchors(): void {
    this.book.holdAnchors([...this.#peers.values()].flatMap(({ dialled }) => dialled ?? []));
  }

  #closed(peer: Peer, reason: string): void {
    if (this.#peers.get(peer.nodeId) === peer) this.#peers.delete(peer.nodeId);
    this.limits.leave(subjectOf(peer.nodeId, peer.session.remoteHost)!, peer.limits);
    if (!this.#stopped) this.#holdAnchors();
    if (this.clock.nowMs() - peer.connectedAtMs >= LASTING_MS) this.book.lost(peer.nodeId);
    // Which of two sessions gives way may be settled by the other side first: it is no more of a loss then.
    const isSettled = BENIGN_REASONS.has(reason) || peer.farewell === DUPLICATE_SESSION;
    const level = isSettled ? 'debug' : 'info';
    this.log[level]({ peer: peer.nodeId, reason, said: peer.farewell }, `Disconnected from peer ${peer.nodeId}`);
  }

  #penalise(session: Session, nodeId: string | undefined, error: RuleError | WireError): void {
    // Our clock or our checkpoints may be the wrong ones: told where they are looked at.
    if (PENALTIES[error.code] === 0) return;
    const banned = this.scoring.penalise(nodeId, session.remoteHost, error.code);
    this.events.penalised(error.code, banned);
    this.log.warn(
      { peer: nodeId, host: session.remoteHost, code: error.code, detail: error.message, banned },
      'peer misbehaved',
    );
    if (banned || nodeId === undefined) session.close(banned ? `banned: ${error.code}` : error.code);
  }
}
