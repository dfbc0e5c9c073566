import { BoundedMap } from '../common/bounded-map.js';

/** A bounded set that drops its oldest entry when it is full. Remembers what a peer already has. */
export class SeenCache {
  readonly #entries: BoundedMap<string, true>;

  constructor(capacity: number) {
    this.#entries = new BoundedMap(capacity);
  }

  has(entry: string): boolean {
    return this.#entries.has(entry);
  }

  /** Adds the entry; false if it was there. */
  add(entry: string): boolean {
    if (this.#entries.has(entry)) return false;
    this.#entries.set(entry, true);
    return true;
  }

  delete(entry: string): void {
    this.#entries.delete(entry);
  }

  get size(): number {
    return this.#entries.size;
  }
}
