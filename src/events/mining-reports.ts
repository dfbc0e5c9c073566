import type { Clock } from '../common/clock.js';
import type { MinerEventMap, SearchStarted } from '../miner/miner.events.js';
import type { MinerService } from '../miner/miner.service.js';
import type { ToldEvent } from './event-feed.js';
import type { MiningEvent } from './event-schemas.js';
import { Paced } from './paced.js';

/** At difficulty 0 a node begins thousands of searches a second. */
const SEARCHES_PERIOD_MS = 100;

/** Tells of searches for a nonce: of each that begins 100 ms after the last one told, and of those that last until then. */
export class MiningReports {
  readonly #tell: (event: ToldEvent) => void;
  readonly #starts: Paced;
  readonly #subscriptions: (() => void)[];
  /** The search that runs. */
  #search: SearchStarted | undefined;
  /** Was its start told? */
  #isTold = false;

  constructor(miner: Pick<MinerService, 'events'>, clock: Clock, tell: (event: ToldEvent) => void) {
    this.#tell = tell;
    this.#starts = new Paced(clock, SEARCHES_PERIOD_MS, () => {
      this.#isTold = true;
      this.#report('started');
    });
    this.#subscriptions = [
      miner.events.on('started', (search) => {
        this.#search = search;
        this.#starts.request();
      }),
      miner.events.on('found', ({ node: { height, hash } }) => this.#ended('found', { block: { height, hash } })),
      miner.events.on('cancelled', ({ end }: MinerEventMap['cancelled']) => this.#ended('cancelled', { end })),
    ];
  }

  stop(): void {
    this.#starts.cancel();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #ended(state: 'found' | 'cancelled', facts: Partial<Pick<MiningEvent, 'block' | 'end'>>): void {
    this.#starts.cancel();
    if (this.#isTold) this.#report(state, facts);
    this.#isTold = false;
    this.#search = undefined;
  }

  #report(state: MiningEvent['state'], facts: Partial<Pick<MiningEvent, 'block' | 'end'>> = {}): void {
    if (this.#search === undefined) return;
    const { parent, entries, reason } = this.#search;
    const { height, hash } = parent;
    this.#tell({ type: 'mining', state, parent: { height, hash }, entries, reason, block: null, end: null, ...facts });
  }
}
