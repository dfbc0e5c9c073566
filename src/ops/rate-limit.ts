import type { FastifyInstance } from 'fastify';
import { BoundedMap } from '../common/bounded-map.js';
import type { Clock } from '../common/clock.js';
import { HttpProblem } from '../common/http-problem.js';
import { TokenBucket } from '../common/token-bucket.js';
import { clientOf } from '../config/client-address.js';
import { operationOf } from '../common/operation.js';

/** How many client addresses are remembered; the one that was quiet longest is forgotten to make room. */
const MAX_CLIENTS = 10_000;

/** A token bucket for each client: a burst of one second's worth, then `perSecond`. */
export class RateLimiter {
  readonly #buckets: BoundedMap<string, TokenBucket>;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
    maxClients = MAX_CLIENTS,
  ) {
    this.#buckets = new BoundedMap(maxClients);
  }

  /** Takes one token of the client. @returns 0, or in how many milliseconds there will be one. */
  take(client: string): number {
    const nowMs = this.clock.monotonicMs();
    const bucket = this.#bucketOf(client, nowMs);
    return bucket.takeWhole(1, nowMs) ? 0 : bucket.msUntil(1, nowMs);
  }

  #bucketOf(client: string, nowMs: number): TokenBucket {
    const rate = { perSecond: this.perSecond, burst: this.perSecond };
    const bucket = this.#buckets.get(client) ?? new TokenBucket(rate, nowMs);
    this.#buckets.set(client, bucket);
    return bucket;
  }
}

/**
 * Refuses (429) the requests of one client address above `perSecond`, so that a flood from it leaves room for others.
 * Exempt are /health, /metrics and this machine itself: its processes have other ways to starve a node, and benchmarks
 * run here. The limit comes before the check of the write token, so that guessing it is slow too.
 */
export function limitRate(instance: FastifyInstance, perSecond: number, clock: Clock): void {
  const limiter = new RateLimiter(perSecond, clock);
  instance.addHook('onRequest', (request, _reply, done) => {
    const client = clientOf(request.ip);
    if (client === undefined || operationOf(request)?.isRateLimited === false) return done();
    const waitMs = limiter.take(client);
    if (waitMs === 0) return done();
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    const detail = `this node serves ${perSecond} requests a second to one address; try again in ${retryAfterSeconds} s`;
    const headers = { 'Retry-After': String(retryAfterSeconds) };
    done(new HttpProblem(429, 'too-many-requests', detail, headers, { retryAfterSeconds }));
  });
}
