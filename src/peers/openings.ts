import type { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { PassingFault } from '../common/faults.js';
import type { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { DUPLICATE_SESSION, KEY_IN_USE, type Acceptance, type GoodHello, type TurnAway } from './acceptance.js';
import { hostOf } from './address.js';
import type { Channel } from './channel.js';
import { NONCE_BYTES, type HelloRefusal, type SelfIdentity } from './handshake.js';
import type { BodyOf } from './messages.js';
import { OutgoingMemory } from './outgoing-queue.js';
import type { Direction, Peer, PeerIdentity } from './peer.js';
import type { PeerBook } from './peer-book.js';
import type { Penalties } from './penalties.js';
import { Handshake } from './proof.js';
import type { Seeds } from './seeds.js';
import { SeenCache } from './seen-cache.js';
import { Session, type HandlerTable, type TrafficMeter } from './session.js';
import { NO_FREE_SLOT } from './slot-policy.js';

const HANDSHAKE_MS = 5_000;
/** Unknown messages before the proof: a newer node may send some, but there is no reason for many. */
const MAX_UNKNOWN = 20;
const MAX_UNKNOWN_BYTES = 64 * 1024;
/** What is shown and kept of a reason that a peer gave. */
export const MAX_REASON_CHARS = 200;
/** Processes with one key that have been warned of. */
const MAX_WARNED = 100;

/** Of all sessions together: four that read nothing at all. */
const MAX_UNSENT_BYTES = 128 * 1024 * 1024;

export const SHUTTING_DOWN = 'shutting down';
export const BENIGN_REASONS: ReadonlySet<string> = new Set([DUPLICATE_SESSION, SHUTTING_DOWN]);

/** What becomes of a session that is being opened. */
export interface OpeningsEvents {
  /** The peer has proved its key and has a slot. */
  admit(session: Session, hello: GoodHello, dialled: string | undefined): Peer;
  /** The session of a peer that was admitted is over. */
  closed(peer: Peer, reason: string): void;
  /** The dial of this address has become a peer, or has failed. */
  dialEnded(address: string): void;
  /** Other nodes, for one that we have no slot for. */
  alternatives(): BodyOf<'peers'>;
  /** A node that has no slot for us names others. */
  redirected(session: Session, message: BodyOf<'peers'>): void;
}

export interface OpeningsInit {
  readonly self: SelfIdentity;
  readonly chain: ChainService;
  readonly acceptance: Acceptance;
  readonly penalties: Penalties;
  readonly book: PeerBook;
  readonly seeds: Seeds;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lines: LogLimiter;
  readonly meter: TrafficMeter;
  readonly events: OpeningsEvents;
}

/** A session on its way, and what our side knows of it. */
interface Opening {
  readonly session: Session;
  readonly handshake: Handshake;
  /** The address that we dialled; undefined for an inbound channel. */
  readonly dialled: string | undefined;
}

/**
 * Sessions from their first byte until the peer is admitted: the exchange of Hellos and Proofs. The side that dialled
 * says Hello first. The other one answers with its own Hello and Proof once the dialler's Hello is good. The dialler's
 * Proof comes last, so that it is never sent to a node that the dialler does not want.
 */
export class Openings {
  readonly #given: OpeningsInit;
  readonly #sessions = new Map<Session, Direction>();
  readonly #warned = new SeenCache(MAX_WARNED);
  readonly #memory = new OutgoingMemory(MAX_UNSENT_BYTES);

  constructor(given: OpeningsInit) {
    this.#given = given;
  }

  /** Sessions of channels that were dialled to us and have not proved who they are. */
  get arriving(): readonly Session[] {
    return [...this.#sessions].flatMap(([session, direction]) => (direction === 'inbound' ? session : []));
  }

  closeAll(reason: string): void {
    for (const session of [...this.#sessions.keys()]) session.close(reason);
  }

  /** @param dialled undefined for an inbound channel. */
  open(channel: Channel, dialled: string | undefined): void {
    const { chain, clock, events, lines, log, meter, penalties, random, self } = this.#given;
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    let peer: Peer | undefined;
    const session: Session = new Session(
      channel,
      clock,
      meter,
      {
        misbehaved: (error) => penalties.penalise(session, peer, error),
        failed: (error, kind) => {
          // Reported where it arose, once for all messages that meet it.
          const facts = { err: error, peer: peer?.nodeId, message: kind };
          const line = {
            level: 'error',
            kind: 'messages that this node failed to handle',
            host: session.remoteHost,
          } as const;
          if (error instanceof PassingFault) log.debug(facts, `Failed to handle a message (${kind})`);
          else lines.write(line, facts, `Failed to handle a message (${kind})`);
        },
        closed: (reason) => {
          deadline.cancel();
          this.#ended(session, dialled);
          if (peer !== undefined) events.closed(peer, reason);
          else log.debug({ address: dialled ?? session.remoteHost, reason }, `Session not opened: ${reason}`);
        },
      },
      this.#memory,
    );
    const handshake = new Handshake(self, chain.genesis, direction, random.bytes(NONCE_BYTES));
    const opening: Opening = { session, handshake, dialled };
    let awaited = 'Hello';
    const deadline = clock.after(HANDSHAKE_MS, () => session.close(`no ${awaited} in time`));
    session.gate = this.#gate(session);
    const goodbye: HandlerTable = {
      goodbye: ({ reason }) => {
        this.#refusedBy(session, dialled, reason);
        // Nothing may follow, or a stranger could say it again and again.
        session.close('refused by the peer');
      },
    };
    session.handlers = {
      ...goodbye,
      hello: (hello) => {
        const good = this.#judge(opening, hello);
        if (good === undefined) return;
        awaited = 'Proof';
        session.handlers = {
          ...goodbye,
          proof: (proof) => {
            handshake.checkProof(hello, proof);
            deadline.cancel();
            if (!this.#acceptProven(opening, hello, good.identity)) return;
            this.#ended(session, dialled);
            peer = events.admit(session, good, dialled);
          },
        };
      },
    };
    if (dialled !== undefined) this.#awaitRedirection(session);
    this.#sessions.set(session, direction);
    session.open();
    if (direction === 'outbound') this.#sayHello(opening);
  }

  /** The session is open, or over. */
  #ended(session: Session, dialled: string | undefined): void {
    if (this.#sessions.delete(session) && dialled !== undefined) this.#given.events.dialEnded(dialled);
  }

  /** Unknown messages are ignored without an answer, because nothing is served yet. */
  #gate(session: Session): Session['gate'] {
    let unknown = 0;
    let unknownBytes = 0;
    return (body, bytes) => {
      if (body !== undefined) return true;
      unknown += 1;
      unknownBytes += bytes;
      if (unknown > MAX_UNKNOWN || unknownBytes > MAX_UNKNOWN_BYTES)
        session.close('flood of unknown messages before Hello and Proof');
      return false;
    };
  }

  /** Answers the dialler's Hello. Undefined: the session is over. */
  #judge(opening: Opening, hello: BodyOf<'hello'>): GoodHello | undefined {
    const { session, handshake, dialled } = opening;
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    const host = dialled === undefined ? session.remoteHost : hostOf(dialled);
    const decision = this.#given.acceptance.judgeHello(hello, session, direction, host);
    if (decision.kind === 'unacceptable') this.#refuseHello(opening, decision.refusal);
    else if (decision.kind === 'turned-away') this.#turnAway(opening, decision.turnAway);
    else {
      if (direction === 'inbound') {
        this.#sayHello(opening);
        session.notify({ $case: 'proof', value: handshake.prove(hello) });
      }
      return decision;
    }
    return undefined;
  }

  #acceptProven(opening: Opening, hello: BodyOf<'hello'>, identity: PeerIdentity): boolean {
    const { session, handshake, dialled } = opening;
    const turnAway = this.#given.acceptance.acceptProven(identity, session, dialled);
    // A second process with our key learns by our proof that there are two.
    if (dialled !== undefined && (turnAway === undefined || turnAway.kind === 'key-in-use')) {
      session.notify({ $case: 'proof', value: handshake.prove(hello) });
    }
    if (turnAway !== undefined) this.#turnAwayProven(opening, identity, turnAway);
    return turnAway === undefined;
  }

  #sayHello({ session, handshake }: Opening): void {
    session.notify({ $case: 'hello', value: handshake.hello(this.#given.chain.tip) });
  }

  #refuseHello({ session, dialled }: Opening, { reason }: HelloRefusal): void {
    const address = dialled ?? session.remoteHost;
    const shown = reason.slice(0, MAX_REASON_CHARS);
    const line = { level: 'warn', kind: 'Hellos that were not accepted', host: session.remoteHost } as const;
    this.#given.lines.write(line, { address, reason: shown }, `Peer at ${address} not accepted: ${shown}`);
    session.close(reason);
  }

  #turnAway({ session, dialled }: Opening, why: TurnAway): void {
    // Otherwise a newcomer that knows only full nodes would stay alone for ever.
    if (why.kind === 'no-slot' && dialled === undefined) {
      session.notify({ $case: 'peers', value: this.#given.events.alternatives() });
    }
    session.close(why.reason);
  }

  #turnAwayProven(opening: Opening, identity: PeerIdentity, why: TurnAway): void {
    const { book, seeds } = this.#given;
    const { session, dialled } = opening;
    if (why.kind === 'key-in-use') this.#warnOfTwins(session, identity, why);
    if (dialled !== undefined && why.kind === 'self') {
      if (seeds.has(dialled)) seeds.ledToSelf(dialled);
      else book.noteOwn(dialled);
    }
    // Now we know who is behind the address, and need not dial it again for as long as this reason holds.
    const isAddressSettled = why.kind === 'duplicate' || why.kind === 'link-refused';
    if (isAddressSettled && dialled !== undefined) book.reached(dialled, identity);
    this.#turnAway(opening, why);
  }

  /** Once for each process, since it goes on trying. */
  #warnOfTwins(
    { remoteHost }: Session,
    { key, instanceNonce, nodeId, address }: PeerIdentity,
    { other }: TurnAway,
  ): void {
    if (this.#warned.has(`${key} ${instanceNonce}`)) return;
    this.#warned.add(`${key} ${instanceNonce}`);
    const place = address ?? remoteHost;
    const advice = 'Was a data directory copied? Stop one of the two, delete its node.key and start it again';
    const text =
      other === undefined
        ? `Another process uses the key of this node, as ${nodeId} at ${place}. ${advice}`
        : `Two processes use the key of ${other.nodeId}: at ${other.displayAddress} and at ${place}. ${advice}`;
    const line = { level: 'warn', kind: 'node keys that are used twice', host: remoteHost } as const;
    this.#given.lines.write(line, { key, address: place, other: other?.displayAddress }, text);
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

  #refusedBy({ remoteHost }: Session, dialled: string | undefined, text: string): void {
    const { book, lines, log } = this.#given;
    const address = dialled ?? remoteHost;
    if (dialled !== undefined && text === NO_FREE_SLOT) book.noteFull(dialled);
    const reason = text.slice(0, MAX_REASON_CHARS);
    const line = { kind: 'refusals of this node', host: remoteHost } as const;
    const message = `Peer at ${address} refused us: ${reason}`;
    if (BENIGN_REASONS.has(text)) log.debug({ address, reason }, message);
    else lines.write({ ...line, level: text === KEY_IN_USE ? 'warn' : 'info' }, { address, reason }, message);
  }
}
