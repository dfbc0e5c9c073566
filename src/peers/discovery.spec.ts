import { describe, expect, it } from 'vitest';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, openHost, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';

describe('Discovery', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let hosts: PeersHost[];
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, hosts, open } = network));

  const ask = async (peer: ScriptedPeer): Promise<string[]> => {
    const request = peer.session.request({ $case: 'getPeers', value: {} }, 'peers', 5_000);
    const { peers } = await clock.during('an answer', request);
    return peers.map(({ address }) => address);
  };
  const known = (host: PeersHost): string[] => host.peers.list().map(({ address }) => address);

  it('makes a full mesh of nodes that know one bootstrap node', async () => {
    const members = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      open(name, name === 'a' ? {} : { bootstrap: ['a:9000'] }),
    );
    await clock.until('a full mesh', () => members.every((host) => host.connected().length === 5), 5_000);
  });

  it('makes a full mesh of a chain of bootstrap nodes', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const members = names.map((name, index) =>
      open(name, index === 0 ? {} : { bootstrap: [`${names[index - 1]}:9000`] }),
    );
    await clock.until('a full mesh', () => members.every((host) => host.connected().length === 4), 10_000);
  });

  it('tells a newcomer of those who dialled in, and them of the newcomer', async () => {
    const host = open('a');
    const [x, y] = [await greet(net, host, 'x'), await greet(net, host, 'y')];
    await clock.advance(50);
    expect(x.last('peers')).toEqual({ peers: [{ address: 'y:9000' }] });
    expect(await ask(y)).toEqual(['x:9000', 'y:9000']);
  });

  it('does not believe what it is told: only what answered is told on', async () => {
    const host = open('a');
    const liar = await greet(net, host, 'liar');
    liar.session.notify({ $case: 'peers', value: { peers: [{ address: 'nowhere:1' }, { address: 'real:9000' }] } });
    open('real');
    await clock.advance(2_000);
    const other = await greet(net, host, 'other');
    const told = await ask(other);
    expect(told).toContain('real:9000');
    expect(told).not.toContain('nowhere:1');
    expect(known(host)).toContain('nowhere:1');
  });

  it('takes no wildcard, no nonsense, no loopback of another machine, nor its own address', async () => {
    const host = open('a');
    const peer = await greet(net, host, 'x');
    const before = known(host);
    const addresses = [
      '0.0.0.0:9000',
      '[::]:9000',
      'a:9000',
      '127.0.0.1:80',
      'localhost:80',
      'no port',
      '',
      'x'.repeat(400),
      'h:70000',
    ];
    peer.session.notify({ $case: 'peers', value: { peers: addresses.map((address) => ({ address })) } });
    await clock.advance(2_000);
    expect(known(host)).toEqual(before);
  });

  it('bans who tells more than 100 addresses at a time', async () => {
    const host = open('a');
    const peer = await greet(net, host, 'x');
    const peers = Array.from({ length: 101 }, (_, index) => ({ address: `h${index}:1` }));
    peer.session.notify({ $case: 'peers', value: { peers } });
    await clock.advance(50);
    expect(peer.closedBecause).toBe('banned: oversized-message');
  });

  it('keeps a bounded book, whatever it is told, and finds honest nodes all the same', async () => {
    const host = open('a');
    const liar = await greet(net, host, 'liar');
    for (let round = 0; round < 30; round++) {
      const peers = Array.from({ length: 100 }, (_, index) => ({ address: `h${round}x${index}:1` }));
      liar.session.notify({ $case: 'peers', value: { peers } });
    }
    await clock.advance(1_000);
    expect(host.peers.summary().known).toBeLessThanOrEqual(1_001);
    const honest = await greet(net, host, 'honest');
    open('found');
    honest.session.notify({ $case: 'peers', value: { peers: [{ address: 'found:9000' }] } });
    await clock.advance(60_000);
    expect(host.connected()).toContain('found');
  });

  it('finds the network again after a restart, without its bootstrap node', async () => {
    const dataDir = temporaryDirectory();
    for (const name of ['boot', 'b', 'c']) open(name, name === 'boot' ? {} : { bootstrap: ['boot:9000'] });
    const first = openHost(net, 'a', { bootstrap: ['boot:9000'], dataDir });
    await clock.until('it knows all', () => first.connected().length === 3, 5_000);
    // Whom it did not dial itself it has yet to find: those it dials when their sessions end.
    await clock.advance(20_000);
    first.close();
    hosts.find(({ name }) => name === 'boot')!.peers.beforeApplicationShutdown();
    await clock.advance(1_000);
    const again = open('a', { dataDir });
    await clock.until('it is back', () => again.connected().length >= 1, 60_000);
  });

  it('brings halves together that were cut for long, though their bootstrap node is gone', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const boot = open('boot');
    const members = names.map((name) => open(name, { bootstrap: ['boot:9000'] }));
    const isMeshed = (): boolean =>
      members.every((host) => names.every((name) => name === host.name || host.connected().includes(name)));
    await clock.until('a full mesh', isMeshed, 10_000);
    await clock.advance(20_000);
    boot.peers.beforeApplicationShutdown();
    net.partition(['a', 'b'], ['c', 'd']);
    await clock.advance(30 * 60_000);
    net.heal();
    await clock.until('a full mesh again', isMeshed, 5 * 60_000);
  });
});
