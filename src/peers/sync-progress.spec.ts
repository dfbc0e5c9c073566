import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptBatch, mineChain, openChain, silentLog, type TestChain } from '../../test/support/chain-builders.js';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { linkTo, serving, type PeerLink } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Body } from './messages.js';
import type { HandlerTable } from './session.js';
import { Sync } from './sync.js';
import { LIMITS, decodeTip, encodeTip } from './wire.js';

const LIE = { length: 1_000_000, chainWork: 2n ** 200n, hash: 'ab'.repeat(32) };

describe('Sync without progress', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let ours: TestChain;
  let theirs: TestChain;
  let links: PeerLink[];
  let blamed: string[];
  let catchingUp: boolean[];
  let sync: Sync;
  beforeEach(() => {
    clock = new VirtualClock();
    net = new MemoryNetwork(clock, new SeededRandom(1));
    ours = openChain({ clock });
    theirs = openChain({ clock });
    [links, blamed, catchingUp] = [[], [], []];
    sync = new Sync(ours.chain, clock, silentLog, {
      peers: () => links.map(({ peer }) => peer).filter(({ session }) => !session.isClosed),
      blame: (peer, { code }) => void blamed.push(`${peer.nodeId} ${code}`),
      tooNew: () => {},
      stateChanged: () => {},
      catchingUpChanged: (isCatchingUp) => void catchingUp.push(isCatchingUp),
    });
  });
  afterEach(() => {
    sync.stop();
    ours.close();
    theirs.close();
  });

  const add = (name: string, handlers: HandlerTable, tip: PeerLink['peer']['tip'] = tipOf(theirs)): PeerLink => {
    const link = linkTo(net, name, handlers, tip);
    links.push(link);
    return link;
  };
  const tipOf = ({ chain }: TestChain): PeerLink['peer']['tip'] => decodeTip(encodeTip(chain.tip));
  const idle = (): Promise<void> => clock.until('sync is idle', () => sync.status.state === 'idle', 600_000);
  const caughtUp = (): Promise<void> =>
    clock.until('we have their tip', () => ours.chain.tip.hash === theirs.chain.tip.hash, 600_000);
  /** Pings of the peer, as a heartbeat would bring them, for a while. */
  const heartbeats = async (durationMs: number): Promise<void> => {
    for (const endMs = clock.nowMs() + durationMs; clock.nowMs() < endMs;) {
      await clock.advance(5_000);
      for (const { peer } of links) sync.consider(peer);
    }
  };

  describe('a better branch whose blocks', () => {
    const answerAfter = (delayMs: number, body: ReturnType<NonNullable<HandlerTable['getBlocks']>>): Promise<Body> =>
      new Promise((resolve) => void clock.after(delayMs, () => resolve(body as Body)));

    it('come quickly lets the node wait for the rest', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 2_000).blocks);
      sync.consider(add('good', serving(theirs.chain)).peer);
      await caughtUp();
      await idle();
      expect(catchingUp).toEqual([true, false]);
    });

    it('never come changes nothing, is blamed, and keeps no other from its turn', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 500).blocks);
      const heavier = openChain({ clock });
      acceptBatch(heavier.chain, mineChain(heavier.chain.genesis, 1_700).blocks);
      const { getHeaders } = serving(heavier.chain);
      sync.consider(add('withholder', { getHeaders: getHeaders! }, tipOf(heavier)).peer);
      await clock.until('its blocks are asked for', () => sync.status.state === 'blocks');
      expect(sync.isCatchingUp).toBe(false);
      add('honest', serving(theirs.chain));
      const startMs = clock.nowMs();
      await caughtUp();
      expect(clock.nowMs() - startMs).toBeLessThan(5_000);
      catchingUp.length = 0;
      await heartbeats(600_000);
      expect(catchingUp).toEqual([]);
      expect(new Set(blamed)).toEqual(new Set(['withholder stalling']));
      expect(blamed.length).toBeGreaterThanOrEqual(4);
      heavier.close();
    });

    it('come slowly does not stop the node, and gives way to others', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 500).blocks);
      const heavier = openChain({ clock });
      acceptBatch(heavier.chain, mineChain(heavier.chain.genesis, 1_700).blocks);
      const handlers = serving(heavier.chain);
      const slow = add(
        'slow',
        { ...handlers, getBlocks: (message) => answerAfter(1_900, handlers.getBlocks!(message)) },
        tipOf(heavier),
      );
      sync.consider(slow.peer);
      await clock.until('blocks come', () => ours.chain.tip.height > 0);
      add('honest', serving(theirs.chain));
      await clock.until('the honest has its turn', () => ours.chain.node(theirs.chain.tip.hash) !== undefined, 25_000);
      await clock.until('all is there', () => ours.chain.tip.hash === heavier.chain.tip.hash, 3_600_000);
      expect(catchingUp.filter(Boolean).length).toBeLessThanOrEqual(1);
      expect(blamed).toEqual([]);
      heavier.close();
    });

    it('are held back one by one is over soon, for a newcomer beside an honest peer', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 3_000).blocks);
      const honest = serving(theirs.chain);
      const drip = add('drip', {
        ...honest,
        getBlocks: (message) => answerAfter(1_700, honest.getBlocks!({ ...message, hashes: message.hashes.slice(-1) })),
      });
      add('honest', honest);
      sync.consider(drip.peer);
      const startMs = clock.nowMs();
      await caughtUp();
      expect(clock.nowMs() - startMs).toBeLessThan(10_000);
      expect(blamed).toEqual(['drip stalling']);
    });
  });

  it('asks an honest peer for its headers beside one that shows its own slowly', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 300).blocks);
    const { blocks } = mineChain(theirs.chain.genesis, LIMITS.headers + 1);
    const slow = add(
      'slow',
      {
        getHeaders: () =>
          new Promise((resolve) => {
            const from = (slow.remote.count('getHeaders') - 1) % 2;
            const headers = blocks
              .slice(from, from + LIMITS.headers)
              .map(({ bytes }) => ({ raw: bytes.subarray(0, 80) }));
            clock.after(4_500, () => resolve({ $case: 'headers', value: { headers } }));
          }),
      },
      LIE,
    );
    add('honest', serving(theirs.chain));
    sync.consider(slow.peer);
    const startMs = clock.nowMs();
    await caughtUp();
    expect(clock.nowMs() - startMs).toBeLessThan(5_000);
    await heartbeats(600_000);
    expect(blamed.filter((line) => line === 'slow unproven-work').length).toBeGreaterThanOrEqual(4);
    expect(ours.chain.tip.hash).toBe(theirs.chain.tip.hash);
  });
});
