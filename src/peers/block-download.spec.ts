import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptBatch, entry, mineChain, mineOn, openChain } from '../../test/support/chain-builders.js';
import { DownloadStage, answerOf } from '../../test/support/download-stage.js';
import { linkTo, serving, type ScriptedPeer } from '../../test/support/scripted-peer.js';
import { createBlock } from '../consensus/block.js';
import { linkHeader } from '../consensus/block-tree.js';
import { BlockDownload } from './block-download.js';
import { decodeHashes } from './wire.js';

describe('BlockDownload', () => {
  let stage: DownloadStage;
  let clock: DownloadStage['clock'];
  let net: DownloadStage['net'];
  let ours: DownloadStage['ours'];
  let pace: DownloadStage['pace'];
  let links: DownloadStage['links'];
  let blamed: DownloadStage['blamed'];
  let mine: DownloadStage['mine'];
  let having: DownloadStage['having'];
  let add: DownloadStage['add'];
  let create: DownloadStage['create'];
  let finish: DownloadStage['finish'];
  beforeEach(() => {
    stage = new DownloadStage();
    ({ clock, net, ours, pace, links, blamed, mine, having, add, create, finish } = stage);
  });
  afterEach(() => ours.close());

  const requests = (remote: ScriptedPeer): number => remote.count('getBlocks');

  it('fetches from all peers at once, and connects in order', async () => {
    const { blocks, branch } = mine(2_500);
    const remotes = ['a', 'b', 'c'].map((name) => add(name, having(blocks)));
    expect(await finish(create(branch))).toBe('complete');
    expect(ours.chain.tip.hash).toBe(branch.at(-1)!.hash);
    const sizes = remotes.map(({ received }) =>
      received.map((body) => (body.$case === 'getBlocks' ? body.value.hashes.length : 0)),
    );
    for (const list of sizes) {
      expect(list.length).toBeGreaterThanOrEqual(4);
      expect([list[0], Math.max(...list)]).toEqual([2, 128]);
    }
    expect(sizes.flat().reduce((sum, size) => sum + size, 0)).toBe(2_500);
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks for no more than a window ahead of what is connected', async () => {
    const { blocks, branch } = mine(3_000);
    const asked = new Set<string>();
    const honest = having(blocks);
    add('slow head', {
      getBlocks: (message) => {
        const hashes = decodeHashes(message.hashes, 512);
        for (const hash of hashes) asked.add(hash);
        // The very first block never comes.
        return hashes[0] === branch[0]!.hash ? undefined : honest.getBlocks!(message);
      },
    });
    await finish(create(branch));
    expect(asked.size).toBe(1_024);
    expect(ours.chain.tip.height).toBe(0);
  });

  it('passes over a silent peer after two seconds, and another one finishes', async () => {
    const { blocks, branch } = mine(600);
    const silent = add('silent', {});
    add('good', having(blocks));
    const startMs = clock.nowMs();
    expect(await finish(create(branch))).toBe('complete');
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(2_000);
    expect(clock.nowMs() - startMs).toBeLessThan(2_200);
    expect(requests(silent)).toBe(2);
    expect(blamed).toEqual([]);
    // The next download goes to it only when there is nobody else.
    const more = mineChain(branch.at(-1)!, 300);
    links.splice(1, 1);
    add('good', having(more.blocks));
    expect(await finish(create(more.nodes))).toBe('complete');
    expect(requests(silent)).toBe(2);
  });

  it('passes over any number of silent peers without waiting longer for each', async () => {
    const { blocks, branch } = mine(100);
    for (let index = 0; index < 10; index++) add(`silent${index}`, {});
    add('good', having(blocks));
    const startMs = clock.nowMs();
    expect(await finish(create(branch))).toBe('complete');
    expect(clock.nowMs() - startMs).toBeLessThan(11 * 2_000);
  });

  it('gives a peer more time with every silence, and less again with every answer', () => {
    add('slow', {});
    add('other', {});
    const [slow, other] = links.map(({ peer }) => peer);
    for (const expected of [4_000, 8_000, 16_000, 32_000, 64_000, 64_000]) {
      pace.timedOut(slow!);
      expect(pace.timeoutMs(slow!)).toBe(expected);
    }
    expect([pace.isSlow(slow!), pace.isSlow(other!)]).toEqual([true, false]);
    for (let count = 0; count < 30; count++) pace.answered(slow!, 1_000);
    expect(pace.timeoutMs(slow!)).toBe(2_000);
    expect(pace.isSlow(slow!)).toBe(false);
  });

  it('takes the answer of a slow peer once it has been given the time, if that is the only one', async () => {
    const { blocks, branch } = mine(10);
    const honest = having(blocks);
    add('slow', {
      getBlocks: (message) =>
        new Promise((resolve) => void clock.after(5_000, () => resolve(honest.getBlocks!(message)))),
    });
    const results: unknown[] = [];
    for (let attempt = 0; attempt < 3; attempt++) results.push(await finish(create(branch)));
    expect(results).toEqual(['no-source', 'no-source', 'complete']);
  });

  it('gives the requests of a peer that hangs up to others', async () => {
    const { blocks, branch } = mine(600);
    const leaver = add('leaver', { getBlocks: () => leaver.session.close('bye') });
    add('good', having(blocks));
    expect(await finish(create(branch))).toBe('complete');
  });

  it('lets a peer take part that comes while it runs', async () => {
    const { blocks, branch } = mine(2_000);
    add('first', having(blocks.slice(0, 1_000)));
    const download = create(branch);
    const result = finish(download);
    const late = add('late', having(blocks));
    expect(await result).toBe('complete');
    expect(requests(late)).toBeGreaterThan(0);
  });

  it('asks again for what an answer had no room for', async () => {
    const { blocks, branch } = mine(30, () => Array<string>(64).fill('x'.repeat(16_000)));
    const theirs = openChain({ clock });
    acceptBatch(theirs.chain, blocks);
    const remote = add('full', serving(theirs.chain));
    expect(await finish(create(branch))).toBe('complete');
    expect(requests(remote)).toBeGreaterThanOrEqual(30 / 2);
    expect(blamed).toEqual([]);
    theirs.close();
  });

  it('asks a peer for few blocks at first, for more as it answers quickly, for less where it is slow', () => {
    add('peer', {});
    const [peer] = links.map((link) => link.peer);
    const batch = (): number => pace.batchBlocks(peer!);
    expect(batch()).toBe(2);
    for (let count = 0; count < 10; count++) pace.answered(peer!, 1_000);
    expect(batch()).toBe(128);
    pace.answered(peer!, 1_200);
    expect(batch()).toBe(128);
    pace.answered(peer!, 1_600);
    expect(batch()).toBe(64);
    for (const expected of [16, 4, 1, 1]) {
      pace.timedOut(peer!);
      expect(batch()).toBe(expected);
    }
  });

  it('leaves out who has nothing, without blame', async () => {
    const { blocks, branch } = mine(300);
    const empty = add('empty', having([]));
    add('good', having(blocks));
    expect(await finish(create(branch))).toBe('complete');
    expect(requests(empty)).toBeLessThanOrEqual(2);
    expect(blamed).toEqual([]);
  });

  describe('ends with no-source', () => {
    it('when nobody is there', async () => {
      expect(await finish(create(mine(3).branch))).toBe('no-source');
    });

    it('when all peers are silent, and keeps what had come', async () => {
      const { blocks, branch } = mine(200);
      const honest = having(blocks);
      const fading = add('fading', {
        getBlocks: (message) => (requests(fading) === 1 ? honest.getBlocks!(message) : undefined),
      });
      add('silent', {});
      const startMs = clock.nowMs();
      expect(await finish(create(branch))).toBe('no-source');
      expect(ours.chain.tip.height).toBe(2);
      expect(clock.nowMs() - startMs).toBeLessThan(10_000);
      expect(clock.pendingTimers).toBe(0);
    });

    it('when all peers are gone', async () => {
      const { branch } = mine(200);
      for (const name of ['a', 'b']) {
        const leaver = add(name, { getBlocks: () => leaver.session.close('bye') });
      }
      expect(await finish(create(branch))).toBe('no-source');
    });
  });

  describe('blames and leaves out', () => {
    it('a peer that sends a wrong body, and gets the right one from another', async () => {
      const { blocks, branch } = mine(5, () => ['honest']);
      const forged = blocks.map((block) => createBlock(block.header, [block.transactions[0]!, entry('forged')]));
      add('forger', having(forged));
      const download = create(branch);
      const result = finish(download);
      add('good', having(blocks));
      expect(await result).toBe('complete');
      expect(blamed).toEqual(['forger bad-txnmrklroot']);
      expect(ours.chain.tip.hash).toBe(branch.at(-1)!.hash);
    });

    it('a peer that sends what was not asked for, or what cannot be read', async () => {
      const { blocks, branch } = mine(5);
      add('pusher', { getBlocks: () => answerOf([mineOn(ours.chain.genesis)]) });
      const download = create(branch);
      const result = finish(download);
      add('garbler', {
        getBlocks: ({ hashes }) => {
          const asked = new Set<string>(decodeHashes(hashes, 512));
          const garbled = blocks
            .filter(({ hash }) => asked.has(hash))
            .map(({ bytes }) => ({ raw: Buffer.concat([bytes.subarray(0, 80), Buffer.alloc(10)]) }));
          return { $case: 'blocks', value: { blocks: garbled } };
        },
      });
      add('good', having(blocks));
      expect(await result).toBe('complete');
      expect(blamed.sort()).toEqual(['garbler bad-blk-encoding', 'pusher unrequested-data']);
    });

    it('the sender of a block that breaks a rule, and ends: the branch is worth nothing', async () => {
      const good = mineOn(ours.chain.genesis);
      const first = linkHeader(good.hash, good.header, ours.chain.genesis);
      const bad = mineOn(first, [], { coinbaseHeight: 7 });
      const branch = [first, linkHeader(bad.hash, bad.header, first)];
      add('miner', having([good, bad]));
      add('other', having([good, bad]));
      expect(await finish(create(branch))).toBe('invalid');
      expect(blamed).toEqual(['miner bad-cb-height']);
      expect(ours.chain.tip.hash).toBe(good.hash);
      expect(ours.chain.invalidCode(bad.hash)).toBe('bad-cb-height');
    });
  });

  it('bounds what it holds in bytes where the head of a chain of big blocks does not come', async () => {
    const data = 'x'.repeat(16_000);
    const { blocks, branch } = mine(100, () => Array<string>(64).fill(data));
    const remote = add('headless', having(blocks.slice(1)));
    expect(await finish(create(branch))).toBe('no-source');
    // 64 MiB of blocks of 1 MiB, two of them in each answer, then no more.
    expect(requests(remote)).toBeLessThan(40);
  });

  it('fails by a fault of our own, and goes no further', async () => {
    const { blocks, branch } = mine(300);
    const remote = add('good', having(blocks));
    ours.chain.events.on('committing', () => {
      throw new Error('disk full');
    });
    expect(await finish(create(branch))).toEqual(new Error('disk full'));
    await clock.advance(100);
    const before = requests(remote);
    await clock.advance(60_000);
    expect(requests(remote)).toBe(before);
    expect(blamed).toEqual([]);
  });

  it('ends when it is stopped, and touches the chain no more', async () => {
    const { blocks, branch } = mine(300);
    add('good', having(blocks));
    const download = create(branch);
    const result = finish(download);
    download.stop('stopped');
    expect(await result).toBe('stopped');
    await clock.advance(60_000);
    expect(ours.chain.tip.height).toBe(0);
  });

  it('copes with blocks that come by gossip meanwhile', async () => {
    const { blocks, branch } = mine(300);
    const honest = having(blocks);
    add('good', {
      getBlocks: (message) => {
        acceptBatch(ours.chain, blocks.slice(0, 200));
        return honest.getBlocks!(message);
      },
    });
    expect(await finish(create(branch))).toBe('complete');
  });

  it('serves what it has fetched', async () => {
    const { blocks, branch } = mine(20);
    add('good', having(blocks));
    await finish(create(branch));
    const next = openChain({ clock });
    const us = linkTo(net, 'us', serving(ours.chain), ours.chain.tip);
    const download = new BlockDownload({
      branch,
      chain: next.chain,
      clock,
      pace,
      ports: {
        sources: () => [us.peer],
        blame: () => {},
        connecting: () => {},
        progress: () => {},
      },
    });
    expect(await finish(download)).toBe('complete');
    expect(next.chain.tip.hash).toBe(ours.chain.tip.hash);
    next.close();
  });
});
