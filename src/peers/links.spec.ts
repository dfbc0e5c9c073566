import { beforeEach, describe, expect, it } from 'vitest';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';

const BOTH: readonly ['a', 'b'] = ['a', 'b'];

describe('Links', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, open } = network));

  let a: PeersHost;
  let b: PeersHost;
  let heard: string[];
  beforeEach(async () => {
    [a, b] = [open('a', { bootstrap: ['b:9000'] }), open('b', { bootstrap: ['a:9000'] })];
    heard = [];
    for (const { name, peers } of [a, b]) {
      peers.events.on('connected', ({ nodeId }) => void heard.push(`${name} has ${nodeId}`));
      peers.events.on('disconnected', ({ nodeId, reason }) => void heard.push(`${name} lost ${nodeId}: ${reason}`));
    }
    await connected();
    await clock.advance(15_000);
    heard.length = 0;
  });
  const connected = (limitMs?: number): Promise<void> =>
    clock.until('a and b are connected', () => a.connected().length === 1 && b.connected().length === 1, limitMs);
  const refusedAt = (host: PeersHost): (string | null)[] =>
    host.peers.list().flatMap(({ id, refused }) => (refused ? id : []));

  it('that are disconnected come back by themselves, and both sides hear of it', async () => {
    expect(a.peers.disconnect('b')).toBe(true);
    expect(a.connected()).toEqual([]);
    expect(a.peers.disconnect('b')).toBe(false);
    expect(a.peers.disconnect('nobody')).toBe(false);
    await clock.advance(20);
    expect(heard).toEqual(['a lost b: disconnected on request', 'b lost a: disconnected on request']);
    await connected(5_000);
    expect(heard).toEqual(expect.arrayContaining(['a has b', 'b has a']));
  });

  it.each(BOTH)('that %s refuses stay down, whoever dials, until they are allowed', async (name) => {
    const [host, other] = name === 'a' ? [a, b] : [b, a];
    expect(host.peers.refuse(other.name)).toBe(true);
    await clock.advance(10 * 60_000);
    expect([a.connected(), b.connected()]).toEqual([[], []]);
    expect(heard).toHaveLength(2);
    expect([refusedAt(host), refusedAt(other)]).toEqual([[other.name], []]);
    expect(host.peers.linkOf(other.name)).toEqual({ connected: false, refused: true });
    expect(host.peers.list().filter(({ id }) => id === other.name)).toHaveLength(1);
    host.peers.allow(other.name);
    // At once: both sides would otherwise wait for their back-off, which is ten seconds by now.
    await connected(100);
    expect([refusedAt(host), refusedAt(other)]).toEqual([[], []]);
    expect(other.peers.list().map(({ score }) => score)).toEqual([0]);
  });

  it('that are refused are not dialled', async () => {
    b.close();
    const dials: string[] = [];
    a.peers.refuse('b');
    net.listen('b:9000', () => void dials.push('b'));
    await clock.advance(60_000);
    expect(dials).toEqual([]);
    a.peers.allow('b');
    await clock.advance(10);
    expect(dials).toEqual(['b']);
  });

  it.each([
    ['operator', 'lab'],
    ['lab', 'operator'],
  ] as const)('that the %s refuses stay refused when the %s allows them', async (one, other) => {
    a.peers.refuse('b', one);
    a.peers.refuse('b', other);
    a.peers.allow('b', other);
    a.peers.redial();
    await clock.advance(60_000);
    expect([refusedAt(a), a.connected()]).toEqual([['b'], []]);
    a.peers.allow('b', one);
    await connected(100);
    expect(refusedAt(a)).toEqual([]);
  });

  it('with a node that this one knows no address of are refused too; it is told why, and listed', async () => {
    const hidden = await greet(net, a, 'hidden');
    hidden.sayHello(a.chain.genesis, a.chain.genesis, { advertisedAddress: '' });
    expect(a.peers.refuse('hidden')).toBe(true);
    await clock.advance(100);
    expect(hidden.closedBecause).toBe('this node refuses links with hidden');
    const again = new ScriptedPeer(net, 'hidden');
    again.dial(a.address);
    again.sayHello(a.chain.genesis);
    await clock.advance(100);
    expect(again.closedBecause).toBe('this node refuses links with hidden');
    expect(again.count('hello')).toBe(0);
    expect(refusedAt(a)).toEqual(['hidden']);
    a.peers.allow('hidden');
    await greet(net, a, 'hidden');
    expect(a.connected()).toContain('hidden');
    expect(a.peers.bans()).toEqual([]);
  });

  it('with a node that was never seen can be refused before it comes', async () => {
    expect(a.peers.linkOf('stranger')).toBeUndefined();
    expect(a.peers.refuse('stranger')).toBe(false);
    expect(a.peers.list().find(({ id }) => id === 'stranger')).toMatchObject({ address: '', refused: true });
    const stranger = new ScriptedPeer(net, 'stranger');
    stranger.dial(a.address);
    stranger.sayHello(a.chain.genesis);
    await clock.advance(100);
    expect(stranger.closedBecause).toContain('refuses links');
  });

  it('with whoever is found behind an address are refused once it has said who it is', async () => {
    const c = open('c');
    a.peers.refuse('c');
    let dials = 0;
    net.listen('c:9000', (channel) => {
      dials += 1;
      c.peers.acceptInbound(channel);
    });
    // b tells a of c.
    const d = open('d', { bootstrap: ['b:9000', 'c:9000'] });
    await clock.until('a knows c', () => a.peers.list().some(({ address }) => address === 'c:9000'), 60_000);
    await clock.advance(120_000);
    expect(a.connected()).toEqual(['b', 'd']);
    expect(d.connected()).toEqual(['a', 'b', 'c']);
    // a dials that address once at the most, b and d each once.
    expect(dials).toBeLessThanOrEqual(3);
  });

  it('end with an event each when the node stops', () => {
    a.close();
    expect(heard).toEqual(['a lost b: shutting down']);
  });
});
