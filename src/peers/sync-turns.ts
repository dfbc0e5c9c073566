import type { Peer } from './peer.js';

/** A peer whose tip led nowhere is left alone for this long, doubled each time. */
const FIRST_RETRY_MS = 4_000;
const MAX_RETRY_MS = 64_000;
/** How long a peer may take to show headers; doubled each time it took longer, up to the second. */
const FIRST_PATIENCE_MS = 5_000;
const MAX_PATIENCE_MS = 40_000;

interface TurnRecord {
  readonly triedAtMs: number;
  /** Runs in a row that led nowhere: such a peer has to wait, but is never given up. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/**
 * Whose turn it is to be synced with. Each peer gets one, so no peer can hold up the sync by claiming too much. All times
 * are monotonic.
 */
export class SyncTurns {
  #records = new WeakMap<Peer, TurnRecord>();

  isDue(peer: Peer, nowMs: number): boolean {
    return this.#retryAtMs(peer) <= nowMs;
  }

  /** Of the peers that are due, the one whose last turn is longest ago; between equals, the one with most work. */
  next(peers: readonly Peer[], nowMs: number): Peer | undefined {
    const due = peers.filter((peer) => this.isDue(peer, nowMs));
    due.sort((a, b) => this.#lastTurnMs(a) - this.#lastTurnMs(b) || Number(b.tip.chainWork - a.tip.chainWork));
    return due[0];
  }

  /** How long until the first of the peers is due, of which there must be at least one. */
  waitMs(peers: readonly Peer[], nowMs: number): number {
    return Math.min(...peers.map((peer) => this.#retryAtMs(peer))) - nowMs;
  }

  /** How long the peer may take to answer. A slow link needs more than a first try gives, but others must not wait for it. */
  patienceMs(peer: Peer, hasToShare: boolean): number {
    const failures = this.#records.get(peer)?.failures ?? 0;
    return hasToShare ? FIRST_PATIENCE_MS : Math.min(MAX_PATIENCE_MS, FIRST_PATIENCE_MS * 2 ** failures);
  }

  /** A run with the peer is over. */
  note(peer: Peer, isFruitful: boolean, nowMs: number): void {
    const failures = isFruitful ? 0 : (this.#records.get(peer)?.failures ?? 0) + 1;
    const waitMs = isFruitful ? 0 : Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    this.#records.set(peer, { triedAtMs: nowMs, failures, retryAtMs: nowMs + waitMs });
  }

  /** Makes all peers due. */
  forget(): void {
    this.#records = new WeakMap();
  }

  #retryAtMs(peer: Peer): number {
    return this.#records.get(peer)?.retryAtMs ?? -Infinity;
  }

  #lastTurnMs(peer: Peer): number {
    return this.#records.get(peer)?.triedAtMs ?? peer.connectedAtMs;
  }
}
