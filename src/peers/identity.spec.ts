import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { FakeChannel } from '../../test/support/fake-channel.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { identityOf, keyOf } from '../../test/support/test-identity.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import { NODE_KEY_FILE } from '../storage/database.js';
import type { SelfIdentity } from './handshake.js';
import { NodeKeyError, openNodeKey } from './node-key.js';

const MINUTE_MS = 60_000;

describe('The identity of a node', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, open } = network));

  const keysOf = (host: PeersHost): (string | null)[] =>
    host.peers.list().flatMap(({ key, connected }) => (connected ? key : []));
  const areConnected = (a: PeersHost, b: PeersHost): boolean =>
    keysOf(a).includes(b.peers.key) && keysOf(b).includes(a.peers.key);
  const logOf = (): { log: pino.Logger; warnings: () => string[] } => {
    const lines: { level: number; msg: string }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
    return { log, warnings: () => lines.map(({ msg }) => msg) };
  };

  describe('stolen', () => {
    it('by its node id and instance nonce does not touch the session of its owner', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'x');
      const told = host.peers.list()[0]!;
      for (let attempt = 0; attempt < 20; attempt++) {
        const thief = new ScriptedPeer(net, `evil${attempt % 3}`);
        thief.dial(host.address);
        const { instanceNonce } = honest.ours!;
        thief.sayHello(host.chain.genesis, host.chain.genesis, {
          nodeId: 'x',
          instanceNonce,
          advertisedAddress: 'x:9000',
        });
        await clock.advance(500);
      }
      expect(honest.closedBecause).toBeUndefined();
      expect(keysOf(host)).toContain(told.key);
    });

    it('by its key as well is a wrong proof: the thief is banned, and the owner keeps its session', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'x');
      const thief = new ScriptedPeer(net, 'evil');
      thief.dial(host.address);
      thief.sayHello(host.chain.genesis, host.chain.genesis, { ...honest.ours! });
      await clock.advance(100);
      expect(thief.closedBecause).toBe('banned: wrong-proof');
      expect(honest.closedBecause).toBeUndefined();
      expect(host.peers.list().map(({ score }) => score)).toEqual([0]);
    });

    it('without a proof is let go after five seconds, and nobody is asked anything', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'x');
      await clock.advance(100);
      const pings = honest.count('ping');
      const thief = new ScriptedPeer(net, 'evil');
      thief.isProving = false;
      thief.dial(host.address);
      thief.sayHello(host.chain.genesis, host.chain.genesis, { ...honest.ours! });
      await clock.advance(4_000);
      expect([thief.closedBecause, honest.count('ping')]).toEqual([undefined, pings]);
      thief.session.notify({ $case: 'getPeers', value: {} });
      await clock.advance(100);
      expect(thief.closedBecause).toBe('unexpected-message');
    });

    it('by a proof of an earlier session is wrong: each session has new nonces', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'x');
      const replay = new ScriptedPeer(net, 'evil');
      replay.isProving = false;
      replay.dial(host.address);
      replay.sayHello(host.chain.genesis, host.chain.genesis, { ...honest.ours! });
      await clock.advance(100);
      replay.session.notify({ $case: 'proof', value: honest.proof! });
      await clock.advance(100);
      expect(replay.closedBecause).toBe('banned: wrong-proof');
      expect(honest.closedBecause).toBeUndefined();
    });
  });

  describe('squatted on', () => {
    it('before two nodes meet does not keep them apart', async () => {
      const a = open('a');
      await greet(net, a, 'evil1', {});
      const asB = new ScriptedPeer(net, 'evil2');
      asB.dial(a.address);
      asB.sayHello(a.chain.genesis, a.chain.genesis, { nodeId: 'b', advertisedAddress: 'b:9000' });
      await clock.advance(100);
      expect(a.connected()).toContain('b');
      const b = open('b', { bootstrap: [a.address] });
      await clock.until('a and b are connected', () => areConnected(a, b), 5_000);
      const both = a.peers.list().filter(({ id, connected }) => connected && id === 'b');
      expect(new Set(both.map(({ key }) => key))).toEqual(new Set([keyOf('evil2').id, b.peers.key]));
      expect(asB.closedBecause).toBeUndefined();
    });

    it('at the other end of our own dial does not, either', async () => {
      const a = open('a');
      const asA = new ScriptedPeer(net, 'evil');
      asA.handlers = { hello: () => asA.sayHello(a.chain.genesis, a.chain.genesis, { nodeId: 'a' }) };
      asA.listen();
      const b = open('b', { bootstrap: [asA.address, a.address] });
      await clock.until('a and b are connected', () => areConnected(a, b), 5_000);
    });

    it('is reported once, with both addresses', async () => {
      const { log, warnings } = logOf();
      const host = open('a', { log });
      await greet(net, host, 'x');
      for (const name of ['y', 'z']) {
        const other = new ScriptedPeer(net, name);
        other.dial(host.address);
        other.sayHello(host.chain.genesis, host.chain.genesis, { nodeId: 'x' });
        await clock.advance(100);
      }
      expect(host.connected()).toEqual(['x', 'x', 'x']);
      expect(warnings()).toEqual(['Two nodes call themselves x: x:9000 and y:9000. Give each its own node_id']);
    });
  });

  it('does not give anybody the address that it claims: the address is dialled all the same', async () => {
    const a = open('a');
    const squatter = new ScriptedPeer(net, 'evil');
    squatter.dial(a.address);
    squatter.sayHello(a.chain.genesis, a.chain.genesis, { advertisedAddress: 'b:9000' });
    await clock.until('evil is there', () => a.connected().includes('evil'));
    const b = open('b');
    await clock.until('a has dialled b', () => areConnected(a, b), 60_000);
    expect(squatter.closedBecause).toBeUndefined();
  });

  it('is checked at the address that a peer claims, without touching the session', async () => {
    const a = open('a');
    const b = open('b', { bootstrap: [a.address] });
    await clock.until('connected', () => areConnected(a, b));
    const heard: string[] = [];
    a.peers.events.on('disconnected', ({ nodeId }) => void heard.push(nodeId));
    await clock.advance(MINUTE_MS);
    expect(heard).toEqual([]);
    expect(a.peers.list()).toMatchObject([{ id: 'b', key: b.peers.key, connected: true }]);
  });

  describe('in a copied data directory', () => {
    const copyOf = (dataDir: string): string => {
      const copy = join(temporaryDirectory(), 'copy');
      mkdirSync(copy);
      copyFileSync(join(dataDir, NODE_KEY_FILE), join(copy, NODE_KEY_FILE));
      return copy;
    };

    it('is reported by both nodes and by their neighbour, and no session flaps', async () => {
      const [first, second, third] = [logOf(), logOf(), logOf()];
      const dataDir = temporaryDirectory();
      const neighbour = open('c', { log: third.log });
      const a = open('a', { dataDir, bootstrap: ['c:9000'], log: first.log });
      await clock.until('connected', () => areConnected(a, neighbour));
      const events: string[] = [];
      neighbour.peers.events.on('disconnected', ({ nodeId }) => void events.push(nodeId));
      const b = open('b', { dataDir: copyOf(dataDir), bootstrap: ['c:9000', 'a:9000'], log: second.log });
      expect(b.peers.key).toBe(a.peers.key);
      await clock.advance(10 * MINUTE_MS);
      expect(events).toEqual([]);
      expect(keysOf(neighbour)).toEqual([a.peers.key]);
      expect(third.warnings()).toEqual([
        expect.stringContaining('Two processes use the key of a: at a:9000 and at b:9000'),
      ]);
      expect(first.warnings()).toEqual([
        expect.stringContaining('Another process uses the key of this node, as b at b:9000'),
      ]);
      expect(second.warnings()).toContainEqual(
        expect.stringContaining('Another process uses the key of this node, as a at a:9000'),
      );
      expect(second.warnings().join()).toContain('another process uses the same node key');
    });
  });

  describe('under mTLS', () => {
    const meet = (host: PeersHost, certified: string, self: SelfIdentity): FakeChannel => {
      const channel = new FakeChannel('10.0.0.1');
      channel.provenNodeId = certified;
      host.peers.acceptInbound(channel);
      channel.greet(self, host.chain.genesis);
      return channel;
    };
    const goodbyeOf = ({ sent }: FakeChannel): unknown => sent.at(-1)!.body.value;

    it('is bound to the certificate: a peer can speak for no other certified node', () => {
      const host = open('a', { isCertified: true });
      const honest = meet(host, 'node-1', identityOf('node-1'));
      expect(host.connected()).toEqual(['node-1']);
      const asOther = meet(host, 'node-2', identityOf('node-1'));
      expect(goodbyeOf(asOther)).toMatchObject({
        reason: expect.stringContaining('its certificate is that of node node-2'),
      });
      // With the key of node-1, as one may have that copied its data directory, but the certificate of node-2.
      const withItsKey = meet(host, 'node-2', identityOf('node-2', { key: keyOf('node-1') }));
      expect(withItsKey.isClosed).toBe(true);
      expect([host.connected(), honest.isClosed]).toEqual([['node-1'], false]);
    });

    it('gives each certificate one session, however many keys its owner makes', () => {
      const host = open('a', { isCertified: true });
      meet(host, 'node-1', identityOf('node-1'));
      for (let index = 0; index < 5; index++) {
        const more = meet(
          host,
          'node-1',
          identityOf('node-1', { key: keyOf(`key ${index}`), instanceNonce: BigInt(index) }),
        );
        expect(more.isClosed).toBe(true);
      }
      expect(keysOf(host)).toEqual([keyOf('node-1').id]);
    });
  });

  describe('in its file', () => {
    const openKey = (dataDir: string): string => openNodeKey(dataDir, new SeededRandom(1), silentLog).id;

    it('is made once, for its owner alone, and kept', () => {
      const dataDir = temporaryDirectory();
      const key = openKey(dataDir);
      const file = join(dataDir, NODE_KEY_FILE);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8')).toContain('BEGIN PRIVATE KEY');
      expect(openNodeKey(dataDir, new SeededRandom(2), silentLog).id).toBe(key);
      expect(openKey(':memory:')).not.toBe(openNodeKey(':memory:', new SeededRandom(2), silentLog).id);
    });

    it('that is damaged is reported, and never replaced', () => {
      const dataDir = temporaryDirectory();
      const file = join(dataDir, NODE_KEY_FILE);
      writeFileSync(file, 'nonsense');
      expect(() => openKey(dataDir)).toThrow(NodeKeyError);
      expect(readFileSync(file, 'utf8')).toBe('nonsense');
    });
  });
});
