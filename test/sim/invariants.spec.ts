import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DATABASE } from '../../src/storage/database-token.js';
import { PeerStore } from '../../src/peers/peer.store.js';
import {
  boundedMemory,
  checkInvariants,
  eachEntryOnce,
  noSyncStuck,
  noViolations,
  nobodyBanned,
  oneTip,
  sameHashes,
  type Invariant,
} from '../support/sim-invariants.js';
import { SimNetwork } from '../support/sim-network.js';

/** A check that never fails shows nothing: each must see what it is there for. */
describe('the invariants of a simulation', () => {
  let net: SimNetwork;
  beforeEach(async () => {
    net = new SimNetwork({ seed: 24 });
    for (const name of ['a', 'b']) await net.add(name);
  });
  afterEach(() => net.close());
  const linesOf = async (invariant: Invariant): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of invariant(net)) lines.push(line);
    return lines;
  };

  it('hold for two nodes that have done nothing', async () => {
    await checkInvariants(net);
  });

  it('see two tips, and where the chains part', async () => {
    await net.mine('a', 2);
    await net.mine('b', 1);
    expect(await linesOf(oneTip)).toHaveLength(2);
    expect(await linesOf(sameHashes)).toEqual([
      expect.stringMatching(/^at height 1 a has [0-9a-f]{64}, b [0-9a-f]{64}$/),
    ]);
    await expect(checkInvariants(net)).rejects.toThrow('seed 24');
  });

  it('see an entry that a node lacks', async () => {
    await net.post('a', 'for all');
    expect(await linesOf(eachEntryOnce)).toEqual(['"for all" is in 0 places at b']);
  });

  it('see that chain work went down, as when a node comes back without its disk', async () => {
    await net.add('durable', { isDurable: true });
    await net.mine('durable', 3);
    await net.kill('durable');
    await net.restart('durable');
    expect(await linesOf(noViolations)).toEqual([]);
    await net.kill('durable');
    net.eraseDisk('durable');
    await net.restart('durable');
    expect(await linesOf(noViolations)).toEqual([expect.stringContaining('durable had more chain work')]);
  });

  it('see a ban, unless it is of one who may be banned', async () => {
    const store = new PeerStore(net.node('a').app.get(DATABASE), () => {});
    store.saveBan({ subject: 'host:b', untilMs: net.clock.nowMs() + 1_000, code: 'high-hash' });
    expect(await linesOf(nobodyBanned())).toEqual(['a has banned host:b for high-hash']);
    expect(await linesOf(nobodyBanned('b'))).toEqual([]);
  });

  it('see a sync that goes on, and timers that nobody clears', async () => {
    await net.mine('a', 1);
    const late = await net.add('late', { bootstrap: ['a'] });
    await net.until('it syncs', () => late.peers.syncStatus().state !== 'idle');
    expect(await linesOf(noSyncStuck)).toEqual([expect.stringContaining('late is in sync state')]);
    for (let count = 0; count < 200; count++) net.clock.after(1e9, () => {});
    expect(await linesOf(boundedMemory)).toEqual([expect.stringContaining('timers are set')]);
  });
});
