import type { Clock } from '../common/clock.js';
import type { RuleCode } from '../consensus/rule-error.js';
import { isLoopback } from '../config/address.js';
import type { WireError } from './messages.js';
import type { KeyId } from './node-key.js';
import type { BanRow, PeerStore } from './peer.store.js';

export const BAN_SCORE = 100;
/** A score halves in this time: an occasional slip is forgiven, a habit is not. */
const HALF_LIFE_MS = 10 * 60 * 1000;
const MAX_TRACKED = 10_000;

/** Who is banned ("node:<key>" or "host:<address>"), until when by the wall clock as it is now, and for which rule. */
export type Ban = BanRow;

export type PenaltyCode = RuleCode | WireError['code'];

/**
 * The penalty for each broken rule. 100 is an immediate ban: no honest node relays what breaks a consensus rule. Zero
 * where an honest peer may be right: our clock may be wrong instead of its (time-too-new), and checkpoints are our own
 * setting (a block on top of one that breaks a checkpoint is bad-prevblk). A peer on a chain that breaks another rule
 * shows it by its headers, and pays for the first bad block.
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
  'bad-sig-key': 100,
  'bad-sig-encoding': 100,
  'bad-sig': 100,
  'txn-already-in-chain': 100,
  'malformed-message': 100,
  'oversized-message': 100,
  'wrong-proof': 100,
  'unexpected-message': 20,
  'unrequested-data': 20,
  // At most once a second, so only a flood of many seconds leads to a ban.
  'too-many-messages': 5,
  // The tip that the peer claims is not in its own headers: once may be a slip, five times within minutes is not.
  'unproven-work': 25,
  // It shows a better branch and holds its blocks back. A link that stands still can look the same, four times in ten
  // minutes does not.
  stalling: 25,
  // A hundred thousand useless headers: twice is a flood.
  'low-work-headers': 60,
};

/**
 * Decaying misbehaviour scores, and bans with an expiry that outlive a restart. In memory they go by monotonic time, so a
 * wall clock that jumps neither ends nor prolongs a ban. On disk the end is wall time: a ban that would last longer than
 * `banSeconds` from a start on was noted by a clock that has been set back since, and is cut to that.
 */
export class Scoring {
  /** By subject; the least recent misbehaviour first. */
  readonly #scores = new Map<string, { readonly score: number; readonly atMs: number }>();
  /** By subject; the oldest ban first. */
  readonly #bans = new Map<string, { readonly code: string; readonly endsAtMs: number }>();

  constructor(
    private readonly store: PeerStore,
    private readonly clock: Clock,
    private readonly banSeconds: number,
  ) {
    const [wallMs, nowMs] = [clock.nowMs(), clock.monotonicMs()];
    store.deleteExpiredBans(wallMs);
    for (const { subject, untilMs, code } of store.loadBans(wallMs)) {
      const latestMs = wallMs + banSeconds * 1000;
      if (untilMs > latestMs) store.saveBan({ subject, untilMs: latestMs, code });
      this.#bans.set(subject, { code, endsAtMs: nowMs + Math.min(untilMs, latestMs) - wallMs });
    }
  }

  /** Adds the penalty for `code`; true when the peer is banned by it. */
  penalise(key: KeyId | undefined, remoteHost: string, code: PenaltyCode): boolean {
    const subject = subjectOf(key, remoteHost);
    if (subject === undefined || PENALTIES[code] === 0) return false;
    const nowMs = this.clock.monotonicMs();
    const score = this.#scoreOf(subject) + PENALTIES[code];
    this.#scores.delete(subject);
    if (score < BAN_SCORE) {
      removeFirstIfFull(this.#scores);
      this.#scores.set(subject, { score, atMs: nowMs });
      return false;
    }
    this.#bans.delete(subject);
    for (const [other, { endsAtMs }] of this.#bans) if (endsAtMs <= nowMs) this.#forgetBan(other);
    const evicted = removeFirstIfFull(this.#bans);
    if (evicted !== undefined) this.store.deleteBan(evicted);
    const lastsMs = this.banSeconds * 1000;
    this.#bans.set(subject, { code, endsAtMs: nowMs + lastsMs });
    this.store.saveBan({ subject, untilMs: this.clock.nowMs() + lastsMs, code });
    return true;
  }

  /** 0..99, rounded. */
  score(key: KeyId | undefined, remoteHost: string): number {
    const subject = subjectOf(key, remoteHost);
    return subject === undefined ? 0 : Math.round(this.#scoreOf(subject));
  }

  isBanned(key: KeyId | undefined, remoteHost: string): boolean {
    const subject = subjectOf(key, remoteHost);
    return subject !== undefined && (this.#bans.get(subject)?.endsAtMs ?? -Infinity) > this.clock.monotonicMs();
  }

  /** Bans in force, the oldest first. */
  get bans(): readonly Ban[] {
    const [wallMs, nowMs] = [this.clock.nowMs(), this.clock.monotonicMs()];
    return [...this.#bans]
      .filter(([, { endsAtMs }]) => endsAtMs > nowMs)
      .map(([subject, { code, endsAtMs }]) => ({ subject, untilMs: Math.round(wallMs + endsAtMs - nowMs), code }));
  }

  /**
   * Lifts bans, and forgets the scores.
   * @param names subjects from `bans`, or the keys or hosts in them.
   * @returns the lifted bans.
   */
  pardon(...names: readonly string[]): readonly Ban[] {
    const subjects = names.flatMap((name) => [name, `node:${name}`, `host:${name}`]);
    const lifted = this.bans.filter(({ subject }) => subjects.includes(subject));
    for (const { subject } of lifted) this.#forgetBan(subject);
    for (const subject of subjects) this.#scores.delete(subject);
    return lifted;
  }

  #scoreOf(subject: string): number {
    const entry = this.#scores.get(subject);
    if (entry === undefined) return 0;
    return entry.score * 0.5 ** ((this.clock.monotonicMs() - entry.atMs) / HALF_LIFE_MS);
  }

  #forgetBan(subject: string): void {
    this.#bans.delete(subject);
    this.store.deleteBan(subject);
  }
}

/**
 * Who pays for a penalty: the host that the peer comes from, since anybody can make a new key at no cost. On this machine
 * the key must do, because all nodes of a local cluster share the host (Bitcoin Core spares local addresses too).
 * @param key undefined until the peer has proved it.
 */
export function subjectOf(key: KeyId | undefined, remoteHost: string): string | undefined {
  if (!isLoopback(remoteHost)) return `host:${remoteHost}`;
  return key === undefined ? undefined : `node:${key}`;
}

/** An attacker with many addresses must not fill the memory. @returns the key that was removed. */
function removeFirstIfFull(entries: Map<string, unknown>): string | undefined {
  if (entries.size < MAX_TRACKED) return undefined;
  const first = entries.keys().next().value!;
  entries.delete(first);
  return first;
}
