import { between, type Random } from '../common/random.js';
import type { Peer } from './peer.js';

/** How much later than by itself each message of a link arrives, in both directions. */
export interface LinkDelay {
  readonly delayMs: number;
  /** Up to so much more, another amount for each message; they keep their order. */
  readonly jitterMs: number;
}

/** Links that are slow on purpose, by node id. Kept in memory only. */
export class LinkDelays {
  readonly #delays = new Map<string, LinkDelay>();

  constructor(private readonly random: Random) {}

  /** @param delay undefined = none any more. @param peers those with this node id. */
  set(nodeId: string, delay: LinkDelay | undefined, peers: readonly Peer[]): void {
    if (delay === undefined) this.#delays.delete(nodeId);
    else this.#delays.set(nodeId, delay);
    for (const peer of peers) this.apply(peer);
  }

  /** Makes the session of this peer as slow as its link is to be. */
  apply({ nodeId, session }: Peer): void {
    session.delayMs = () => {
      const delay = this.#delays.get(nodeId);
      return delay === undefined ? 0 : between(this.random, delay.delayMs, delay.delayMs + delay.jitterMs);
    };
  }
}
