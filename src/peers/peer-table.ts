import type { Direction, Peer } from './peer.js';
import { directionCap, planEviction } from './slots.js';

/** The peers that we have an open session with, in the order of their arrival, and the slots that they take. */
export class PeerTable {
  readonly #peers = new Map<string, Peer>();

  constructor(private readonly maxPeers: number) {}

  get size(): number {
    return this.#peers.size;
  }

  /** In a list of its own, so that sessions may end while it is read. */
  get all(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  get(nodeId: string): Peer | undefined {
    return this.#peers.get(nodeId);
  }

  has(nodeId: string): boolean {
    return this.#peers.has(nodeId);
  }

  add(peer: Peer): void {
    this.#peers.set(peer.nodeId, peer);
  }

  remove(peer: Peer): void {
    if (this.#peers.get(peer.nodeId) === peer) this.#peers.delete(peer.nodeId);
  }

  freeSlots(direction: Direction): number {
    const taken = this.all.filter((peer) => peer.direction === direction).length;
    return Math.min(this.maxPeers - this.size, directionCap(this.maxPeers) - taken);
  }

  /** The inbound peer that should give up its slot to a newcomer; undefined if none is clearly worse than a stranger. */
  planEviction(nowMs: number): Peer | undefined {
    return planEviction(this.all, nowMs);
  }
}
