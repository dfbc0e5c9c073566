import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  entry,
  mineChain,
  mineOn,
  openChain,
  silentLog,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { linkTo, serving, type PeerLink, type ScriptedPeer } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { SettableClock } from '../../test/support/settable-clock.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { createBlock } from '../consensus/block.js';
import type { Peer } from './peer.js';
import type { HandlerTable } from './session.js';
import { Sync, type SyncState } from './sync.js';
import { LIMITS, decodeHashes, decodeTip, encodeTip } from './wire.js';

const LIE = { length: 1_000_000, chainWork: 2n ** 200n, hash: 'ab'.repeat(32) };

describe('Sync', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let ours: TestChain;
  let theirs: TestChain;
  let links: PeerLink[];
  let blamed: string[];
  let tooNew: string[];
  let states: SyncState[];
  let sync: Sync;
  beforeEach(() => {
    clock = new VirtualClock();
    net = new MemoryNetwork(clock, new SeededRandom(1));
    ours = openChain({ clock });
    theirs = openChain({ clock });
    [links, blamed, tooNew, states] = [[], [], [], []];
    sync = new Sync(ours.chain, clock, silentLog, {
      peers: () => links.map(({ peer }) => peer).filter(({ session }) => !session.isClosed),
      blame: (peer: Peer, { code }) => void blamed.push(`${peer.nodeId} ${code}`),
      tooNew: (peer, { code }) => void tooNew.push(`${peer.nodeId} ${code}`),
      stateChanged: (state) => void states.push(state),
      catchingUpChanged: () => {},
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
  const requests = ({ received }: ScriptedPeer): number => received.length;

  it('brings us to the tip of a peer that has more work, and is idle again', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 300).blocks);
    const { peer } = add('good', serving(theirs.chain));
    sync.consider(peer);
    expect(sync.status.state).toBe('headers');
    await caughtUp();
    await idle();
    expect(states).toEqual(['headers', 'blocks', 'idle']);
    expect(sync.status).toMatchObject({ state: 'idle', progress: 1, height: 300, targetHeight: 300, peer: null });
    expect(clock.pendingTimers).toBe(0);
  });

  it('reports progress of what is checked, not what is claimed', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 2_000).blocks);
    const { peer } = add('good', serving(theirs.chain), { ...LIE, hash: theirs.chain.tip.hash });
    sync.consider(peer);
    expect(sync.status).toMatchObject({ state: 'headers', targetHeight: 0, progress: 0, peer: 'good' });
    expect(sync.isCatchingUp).toBe(false);
    await clock.until('half of it is there', () => ours.chain.tip.height >= 1_000);
    const { state, progress, height, targetHeight } = sync.status;
    expect({ state, targetHeight }).toEqual({ state: 'blocks', targetHeight: 2_000 });
    expect(progress).toBe(height / 2_000);
    expect(sync.isCatchingUp).toBe(true);
    await caughtUp();
  });

  it('does nothing for a peer with less work, or a tip that we have', async () => {
    acceptBatch(ours.chain, mineChain(ours.chain.genesis, 3).blocks);
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 2).blocks);
    const behind = add('behind', serving(theirs.chain));
    const equal = add('equal', serving(ours.chain), tipOf(ours));
    for (const { peer } of [behind, equal]) sync.consider(peer);
    expect(sync.status.state).toBe('idle');
  });

  it('fetches an unknown tip of equal work, and stays on the one seen first', async () => {
    acceptBatch(ours.chain, mineChain(ours.chain.genesis, 3).blocks);
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 3).blocks);
    const tip = ours.chain.tip;
    const { peer } = add('equal', serving(theirs.chain));
    sync.consider(peer);
    await idle();
    expect(ours.chain.tip).toBe(tip);
    expect(ours.chain.competingTips().map(({ hash }) => hash)).toEqual([theirs.chain.tip.hash]);
    sync.consider(peer);
    expect(sync.status.state).toBe('idle');
  });

  it('reorganises onto a longer fork', async () => {
    const { blocks, nodes } = mineChain(ours.chain.genesis, 10);
    for (const { chain } of [ours, theirs]) acceptBatch(chain, blocks);
    acceptBatch(ours.chain, mineChain(nodes[9]!, 30).blocks);
    acceptBatch(theirs.chain, mineChain(nodes[9]!, 31).blocks);
    sync.consider(add('fork', serving(theirs.chain)).peer);
    await caughtUp();
  });

  it('picks up blocks that a peer finds while the sync runs', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 500).blocks);
    const { peer } = add('good', serving(theirs.chain));
    sync.consider(peer);
    await clock.until('bodies come', () => sync.status.state === 'blocks');
    accept(theirs.chain, mineOn(theirs.chain.tip));
    peer.sawTip(tipOf(theirs));
    sync.consider(peer);
    await caughtUp();
    await idle();
  });

  it('goes to a better peer that came up during the run, when that ends', async () => {
    const { blocks } = mineChain(theirs.chain.genesis, 400);
    const other = openChain({ clock });
    acceptBatch(other.chain, blocks.slice(0, 100));
    acceptBatch(theirs.chain, blocks);
    sync.consider(add('short', serving(other.chain), tipOf(other)).peer);
    sync.consider(add('long', serving(theirs.chain)).peer);
    await caughtUp();
    other.close();
  });

  it('keeps nothing from a peer that reorganised away from the tip it had shown', async () => {
    const { blocks } = mineChain(theirs.chain.genesis, 50);
    acceptBatch(theirs.chain, blocks);
    const { peer } = add('good', serving(theirs.chain));
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 60).blocks);
    sync.consider(peer);
    await caughtUp();
    await idle();
    expect(blamed).toEqual([]);
  });

  describe('a lying tip', () => {
    it.each([
      ['with nothing behind it', (test: TestChain) => serving(test.chain)],
      ['of a silent peer', () => ({})],
    ] as const)('%s costs a bounded number of requests, and never hangs', async (_, handlersOf) => {
      const { peer, remote } = add('liar', handlersOf(ours), LIE);
      sync.consider(peer);
      await heartbeats(60_000);
      expect(requests(remote)).toBeGreaterThanOrEqual(2);
      expect(requests(remote)).toBeLessThanOrEqual(8);
      await heartbeats(600_000);
      expect(requests(remote)).toBeLessThanOrEqual(20);
      await idle();
    });

    it('of many peers does not keep an honest one from its turn', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 20).blocks);
      const liars = Array.from({ length: 8 }, (_, index) => add(`liar${index}`, {}, { ...LIE, chainWork: 2n ** 201n }));
      add('honest', serving(theirs.chain));
      sync.consider(liars[0]!.peer);
      await clock.until('we have their tip', () => ours.chain.tip.hash === theirs.chain.tip.hash, 60_000);
      accept(theirs.chain, mineOn(theirs.chain.tip));
      links.at(-1)!.peer.sawTip(tipOf(theirs));
      await heartbeats(60_000);
      expect(ours.chain.tip.hash).toBe(theirs.chain.tip.hash);
    });

    it('with headers but no bodies is given up, and tried again later without anybody asking', async () => {
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 20).blocks);
      const { getHeaders, getBlocks } = serving(theirs.chain);
      const { remote } = add('withholder', { getHeaders: getHeaders! });
      sync.consider(links[0]!.peer);
      await clock.until('it is given up', () => states.includes('idle'), 10_000);
      expect(ours.chain.tip.height).toBe(0);
      remote.handlers = { getHeaders: getHeaders!, getBlocks: getBlocks! };
      await clock.until('we have their tip', () => ours.chain.tip.hash === theirs.chain.tip.hash, 20_000);
    });
  });

  it('comes back for blocks of the far future when their time has come', async () => {
    const fast = new SettableClock(clock, 90_000);
    const ahead = openChain({ clock: fast });
    accept(ahead.chain, mineOn(ahead.chain.genesis, [], { time: Math.floor(fast.nowMs() / 1000) + 7_200 }));
    sync.consider(add('ahead', serving(ahead.chain), tipOf(ahead)).peer);
    await clock.advance(80_000);
    expect(ours.chain.tip.height).toBe(0);
    expect(sync.status.state).toBe('idle');
    await clock.until('the block is taken', () => ours.chain.tip.hash === ahead.chain.tip.hash, 100_000);
    expect(blamed).toEqual([]);
    expect(new Set(tooNew)).toEqual(new Set(['ahead time-too-new']));
    ahead.close();
  });

  it.each([-3 * 3_600_000, -50_000])(
    'comes back to a peer that led nowhere although the clock jumps by %i ms',
    async (jumpMs) => {
      sync = new Sync(ours.chain, clock, silentLog, {
        peers: () => links.map(({ peer }) => peer),
        blame: () => {},
        tooNew: () => {},
        stateChanged: () => {},
        catchingUpChanged: () => {},
      });
      acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 5).blocks);
      const { peer, remote } = add('slow to wake', {});
      sync.consider(peer);
      await idle();
      remote.handlers = serving(theirs.chain);
      clock.jumpWall(jumpMs);
      await clock.until('we have their tip', () => ours.chain.tip.hash === theirs.chain.tip.hash, 10_000);
    },
  );

  it('blames who sends wrong bodies, and finishes with another', async () => {
    const { blocks } = mineChain(theirs.chain.genesis, 20, () => ['honest']);
    acceptBatch(theirs.chain, blocks);
    const honest = serving(theirs.chain);
    const forged = blocks.map((block) => createBlock(block.header, [block.transactions[0]!, entry('forged')]));
    const { peer } = add('forger', {
      ...honest,
      getBlocks: ({ hashes }) => {
        const asked = new Set<string>(decodeHashes(hashes, LIMITS.blocksRequested));
        const answer = forged.filter(({ hash }) => asked.has(hash)).map(({ bytes }) => ({ raw: bytes }));
        return { $case: 'blocks', value: { blocks: answer } };
      },
    });
    add('good', honest);
    sync.consider(peer);
    await caughtUp();
    expect(blamed).toEqual(['forger bad-txnmrklroot']);
  });

  it('blames who sends headers that break a rule', async () => {
    const bad = mineOn(theirs.chain.genesis, [], { bits: 0x207fffff });
    const { peer } = add(
      'liar',
      {
        getHeaders: () => ({ $case: 'headers', value: { headers: [{ raw: bad.bytes.subarray(0, 80) }] } }),
      },
      LIE,
    );
    sync.consider(peer);
    await clock.advance(1_000);
    expect(blamed).toEqual(['liar bad-diffbits']);
    expect(sync.status.state).toBe('idle');
  });

  it('goes idle when its peer hangs up in mid-run, and on with another', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 400).blocks);
    const { peer, remote } = add('leaver', serving(theirs.chain));
    sync.consider(peer);
    await clock.until('bodies come', () => sync.status.state === 'blocks');
    remote.session.close('bye');
    await idle();
    const good = add('good', serving(theirs.chain));
    sync.consider(good.peer);
    await caughtUp();
  });

  it('fails by a fault of our own without blame, and goes on when it is over', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 5).blocks);
    let isFull = true;
    ours.chain.events.on('committing', () => {
      if (isFull) throw new Error('disk full');
    });
    sync.consider(add('good', serving(theirs.chain)).peer);
    await clock.advance(1_000);
    expect(sync.status.state).toBe('idle');
    isFull = false;
    await caughtUp();
    expect(blamed).toEqual([]);
  });

  it('starts no run after stop(), and ends the present one', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 400).blocks);
    const { peer } = add('good', serving(theirs.chain));
    sync.consider(peer);
    await clock.until('bodies come', () => sync.status.state === 'blocks');
    sync.stop();
    await clock.advance(1_000);
    const height = ours.chain.tip.height;
    sync.restart();
    sync.consider(peer);
    await clock.advance(60_000);
    expect(ours.chain.tip.height).toBe(height);
  });

  it('looks again at once at those it had given up, when asked to restart', async () => {
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 5).blocks);
    const { peer, remote } = add('slow to wake', {});
    sync.consider(peer);
    await idle();
    remote.handlers = serving(theirs.chain);
    const startMs = clock.nowMs();
    sync.restart();
    await caughtUp();
    expect(clock.nowMs() - startMs).toBeLessThan(1_000);
  });
});
