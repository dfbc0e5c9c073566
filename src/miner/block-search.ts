import type { Clock, Timer } from '../common/clock.js';
import { encodeHeader } from '../consensus/header.js';
import type { Entry } from '../consensus/transaction.js';
import type { BlockTemplate } from './block-template.js';
import { HashRateMeter } from './hash-rate.js';
import { encodeTarget, type Hasher } from './hasher.js';
import type { SearchEnd } from './miner.events.js';
import type { MinerMetrics } from './miner.metrics.js';

/** A template older than this is replaced when entries arrive that it has room for. */
const REFRESH_MS = 250;

/** Why a search is cancelled; see SearchEnd. */
export type CancelReason = Extract<SearchEnd, 'stale' | 'refreshed' | 'halted'>;

/** How a search ended, unless it failed. */
export type SearchOutcome =
  | { readonly kind: 'found'; readonly nonce: number }
  | { readonly kind: 'exhausted' | CancelReason };

/** What is known of the search that runs. */
interface Run {
  readonly template: BlockTemplate;
  readonly startedMs: number;
  cancelledAs?: CancelReason;
}

/** Searches for the nonce of one template at a time, measures how fast, and ends the search when told to. */
export class BlockSearch {
  readonly #rate = new HashRateMeter();
  #run: Run | undefined;
  #refresh: Timer | undefined;

  constructor(
    private readonly hasher: Hasher,
    private readonly clock: Clock,
    private readonly metrics: Pick<MinerMetrics, 'searches'>,
  ) {}

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Over the last 10 s of searching. */
  get hashesPerSecond(): number {
    this.#rate.sample(this.clock.monotonicMs(), this.hasher.hashesDone);
    return this.#rate.hashesPerSecond;
  }

  /**
   * Resolves when the search ends; the one before must have ended.
   * @throws (by rejecting) when the hasher cannot search.
   */
  async run(template: BlockTemplate): Promise<SearchOutcome> {
    const { header } = template;
    const run: Run = { template, startedMs: this.clock.monotonicMs() };
    this.#run = run;
    this.#rate.begin(run.startedMs, this.hasher.hashesDone);
    let result: SearchEnd = 'failed';
    try {
      const found = await this.hasher.search(encodeHeader(header), encodeTarget(header.bits));
      const outcome = found.kind === 'cancelled' ? { kind: run.cancelledAs ?? 'halted' } : found;
      result = outcome.kind;
      return outcome;
    } finally {
      this.metrics.searches.inc({ result });
      this.#rate.end(this.clock.monotonicMs(), this.hasher.hashesDone);
      this.#run = undefined;
      this.#refresh?.cancel();
      this.#refresh = undefined;
    }
  }

  /** Ends the search that runs, if any. The first reason given counts. */
  cancel(reason: CancelReason): void {
    if (this.#run === undefined || this.#run.cancelledAs !== undefined) return;
    this.#run.cancelledAs = reason;
    this.hasher.cancel();
  }

  /** Entries have come in: if the template has room for one of them, the search ends as soon as it is REFRESH_MS old. */
  onAdded(transactions: readonly Entry[]): void {
    const run = this.#run;
    if (run === undefined || this.#refresh !== undefined) return;
    if (!transactions.some(({ bytes }) => bytes.length <= run.template.roomBytes)) return;
    const ageMs = this.clock.monotonicMs() - run.startedMs;
    this.#refresh = this.clock.after(Math.max(0, REFRESH_MS - ageMs), () => this.cancel('refreshed'));
  }
}
