import type { Clock } from '../common/clock.js';
import type { RuleCode } from '../consensus/rule-error.js';
import { isLoopback } from './address.js';
import type { WireError } from './messages.js';
import type { PeerStore } from './peer.store.js';

export const BAN_SCORE = 100;
/** A score halves in this time: an odd slip is forgiven, a habit is not. */
const HALF_LIFE_MS = 10 * 60 * 1000;
const MAX_TRACKED = 10_000;

export type PenaltyCode = RuleCode | WireError['code'];

/**
 * What a broken rule costs the peer that sent it. 100 is a ban at once: no honest node relays what breaks a consensus
 * rule. Zero where an honest peer may well be right: its clock may be good and ours bad (time-too-new), and checkpoints
 * are our own setting.
 */
export const PENALTIES: Readonly<Record<PenaltyCode, number>> = {
  'high-hash': 100,
  'bad-diffbits': 100,
  'time-too-old': 100,
  'time-too-new': 0,
  'bad-prevblk': 100,
  'checkpoint-mismatch': 0,
  'bad-header-encoding': 100,
  'bad-blk-encoding': 100,
  'bad-blk-length': 100,
  'bad-txnmrklroot': 100,
  'bad-txns-duplicate': 100,
  'bad-cb-missing': 100,
  'bad-cb-multiple': 100,
  'bad-cb-height': 100,
  'bad-cb-miner': 100,
  'bad-txn-encoding': 100,
  'bad-txn-kind': 100,
  'bad-txn-64-bytes': 100,
  'bad-txn-salt': 100,
  'bad-txn-data-empty': 100,
  'bad-txn-data-length': 100,
  'bad-txn-data-encoding': 100,
  'txn-already-in-chain': 100,
  'malformed-message': 100,
  'oversized-message': 100,
  'unexpected-message': 20,
  'unrequested-data': 20,
};

/** Decaying misbehaviour scores, and bans with an expiry that outlive a restart. */
export class Scoring {
  /** By subject; the one that misbehaved longest ago stands first. */
  readonly #scores = new Map<string, { readonly score: number; readonly atMs: number }>();
  /** Until when; the ban that was given first stands first. */
  readonly #bans = new Map<string, number>();

  constructor(
    private readonly store: PeerStore,
    private readonly clock: Clock,
    private readonly banSeconds: number,
  ) {
    store.deleteExpiredBans(clock.nowMs());
    for (const ban of store.loadBans(clock.nowMs())) this.#bans.set(ban.subject, ban.untilMs);
  }

  /** Adds the penalty for `code`; true when the peer is banned by it. */
  penalise(nodeId: string | undefined, remoteHost: string, code: PenaltyCode): boolean {
    const subject = subjectOf(nodeId, remoteHost);
    if (subject === undefined || PENALTIES[code] === 0) return false;
    const nowMs = this.clock.nowMs();
    const score = this.#scoreOf(subject) + PENALTIES[code];
    this.#scores.delete(subject);
    if (score < BAN_SCORE) {
      makeRoom(this.#scores);
      this.#scores.set(subject, { score, atMs: nowMs });
      return false;
    }
    const untilMs = nowMs + this.banSeconds * 1000;
    this.#bans.delete(subject);
    makeRoom(this.#bans);
    this.#bans.set(subject, untilMs);
    this.store.deleteExpiredBans(nowMs);
    this.store.saveBan({ subject, untilMs, code });
    return true;
  }

  /** 0..99, rounded. */
  score(nodeId: string | undefined, remoteHost: string): number {
    const subject = subjectOf(nodeId, remoteHost);
    return subject === undefined ? 0 : Math.round(this.#scoreOf(subject));
  }

  isBanned(nodeId: string | undefined, remoteHost: string): boolean {
    const subject = subjectOf(nodeId, remoteHost);
    return subject !== undefined && (this.#bans.get(subject) ?? 0) > this.clock.nowMs();
  }

  get bannedCount(): number {
    const now = this.clock.nowMs();
    return [...this.#bans.values()].filter((untilMs) => untilMs > now).length;
  }

  #scoreOf(subject: string): number {
    const entry = this.#scores.get(subject);
    return entry === undefined ? 0 : entry.score * 0.5 ** ((this.clock.nowMs() - entry.atMs) / HALF_LIFE_MS);
  }
}

/**
 * Whom a penalty is put down to: the host that the peer comes from. A node id is only what a peer says of itself: were
 * it banned for what comes under its name, anybody could have an honest node banned everywhere. On this machine it has
 * to do, for there all nodes of a local cluster share the host (Bitcoin Core spares local addresses too).
 */
function subjectOf(nodeId: string | undefined, remoteHost: string): string | undefined {
  if (!isLoopback(remoteHost)) return `host:${remoteHost}`;
  return nodeId === undefined ? undefined : `node:${nodeId}`;
}

/** Whoever can come from many addresses must not fill the memory with them. */
function makeRoom(entries: Map<string, unknown>): void {
  if (entries.size >= MAX_TRACKED) entries.delete(entries.keys().next().value!);
}
