import type { Clock } from '../common/clock.js';
import { TokenBucket, type Rate } from '../common/token-bucket.js';
import type { Body, MessageKind } from './messages.js';

/** What is limited of the messages of one peer. Answers to our own requests are not: we decide how many there are. */
export type LimitedKind =
  | Exclude<MessageKind, 'hello' | 'proof'>
  | 'transactionItems'
  | 'addressItems'
  | 'headerItems'
  | 'repeatItems';

/**
 * Each limit lies well above what an honest node sends under load, after a stall and after a reorganisation, because
 * messages above it are lost. Bursts hold what a link that was stuck for many seconds delivers at once.
 */
export const RATE_LIMITS: Readonly<Record<LimitedKind, Rate>> = {
  // A heartbeat each second at the most, and a probe a second while somebody else uses our node id.
  ping: { perSecond: 10, burst: 100 },
  // Asked once in a session; sessions may come and go.
  getPeers: { perSecond: 1, burst: 30 },
  getMempool: { perSecond: 1, burst: 30 },
  getChainLength: { perSecond: 10, burst: 100 },
  // One for each 2,000 headers; while blocks come fast and announcements are lost, one for each block.
  getHeaders: { perSecond: 200, burst: 2_000 },
  // What answers to GetHeaders hold: ten full ones a second, which is faster than bodies can follow.
  headerItems: { perSecond: 20_000, burst: 400_000 },
  // 128 small blocks each, two at a time: the fastest sync there is stays below 200 a second.
  getBlocks: { perSecond: 500, burst: 5_000 },
  // Pages of 2 MiB or 2,000 entries, one after the other: 50,000 entries of full size are 400.
  getTransactions: { perSecond: 200, burst: 2_000 },
  // At the lowest difficulties a node commits hundreds of blocks a second, and announces each.
  newBlock: { perSecond: 1_000, burst: 20_000 },
  // A block goes to each peer once, and again only where an announcement got no answer.
  repeatItems: { perSecond: 2, burst: 100 },
  // A batch every 20 ms, more of them for big entries and when a reorganisation gives back a whole mempool.
  newTransactions: { perSecond: 500, burst: 10_000 },
  // A node that is posted 4,000 entries a second relays them, and relays those of its neighbours too.
  transactionItems: { perSecond: 20_000, burst: 400_000 },
  // One for each newcomer that the peer meets.
  peers: { perSecond: 5, burst: 300 },
  // 60 a minute, as much as a network that grows quickly; what is over is passed over without blame, for a node that
  // somebody makes tell of many newcomers is not at fault.
  addressItems: { perSecond: 1, burst: 200 },
  goodbye: { perSecond: 1, burst: 10 },
  // Newer nodes send new bodies only to peers that understand them, so hardly any should come.
  unknown: { perSecond: 20, burst: 1_000 },
  // Answers that come too late, one for each request of ours that timed out.
  pong: { perSecond: 10, burst: 100 },
  chainLength: { perSecond: 10, burst: 100 },
  headers: { perSecond: 10, burst: 500 },
  blocks: { perSecond: 10, burst: 1_000 },
  transactions: { perSecond: 10, burst: 500 },
  mempool: { perSecond: 10, burst: 100 },
  verdict: { perSecond: 1_000, burst: 20_000 },
  unsupported: { perSecond: 10, burst: 100 },
};

/** Of a repeated block, that count as one. */
const REPEAT_BYTES = 64 * 1024;

/** A peer is blamed for exceeding its limits once in this time, however much it sends. */
const BLAME_EVERY_MS = 1_000;

/** 'drop': ignore the message. 'blame': ignore it, with a small penalty. 'flood': no honest node sends so much. */
export type RateDecision = 'pass' | 'drop' | 'blame' | 'flood';

/** What one peer has sent lately, measured against RATE_LIMITS. */
export class PeerLimits {
  readonly #buckets = new Map<LimitedKind, TokenBucket>();
  #blamedAtMs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Counts a message that is no awaited answer, and judges it. Undefined: a body that this version does not know. */
  judge(body: Body | undefined): RateDecision {
    if (body === undefined) return this.#judge('unknown', 1) ?? 'pass';
    if (body.$case === 'hello' || body.$case === 'proof') return 'pass';
    return this.#judge(body.$case, 1) ?? this.#judgeItems(body) ?? 'pass';
  }

  /** Counts a block that the peer has announced before, and judges that. */
  judgeRepeat(bytes: number): RateDecision {
    return this.#judge('repeatItems', Math.ceil(bytes / REPEAT_BYTES)) ?? 'pass';
  }

  /** Counts the headers in our answer to a GetHeaders. */
  servedHeaders(count: number): void {
    this.#bucket('headerItems').take(count, this.clock.monotonicMs());
  }

  /** Counts addresses; returns how many of them may be used. */
  takeAddresses(count: number): number {
    return this.#bucket('addressItems').take(count, this.clock.monotonicMs());
  }

  #judgeItems(body: Body): RateDecision | undefined {
    if (body.$case === 'newTransactions') return this.#judge('transactionItems', body.value.transactions.length);
    // One header in advance: with an empty bucket nothing is served.
    return body.$case === 'getHeaders' ? this.#judge('headerItems', 1) : undefined;
  }

  /** Undefined: within the limit. */
  #judge(kind: LimitedKind, cost: number): RateDecision | undefined {
    const nowMs = this.clock.monotonicMs();
    const bucket = this.#bucket(kind);
    if (bucket.takeWhole(cost, nowMs)) return undefined;
    if (bucket.isFlooded) return 'flood';
    if (nowMs - this.#blamedAtMs < BLAME_EVERY_MS) return 'drop';
    this.#blamedAtMs = nowMs;
    return 'blame';
  }

  #bucket(kind: LimitedKind): TokenBucket {
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = new TokenBucket(RATE_LIMITS[kind], this.clock.monotonicMs());
      this.#buckets.set(kind, bucket);
    }
    return bucket;
  }
}

/** Peers that left and are remembered: more than come back within the time that their buckets take to fill. */
const MAX_LEFT = 1_000;

/** The limits of all peers. A peer that hangs up and dials again from the same place keeps its counts. */
export class RateLimits {
  /** The one that left longest ago stands first. */
  readonly #left: { readonly subject: string; readonly limits: PeerLimits }[] = [];

  constructor(private readonly clock: Clock) {}

  /** @param subject who pays for what the peer sends, as in Scoring. */
  enter(subject: string): PeerLimits {
    const index = this.#left.findLastIndex((entry) => entry.subject === subject);
    const [found] = index < 0 ? [] : this.#left.splice(index, 1);
    return found?.limits ?? new PeerLimits(this.clock);
  }

  leave(subject: string, limits: PeerLimits): void {
    if (this.#left.length >= MAX_LEFT) this.#left.shift();
    this.#left.push({ subject, limits });
  }
}
