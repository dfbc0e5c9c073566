import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import { ClockWatch } from './clock-watch.js';
import type { Peer } from './peer.js';

describe('ClockWatch', () => {
  let peers: Peer[];
  let lines: { readonly level: number; readonly msg: string }[];
  let watch: ClockWatch;
  beforeEach(() => {
    peers = ['a', 'b', 'c'].map((nodeId) => ({ nodeId, session: { isClosed: false } }) as unknown as Peer);
    lines = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    watch = new ClockWatch(log, new LogLimiter(log, new VirtualClock()), () =>
      peers.filter(({ session }) => !session.isClosed),
    );
  });
  const warnings = (): string[] => lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
  const infos = (): string[] => lines.filter(({ level }) => level === 30).map(({ msg }) => msg);

  it('names one peer that is ahead, once, and finds no fault with our clock', () => {
    for (let block = 0; block < 5; block++) watch.tooNew(peers[0]!, 10_800);
    expect(infos()).toEqual([expect.stringContaining('Blocks of a are 10800 s ahead of our clock')]);
    expect(warnings()).toEqual([]);
  });

  it('doubts our clock once most peers are ahead of it, and says so once', () => {
    for (let block = 0; block < 5; block++) for (const peer of peers) watch.tooNew(peer, 10_800);
    expect(warnings()).toEqual([expect.stringContaining("behind its peers'")]);
  });

  it('doubts our clock once most peers refuse our blocks for their time', () => {
    for (let block = 0; block < 5; block++) for (const peer of peers) watch.refusedAsTooNew(peer);
    expect(warnings()).toEqual([expect.stringContaining("ahead of its peers'")]);
  });

  it('says when it is over, and warns anew when it comes back', () => {
    for (const peer of peers) watch.tooNew(peer, 10_800);
    for (const peer of peers) watch.agreed(peer);
    expect(infos().at(-1)).toContain('agrees with those of our peers again');
    for (const peer of peers) watch.tooNew(peer, 10_800);
    expect(warnings()).toHaveLength(2);
  });

  it('counts only peers that are there', () => {
    watch.tooNew(peers[0]!, 10_800);
    (peers[0]!.session as { isClosed: boolean }).isClosed = true;
    watch.tooNew(peers[1]!, 10_800);
    expect(warnings()).toEqual([]);
    watch.tooNew(peers[2]!, 10_800);
    expect(warnings()).toHaveLength(1);
  });
});
