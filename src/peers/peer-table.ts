import { isKeyId, type KeyId } from './node-key.js';
import type { Peer } from './peer.js';

/** The peers that we have an open session with, in the order of their arrival: one for each key. */
export class PeerTable {
  readonly #peers = new Map<KeyId, Peer>();

  get size(): number {
    return this.#peers.size;
  }

  /** In a list of its own, so that sessions may end while it is read. */
  get all(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  get(key: KeyId): Peer | undefined {
    return this.#peers.get(key);
  }

  has(key: KeyId): boolean {
    return this.#peers.has(key);
  }

  /** Those with this key or, if it is no key, with this node id. */
  named(name: string): readonly Peer[] {
    return isKeyId(name) ? [this.#peers.get(name) ?? []].flat() : this.all.filter(({ nodeId }) => nodeId === name);
  }

  add(peer: Peer): void {
    this.#peers.set(peer.key, peer);
  }

  remove(peer: Peer): void {
    if (this.#peers.get(peer.key) === peer) this.#peers.delete(peer.key);
  }
}
