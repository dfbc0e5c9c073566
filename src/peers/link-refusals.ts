/** A node that this node keeps no session with. */
export interface RefusedLink {
  readonly nodeId: string;
  /** Where it was last seen; undefined if it has not been seen. */
  readonly address: string | undefined;
}

/** The nodes with which this node refuses any session, whichever side dials. Kept in memory only. */
export class LinkRefusals {
  readonly #addresses = new Map<string, string | undefined>();

  get all(): readonly RefusedLink[] {
    return [...this.#addresses].map(([nodeId, address]) => ({ nodeId, address }));
  }

  has(nodeId: string): boolean {
    return this.#addresses.has(nodeId);
  }

  /** @param address where the node is at present, if known. */
  refuse(nodeId: string, address: string | undefined): void {
    this.#addresses.set(nodeId, address ?? this.#addresses.get(nodeId));
  }

  allow(nodeId: string): void {
    this.#addresses.delete(nodeId);
  }
}
