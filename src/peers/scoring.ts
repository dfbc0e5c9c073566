import type { Clock } from '../common/clock.js';
import type { RuleCode } from '../consensus/rule-error.js';
import { isLoopback } from './address.js';
import type { WireError } from './messages.js';
import type { BanRow, PeerStore } from './peer.store.js';

export const BAN_SCORE = 100;
/** A score halves in this time: an odd slip is forgiven, a habit is not. */
const HALF_LIFE_MS = 10 * 60 * 1000;
const MAX_TRACKED = 10_000;

/** Whom ("node:<node id>" or "host:<address>"), until when, and for which rule. */
export type Ban = BanRow;

export type PenaltyCode = RuleCode | WireError['code'];

/**
 * What a broken rule costs the peer that sent it. 100 is a ban at once: no honest node relays what breaks a consensus
 * rule. Zero where an honest peer may well be right: its clock may be good and ours bad (time-too-new), and checkpoints
 * are our own setting; what stands on a block that breaks one is only bad-prevblk. Whoever is on a chain that breaks
 * another rule is known by its headers, and pays for the block where it begins.
 */
export const PENALTIES: Readonly<Record<PenaltyCode, number>> = {
  'high-hash': 100,
  'bad-diffbits': 100,
  'time-too-old': 100,
  'time-too-new': 0,
  'bad-prevblk': 0,
  'checkpoint-mismatch': 0,
  'bad-header-encoding': 100,
  'bad-blk-encoding': 100,
  'bad-blk-count': 100,
  'bad-blk-length': 100,
  'bad-txnmrklroot': 100,
  'bad-txns-duplicate': 100,
  'bad-cb-missing': 100,
  'bad-cb-multiple': 100,
  'bad-cb-height': 100,
  'bad-cb-miner': 100,
  'bad-txn-encoding': 100,
  'bad-txn-kind': 100,
  'bad-txn-timestamp': 100,
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
  // At most once a second, so that it takes a flood of many seconds.
  'too-many-messages': 5,
  // The tip that a peer says it has is not in its own headers: once may be a slip, five times within minutes is none.
  'unproven-work': 25,
  // A hundred thousand headers, for nothing: twice is a flood.
  'low-work-headers': 60,
};

/** Decaying misbehaviour scores, and bans with an expiry that outlive a restart. */
export class Scoring {
  /** By subject; the one that misbehaved longest ago stands first. */
  readonly #scores = new Map<string, { readonly score: number; readonly atMs: number }>();
  /** Until when; the ban that was given first stands first. */
  readonly #bans = new Map<string, Ban>();

  constructor(
    private readonly store: PeerStore,
    private readonly clock: Clock,
    private readonly banSeconds: number,
  ) {
    store.deleteExpiredBans(clock.nowMs());
    for (const ban of store.loadBans(clock.nowMs())) this.#bans.set(ban.subject, ban);
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
    const ban = { subject, untilMs, code };
    this.#bans.set(subject, ban);
    this.store.deleteExpiredBans(nowMs);
    this.store.saveBan(ban);
    return true;
  }

  /** 0..99, rounded. */
  score(nodeId: string | undefined, remoteHost: string): number {
    const subject = subjectOf(nodeId, remoteHost);
    return subject === undefined ? 0 : Math.round(this.#scoreOf(subject));
  }

  isBanned(nodeId: string | undefined, remoteHost: string): boolean {
    const subject = subjectOf(nodeId, remoteHost);
    return subject !== undefined && (this.#bans.get(subject)?.untilMs ?? 0) > this.clock.nowMs();
  }

  get bannedCount(): number {
    return this.bans.length;
  }

  /** Those in force, in the order in which they were given. */
  get bans(): readonly Ban[] {
    const now = this.clock.nowMs();
    return [...this.#bans.values()].filter(({ untilMs }) => untilMs > now);
  }

  /**
   * Lifts bans, and forgets the scores.
   * @param name a subject as `bans` has it, or the node id or host in it.
   * @returns the bans that were lifted.
   */
  pardon(name: string): readonly Ban[] {
    const subjects = [name, `node:${name}`, `host:${name}`];
    const lifted = this.bans.filter(({ subject }) => subjects.includes(subject));
    for (const { subject } of lifted) {
      this.#bans.delete(subject);
      this.store.deleteBan(subject);
    }
    for (const subject of subjects) this.#scores.delete(subject);
    return lifted;
  }

  #scoreOf(subject: string): number {
    const entry = this.#scores.get(subject);
    if (entry === undefined) return 0;
    // Never before: a clock that is set back must not make scores grow.
    const ageMs = Math.max(0, this.clock.nowMs() - entry.atMs);
    return entry.score * 0.5 ** (ageMs / HALF_LIFE_MS);
  }
}

/**
 * Whom a penalty is put down to: the host that the peer comes from. A node id is only what a peer says of itself: were
 * it banned for what comes under its name, anybody could have an honest node banned everywhere. On this machine it has
 * to do, for there all nodes of a local cluster share the host (Bitcoin Core spares local addresses too).
 */
export function subjectOf(nodeId: string | undefined, remoteHost: string): string | undefined {
  if (!isLoopback(remoteHost)) return `host:${remoteHost}`;
  return nodeId === undefined ? undefined : `node:${nodeId}`;
}

/** Whoever can come from many addresses must not fill the memory with them. */
function makeRoom(entries: Map<string, unknown>): void {
  if (entries.size >= MAX_TRACKED) entries.delete(entries.keys().next().value!);
}
