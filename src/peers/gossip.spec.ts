import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { accept, acceptBatch, chainData, entry, mineChain, mineOn, nodeOf } from '../../test/support/chain-builders.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet, type PeersHost } from '../../test/support/peers-host.js';
import type { ScriptedPeer } from '../../test/support/scripted-peer.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import { nowSeconds } from '../common/clock.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { hashFromBytes } from '../consensus/codec.js';
import type { Transaction } from '../consensus/transaction.js';
import { Verdict_Result } from './generated/minichain/v1/peer.js';
import type { Body, BodyOf } from './messages.js';
import type { HandlerTable } from './session.js';
import { decodeTransactions, decodeWireBlock, encodeHashes, encodeTip } from './wire.js';

describe('Gossip', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let hosts: PeersHost[];
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, hosts, open } = network));

  /** Hosts that all have sessions with each other. */
  const mesh = async (...names: string[]): Promise<PeersHost[]> => {
    const members = names.map((name, index) =>
      open(name, { bootstrap: names.slice(0, index).map((other) => `${other}:9000`) }),
    );
    await clock.until('a mesh', () => members.every((host) => host.connected().length === names.length - 1));
    await clock.advance(1_000);
    return members;
  };
  const submit = async (host: PeersHost, data: string): Promise<string> => {
    return (await clock.during('it is stored', host.mempool.submit(data))).id;
  };
  const announce = async (peer: ScriptedPeer, block: Block, tip?: BlockNode): Promise<BodyOf<'verdict'>> => {
    const value = { block: { raw: block.bytes }, tip: encodeTip(tip ?? hosts[0]!.chain.genesis) };
    const verdict = await clock.during(
      'a verdict',
      peer.session.request({ $case: 'newBlock', value }, 'verdict', 5_000),
    );
    await clock.advance(20);
    return verdict;
  };
  const blocksTold = (peer: ScriptedPeer): string[] =>
    peer.received.flatMap(({ $case, value }) => ($case === 'newBlock' ? [decodeWireBlock(value.block!.raw).hash] : []));
  const transactionsTold = (peer: ScriptedPeer): string[] =>
    peer.received.flatMap(({ $case, value }) =>
      $case === 'newTransactions' ? [...decodeTransactions(value)].map(({ id }) => id) : [],
    );
  const transactionsMessage = (...list: Transaction[]): BodyOf<'transactions'> => ({
    transactions: list.map(({ bytes }) => ({ raw: bytes })),
  });

  describe('blocks', () => {
    it('reach all nodes, each once', async () => {
      const members = await mesh('a', 'b', 'c', 'd');
      const watcher = await greet(net, members[3]!, 'watcher');
      const { blocks } = mineChain(members[0]!.chain.genesis, 5);
      for (const block of blocks) {
        accept(members[0]!.chain, block);
        await clock.advance(20);
      }
      await clock.until('all have it', () => members.every(({ chain }) => chain.tip.hash === blocks[4]!.hash), 1_000);
      expect(blocksTold(watcher)).toEqual(blocks.map(({ hash }) => hash));
    });

    it('are not sent back to where they came from, nor to who has them', async () => {
      const host = open('a');
      const [sender, other] = [await greet(net, host, 'x'), await greet(net, host, 'y')];
      const block = mineOn(host.chain.genesis);
      expect((await announce(sender, block)).result).toBe(Verdict_Result.RESULT_ACCEPTED);
      expect(blocksTold(sender)).toEqual([]);
      expect(blocksTold(other)).toEqual([block.hash]);
      expect((await announce(other, block)).result).toBe(Verdict_Result.RESULT_DUPLICATE);
    });

    it('of a reorganisation are all announced; of a long one the tip alone', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      const { chain } = host;
      acceptBatch(chain, mineChain(chain.genesis, 2).blocks);
      const short = mineChain(chain.genesis, 3).blocks;
      acceptBatch(chain, short);
      await clock.advance(20);
      expect(blocksTold(peer).slice(-3)).toEqual(short.map(({ hash }) => hash));
      const long = mineChain(chain.genesis, 20).blocks;
      acceptBatch(chain, long);
      await clock.advance(20);
      expect(blocksTold(peer)).toHaveLength(2 + 3 + 1);
      expect(blocksTold(peer).at(-1)).toBe(long[19]!.hash);
    });

    it('are measured: from sending one until the peer says that it has it', async () => {
      net.conditions = { ...net.conditions, latencyMs: [10, 10] };
      const host = open('a');
      const says = (result: Verdict_Result, afterMs: number): ScriptedPeer['handlers'] => ({
        newBlock: () =>
          new Promise((resolve) => {
            clock.after(afterMs, () => resolve({ $case: 'verdict', value: { result, code: 'x', detail: '' } }));
          }),
      });
      await greet(net, host, 'taker', says(Verdict_Result.RESULT_ACCEPTED, 130));
      await greet(net, host, 'holder', says(Verdict_Result.RESULT_DUPLICATE, 1_980));
      await greet(net, host, 'orphaned', says(Verdict_Result.RESULT_ORPHAN, 0));
      await greet(net, host, 'refuser', says(Verdict_Result.RESULT_REJECTED, 0));
      await greet(net, host, 'silent', says(Verdict_Result.RESULT_ACCEPTED, 3_600_000));
      accept(host.chain, mineOn(host.chain.genesis));
      await clock.advance(60_000);
      const metric = await host.registry.getSingleMetric('minichain_block_propagation_seconds')!.get();
      const value = (name: string, le?: number): number | undefined =>
        metric.values.find((one) => 'metricName' in one && one.metricName === name && one.labels['le'] === le)?.value;
      expect(value('minichain_block_propagation_seconds_count')).toBe(2);
      expect(value('minichain_block_propagation_seconds_sum')).toBeCloseTo(0.15 + 2, 3);
      expect(value('minichain_block_propagation_seconds_bucket', 0.1)).toBe(0);
      expect(value('minichain_block_propagation_seconds_bucket', 0.25)).toBe(1);
      expect(value('minichain_block_propagation_seconds_bucket', 2.5)).toBe(2);
    });

    it('show by their verdicts whether the clocks agree, if they are fresh, also where another peer was first', async () => {
      const lines: string[] = [];
      const host = open('a', { log: pino({ level: 'info' }, { write: (line) => void lines.push(line) }) });
      let value: BodyOf<'verdict'> = { result: Verdict_Result.RESULT_REJECTED, code: 'time-too-new', detail: '' };
      const newBlock = (): Body => ({ $case: 'verdict', value });
      for (const name of ['x', 'y', 'z']) await greet(net, host, name, { newBlock });
      const said = (part: string): number => lines.filter((line) => line.includes(part)).length;
      const mineAt = async (time: number): Promise<void> => {
        accept(host.chain, mineOn(host.chain.tip, [], { time }));
        await clock.advance(1_000);
      };
      await clock.advance(7_200_000);
      const now = nowSeconds(clock);
      await mineAt(now - 3_600);
      expect(said("ahead of its peers'")).toBe(1);
      value = { result: Verdict_Result.RESULT_DUPLICATE, code: '', detail: '' };
      // By a clock that is ahead, everybody else's blocks are old: that they are taken shows nothing.
      await mineAt(now - 3_000);
      expect(said('agrees with those')).toBe(0);
      await mineAt(now);
      expect(said('agrees with those')).toBe(1);
    });

    it('without their parent make the sender be asked for what lies between', async () => {
      const host = open('a');
      const other = open('other');
      const { blocks, nodes } = mineChain(host.chain.genesis, 4);
      acceptBatch(other.chain, blocks);
      const peer = await greet(net, other, 'helper');
      peer.session.close('only its handlers are wanted');
      const sender = await greet(net, host, 'x', {
        getHeaders: peer.handlers.getHeaders!,
        getBlocks: peer.handlers.getBlocks!,
      });
      expect((await announce(sender, blocks[3]!, nodes[3])).result).toBe(Verdict_Result.RESULT_ORPHAN);
      await clock.until('the gap is closed', () => host.chain.tip.hash === blocks[3]!.hash, 1_000);
    });

    it('that break a rule are refused with its code before the ban', async () => {
      const host = open('a');
      const sender = await greet(net, host, 'x');
      const bad = mineOn(host.chain.genesis, [], { coinbaseHeight: 5 });
      const verdict = await announce(sender, bad);
      expect(verdict).toMatchObject({ result: Verdict_Result.RESULT_REJECTED, code: 'bad-cb-height' });
      expect(sender.closedBecause).toBe('banned: bad-cb-height');
      expect(host.connected()).toEqual([]);
    });

    it('that we fail to store are not the peer’s fault, and get no verdict', async () => {
      const host = open('a');
      const sender = await greet(net, host, 'x');
      host.chain.events.once('committing', () => {
        throw new Error('disk full');
      });
      const block = mineOn(host.chain.genesis);
      await expect(announce(sender, block)).rejects.toThrow('timeout');
      expect(host.peers.list()[0]).toMatchObject({ connected: true, score: 0 });
      expect((await announce(sender, block)).result).toBe(Verdict_Result.RESULT_ACCEPTED);
    });

    it('without a block or a tip in the message are malformed', async () => {
      const host = open('a');
      const sender = await greet(net, host, 'x');
      sender.session.notify({ $case: 'newBlock', value: { block: undefined, tip: encodeTip(host.chain.genesis) } });
      await clock.advance(50);
      expect(sender.closedBecause).toBe('banned: malformed-message');
    });

    it('are not announced one by one while many are being fetched, but the tip is at the end', async () => {
      const source = open('source');
      const { blocks } = mineChain(source.chain.genesis, 700);
      acceptBatch(source.chain, blocks);
      const host = open('a');
      const watcher = await greet(net, host, 'watcher');
      const helper = await greet(net, source, 'helper');
      helper.session.close('only its handlers are wanted');
      const feeder = await greet(net, host, 'feeder', {
        getHeaders: helper.handlers.getHeaders!,
        getBlocks: helper.handlers.getBlocks!,
      });
      feeder.session.notify({ $case: 'ping', value: { tip: encodeTip(source.chain.tip) } });
      await clock.until('it is synced', () => host.chain.tip.hash === source.chain.tip.hash, 20_000);
      await clock.advance(1_000);
      // The first few, until it is clear that many come.
      expect(blocksTold(watcher).length).toBeLessThanOrEqual(65);
      expect(blocksTold(watcher).at(-1)).toBe(blocks.at(-1)!.hash);
    });
  });

  describe('transactions', () => {
    it('reach all nodes, each once', async () => {
      const members = await mesh('a', 'b', 'c', 'd');
      const watcher = await greet(net, members[3]!, 'watcher');
      const ids = [
        await submit(members[0]!, 'one'),
        await submit(members[1]!, 'two'),
        await submit(members[2]!, 'three'),
      ];
      await clock.until('all have them', () => members.every(({ mempool }) => mempool.size === 3), 1_000);
      await clock.advance(1_000);
      expect(transactionsTold(watcher).sort()).toEqual(ids.sort());
    });

    it('travel in batches', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      for (let index = 0; index < 20; index++) await submit(host, `entry ${index}`);
      await clock.advance(200);
      expect(transactionsTold(peer)).toHaveLength(20);
      expect(peer.count('newTransactions')).toBeLessThanOrEqual(2);
    });

    it('are exchanged when a session opens, both ways, as many as there are', async () => {
      const [a, b] = [open('a'), open('b')];
      for (let index = 0; index < 300; index++) {
        void a.mempool.submit(`a${index} ${'x'.repeat(3_000)}`);
        void b.mempool.submit(`b${index}`);
      }
      await clock.advance(1_000);
      const c = open('c', { bootstrap: [a.address, b.address] });
      await clock.until('all have all', () => [a, b, c].every(({ mempool }) => mempool.size === 600), 10_000);
    });

    /** Claims to have these entries pending, and answers with what `serve` makes of those that are asked for. */
    const holding = <T extends Transaction>(
      list: readonly T[],
      serve: (wanted: T[]) => Transaction[],
    ): HandlerTable => ({
      getMempool: () => ({ $case: 'mempool', value: { ids: encodeHashes(list.map(({ id }) => id)) } }),
      getTransactions: ({ ids }) => {
        const wanted = new Set(ids.map((id) => hashFromBytes(id)));
        const answer = serve(list.filter(({ id }) => wanted.has(id)));
        return { $case: 'transactions', value: transactionsMessage(...answer) };
      },
    });

    it('that were mined while they were asked for do not keep the rest back', async () => {
      const host = open('a');
      const list = Array.from({ length: 100 }, (_, index) => entry(`${index} ${'x'.repeat(16_000)}`));
      const [gone, kept] = [list.slice(0, 4), list.slice(4)];
      // No more than fits one message.
      await greet(
        net,
        host,
        'x',
        holding(list, (wanted) => wanted.filter((item) => !gone.includes(item)).slice(0, 70)),
      );
      await clock.until('it has what is left', () => host.mempool.size === kept.length, 1_000);
      expect(gone.some(({ id }) => host.mempool.has(id))).toBe(false);
      expect(host.peers.list()[0]!.score).toBe(0);
    });

    it('are asked for no further where the peer answers with others, or with none, or with one at a time', async () => {
      const host = open('a');
      const list = Array.from({ length: 2_500 }, (_, index) => entry(`entry ${index}`));
      const [other, none, one] = [
        await greet(
          net,
          host,
          'other',
          holding(list, () => [entry('never asked for')]),
        ),
        await greet(
          net,
          host,
          'none',
          holding(list, () => []),
        ),
        await greet(
          net,
          host,
          'one',
          holding(list, (wanted) => wanted.slice(-1)),
        ),
      ];
      await clock.advance(60_000);
      expect([other, none, one].map((peer) => peer.count('getTransactions'))).toEqual([1, 1, 2]);
      expect(host.mempool.size).toBe(2);
      const scores = new Map(host.peers.list().map(({ id, score }) => [id, score]));
      expect([...scores.values()].filter((score) => score > 0)).toHaveLength(1);
      expect(scores.get('other')).toBeGreaterThan(15);
    });

    it('given back by a reorganisation are told to who has not heard of them', async () => {
      const host = open('a');
      const { chain, mempool } = host;
      const item = entry('given back');
      accept(chain, mineOn(chain.genesis, [item]));
      const peer = await greet(net, host, 'x');
      acceptBatch(chain, mineChain(chain.genesis, 2).blocks);
      expect(mempool.has(item.id)).toBe(true);
      await clock.advance(100);
      expect(transactionsTold(peer)).toEqual([item.id]);
    });

    it('that a peer has shown are not told to it', async () => {
      const host = open('a');
      const [x, y] = [await greet(net, host, 'x'), await greet(net, host, 'y')];
      const item = entry('from x');
      x.session.notify({ $case: 'newTransactions', value: transactionsMessage(item) });
      await clock.advance(200);
      expect(transactionsTold(x)).toEqual([]);
      expect(transactionsTold(y)).toEqual([item.id]);
    });

    it('that break a rule are blamed, and do not keep the good ones out', async () => {
      const host = open('a');
      const peer = await greet(net, host, 'x');
      const good = entry('good');
      const coinbase = mineOn(host.chain.genesis).transactions[0]!;
      peer.session.notify({ $case: 'newTransactions', value: transactionsMessage(coinbase, good) });
      await clock.advance(200);
      expect(host.mempool.has(good.id)).toBe(true);
      expect(peer.closedBecause).toBe('banned: bad-txn-kind');
    });

    it('in the chain already are not taken again', async () => {
      const host = open('a');
      const item = entry('mined');
      accept(host.chain, mineOn(host.chain.genesis, [item]));
      const peer = await greet(net, host, 'x');
      peer.session.notify({ $case: 'newTransactions', value: transactionsMessage(item) });
      await clock.advance(200);
      expect(host.mempool.size).toBe(0);
      expect(host.peers.list()[0]!.score).toBe(0);
    });

    it('are served by id as far as one message goes, and no longer list is taken', async () => {
      const host = open('a');
      const ids: string[] = [];
      for (let index = 0; index < 3; index++) ids.push(await submit(host, `entry ${index}`));
      const peer = await greet(net, host, 'x');
      const ask = async (wanted: string[]): Promise<string[]> => {
        const request: Body = {
          $case: 'getTransactions',
          value: { ids: wanted.map((id) => Buffer.from(id, 'hex').reverse()) },
        };
        const answer = await clock.during('an answer', peer.session.request(request, 'transactions', 5_000));
        return [...decodeTransactions(answer)].map(({ id }) => id);
      };
      expect(await ask([ids[2]!, 'f'.repeat(64), ids[0]!])).toEqual([ids[2], ids[0]]);
      await expect(ask(Array<string>(2_001).fill(ids[0]!))).rejects.toThrow('closed');
      expect(peer.closedBecause).toBe('banned: oversized-message');
    });
  });

  it('brings a node that was alone for long, behind a router, back with all it mined', async () => {
    const members = await mesh('a', 'b', 'c');
    acceptBatch(members[0]!.chain, mineChain(members[0]!.chain.genesis, 5).blocks);
    await clock.until('all have it', () => members.every(({ chain }) => chain.tip.height === 5), 1_000);
    const hermit = open('hermit', { bootstrap: ['a:9000'] });
    net.partition(['a', 'b', 'c'], ['hermit']);
    const own = mineChain(hermit.chain.genesis, 40, (index) => [`hermit ${index}`]);
    acceptBatch(hermit.chain, own.blocks);
    net.heal();
    await clock.until(
      'all follow the hermit',
      () => members.every(({ chain }) => chain.tip.hash === own.blocks.at(-1)!.hash),
      60_000,
    );
    expect(chainData(members[2]!.chain)).toHaveLength(40);
    const next = mineOn(nodeOf(own.blocks.at(-1)!, own.nodes[38]!));
    accept(hermit.chain, next);
    await clock.until(
      'new blocks reach all at once',
      () => members.every(({ chain }) => chain.tip.hash === next.hash),
      200,
    );
  });
});
