import type { Logger } from '../common/logger.js';
import { isDialableFrom } from './address.js';
import type { BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import type { PeerBook } from './peer-book.js';
import { LIMITS, checkCount } from './wire.js';

const ANSWER_MS = 5_000;

/** How nodes hear of each other: every new peer is asked whom it knows, and is made known to the others. */
export class Discovery {
  constructor(
    private readonly book: PeerBook,
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

  /** @throws WireError `oversized-message`. */
  receive(peer: Peer, message: BodyOf<'peers'>): void {
    checkCount(message.peers.length, LIMITS.addresses, 'addresses');
    for (const { address } of message.peers) {
      if (!isDialableFrom(address, peer.session.remoteHost) || !this.book.learn(address)) continue;
      this.log.debug({ address, peer: peer.nodeId }, 'address learnt');
    }
  }

  /** Where our peers say that they are found, then addresses that answered us, the most recently seen first. */
  serve(): BodyOf<'peers'> {
    const present = [...this.peers()].flatMap(({ identity }) => identity.address ?? []);
    const reached = this.book.known.filter((entry) => entry.lastSeenMs !== undefined);
    reached.sort((a, b) => b.lastSeenMs! - a.lastSeenMs!);
    const addresses = new Set([...present, ...reached.map(({ address }) => address)]);
    return { peers: [...addresses].slice(0, LIMITS.addresses).map((address) => ({ address })) };
  }
}
