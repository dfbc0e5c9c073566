import { afterEach, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { RateLimiter } from './rate-limit.js';

describe('RateLimiter', () => {
  it('lets a burst of one second through, then as many as time gives', async () => {
    const clock = new VirtualClock();
    const limiter = new RateLimiter(4, clock);
    const take = (): number => limiter.take('a');
    expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 0]);
    expect(take()).toBe(250);
    await clock.advance(250);
    expect([take(), take()]).toEqual([0, 250]);
    await clock.advance(60_000);
    expect([take(), take(), take(), take(), take()]).toEqual([0, 0, 0, 0, 250]);
  });

  it('has one client not pay for another', () => {
    const limiter = new RateLimiter(1, new VirtualClock());
    expect([limiter.take('a'), limiter.take('a'), limiter.take('b')]).toEqual([0, 1000, 0]);
  });

  it.each([-500_000, 500_000])('is not led astray by a wall clock that jumps by %i ms', async (jumpMs) => {
    const clock = new VirtualClock();
    const limiter = new RateLimiter(1, clock);
    expect(limiter.take('a')).toBe(0);
    clock.jumpWall(jumpMs);
    expect(limiter.take('a')).toBe(1000);
    await clock.advance(1000);
    expect(limiter.take('a')).toBe(0);
  });

  it('remembers a bounded number of clients, and those that press longest', () => {
    const limiter = new RateLimiter(1, new VirtualClock(), 100);
    for (let i = 0; i < 10_000; i++) {
      expect(limiter.take(`other ${i}`)).toBe(0);
      expect(limiter.take('flood') === 0).toBe(i === 0);
    }
    // With the flooder these make 100; one more client, and the first of them counts as new.
    expect([limiter.take('other 9901'), limiter.take('other 9900')]).toEqual([1000, 0]);
  });
});

describe('rate limit of a node', () => {
  let rest: RestApp;
  afterEach(() => rest.close());

  const ask = async (url: string, remoteAddress: string, method: 'GET' | 'POST' = 'GET') => {
    const payload = method === 'POST' ? { payload: '{}' } : {};
    const answer = await rest.node.app.inject({ method, url, remoteAddress, ...payload });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  };
  const statuses = async (count: number, url: string, address: string): Promise<Record<number, number>> => {
    const seen: Record<number, number> = {};
    for (let i = 0; i < count; i++) {
      const { status } = await ask(url, address);
      seen[status] = (seen[status] ?? 0) + 1;
    }
    return seen;
  };

  it('answers a flood with 429 and Retry-After, others as ever, and the flooder again later', async () => {
    const clock = new VirtualClock();
    rest = await startRestApp({ MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '5' }, { clock });
    expect(await statuses(8, '/status', '10.0.0.1')).toEqual({ 200: 5, 429: 3 });
    const refused = await ask('/blocks', '10.0.0.1', 'POST');
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(refused.body)).toMatchObject({
      status: 429,
      code: 'too-many-requests',
      title: 'Too Many Requests',
    });
    expect((await ask('/no/such/route', '10.0.0.1')).status).toBe(429);
    expect((await ask('/status', '10.0.0.2')).status).toBe(200);
    await clock.advance(1000);
    expect(await statuses(8, '/status', '10.0.0.1')).toEqual({ 200: 5, 429: 3 });
  });

  it('does not count health, metrics, and this machine itself', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '1' }, { clock: new VirtualClock() });
    expect(await statuses(5, '/health/live', '10.0.0.1')).toEqual({ 200: 5 });
    expect(await statuses(5, '/metrics', '10.0.0.1')).toEqual({ 200: 5 });
    expect(await statuses(5, '/status', '127.0.0.1')).toEqual({ 200: 5 });
    expect(await statuses(2, '/status', '10.0.0.1')).toEqual({ 200: 1, 429: 1 });
  });

  it('believes no X-Forwarded-For', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '1' }, { clock: new VirtualClock() });
    const from = async (forwarded: string): Promise<number> => {
      const headers = { 'x-forwarded-for': forwarded };
      const answer = await rest.node.app.inject({ method: 'GET', url: '/status', remoteAddress: '10.0.0.1', headers });
      return answer.statusCode;
    };
    expect([await from('1.1.1.1'), await from('2.2.2.2'), await from('127.0.0.1')]).toEqual([200, 429, 429]);
  });

  it('limits guesses of the write token', async () => {
    const env = { MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '3', MINICHAIN_HTTP_WRITE_TOKEN: 'right' };
    rest = await startRestApp(env, { clock: new VirtualClock() });
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push((await ask('/blocks', '10.0.0.1', 'POST')).status);
    expect(seen).toEqual([401, 401, 401, 429, 429]);
  });

  it('is 1,000 by default, and off with 0', async () => {
    rest = await startRestApp({}, { clock: new VirtualClock() });
    expect(rest.node.config.http.rateLimitPerSecond).toBe(1000);
    await rest.close();
    rest = await startRestApp({ MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '0' }, { clock: new VirtualClock() });
    expect(await statuses(50, '/status', '10.0.0.1')).toEqual({ 200: 50 });
  });
});
