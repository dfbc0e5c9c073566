import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { linkTo, serving, type PeerLink } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { encodeHeader } from '../consensus/header.js';
import { fetchHeaders, serveHeaders } from './header-sync.js';
import type { Body } from './messages.js';
import type { HandlerTable } from './session.js';
import { LIMITS, decodeHashes } from './wire.js';

function headersOf(blocks: readonly Block[]): Body {
  return { $case: 'headers', value: { headers: blocks.map(({ header }) => ({ raw: encodeHeader(header) })) } };
}

describe('fetchHeaders', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let ours: TestChain;
  let theirs: TestChain;
  beforeEach(() => {
    clock = new VirtualClock();
    net = new MemoryNetwork(clock, new SeededRandom(1));
    ours = openChain({ clock });
    theirs = openChain({ clock });
  });
  afterEach(() => {
    ours.close();
    theirs.close();
  });

  const link = (handlers: HandlerTable): PeerLink => linkTo(net, 'them', handlers, theirs.chain.tip);
  const fetch = async ({ peer }: PeerLink): Promise<readonly BlockNode[] | string> => {
    let result: readonly BlockNode[] | string | undefined;
    const outcome = fetchHeaders({ peer, chain: ours.chain, clock, patienceMs: 5_000 }).then(
      ({ nodes }) => nodes,
      (error: Error & { code?: string; reason?: string }) => error.code ?? error.reason ?? String(error),
    );
    void outcome.then((value) => (result = value));
    await clock.until('headers are there', () => result !== undefined, 600_000);
    return result!;
  };
  const hashes = (branch: readonly BlockNode[] | string): string[] | string =>
    typeof branch === 'string' ? branch : branch.map(({ hash }) => hash);

  it('gives what a peer has beyond the fork, linked to our chain', async () => {
    const { blocks, nodes } = mineChain(ours.chain.genesis, 5);
    acceptBatch(ours.chain, blocks.slice(0, 3));
    accept(ours.chain, mineOn(nodes[2]!));
    acceptBatch(theirs.chain, blocks);
    const branch = await fetch(link(serving(theirs.chain)));
    expect(hashes(branch)).toEqual(hashes(nodes.slice(3)));
    expect((branch as BlockNode[])[0]!.parent).toBe(ours.chain.node(nodes[2]!.hash));
    expect((branch as BlockNode[]).at(-1)!.chainWork).toBe(theirs.chain.tip.chainWork);
    expect(ours.chain.tip.height).toBe(4);
  });

  it('gives nothing of a chain that we have', async () => {
    const { blocks } = mineChain(ours.chain.genesis, 3);
    for (const { chain } of [ours, theirs]) acceptBatch(chain, blocks);
    expect(await fetch(link(serving(theirs.chain)))).toEqual([]);
  });

  it('goes on over as many messages as it takes, each from the last header on', async () => {
    const { blocks, nodes } = mineChain(ours.chain.genesis, 4_500);
    acceptBatch(theirs.chain, blocks);
    const { peer, remote } = link(serving(theirs.chain));
    const branch = await fetch({ peer, remote, blamed: [] });
    expect(hashes(branch)).toEqual(hashes(nodes));
    expect(remote.count('getHeaders')).toBe(3);
  });

  it('follows a peer that reorganises between two messages', async () => {
    const { blocks, nodes } = mineChain(ours.chain.genesis, 2_100);
    acceptBatch(theirs.chain, blocks);
    const other = mineChain(nodes[1_500]!, 800);
    const honest = serving(theirs.chain);
    const { peer, remote, blamed } = link({
      ...honest,
      getHeaders: (message) => {
        if (remote.count('getHeaders') === 2) acceptBatch(theirs.chain, other.blocks);
        return honest.getHeaders!(message);
      },
    });
    const branch = await fetch({ peer, remote, blamed });
    expect(hashes(branch)).toEqual(hashes([...nodes.slice(0, 1_501), ...other.nodes]));
    expect(blamed).toEqual([]);
  });

  it('gives up a peer that is silent after five seconds', async () => {
    const startMs = clock.nowMs();
    expect(await fetch(link({}))).toBe('timeout');
    expect(clock.nowMs() - startMs).toBe(5_000);
  });

  it('ends when a peer only repeats itself', async () => {
    const { blocks } = mineChain(ours.chain.genesis, LIMITS.headers);
    const { peer, remote } = link({ getHeaders: () => headersOf(blocks) });
    expect(await fetch({ peer, remote, blamed: [] })).toHaveLength(LIMITS.headers);
    expect(remote.count('getHeaders')).toBe(2);
  });

  describe('is bounded, whatever the peer claims:', () => {
    /** Answers after so long. */
    const after = (delayMs: number, body: () => Body): Promise<Body> =>
      new Promise((resolve) => void clock.after(delayMs, () => resolve(body())));

    it('answers that overlap are a few at the most, and blamed beyond', async () => {
      const { blocks } = mineChain(ours.chain.genesis, LIMITS.headers + 60);
      const { peer, remote } = link({
        getHeaders: () => {
          const from = remote.count('getHeaders') - 1;
          return after(4_500, () => headersOf(blocks.slice(from, from + LIMITS.headers)));
        },
      });
      expect(await fetch({ peer, remote, blamed: [] })).toBe('stalling');
      expect(remote.count('getHeaders')).toBe(4);
    });

    it('answers that bring nothing new end it', async () => {
      const { blocks } = mineChain(ours.chain.genesis, LIMITS.headers + 1);
      const { peer, remote } = link({
        getHeaders: () => {
          const from = (remote.count('getHeaders') - 1) % 2;
          return after(4_500, () => headersOf(blocks.slice(from, from + LIMITS.headers)));
        },
      });
      expect(Array.isArray(await fetch({ peer, remote, blamed: [] }))).toBe(true);
      expect(remote.count('getHeaders')).toBe(3);
    });

    it('a peer gets its patience for all answers while others wait, and ten milliseconds a header otherwise', async () => {
      const { blocks } = mineChain(ours.chain.genesis, 4 * LIMITS.headers + 1);
      for (const [othersWait, answerMs, expected] of [
        [true, 3_000, 2],
        [false, 4_900, 5],
      ] as const) {
        const { peer, remote } = link({
          getHeaders: () => {
            const from = (remote.count('getHeaders') - 1) * LIMITS.headers;
            return after(answerMs, () => headersOf(blocks.slice(from, from + LIMITS.headers)));
          },
        });
        const fetching = fetchHeaders({
          peer,
          chain: ours.chain,
          clock,
          patienceMs: 5_000,
          othersWait: () => othersWait,
        });
        const { end, nodes } = await clock.during('headers', fetching, 600_000);
        expect([end, Math.ceil(nodes.length / LIMITS.headers)]).toEqual([othersWait ? 'slow' : 'whole', expected]);
      }
    });
  });

  it('stops at a header of the far future, and takes what came before', async () => {
    const { blocks, nodes } = mineChain(ours.chain.genesis, 2);
    const future = mineOn(nodes[1]!, [], { time: Math.floor(clock.nowMs() / 1000) + 7_300 });
    const last = mineOn(nodeOf(future, nodes[1]!));
    const branch = await fetch(link({ getHeaders: () => headersOf([...blocks, future, last]) }));
    expect(hashes(branch)).toEqual(hashes(nodes));
  });

  describe('blames', () => {
    const answerWith = (...blocks: Block[]): Promise<readonly BlockNode[] | string> =>
      fetch(link({ getHeaders: () => headersOf(blocks) }));

    it('headers without proof of work, or of another difficulty', async () => {
      const [good] = mineChain(ours.chain.genesis, 1).blocks;
      const header = { ...good!.header, bits: 0x1d00ffff };
      expect(
        await fetch(
          link({ getHeaders: () => ({ $case: 'headers', value: { headers: [{ raw: encodeHeader(header) }] } }) }),
        ),
      ).toBe('high-hash');
      expect(await answerWith(mineOn(ours.chain.genesis, [], { bits: 0x207fffff }))).toBe('bad-diffbits');
    });

    it('headers that do not link, to us or to each other', async () => {
      const { blocks } = mineChain(ours.chain.genesis, 4);
      expect(await answerWith(blocks[1]!, blocks[2]!)).toBe('unrequested-data');
      expect(await answerWith(blocks[0]!, blocks[2]!)).toBe('unrequested-data');
      expect(await answerWith(blocks[1]!, blocks[0]!)).toBe('unrequested-data');
    });

    it('a block that is known to be invalid', async () => {
      const invalid = mineOn(ours.chain.genesis, [], { coinbaseHeight: 9 });
      expect(() => accept(ours.chain, invalid)).toThrow(expect.objectContaining({ code: 'bad-cb-height' }));
      expect(await answerWith(invalid)).toBe('bad-cb-height');
    });

    it('more than 2,000 at a time, and what is no header', async () => {
      const { blocks } = mineChain(ours.chain.genesis, 1);
      expect(await answerWith(...Array<Block>(2_001).fill(blocks[0]!))).toBe('oversized-message');
      const short: Body = { $case: 'headers', value: { headers: [{ raw: Buffer.alloc(79) }] } };
      expect(await fetch(link({ getHeaders: () => short }))).toBe('bad-header-encoding');
    });
  });
});

describe('serveHeaders', () => {
  it('begins after the highest locator hash that is on the active chain, and stops where asked to', () => {
    const test = openChain();
    const { blocks, nodes } = mineChain(test.chain.genesis, 10);
    acceptBatch(test.chain, blocks);
    const raw = blocks.map(({ header }) => encodeHeader(header));
    const side = mineOn(nodes[4]!);
    accept(test.chain, side);
    const locator = decodeHashes([], 0);
    expect(serveHeaders(test.chain, locator, undefined)).toEqual(raw);
    expect(serveHeaders(test.chain, [side.hash, nodes[3]!.hash, nodes[1]!.hash], undefined)).toEqual(raw.slice(4));
    expect(serveHeaders(test.chain, [nodes[3]!.hash], nodes[6]!.hash)).toEqual(raw.slice(4, 7));
    expect(serveHeaders(test.chain, [nodes[6]!.hash], nodes[3]!.hash)).toEqual([]);
    expect(serveHeaders(test.chain, [nodes[9]!.hash], undefined)).toEqual([]);
    test.close();
  });
});
