import { setTimeout as sleep } from 'node:timers/promises';
import type { Forks } from '../../chain/fork-schemas.js';
import type { FeedEvent } from '../../events/event-schemas.js';
import type { Status } from '../../ops/status-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import type { Answer, NodeClient } from '../node-client.js';
import { downReason } from './down-reason.js';
import { followEvents } from './event-stream.js';

/** Heights below the tip that are asked for: GET /forks sums up those where nothing happened. */
const TREE_HEIGHTS = 1_000;
/** Latencies and hash rates change without an event. */
const FIGURES_EVERY_MS = 5_000;
/** Between two questions, however many events come. */
const FIGURES_PAUSE_MS = 1_000;
/** A node that takes longer stands still. */
const FIGURES_TIMEOUT_MS = 4_000;

export interface Figures {
  readonly status: Status;
  readonly peers: Peers;
}

export interface FeedListener {
  /** All that is known of the node at one moment; what was known before is void. */
  snapshot(figures: Figures, forks: Forks): void;
  event(event: FeedEvent, id: string): void;
  figures(figures: Figures): void;
  /** Blocks came without events, in a sync. */
  forks(forks: Forks): void;
  /** It does not answer. It is asked again and again. */
  lost(reason: string): void;
  /** It answers again, and nothing was missed. */
  found(): void;
}

/**
 * Follows one node: opens its event stream first, then fetches what there is, and applies the events that came meanwhile.
 * An event may say what the snapshot holds already.
 */
export class NodeFeed {
  /** Events that came before the snapshot did; undefined once it is there. */
  #early: { readonly event: FeedEvent; readonly id: string }[] | undefined = [];
  #round = 0;
  #figures: 'idle' | 'asked' | 'again' = 'idle';

  constructor(
    private readonly client: NodeClient,
    private readonly listener: FeedListener,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const stream = followEvents(
      this.client,
      {
        opened: () => {
          if (this.#early === undefined) this.listener.found();
          else void this.#fetch(signal);
        },
        event: (event, id) => this.#take(event, id, signal),
        lost: (reason) => this.listener.lost(reason),
      },
      signal,
    );
    await Promise.all([stream, this.#askNowAndThen(signal)]);
  }

  #take(event: FeedEvent, id: string, signal: AbortSignal): void {
    if (event.type === 'reset') {
      this.#early = [];
      void this.#fetch(signal);
      return;
    }
    if (this.#early !== undefined) {
      this.#early.push({ event, id });
      return;
    }
    this.#apply(event, id, signal);
  }

  #apply(event: FeedEvent, id: string, signal: AbortSignal): void {
    this.listener.event(event, id);
    if (event.type === 'tip' && event.afterSync) void this.#fetchForks(event.tip.height);
    if (event.type !== 'sync') void this.#ask(signal);
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const round = ++this.#round;
    try {
      const figures = await this.#getFigures();
      const { body: forks } = await this.#getForks(figures.status.height);
      if (round !== this.#round) return;
      const early = this.#early ?? [];
      this.#early = undefined;
      this.listener.snapshot(figures, forks);
      for (const { event, id } of early) this.#apply(event, id, signal);
    } catch (error) {
      if (round !== this.#round || signal.aborted) return;
      this.listener.lost(downReason(error));
      await sleep(FIGURES_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      if (round === this.#round && !signal.aborted) await this.#fetch(signal);
    }
  }

  async #fetchForks(height: number): Promise<void> {
    const answer = await this.#getForks(height).catch(() => undefined);
    if (answer !== undefined) this.listener.forks(answer.body);
  }

  async #askNowAndThen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(FIGURES_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (this.#early === undefined) await this.#ask(signal);
    }
  }

  /** One question at a time, and once more if something happened meanwhile. */
  async #ask(signal: AbortSignal): Promise<void> {
    if (this.#figures !== 'idle') {
      this.#figures = 'again';
      return;
    }
    do {
      this.#figures = 'asked';
      try {
        this.listener.figures(await this.#getFigures());
      } catch (error) {
        if (!signal.aborted) this.listener.lost(downReason(error));
      }
      await sleep(FIGURES_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    } while ((this.#figures as string) === 'again' && !signal.aborted);
    this.#figures = 'idle';
  }

  async #getFigures(): Promise<Figures> {
    const [status, peers] = await Promise.all([
      this.client.ask('GET /status', {}, { timeoutMs: FIGURES_TIMEOUT_MS }),
      this.client.ask('GET /peers', {}, { timeoutMs: FIGURES_TIMEOUT_MS }),
    ]);
    return { status: status.body, peers: peers.body };
  }

  #getForks(height: number): Promise<Answer<Forks>> {
    return this.client.ask('GET /forks', { query: { from: Math.max(0, height - TREE_HEIGHTS + 1) } });
  }
}
