import { isKeyId, type KeyId } from './node-key.js';

/** Who wants no link with a node. Each lifts its own refusals only. */
export type Refuser = 'operator' | 'lab';

/** A node that this node keeps no session with. */
export interface RefusedLink {
  /** As it was refused: a node id or a key. */
  readonly name: string;
  /** The keys that the name stood for when it was refused. */
  readonly keys: ReadonlySet<KeyId>;
  /** Where it was last seen; undefined if it has not been seen. */
  readonly address: string | undefined;
  /** Never empty. */
  readonly by: ReadonlySet<Refuser>;
}

/**
 * The nodes with which this node refuses any session, whichever side dials. A refusal by node id also holds for the keys
 * that had this id, so that a refused node does not come back under another id. Kept in memory only.
 */
export class LinkRefusals {
  readonly #links = new Map<string, RefusedLink>();

  get all(): readonly RefusedLink[] {
    return [...this.#links.values()];
  }

  /** @param key undefined where only the node id is known. */
  has(nodeId: string | undefined, key: KeyId | undefined): boolean {
    return this.all.some(
      ({ name, keys }) => (name === nodeId && !isKeyId(name)) || (key !== undefined && (name === key || keys.has(key))),
    );
  }

  /**
   * @param keys of the node, as far as they are known.
   * @param address where the node is at present, if known.
   */
  refuse(name: string, keys: Iterable<KeyId>, address: string | undefined, by: Refuser): void {
    const before = this.#links.get(name);
    this.#links.set(name, {
      name,
      keys: new Set([...(before?.keys ?? []), ...keys]),
      address: address ?? before?.address,
      by: new Set([...(before?.by ?? []), by]),
    });
  }

  /**
   * The node stays refused if another one wants that.
   * @param name a node id or a key, whichever it was refused under.
   */
  allow(name: string, by: Refuser): void {
    for (const link of this.all) {
      if (link.name !== name && !link.keys.has(name)) continue;
      const others = [...link.by].filter((other) => other !== by);
      if (others.length === 0) this.#links.delete(link.name);
      else this.#links.set(link.name, { ...link, by: new Set(others) });
    }
  }
}
