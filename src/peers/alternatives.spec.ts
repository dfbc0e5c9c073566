import { afterEach, describe, expect, it } from 'vitest';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { openHost, waitUntil, type HostOptions, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';

describe('a node without a free slot', () => {
  const net = new MemoryNetwork(new VirtualClock(), new SeededRandom(1));
  const hosts: PeersHost[] = [];
  afterEach(() => {
    for (const host of hosts.splice(0)) host.close();
  });
  const open = (name: string, options: HostOptions = {}): PeersHost => {
    const host = openHost(net, name, options);
    hosts.push(host);
    return host;
  };

  // Found by the simulation of many nodes with few slots: who knew only full nodes stayed alone for ever.
  it('tells a newcomer that knows nobody else where to try', async () => {
    const full = open('full', { maxPeers: 1 });
    const guest = open('guest', { bootstrap: [full.address] });
    await waitUntil(net, () => guest.connected().length === 1);
    const newcomer = open('newcomer', { bootstrap: [full.address] });
    await waitUntil(net, () => newcomer.connected().includes('guest'));
    expect(full.connected()).toEqual(['guest']);
  });

  it('may do so once, and not at length', async () => {
    const teller = new ScriptedPeer(net, 'teller');
    net.listen(teller.address, (channel) => {
      teller.open(channel);
      const peers = [{ address: 'elsewhere:9000' }];
      teller.session.notify({ $case: 'peers', value: { peers } });
      teller.session.notify({ $case: 'peers', value: { peers } });
    });
    const host = open('host', { bootstrap: [teller.address] });
    await waitUntil(net, () => teller.closedBecause !== undefined);
    expect(teller.closedBecause).toBe('unexpected-message');
    expect(host.peers.list().map(({ address }) => address)).toContain('elsewhere:9000');

    const babbler = new ScriptedPeer(net, 'babbler');
    net.listen(babbler.address, (channel) => {
      babbler.open(channel);
      const peers = Array.from({ length: 17 }, (_, index) => ({ address: `far${index}:9000` }));
      babbler.session.notify({ $case: 'peers', value: { peers } });
    });
    const other = open('other', { bootstrap: [babbler.address] });
    await waitUntil(net, () => babbler.closedBecause !== undefined);
    expect(babbler.closedBecause).toBe('banned: oversized-message');
    expect(other.peers.list().map(({ address }) => address)).toEqual([babbler.address]);
  });

  it('is not told where to go by a peer that dialled it', async () => {
    const host = open('host2');
    const dialler = new ScriptedPeer(net, 'dialler');
    dialler.dial(host.address);
    dialler.session.notify({ $case: 'peers', value: { peers: [{ address: 'elsewhere:9000' }] } });
    await waitUntil(net, () => dialler.closedBecause !== undefined);
    expect(dialler.closedBecause).toBe('unexpected-message');
    expect(host.peers.list()).toEqual([]);
  });
});
