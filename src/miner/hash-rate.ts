/** How much time of searching the rate covers. */
const WINDOW_MS = 10_000;
const BUCKET_MS = 1000;

interface Bucket {
  ms: number;
  hashes: number;
}

/**
 * Hashes per second over about the last 10 s of searching. Pauses between searches do not count, so that the rate of a
 * node that mines only now and then still shows how fast it is.
 */
export class HashRateMeter {
  /** Oldest first; each covers at least BUCKET_MS, except the last. */
  readonly #buckets: Bucket[] = [];
  #last: { readonly atMs: number; readonly hashes: number } | undefined;

  /** A search begins. `hashes` counts all hashes since the process began. */
  begin(atMs: number, hashes: number): void {
    this.#last = { atMs, hashes };
  }

  /** Notes the progress of the search that runs; does nothing when none runs. */
  sample(atMs: number, hashes: number): void {
    if (this.#last === undefined) return;
    this.#add(atMs - this.#last.atMs, hashes - this.#last.hashes);
    this.#last = { atMs, hashes };
  }

  /** The search is over. */
  end(atMs: number, hashes: number): void {
    this.sample(atMs, hashes);
    this.#last = undefined;
  }

  /** 0 before the first search. */
  get hashesPerSecond(): number {
    const { ms, hashes } = this.#total();
    return ms === 0 ? 0 : (hashes / ms) * 1000;
  }

  #add(ms: number, hashes: number): void {
    const newest = this.#buckets.at(-1);
    if (newest !== undefined && newest.ms < BUCKET_MS) {
      newest.ms += ms;
      newest.hashes += hashes;
    } else {
      this.#buckets.push({ ms, hashes });
    }
    while (this.#buckets.length > 1 && this.#total().ms - this.#buckets[0]!.ms >= WINDOW_MS) this.#buckets.shift();
  }

  #total(): Bucket {
    const total = { ms: 0, hashes: 0 };
    for (const { ms, hashes } of this.#buckets) {
      total.ms += ms;
      total.hashes += hashes;
    }
    return total;
  }
}
