import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import type { Status } from '../../ops/status-schemas.js';
import { getSnapshot, sequenceOf } from './rest.js';
import type { Forks, NodeEvent, Snapshot } from './wire.js';

const EVENT_TYPES = ['block', 'tip', 'entry', 'peer', 'mining', 'sync', 'lab'] as const;

/** A node that does not answer is asked again after so long. */
const RETRY_MS = 1_500;
/** Heights of one GET /forks. */
export const TREE_HEIGHTS = 10_000;
const MEMPOOL_PAGE = 100;

export interface FeedListener {
  /** All of the node's state at one moment. What events said before it is void. */
  snapshot(snapshot: Snapshot): void;
  event(event: NodeEvent): void;
  /** The stream goes on where it broke off. */
  found(): void;
  /** The node does not answer. It is asked again and again. */
  lost(): void;
}

/**
 * Follows one node: opens its event stream first, then fetches what there is, and drops the events that the snapshot
 * holds already. After a break the stream resumes where it ended; where that is not possible, all is fetched anew.
 */
export class NodeFeed {
  readonly #url: string;
  readonly #listener: FeedListener;
  #source: EventSource | undefined;
  /** Events that came before the snapshot did; undefined once it is there. */
  #early: { readonly sequence: number; readonly event: NodeEvent }[] | undefined = [];
  #round = 0;

  constructor(url: string, listener: FeedListener) {
    this.#url = url;
    this.#listener = listener;
  }

  open(): void {
    const source = new EventSource(`${this.#url}/events`);
    this.#source = source;
    source.addEventListener('open', () => {
      if (this.#early === undefined) this.#listener.found();
      else void this.#fetch();
    });
    source.addEventListener('error', () => this.#onError(source));
    source.addEventListener('reset', () => void this.#fetch());
    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (message) => this.#onMessage(message));
    }
  }

  close(): void {
    this.#round++;
    this.#source?.close();
  }

  #onMessage(message: MessageEvent<string>): void {
    const event = JSON.parse(message.data) as NodeEvent;
    if (this.#early !== undefined) this.#early.push({ sequence: sequenceOf(message.lastEventId), event });
    else this.#listener.event(event);
  }

  #onError(source: EventSource): void {
    this.#listener.lost();
    // Otherwise the browser connects again itself, and asks for what was missed.
    if (source.readyState !== EventSource.CLOSED) return;
    this.#restart();
  }

  #restart(): void {
    this.#source?.close();
    this.#early = [];
    const round = ++this.#round;
    setTimeout(() => {
      if (round === this.#round) this.open();
    }, RETRY_MS);
  }

  async #fetch(): Promise<void> {
    const round = ++this.#round;
    this.#early ??= [];
    try {
      const { snapshot, sequence } = await fetchSnapshot(this.#url);
      if (round !== this.#round) return;
      const early = this.#early;
      this.#early = undefined;
      this.#listener.snapshot(snapshot);
      for (const { sequence: at, event } of early) if (at > sequence) this.#listener.event(event);
    } catch {
      if (round === this.#round) {
        this.#listener.lost();
        this.#restart();
      }
    }
  }
}

/** The snapshot, and the number of the last event that is in all of its parts. */
async function fetchSnapshot(url: string): Promise<{ snapshot: Snapshot; sequence: number }> {
  const status = await getSnapshot<Status>(`${url}/status`);
  const from = Math.max(0, status.body.height - TREE_HEIGHTS + 1);
  const [peers, mempool, forks] = await Promise.all([
    getSnapshot<Peers>(`${url}/peers`),
    getSnapshot<MempoolPage>(`${url}/mempool?limit=${MEMPOOL_PAGE}`),
    getSnapshot<Forks>(`${url}/forks?from=${from}`),
  ]);
  const sequence = Math.min(...[status, peers, mempool, forks].map((answer) => answer.sequence));
  return {
    snapshot: { status: status.body, peers: peers.body.peers, mempool: mempool.body, forks: forks.body },
    sequence,
  };
}
