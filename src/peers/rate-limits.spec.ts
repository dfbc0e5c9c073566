import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Body } from './messages.js';
import { RATE_LIMITS, RateLimits, type RateDecision, type PeerLimits } from './rate-limits.js';

const PING: Body = { $case: 'ping', value: { tip: undefined } };
const GET_HEADERS: Body = { $case: 'getHeaders', value: { locator: [], stopHash: Buffer.alloc(0) } };

const EMPTY = { raw: Buffer.alloc(0) };

function batchOf(count: number): Body {
  return {
    $case: 'newTransactions',
    value: { transactions: Array.from({ length: count }, () => EMPTY) },
  };
}

describe('PeerLimits', () => {
  let clock: VirtualClock;
  let limits: PeerLimits;
  beforeEach(() => {
    clock = new VirtualClock();
    limits = new RateLimits(clock).enter('host:x');
  });
  const send = (body: Body, times: number): RateDecision[] => Array.from({ length: times }, () => limits.judge(body));

  it('never stand in the way of a node that is posted 4,000 entries a second, nor of one that relays five such', async () => {
    for (let tick = 0; tick < 50 * 60; tick++) {
      // In batches of 20 ms, of which every tenth is stuck for half a second before they arrive together.
      expect(send(batchOf(tick % 3 === 0 ? 400 : 80), 1)).toEqual(['pass']);
      await clock.advance(20);
    }
    expect(send(batchOf(2_000), 100)).toEqual(Array(100).fill('pass'));
  });

  it('let a reorganisation give back a whole mempool at once', () => {
    expect(send(batchOf(2_000), 50_000 / 2_000)).not.toContain('blame');
  });

  it('blame once a second what is over them, and see a flood in as much again as a burst', async () => {
    const { burst } = RATE_LIMITS.ping;
    expect(send(PING, burst)).toEqual(Array(burst).fill('pass'));
    expect(send(PING, 3)).toEqual(['blame', 'drop', 'drop']);
    await clock.advance(1_000);
    expect(send(PING, 12).slice(-2)).toEqual(['blame', 'drop']);
    expect(send(PING, burst + 20).at(-1)).toBe('flood');
  });

  it('hold for messages that we do not know, too', async () => {
    const { burst } = RATE_LIMITS.unknown;
    const judge = (times: number): RateDecision[] => Array.from({ length: times }, () => limits.judge(undefined));
    expect(judge(burst)).toEqual(Array(burst).fill('pass'));
    expect(judge(2)).toEqual(['blame', 'drop']);
    expect(judge(burst).at(-1)).toBe('flood');
    await clock.advance(60_000);
    expect(judge(1)).toEqual(['pass']);
  });

  it('count the entries of a batch as much as the batches', () => {
    const batches = RATE_LIMITS.transactionItems.burst / 2_000;
    expect(send(batchOf(2_000), batches)).not.toContain('blame');
    expect(send(batchOf(2_000), 1)).toEqual(['blame']);
  });

  it('count headers served', async () => {
    expect(send(GET_HEADERS, 1)).toEqual(['pass']);
    limits.servedHeaders(RATE_LIMITS.headerItems.burst);
    expect(send(GET_HEADERS, 1)).toEqual(['blame']);
    await clock.advance(1_000);
    expect(send(GET_HEADERS, 1)).toEqual(['pass']);
  });

  it('take 60 addresses a minute after a first lot', async () => {
    const { burst } = RATE_LIMITS.addressItems;
    expect(limits.takeAddresses(burst + 100)).toBe(burst);
    expect(limits.takeAddresses(100)).toBe(0);
    await clock.advance(60_000);
    expect(limits.takeAddresses(100)).toBe(60);
  });
});

describe('RateLimits', () => {
  it('go on where they were when a peer hangs up and comes again', () => {
    const all = new RateLimits(new VirtualClock());
    const first = all.enter('host:x');
    const beside = all.enter('host:x');
    first.takeAddresses(1_000);
    all.leave('host:x', first);
    expect(all.enter('host:y').takeAddresses(1)).toBe(1);
    expect(all.enter('host:x').takeAddresses(1)).toBe(0);
    expect(beside.takeAddresses(1)).toBe(1);
  });

  it('remember a bounded number of those who left', () => {
    const all = new RateLimits(new VirtualClock());
    const first = all.enter('host:x');
    first.takeAddresses(1_000);
    all.leave('host:x', first);
    for (let index = 0; index < 1_000; index++) all.leave(`host:${index}`, all.enter(`host:${index}`));
    expect(all.enter('host:x').takeAddresses(1)).toBe(1);
  });
});
