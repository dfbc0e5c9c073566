import { describe, expect, it } from 'vitest';
import { acceptBatch, mineChain, mineOn, silentLog } from '../../test/support/chain-builders.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, openHost, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer, serving } from '../../test/support/scripted-peer.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Block } from '../consensus/block.js';
import { openDatabase } from '../storage/database.js';
import { Verdict_Result } from './generated/minichain/v1/peer.js';
import type { Body } from './messages.js';
import { encodeTip } from './wire.js';

const MINUTE_MS = 60_000;

describe('A node under attack', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, open } = network));

  const scoreOf = (host: PeersHost, name: string): number | undefined =>
    host.peers.list().find(({ id }) => id === name)?.score;
  const announce = async (peer: ScriptedPeer, host: PeersHost, block: Block): Promise<string> => {
    const body: Body = {
      $case: 'newBlock',
      value: { block: { raw: block.bytes }, tip: encodeTip(host.chain.genesis) },
    };
    const { code } = await clock.during('a verdict', peer.session.request(body, 'verdict', 5_000));
    return code;
  };

  describe('by a flood of messages', () => {
    it('drops the flooder, and goes on with the others', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'honest');
      const flooder = await greet(net, host, 'flooder');
      for (let count = 0; count < 500; count++) flooder.session.notify({ $case: 'getPeers', value: {} });
      await clock.until('it is dropped', () => flooder.closedBecause !== undefined);
      expect(flooder.closedBecause).toBe('flood of getPeers');
      expect(flooder.count('peers')).toBe(0);
      expect([host.connected(), scoreOf(host, 'honest')]).toEqual([['honest'], 0]);
      expect(honest.closedBecause).toBeUndefined();
    });

    it('blames who announces one block again and again, and does nothing for it', async () => {
      const host = open('a');
      const stubborn = await greet(net, host, 'stubborn');
      const { bytes: raw } = mineOn(host.chain.genesis);
      const body: Body = { $case: 'newBlock', value: { block: { raw }, tip: encodeTip(host.chain.genesis) } };
      for (let second = 0; second < 40 && stubborn.closedBecause === undefined; second++) {
        for (let count = 0; count < 15; count++) stubborn.session.notify(body);
        await clock.advance(1_000);
      }
      expect(stubborn.closedBecause).toMatch(/too-many-messages|flood of newBlock/);
    });

    it('does not look into big blocks without a parent', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'peer');
      const data = Array.from({ length: 5 }, (_, n) => `${n}`.padEnd(16_000, 'x'));
      const unknown = mineChain(host.chain.genesis, 2, () => data).blocks[1]!;
      // The node would ban for a wrong body.
      const raw = Buffer.concat([unknown.bytes.subarray(0, -1), Buffer.of(0xff)]);
      const value = { block: { raw }, tip: encodeTip(host.chain.genesis) };
      const request = peer.session.request({ $case: 'newBlock', value }, 'verdict', 5_000);
      expect((await clock.during('a verdict', request)).result).toBe(Verdict_Result.RESULT_ORPHAN);
      expect(host.chain.orphanCount).toBe(0);
      await clock.advance(1_000);
      expect([host.connected(), scoreOf(host, 'peer')]).toEqual([['peer'], 0]);
    });

    it('bans who keeps above the limits for long', async () => {
      const host = open('a');
      const pushy = await greet(net, host, 'pushy');
      const knock = async (): Promise<void> => {
        for (let second = 0; second < 120 && pushy.closedBecause === undefined; second++) {
          for (let count = 0; count < 15; count++) {
            pushy.session.notify({ $case: 'ping', value: { tip: encodeTip(host.chain.tip) } });
          }
          await clock.advance(1_000);
        }
      };
      await knock();
      expect(pushy.closedBecause).toBe('banned: too-many-messages');
    });

    it('drops who sends answers that nobody waits for', async () => {
      const host = open('a');
      const flooder = await greet(net, host, 'flooder');
      for (let count = 0; count < 2_000; count++) {
        flooder.session.notify({ $case: 'mempool', value: { ids: [] } });
      }
      await clock.until('it is dropped', () => flooder.closedBecause !== undefined);
    });

    it('does not hold the load of its users against a node that relays it', async () => {
      const [a, b] = [open('a'), open('b', { bootstrap: ['a:9000'] })];
      await clock.until('connected', () => b.connected().length === 1);
      for (let tick = 0; tick < 25; tick++) {
        for (let count = 0; count < 80; count++) void a.mempool.submit(`${tick} ${count}`).catch(() => {});
        await clock.advance(20);
      }
      await clock.advance(1_000);
      expect(b.mempool.size).toBe(1_600);
      expect([b.connected(), scoreOf(b, 'a'), scoreOf(a, 'b')]).toEqual([['a'], 0, 0]);
    });

    it('believes 60 addresses a minute of a peer, and does not blame it for more', async () => {
      const host = open('a');
      const liar = await greet(net, host, 'liar');
      for (let round = 0; round < 5; round++) {
        const peers = Array.from({ length: 100 }, (_, index) => ({ address: `h${round}x${index}:1` }));
        liar.session.notify({ $case: 'peers', value: { peers } });
      }
      await clock.advance(100);
      expect(host.peers.summary().known).toBeLessThanOrEqual(201);
      expect([host.connected(), scoreOf(host, 'liar')]).toEqual([['liar'], 0]);
    });

    it('is not made to flood an honest peer by somebody who uses that one’s name', async () => {
      const host = open('a');
      const honest = await greet(net, host, 'x');
      await clock.advance(100);
      const before = honest.count('ping');
      for (let attempt = 0; attempt < 50; attempt++) {
        const impostor = new ScriptedPeer(net, 'evil');
        impostor.dial(host.address);
        impostor.sayHello(host.chain.genesis, host.chain.genesis, { nodeId: 'x' });
        await clock.advance(40);
      }
      expect(honest.count('ping') - before).toBeLessThanOrEqual(4);
      expect(honest.closedBecause).toBeUndefined();
    });
  });

  describe('by claims of work', () => {
    it('bans who claims again and again what its headers do not show, and syncs with the honest meanwhile', async () => {
      const host = open('a');
      const source = open('s');
      acceptBatch(source.chain, mineChain(source.chain.genesis, 20).blocks);
      const lie = { ...encodeTip(source.chain.tip), chainWork: Buffer.alloc(16, 0xff), hash: Buffer.alloc(32, 7) };
      const liar = await greet(net, host, 'liar', {
        ...serving(host.chain),
        ping: () => ({ $case: 'pong', value: { tip: lie } }),
      });
      await clock.advance(10_000);
      expect(liar.closedBecause).toBeUndefined();
      await greet(net, host, 'honest', serving(source.chain));
      await clock.until('it has the chain', () => host.chain.tip.hash === source.chain.tip.hash);
      await clock.until('the liar is banned', () => liar.closedBecause !== undefined, 5 * MINUTE_MS);
      expect(liar.closedBecause).toBe('banned: unproven-work');
      expect([host.connected(), scoreOf(host, 'honest')]).toEqual([['honest'], 0]);
    });

    it('keeps no block of a branch that is far behind, and takes one of a fork that is not', async () => {
      const host = open('a');
      const { blocks, nodes } = mineChain(host.chain.genesis, 200);
      acceptBatch(host.chain, blocks);
      const peer = await greet(net, host, 'x');
      const old = mineOn(nodes[20]!);
      expect(await announce(peer, host, old)).toBe('too-little-chainwork');
      expect(host.chain.node(old.hash)).toBeUndefined();
      const recent = mineOn(nodes[150]!);
      expect(await announce(peer, host, recent)).toBe('');
      expect(host.chain.node(recent.hash)).toBeDefined();
      expect(await announce(peer, host, blocks[10]!)).toBe('');
      expect(scoreOf(host, 'x')).toBe(0);
    });
  });

  describe('for its slots', () => {
    it('leaves one host few places to say nothing in', async () => {
      const host = open('a');
      for (let index = 0; index < 100; index++) new ScriptedPeer(net, 'evil').dial(host.address);
      await clock.advance(50);
      const honest = await greet(net, host, 'honest');
      expect(honest.closedBecause).toBeUndefined();
    });

    it('keeps a quarter of them for nodes that it dials', async () => {
      const host = open('a', { maxPeers: 8 });
      const crowd: ScriptedPeer[] = [];
      for (let index = 0; index < 6; index++) crowd.push(await greet(net, host, `evil${index}`));
      const late = new ScriptedPeer(net, 'late');
      late.dial(host.address);
      late.sayHello(host.chain.genesis);
      await clock.advance(100);
      expect(late.closedBecause).toBe('no free slot');
      for (const name of ['b', 'c']) open(name);
      const value = { peers: [{ address: 'b:9000' }, { address: 'c:9000' }] };
      crowd[0]!.session.notify({ $case: 'peers', value });
      await clock.until('it has dialled both', () => host.connected().length === 8);
      expect(host.connected()).toEqual(expect.arrayContaining(['b', 'c']));
    });

    it('makes room for a newcomer by an inbound peer that brought nothing, never by one that brought a block', async () => {
      const host = open('a', { maxPeers: 4 });
      const useful = await greet(net, host, 'useful');
      const idle = [await greet(net, host, 'idle0'), await greet(net, host, 'idle1')];
      await clock.advance(6 * MINUTE_MS);
      expect(await announce(useful, host, mineOn(host.chain.genesis))).toBe('');
      await greet(net, host, 'new');
      await clock.advance(100);
      expect(useful.closedBecause).toBeUndefined();
      expect(idle.map(({ closedBecause }) => closedBecause)).toContain('evicted: another peer needs the slot');
      expect(host.connected()).toHaveLength(3);
    });
  });

  describe('through its address book', () => {
    it('finds its anchors first after a restart, though hundreds of silent addresses stand in the book', async () => {
      const dataDir = temporaryDirectory();
      const source = open('source');
      // They are dialled and do not dial.
      const [b, c] = ['b', 'c'].map((name) => {
        const peer = new ScriptedPeer(net, name, serving(source.chain));
        peer.handlers = { ...peer.handlers, hello: () => peer.sayHello(source.chain.genesis) };
        peer.listen();
        return peer;
      }) as [ScriptedPeer, ScriptedPeer];
      const first = openHost(net, 'a', { bootstrap: [b.address, c.address], dataDir });
      await clock.until('connected', () => first.connected().length === 2);
      first.close();
      const database = openDatabase(dataDir, silentLog);
      const insert = database.prepare("INSERT INTO peers (address, source, last_seen_ms) VALUES (?, 'learnt', ?)");
      for (let index = 0; index < 500; index++) {
        const evil = new ScriptedPeer(net, `evil${index}`);
        evil.listen();
        insert.run(evil.address, clock.nowMs() + index);
      }
      database.close();
      await clock.advance(1_000);
      const again = open('a', { dataDir });
      await clock.until('both are back', () => again.connected().join() === 'b,c', 1_000);
    });
  });

  describe('and a restart in the middle of a sync', () => {
    it('goes on from what it has', async () => {
      const dataDir = temporaryDirectory();
      const source = open('s');
      acceptBatch(source.chain, mineChain(source.chain.genesis, 1_500).blocks);
      const first = openHost(net, 'a', { dataDir });
      await greet(net, first, 'x', serving(source.chain));
      const greeted = first.chain;
      const peer = await greet(net, first, 'y', {
        ...serving(source.chain),
        ping: () => ({ $case: 'pong', value: { tip: encodeTip(source.chain.tip) } }),
      });
      await clock.until('some blocks are there', () => greeted.tip.height > 0, MINUTE_MS);
      const reached = greeted.tip.height;
      expect(reached).toBeLessThan(1_500);
      first.close();
      expect(peer).toBeDefined();
      await clock.advance(1_000);
      const again = open('a', { dataDir });
      expect(again.chain.tip.height).toBeGreaterThanOrEqual(reached);
      const resumed = await greet(net, again, 'z', serving(source.chain));
      await clock.until('it has all', () => again.chain.tip.hash === source.chain.tip.hash, MINUTE_MS);
      const asked = resumed.received.flatMap((body) => (body.$case === 'getBlocks' ? body.value.hashes : []));
      expect(asked).toHaveLength(1_500 - reached);
      expect(again.peers.syncStatus().state).toBe('idle');
    });
  });
});
