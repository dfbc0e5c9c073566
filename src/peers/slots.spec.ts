import { describe, expect, it } from 'vitest';
import { directionCap, planEviction, type SlotHolder } from './slots.js';

const MINUTE_MS = 60_000;
const NOW_MS = 100 * MINUTE_MS;

interface Holder extends SlotHolder {
  readonly name: string;
}

/** Connected for an hour, far away, without having brought anything. */
function holder(name: string, change: Partial<SlotHolder> = {}): Holder {
  const session = { remoteHost: name };
  return {
    name,
    direction: 'inbound',
    connectedAtMs: 40 * MINUTE_MS,
    latencyMs: 100,
    usefulAtMs: undefined,
    session,
    ...change,
  };
}

describe('directionCap', () => {
  it.each([
    [1, 1],
    [3, 3],
    [4, 3],
    [10, 8],
    [32, 24],
  ])('of %d slots gives one direction at most %d', (maxPeers, cap) => {
    expect(directionCap(maxPeers)).toBe(cap);
  });
});

describe('planEviction', () => {
  const evicted = (...peers: Holder[]): string | undefined => planEviction(peers, NOW_MS)?.name;
  /** Enough others that somebody is left after the protected quarter and half. */
  const old = Array.from({ length: 8 }, (_, index) => holder(`old${index}`, { connectedAtMs: index, latencyMs: 10 }));

  it('takes the youngest that brought nothing', () => {
    const young = [10, 20].map((minute) => holder(`young${minute}`, { connectedAtMs: NOW_MS - minute * MINUTE_MS }));
    expect(evicted(...old, ...young)).toBe('young10');
  });

  it('takes from the host with most sessions first', () => {
    const crowd = [30, 31, 32].map((minute) =>
      holder(`c${minute}`, { connectedAtMs: minute * MINUTE_MS, session: { remoteHost: 'crowd' } }),
    );
    expect(evicted(...old, ...crowd, holder('single', { connectedAtMs: 50 * MINUTE_MS }))).toBe('c32');
  });

  it('leaves alone who brought a block or entry lately, whom we dialled, and who had no time yet', () => {
    const useful = holder('useful', { connectedAtMs: 90 * MINUTE_MS, usefulAtMs: 91 * MINUTE_MS });
    const dialled = holder('dialled', { connectedAtMs: 90 * MINUTE_MS, direction: 'outbound' });
    const fresh = holder('fresh', { connectedAtMs: 96 * MINUTE_MS });
    const idle = holder('idle', { connectedAtMs: 80 * MINUTE_MS });
    expect(evicted(...old, useful, dialled, fresh, idle)).toBe('idle');
    expect(evicted(useful, dialled, fresh)).toBeUndefined();
  });

  it('leaves alone the nearest quarter, and the half that has been here longest', () => {
    const near = holder('near', { latencyMs: 1, connectedAtMs: 90 * MINUTE_MS });
    expect(evicted(...old, near)).not.toBe('near');
    expect(['old4', 'old5', 'old6', 'old7']).toContain(evicted(...old));
  });

  it('counts usefulness of long ago no more', () => {
    const past = holder('past', { connectedAtMs: 50 * MINUTE_MS, usefulAtMs: 60 * MINUTE_MS });
    expect(evicted(...old, past)).toBe('past');
  });

  it('finds nobody among few: the newcomer has to go', () => {
    expect(evicted()).toBeUndefined();
    expect(evicted(holder('only'))).toBeUndefined();
  });
});
