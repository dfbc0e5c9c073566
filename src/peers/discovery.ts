import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { isDialableFrom } from './address.js';
import type { BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import type { PeerBook } from './peer-book.js';
import { LIMITS, checkCount } from './wire.js';

const ANSWER_MS = 5_000;
/** Addresses for a node that finds no slot here: some of them will have one. */
const MAX_ALTERNATIVES = 16;

/** How nodes learn of each other: every new peer is asked which nodes it knows, and is announced to the others. */
export class Discovery {
  constructor(
    private readonly book: PeerBook,
    private readonly random: Random,
    private readonly log: Logger,
    private readonly peers: () => Iterable<Peer>,
  ) {}

  async introduce(peer: Peer): Promise<void> {
    const { address } = peer.identity;
    if (address !== undefined) {
      for (const other of this.peers()) {
        if (other !== peer) other.session.notify({ $case: 'peers', value: { peers: [{ address }] } });
      }
    }
    this.receive(peer, await peer.session.request({ $case: 'getPeers', value: {} }, 'peers', ANSWER_MS));
  }

  /** Ignores addresses above the peer's limit. @throws WireError `oversized-message`. */
  receive(peer: Peer, message: BodyOf<'peers'>): void {
    checkCount(message.peers.length, LIMITS.addresses, 'addresses');
    const count = peer.limits.takeAddresses(message.peers.length);
    this.#learn(message.peers.slice(0, count), peer.session.remoteHost);
  }

  /** Addresses from a node that has no slot for us. @throws WireError `oversized-message`. */
  receiveAlternatives(message: BodyOf<'peers'>, remoteHost: string): void {
    checkCount(message.peers.length, MAX_ALTERNATIVES, 'addresses');
    this.#learn(message.peers, remoteHost);
  }

  /** For a node that we have no slot for: some of `serve`, from a random place, so that not all go to the same nodes. */
  alternatives(): BodyOf<'peers'> {
    const { peers } = this.serve();
    const start = Math.floor(this.random.next() * peers.length);
    return { peers: [...peers.slice(start), ...peers.slice(0, start)].slice(0, MAX_ALTERNATIVES) };
  }

  /** Addresses that our peers advertise, then those that answered us, the most recently seen first. */
  serve(): BodyOf<'peers'> {
    const present = [...this.peers()].flatMap(({ identity }) => identity.address ?? []);
    const reached = this.book.known.filter((entry) => entry.answeredAtMs !== undefined);
    reached.sort((a, b) => b.answeredAtMs! - a.answeredAtMs!);
    const addresses = new Set([...present, ...reached.map(({ address }) => address)]);
    return { peers: [...addresses].slice(0, LIMITS.addresses).map((address) => ({ address })) };
  }

  #learn(peers: BodyOf<'peers'>['peers'], senderHost: string): void {
    for (const { address } of peers) {
      if (!isDialableFrom(address, senderHost) || !this.book.learn(address, senderHost)) continue;
      this.log.debug({ address, from: senderHost }, `Learnt address ${address}`);
    }
  }
}
