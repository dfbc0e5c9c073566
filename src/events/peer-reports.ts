import { viewWork } from '../chain/block-view.js';
import type { Clock, Timer } from '../common/clock.js';
import type { PeersEventMap, PeersService } from '../peers/peers.service.js';
import type { ToldEvent } from './event-feed.js';
import type { PeerEvent } from './event-schemas.js';
import { Paced } from './paced.js';

/** Tips of peers, and the progress of a sync, are told four times a second. */
const PERIOD_MS = 250;
/** The peer chooses the words, and how many. */
const MAX_REASON_CHARS = 200;

type Tip = PeersEventMap['tip']['tip'];

/** Tells of sessions, of the tips of peers, and of syncs that last. */
export class PeerReports {
  readonly #peers: Pick<PeersService, 'events' | 'syncStatus'>;
  readonly #clock: Clock;
  readonly #tell: (event: ToldEvent) => void;
  readonly #subscriptions: (() => void)[];
  /** Tips that are still to be told, by node id. */
  readonly #tips = new Map<string, Tip>();
  readonly #tellTips: Paced;
  /** Runs while there is a sync. */
  #syncTimer: Timer | undefined;
  #isSyncTold = false;

  /** @param syncEnded called when a sync is over, before the event that says so. */
  constructor(
    peers: Pick<PeersService, 'events' | 'syncStatus'>,
    clock: Clock,
    tell: (event: ToldEvent) => void,
    syncEnded: () => void,
  ) {
    this.#peers = peers;
    this.#clock = clock;
    this.#tell = tell;
    this.#tellTips = new Paced(clock, PERIOD_MS, () => {
      for (const [id, tip] of this.#tips) this.#report('tip', id, { tip: viewTip(tip) });
      this.#tips.clear();
    });
    this.#subscriptions = [
      peers.events.on('connected', ({ nodeId, direction, address, tip }) => {
        this.#report('connected', nodeId, { direction, address, tip: viewTip(tip) });
      }),
      peers.events.on('disconnected', ({ nodeId, reason }) => {
        this.#tips.delete(nodeId);
        this.#report('disconnected', nodeId, { reason: reason.slice(0, MAX_REASON_CHARS) });
      }),
      peers.events.on('tip', ({ nodeId, tip }) => {
        this.#tips.set(nodeId, tip);
        this.#tellTips.request();
      }),
      peers.events.on('sync', (state) => {
        if (state !== 'idle') return this.#awaitSync();
        syncEnded();
        this.#syncTimer?.cancel();
        this.#syncTimer = undefined;
        if (this.#isSyncTold) this.#tellSync();
        this.#isSyncTold = false;
      }),
    ];
  }

  stop(): void {
    this.#syncTimer?.cancel();
    this.#tellTips.cancel();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** A sync of a few blocks, as with every tie, is over before it is told. */
  #awaitSync(): void {
    this.#syncTimer ??= this.#clock.after(PERIOD_MS, () => {
      this.#isSyncTold = true;
      this.#tellSync();
      this.#syncTimer = undefined;
      this.#awaitSync();
    });
  }

  #tellSync(): void {
    this.#tell({ type: 'sync', ...this.#peers.syncStatus() });
  }

  #report(state: PeerEvent['state'], id: string, facts: Partial<PeerEvent>): void {
    this.#tell({ type: 'peer', state, id, tip: null, direction: null, address: null, reason: null, ...facts });
  }
}

function viewTip({ length, hash, chainWork }: Tip): NonNullable<PeerEvent['tip']> {
  return { height: length - 1, hash, chainWork: viewWork(chainWork) };
}
