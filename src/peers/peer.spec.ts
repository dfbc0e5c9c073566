import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { genesisNode } from '../../test/support/chain-builders.js';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { linkTo } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type * as features from './features.js';
import { Peer } from './peer.js';

// No body needs a feature yet: for this test GetMempool does.
vi.mock('./features.js', async (original) => ({
  ...(await original<typeof features>()),
  featureOf: (kind: string) => (kind === 'getMempool' ? 'unsupported' : undefined),
}));

describe('Peer', () => {
  let net: MemoryNetwork;
  beforeEach(() => {
    net = new MemoryNetwork(new VirtualClock(), new SeededRandom(1));
  });
  afterEach(() => vi.restoreAllMocks());

  const peerWith = (...names: string[]): Peer => {
    const { peer } = linkTo(net, 'x', {}, genesisNode());
    const { identity, session, direction, dialled, tip, connectedAtMs, lastSeenMs, limits, reading } = peer;
    const named = { ...identity, features: new Set(names) };
    return new Peer({ identity: named, session, direction, dialled, tip, connectedAtMs, lastSeenMs, limits, reading });
  };

  it('is sent a body of a feature only if its Hello names that feature', () => {
    const old = peerWith('of-tomorrow');
    expect(old.supports('unsupported')).toBe(false);
    expect(() => old.session.notify({ $case: 'getMempool', value: {} })).toThrow('without the feature unsupported');
    old.session.notify({ $case: 'getPeers', value: {} });
    const today = peerWith('unsupported', 'of-tomorrow');
    expect(today.supports('unsupported')).toBe(true);
    today.session.notify({ $case: 'getMempool', value: {} });
  });
});
