import { isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../common/clock.js';
import { HttpProblem } from '../common/http-problem.js';
import { unmapAddress } from '../config/address.js';

/** Client addresses that are kept count of; beyond them, whoever was quiet longest is forgotten. */
const MAX_CLIENTS = 10_000;
/** Asked for by orchestrators and Prometheus: a flood must not make the node look dead. */
const EXEMPT_ROUTES = /^\/(health\/|metrics$)/;

/** A token bucket per client: a burst of one second's worth, then `perSecond`. */
export class RateLimiter {
  /** Least recently seen first. */
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
    private readonly maxClients = MAX_CLIENTS,
  ) {}

  get clients(): number {
    return this.#buckets.size;
  }

  /** Takes one token of the client. @returns 0, or in how many milliseconds there will be one. */
  take(client: string): number {
    const atMs = this.clock.nowMs();
    const bucket = this.#buckets.get(client) ?? { tokens: this.perSecond, atMs };
    // A clock that was set back gives nothing, and takes nothing.
    const gained = (Math.max(0, atMs - bucket.atMs) / 1000) * this.perSecond;
    const tokens = Math.min(this.perSecond, bucket.tokens + gained);
    this.#buckets.delete(client);
    if (this.#buckets.size >= this.maxClients) this.#buckets.delete(this.#buckets.keys().next().value!);
    this.#buckets.set(client, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.perSecond) * 1000);
  }
}

/**
 * Refuses (429) what one client address asks above `perSecond`, so that a flood from it leaves room for the others.
 * Not counted: this machine itself (its own processes have other ways to starve a node, and so do benchmarks),
 * /health and /metrics. Runs before the write token is looked at, so that guessing is slow too.
 */
export function limitRate(instance: FastifyInstance, perSecond: number, clock: Clock): void {
  const limiter = new RateLimiter(perSecond, clock);
  instance.addHook('onRequest', (request, _reply, done) => {
    const client = clientOf(request.ip);
    if (client === undefined || EXEMPT_ROUTES.test(request.routeOptions.url ?? '')) return done();
    const waitMs = limiter.take(client);
    if (waitMs === 0) return done();
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    const detail = `this node takes ${perSecond} requests a second from one address; try again in ${retryAfterSeconds} s`;
    const headers = { 'Retry-After': String(retryAfterSeconds) };
    done(new HttpProblem(429, 'too-many-requests', detail, headers, { retryAfterSeconds }));
  });
}

/** Whom a request is put down to; of IPv6 the /64, which one host has whole. Undefined for loopback. */
export function clientOf(address: string): string | undefined {
  const ipv4 = unmapAddress(address);
  if (ipv4.startsWith('127.') || address === '::1') return undefined;
  if (!isIPv6(ipv4)) return ipv4;
  const [head = '', tail] = ipv4.replace(/%.*$/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: gap }, () => '0'), ...back];
  return groups.slice(0, 4).join(':');
}
