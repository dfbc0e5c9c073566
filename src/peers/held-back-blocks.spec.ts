import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DownloadStage } from '../../test/support/download-stage.js';
import type { ScriptedPeer } from '../../test/support/scripted-peer.js';
import type { Body } from './messages.js';

describe('BlockDownload beside a peer that holds blocks back', () => {
  let stage: DownloadStage;
  let clock: DownloadStage['clock'];
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
    ({ clock, ours, pace, links, blamed, mine, having, add, create, finish } = stage);
  });
  afterEach(() => ours.close());

  const requests = (remote: ScriptedPeer): number => remote.count('getBlocks');

  it('fetches all from another one in time, where it sends only the last block of each request', async () => {
    const { blocks, branch } = mine(3_000);
    const honest = having(blocks);
    const drip = add('drip', {
      getBlocks: (message) => {
        const body = honest.getBlocks!({ ...message, hashes: message.hashes.slice(-1) });
        return new Promise((resolve) => void clock.after(1_700, () => resolve(body)));
      },
    });
    add('good', honest);
    links[0]!.peer.known.add(branch.at(-1)!.hash);
    const startMs = clock.nowMs();
    expect(await finish(create(branch))).toBe('complete');
    expect(clock.nowMs() - startMs).toBeLessThan(10_000);
    expect(requests(drip)).toBe(2);
    expect(blamed).toEqual(['drip stalling']);
  });

  it('fetches all from another one in time, where it skips the first block of each request', async () => {
    const { blocks, branch } = mine(600);
    const honest = having(blocks);
    add('headless', { getBlocks: (message) => honest.getBlocks!({ ...message, hashes: message.hashes.slice(1) }) });
    links[0]!.peer.known.add(branch.at(-1)!.hash);
    add('good', honest);
    expect(await finish(create(branch))).toBe('complete');
    expect(blamed).toEqual(['headless stalling']);
  });

  it('leaves out, without blame, one that never showed the end of the branch and has only its beginning', async () => {
    const { blocks, branch } = mine(600);
    const forked = add('forked', having(blocks.slice(0, 300)));
    links[0]!.peer.known.add(branch[299]!.hash);
    add('good', having(blocks));
    expect(await finish(create(branch))).toBe('complete');
    expect(blamed).toEqual([]);
    expect(requests(forked)).toBeGreaterThan(2);
  });

  it('asks another one too after two seconds, although the slow one is given more time, and takes what comes first', async () => {
    const { blocks, branch } = mine(8);
    const honest = having(blocks);
    const slow = add('slow', {
      getBlocks: (message) =>
        new Promise((resolve) => void clock.after(12_000, () => resolve(honest.getBlocks!(message)))),
    });
    for (let count = 0; count < 4; count++) pace.timedOut(links[0]!.peer);
    const result = finish(create(branch));
    await clock.until('it is asked', () => requests(slow) > 0);
    const startMs = clock.nowMs();
    add('good', honest);
    expect(await result).toBe('complete');
    expect(clock.nowMs() - startMs).toBeLessThan(2_500);
    expect(blamed).toEqual([]);
  });

  it('blames it where nothing at all comes for eight seconds, and not before', async () => {
    const { branch } = mine(8);
    add('silent', {});
    for (let run = 0; run < 2; run++) expect(await finish(create(branch))).toBe('no-source');
    expect(blamed).toEqual([]);
    expect(await finish(create(branch))).toBe('no-source');
    expect(blamed).toEqual(['silent stalling']);
  });

  it('finishes over a link of 64 kbit/s that pauses for seconds, and blames nobody', async () => {
    const { blocks, branch } = mine(300, (index) => (index % 10 === 0 ? ['x'.repeat(10_000)] : []));
    const honest = having(blocks);
    let freeAtMs = clock.nowMs();
    let pauseAtMs = freeAtMs + 5_000;
    add('slow', {
      getBlocks: (message) => {
        const body = honest.getBlocks!(message) as Extract<Body, { $case: 'blocks' }>;
        const bytes = body.value.blocks.reduce((sum, { raw }) => sum + raw.length, 0);
        freeAtMs = Math.max(clock.nowMs(), freeAtMs) + bytes / 8;
        if (freeAtMs >= pauseAtMs) {
          freeAtMs += 4_000;
          pauseAtMs = freeAtMs + 20_000;
        }
        return new Promise((resolve) => void clock.after(freeAtMs - clock.nowMs(), () => resolve(body)));
      },
    });
    let result: unknown;
    // Each attempt goes on where the one before ended, as syncs do.
    for (let attempt = 0; attempt < 20 && result !== 'complete'; attempt++) {
      result = await finish(create(branch.slice(ours.chain.tip.height)));
    }
    expect(result).toBe('complete');
    expect(blamed).toEqual([]);
  });
});
