import { describe, expect, it } from 'vitest';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';

const MINUTE_MS = 60_000;
const BOOT = '198.51.100.1';

describe('An eclipse', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let hosts: PeersHost[];
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, hosts, open } = network));

  const PONG: ScriptedPeer['handlers'] = { ping: ({ tip }) => ({ $case: 'pong', value: { tip } }) };
  /** A node at each address that says Hello and nothing else, with a key of its own. */
  const listenAt = (host: PeersHost, addresses: readonly string[]): void => {
    for (const address of addresses) {
      net.listen(address, (channel) => {
        const peer = new ScriptedPeer(net, address);
        peer.handlers = {
          hello: () =>
            peer.sayHello(host.chain.genesis, host.chain.genesis, { nodeId: 'evil', advertisedAddress: address }),
          ...PONG,
        };
        peer.open(channel);
      });
    }
  };
  const tell = (peer: ScriptedPeer, addresses: readonly string[]): void =>
    peer.session.notify({ $case: 'peers', value: { peers: addresses.map((address) => ({ address })) } });
  const outbound = (host: PeersHost): string[] =>
    host.peers.list().flatMap(({ direction, address }) => (direction === 'outbound' ? address : []));
  const hasBoot = (host: PeersHost): boolean => host.connected().includes('boot');

  it('by 40 ports of one host gets two outbound slots', async () => {
    const host = open('192.0.2.1', { trustedRanges: [] });
    const ports = Array.from({ length: 40 }, (_, index) => `203.0.113.5:${7000 + index}`);
    listenAt(host, ports);
    tell(await greet(net, host, 'teller'), ports);
    await clock.advance(5 * MINUTE_MS);
    expect(outbound(host)).toHaveLength(2);
  });

  it('by hosts of one range gets two outbound slots, and not all inbound ones', async () => {
    const host = open('192.0.2.1', { trustedRanges: [] });
    const range = Array.from({ length: 40 }, (_, index) => `203.0.113.${index + 1}`);
    listenAt(
      host,
      range.map((ip) => `${ip}:9000`),
    );
    tell(
      await greet(net, host, 'teller'),
      range.map((ip) => `${ip}:9000`),
    );
    for (const ip of range) {
      const peer = new ScriptedPeer(net, ip, PONG);
      peer.dial(host.address);
      peer.sayHello(host.chain.genesis);
      await clock.advance(100);
    }
    await clock.advance(MINUTE_MS);
    expect(outbound(host).length).toBeLessThanOrEqual(2);
    expect(host.connected().filter((id) => range.includes(id))).toHaveLength(6);
  });

  it.each(['we dial', 'it dials'])(
    'by any number of hosts does not keep out a bootstrap node that restarts when %s',
    async (who) => {
      const dataDir = temporaryDirectory();
      const boot = open(BOOT, { nodeId: 'boot', dataDir });
      const host = open('192.0.2.1', { bootstrap: [boot.address], maxPeers: 16 });
      await clock.until('connected', () => hasBoot(host));
      boot.close();
      hosts.splice(hosts.indexOf(boot), 1);
      // In a trusted range, so that no cap stands in their way.
      const evil = Array.from({ length: 40 }, (_, index) => `10.${index}.0.1:9000`);
      listenAt(host, evil);
      tell(await greet(net, host, 'teller', PONG), evil);
      for (let index = 0; index < 20; index++) {
        const peer = new ScriptedPeer(net, `10.${index}.9.9`, PONG);
        peer.dial(host.address);
        peer.sayHello(host.chain.genesis);
      }
      await clock.advance(3 * MINUTE_MS);
      // Two of the sixteen slots are kept, and one node is absent.
      expect(host.connected()).toHaveLength(15);
      expect(hasBoot(host)).toBe(false);
      const again = open(BOOT, { nodeId: 'boot', dataDir, bootstrap: who === 'it dials' ? [host.address] : [] });
      if (who === 'it dials') net.listen(again.address, (channel) => channel.close());
      await clock.until('the bootstrap node is back', () => hasBoot(host), 20_000);
    },
  );

  it('is not made by the slot of a bootstrap node that is full: others take it, until that node has room', async () => {
    const boot = open(BOOT, { nodeId: 'boot', maxPeers: 1 });
    await greet(net, boot, 'first');
    const host = open('192.0.2.1', { bootstrap: [boot.address], maxPeers: 4 });
    const others = ['203.0.113.5:1', '204.0.113.5:1', '205.0.113.5:1', '206.0.113.5:1'];
    listenAt(host, others);
    tell(await greet(net, host, 'teller', PONG), others);
    await clock.until('they hold all outbound slots', () => outbound(host).length === 3);
    await clock.advance(MINUTE_MS);
    expect(outbound(host)).toHaveLength(3);
    boot.close();
    hosts.splice(hosts.indexOf(boot), 1);
    open(BOOT, { nodeId: 'boot' });
    await clock.until('the bootstrap node has one of them', () => hasBoot(host), MINUTE_MS);
    expect(outbound(host)).toHaveLength(3);
  });

  it('does not last: an outbound slot goes to another range from time to time', async () => {
    const host = open('192.0.2.1', { trustedRanges: [], maxPeers: 4 });
    const evil = ['203.0.113.5:1', '204.0.113.5:1', '205.0.113.5:1'];
    listenAt(host, evil);
    const teller = await greet(net, host, 'teller', PONG);
    tell(teller, evil);
    await clock.until('they hold all outbound slots', () => outbound(host).length === 3);
    const honest = open('198.18.0.1', { nodeId: 'honest' });
    tell(teller, [honest.address]);
    await clock.advance(MINUTE_MS);
    expect(host.connected()).not.toContain('honest');
    await clock.until('the honest node is there', () => host.connected().includes('honest'), 180 * MINUTE_MS);
    expect(outbound(host)).toHaveLength(3);
  });

  it('cannot be prepared by one host through Hellos: they fill no more of the book than Peers', async () => {
    const host = open('192.0.2.1', { trustedRanges: [] });
    for (let index = 0; index < 400; index++) {
      const peer = new ScriptedPeer(net, '203.0.113.5');
      peer.key = new ScriptedPeer(net, `key ${index}`).key;
      peer.dial(host.address);
      const advertisedAddress = `${20 + (index % 200)}.${index}.0.1:9000`;
      peer.sayHello(host.chain.genesis, host.chain.genesis, { nodeId: `n${index}`, advertisedAddress });
      await clock.advance(50);
      peer.session.close('next');
    }
    expect(host.peers.summary().known).toBeGreaterThan(50);
    expect(host.peers.summary().known).toBeLessThanOrEqual(130);
  });
});
