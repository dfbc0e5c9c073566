/** A bounded set that drops its oldest entry when it is full. Remembers what a peer already has. */
export class SeenCache {
  readonly #entries = new Set<string>();

  constructor(private readonly capacity: number) {}

  has(entry: string): boolean {
    return this.#entries.has(entry);
  }

  /** Adds the entry; false if it was there. */
  add(entry: string): boolean {
    if (this.#entries.has(entry)) return false;
    if (this.#entries.size >= this.capacity) this.#entries.delete(this.#entries.values().next().value!);
    this.#entries.add(entry);
    return true;
  }

  delete(entry: string): void {
    this.#entries.delete(entry);
  }

  get size(): number {
    return this.#entries.size;
  }
}
