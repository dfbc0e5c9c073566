import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { acceptBatch, genesisNode, mineChain, mineOn } from '../../test/support/chain-builders.js';
import { FakeChannel } from '../../test/support/fake-channel.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, type PeersHost } from '../../test/support/peers-host.js';
import { ScriptedPeer } from '../../test/support/scripted-peer.js';
import { identityOf } from '../../test/support/test-identity.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import { createParams } from '../consensus/params.js';
import type { Body } from './messages.js';
import { encodeTip } from './wire.js';

describe('Connections', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let hosts: PeersHost[];
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, hosts, open } = network));

  const scripted = (name: string, handlers: ScriptedPeer['handlers'] = {}): ScriptedPeer =>
    new ScriptedPeer(net, name, handlers);
  const GET_PEERS: Body = { $case: 'getPeers', value: {} };

  describe('before Hello', () => {
    it.each(['getPeers', 'getMempool', 'getChainLength'] as const)(
      '%s gets no answer, and ends the session',
      async (kind) => {
        const host = open('a');
        const peer = scripted('x');
        peer.dial(host.address);
        peer.session.request({ $case: kind, value: {} }, 'peers', 5_000).catch(() => {});
        await clock.advance(100);
        expect(peer.closedBecause).toBe('unexpected-message');
        expect(peer.received.map(({ $case }) => $case)).toEqual(['goodbye']);
      },
    );

    it('a silent dialler is let go after five seconds, and so is a node that we dial', async () => {
      const silent = scripted('b');
      silent.listen();
      const host = open('a', { bootstrap: [silent.address] });
      const peer = scripted('x');
      peer.dial(host.address);
      await clock.advance(4_900);
      expect([peer.closedBecause, silent.closedBecause]).toEqual([undefined, undefined]);
      await clock.advance(200);
      expect(peer.closedBecause).toBe('no Hello in time');
      expect(silent.last('goodbye')).toEqual({ reason: 'no Hello in time' });
    });

    it('many silent diallers do not keep us from dialling', async () => {
      const host = open('a', { bootstrap: ['b:9000'], maxPeers: 4 });
      for (let index = 0; index < 100; index++) scripted(`x${index}`).dial(host.address);
      await clock.advance(50);
      open('b');
      await clock.until('a and b are connected', () => host.connected().includes('b'), 10_000);
    });
  });

  describe('messages that we do not know', () => {
    const UNKNOWN = Buffer.from('0805fa3e03010203', 'hex');

    it('before Hello are ignored without an answer, as long as there are few', async () => {
      const host = open('a');
      const channel = new FakeChannel('10.0.0.1');
      host.peers.acceptInbound(channel);
      for (let count = 0; count < 20; count++) channel.deliverBytes(UNKNOWN);
      expect([channel.sent, channel.isClosed]).toEqual([[], false]);
      channel.deliverBytes(UNKNOWN);
      expect(channel.sent.map(({ body }) => body)).toEqual([
        { $case: 'goodbye', value: { reason: 'flood of unknown messages before Hello and Proof' } },
      ]);
      expect(host.peers.bans()).toEqual([]);
    });

    it('after Hello cost nothing, and a flood of them ends the session without a ban', async () => {
      const host = open('a');
      const channel = new FakeChannel('10.0.0.1');
      host.peers.acceptInbound(channel);
      channel.greet(identityOf('x'), host.chain.genesis);
      for (let count = 0; count < 1_000; count++) channel.deliverBytes(UNKNOWN);
      expect(host.peers.list()).toMatchObject([{ id: 'x', connected: true, score: 0 }]);
      expect(channel.sentKinds.filter((kind) => kind === 'unsupported')).toHaveLength(1_000);
      for (let count = 0; count < 1_100 && !channel.isClosed; count++) channel.deliverBytes(UNKNOWN);
      expect(channel.sent.at(-1)!.body).toEqual({ $case: 'goodbye', value: { reason: 'flood of unknown' } });
      expect(host.peers.bans()).toEqual([]);
    });
  });

  describe('Hello', () => {
    it('of the accepting side follows that of the dialler, and only if it is taken', async () => {
      const host = open('a');
      const peer = scripted('x');
      peer.dial(host.address);
      await clock.advance(1_000);
      expect(peer.received).toEqual([]);
      peer.sayHello(genesisNode(createParams({ network: 'other', difficulty: 0 })));
      await clock.advance(100);
      expect(peer.count('hello')).toBe(0);
      expect(peer.closedBecause).toContain('other network');
      expect(host.connected()).toEqual([]);
    });

    it('of a second kind ends nothing by itself, but is no part of the conversation', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      peer.sayHello(host.chain.genesis);
      await clock.advance(100);
      expect(host.connected()).toEqual(['x']);
      expect(host.peers.list()[0]!.score).toBe(20);
    });

    it('that is malformed ends the session', async () => {
      const host = open('a');
      const peer = scripted('x');
      peer.dial(host.address);
      peer.sayHello(host.chain.genesis, host.chain.genesis, { genesisHash: Buffer.alloc(5) });
      await clock.advance(100);
      expect(peer.closedBecause).toBe('banned: malformed-message');
    });

    it('of ourselves tells us never to dial that address again', async () => {
      net.listen('alias:9000', (channel) => host.peers.acceptInbound(channel));
      const host = open('a', { bootstrap: ['alias:9000', 'a:9000'] });
      await clock.advance(60_000);
      expect(host.connected()).toEqual([]);
      expect(host.peers.list()).toEqual([]);
    });
  });

  describe('two sessions between the same nodes', () => {
    it('become one, whoever dials first, and whichever message overtakes which', async () => {
      for (let round = 0; round < 40; round++) {
        const [a, b] = [
          open(`a${round}`, { bootstrap: [`b${round}:9000`] }),
          open(`b${round}`, { bootstrap: [`a${round}:9000`] }),
        ];
        await clock.until('connected', () => a.connected().length === 1 && b.connected().length === 1, 10_000);
        await clock.advance(3_000);
        const views = [a, b].map((host) => host.peers.list().filter(({ connected }) => connected));
        expect(views.map((list) => list.map(({ id }) => id))).toEqual([[b.name], [a.name]]);
        expect(new Set(views.map(([view]) => view!.direction)).size).toBe(2);
        for (const host of hosts.splice(0)) host.close();
      }
    });

    it.each([
      ['duplicate session', 0],
      ['shutting down', 1],
    ])('when the peer ends one saying "%s", log that as a loss %d times', async (reason, losses) => {
      const lines: string[] = [];
      const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
      const host = open('m', { log });
      const peer = await greet(net, host, 'x');
      peer.session.close(reason);
      await clock.until('it is gone', () => host.connected().length === 0, 10_000);
      expect(lines.filter((line) => line.includes('Disconnected from peer x'))).toHaveLength(losses);
    });

    it('keep the one that is there already when the peer dials again', async () => {
      const host = open('m');
      const lower = await greet(net, host, 'a');
      const second = scripted('a');
      second.dial(host.address);
      second.sayHello(host.chain.genesis);
      await clock.advance(100);
      expect(second.closedBecause).toBe('duplicate session');
      expect(lower.closedBecause).toBeUndefined();
      expect(host.connected()).toEqual(['a']);
    });

    it('give way to a new one when the old one is dead', async () => {
      const host = open('m');
      const old = await greet(net, host, 'x', { ping: () => {} });
      const restarted = scripted('x');
      const dial = (): void => {
        restarted.dial(host.address);
        restarted.sayHello(host.chain.genesis, host.chain.genesis, { instanceNonce: 99n });
      };
      dial();
      await clock.advance(100);
      expect(restarted.closedBecause).toContain('an earlier session with this node is open');
      await clock.advance(2_000);
      expect(old.closedBecause).toBe('replaced by a new session');
      dial();
      await clock.advance(100);
      expect(restarted.closedBecause).toBeUndefined();
      expect(host.connected()).toEqual(['x']);
    });
  });

  describe('slots', () => {
    it('are not exceeded by peers that dial in', async () => {
      const host = open('a', { maxPeers: 2 });
      for (const name of ['x', 'y']) await greet(net, host, name);
      const third = scripted('z');
      third.dial(host.address);
      third.sayHello(host.chain.genesis);
      await clock.advance(100);
      expect(third.closedBecause).toBe('no free slot');
      expect(third.count('hello')).toBe(0);
      expect(host.connected()).toEqual(['x', 'y']);
    });

    it('are not exceeded by dialling', async () => {
      const names = ['b', 'c', 'd', 'e'];
      for (const name of names) open(name);
      const host = open('a', { maxPeers: 2, bootstrap: names.map((name) => `${name}:9000`) });
      await clock.advance(30_000);
      expect(host.connected()).toHaveLength(2);
    });

    it('that are taken at the other end are asked for with growing pauses', async () => {
      const full = open('full', { maxPeers: 1 });
      await greet(net, full, 'x');
      const host = open('a', { bootstrap: [full.address] });
      let dials = 0;
      net.listen(full.address, (channel) => {
        dials += 1;
        full.peers.acceptInbound(channel);
      });
      await clock.advance(60_000);
      expect(host.connected()).toEqual([]);
      expect(dials).toBeGreaterThan(5);
      expect(dials).toBeLessThan(20);
    });
  });

  describe('the heartbeat', () => {
    it('drops a peer that misses three, and dials it again', async () => {
      const silent = scripted('b');
      silent.listen();
      silent.handlers = { hello: () => silent.sayHello(genesisNode()) };
      const host = open('a', { bootstrap: [silent.address] });
      await clock.until('connected', () => host.connected().length === 1);
      await clock.advance(19_000);
      expect(host.connected()).toEqual(['b']);
      await clock.advance(2_000);
      expect(silent.count('ping')).toBeGreaterThanOrEqual(3);
      expect(silent.count('hello')).toBe(2);
    });

    it('keeps a peer that answers now and then, and measures its latency', async () => {
      const host = open('a');
      let pings = 0;
      await greet(net, host, 'x', {
        ping: () => (++pings % 3 === 0 ? { $case: 'pong', value: { tip: encodeTip(host.chain.tip) } } : undefined),
      });
      await clock.advance(120_000);
      expect(host.connected()).toEqual(['x']);
      expect(host.peers.list()[0]!.latencyMs).toBeGreaterThan(0);
    });

    it('bans who answers with nonsense', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x', { ping: () => ({ $case: 'pong', value: { tip: undefined } }) });
      await clock.advance(5_100);
      expect(peer.closedBecause).toBe('banned: malformed-message');
    });

    it('shows the tip: what an announcement missed is fetched', async () => {
      const host = open('a');
      const source = open('s');
      acceptBatch(source.chain, mineChain(source.chain.genesis, 3).blocks);
      const peer = await greet(net, host, 'x');
      peer.handlers = {
        ...peer.handlers,
        ping: () => ({ $case: 'pong', value: { tip: encodeTip(source.chain.tip) } }),
      };
      await clock.until('it asks for headers', () => peer.count('getHeaders') > 0, 6_000);
    });
  });

  describe('misbehaviour', () => {
    it('that breaks consensus bans the host at once, and its next dial is turned away unheard', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      const bad = mineOn(host.chain.genesis, [], { bits: 0x207fffff });
      const announcement: Body = {
        $case: 'newBlock',
        value: { block: { raw: bad.bytes }, tip: encodeTip(host.chain.genesis) },
      };
      const verdict = await clock.during('a verdict', peer.session.request(announcement, 'verdict', 5_000));
      expect(verdict.code).toBe('bad-diffbits');
      await clock.advance(20);
      expect(peer.closedBecause).toBe('banned: bad-diffbits');
      const again = scripted('x');
      again.dial(host.address);
      again.sayHello(host.chain.genesis);
      await clock.advance(100);
      expect(again.closedBecause).toBe('closed by the peer');
      expect(again.received).toEqual([]);
    });

    it('keeps us from dialling the banned host until the ban is over', async () => {
      const evil = scripted('b');
      let dials = 0;
      net.listen(evil.address, (channel) => {
        dials += 1;
        evil.open(channel);
      });
      evil.handlers = { hello: () => evil.sayHello(genesisNode(), genesisNode(), { tip: undefined }) };
      open('a', { bootstrap: [evil.address] });
      await clock.until('it is banned', () => evil.closedBecause === 'banned: malformed-message', 10_000);
      const before = dials;
      await clock.advance(3_500_000);
      expect(dials).toBe(before);
      await clock.advance(200_000);
      expect(dials).toBeGreaterThan(before);
    });

    it('under the name of an honest node does the honest node no harm', async () => {
      const host = open('a');
      const impostor = scripted('evil');
      impostor.dial(host.address);
      impostor.sayHello(host.chain.genesis, host.chain.genesis, { nodeId: 'honest' });
      await clock.advance(100);
      impostor.session.notify({ $case: 'ping', value: { tip: undefined } });
      await clock.advance(100);
      expect(impostor.closedBecause).toBe('banned: malformed-message');
      const honest = await greet(net, host, 'honest');
      await clock.advance(1_000);
      expect(honest.closedBecause).toBeUndefined();
    });

    it('costs nothing where our clock may be the wrong one', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      const future = mineOn(host.chain.genesis, [], { time: Math.floor(clock.nowMs() / 1000) + 3 * 3_600 });
      const announcement: Body = {
        $case: 'newBlock',
        value: { block: { raw: future.bytes }, tip: encodeTip(host.chain.genesis) },
      };
      for (let count = 0; count < 20; count++) {
        const verdict = await clock.during('a verdict', peer.session.request(announcement, 'verdict', 5_000));
        expect(verdict.code).toBe('time-too-new');
      }
      expect(host.peers.list()[0]).toMatchObject({ connected: true, score: 0 });
    });
  });

  describe('the end', () => {
    it('says goodbye to all, and neither dials nor answers any more', async () => {
      const host = open('a', { bootstrap: ['late:9000'] });
      const peer = await greet(net, host, 'x');
      const opening = scripted('y');
      opening.dial(host.address);
      await clock.advance(20);
      host.peers.beforeApplicationShutdown();
      await clock.advance(100);
      expect([peer.closedBecause, opening.closedBecause]).toEqual(['shutting down', 'shutting down']);
      const late = scripted('late');
      late.listen();
      const knock = scripted('z');
      knock.dial(host.address);
      await clock.advance(60_000);
      expect(late.received).toEqual([]);
      expect(knock.closedBecause).toBe('closed by the peer');
      expect(clock.pendingTimers).toBe(0);
    });

    it('of a session fails what was asked in it, and leaves no timer but the next dial', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x', { getMempool: () => {}, getPeers: () => {} });
      peer.session.request(GET_PEERS, 'peers', 60_000).catch(() => {});
      peer.session.close('bye');
      await clock.advance(30_000);
      expect(host.connected()).toEqual([]);
      host.peers.beforeApplicationShutdown();
      expect(clock.pendingTimers).toBe(0);
    });
  });
});
