import { describe, expect, it } from 'vitest';
import { BLOCK, HASH, STATUS, run, serve } from '../../../test/support/cli-rig.js';

describe('commands that show what a node has', () => {
  it('status: a short table', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) });
    const { code, out, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'node        node-1 of network minichain (version 0.1.0, up 1 min 1 s)',
        'chain       13 blocks, tip at height 12',
        `tip         ${HASH}`,
        'difficulty  4',
        'peers       2 connected, 2 known',
        'mempool     1 entry, 2.0 KiB',
        'mining      by itself, idle',
        'sync        in sync\n',
      ].join('\n'),
    );
    const alone = await serve({ 'GET /status': () => ({ body: { ...STATUS, peers: { connected: 0, known: 2 } } }) });
    expect((await run(['status', '--url', alone])).out).toContain('sync        no peers\n');
  });

  it('chain: newest blocks, with data that cannot steer the terminal', async () => {
    const body = { length: 13, tip: HASH, from: 12, blocks: [BLOCK] };
    const url = await serve({ 'GET /chain?from=12&limit=1': () => ({ body }) });
    const { code, out } = await run(['chain', '--limit', '1', '--from', '12', '--url', url]);
    expect(code).toBe(0);
    expect(out).toContain('Hi\\u{1b}[2J');
    expect(out).toMatch(/12 {2}ababababababab.*2026-11-22 13:14:15Z {2}node-2/);
    expect(out).toContain('13 blocks in all\n');
  });

  it('block: by height or hash', async () => {
    const url = await serve({
      'GET /blocks/12': () => ({ body: BLOCK }),
      [`GET /blocks/${HASH}`]: () => ({ body: { ...BLOCK, confirmations: 0 } }),
    });
    expect((await run(['block', '12', '--url', url])).out).toContain('confirmed    1 block deep');
    expect((await run(['block', HASH.toUpperCase(), '--url', url])).out).toContain('not on the active chain');
    expect(await run(['block', 'abc', '--url', url])).toMatchObject({ code: 2, out: '' });
  });

  it('peers and mempool: tables, and a sentence where there is nothing', async () => {
    const peer = { id: 'node-2', address: '127.0.0.1:9092', connected: true, lastSeen: '2026-11-22T13:14:15.000Z' };
    const url = await serve({
      'GET /peers': () => ({
        body: { connected: 1, peers: [{ ...peer, direction: 'outbound', latencyMs: 1.23, height: 12, score: 0 }] },
      }),
      'GET /mempool': () => ({ body: { transactions: 0, bytes: 0, offset: 0, entries: [] } }),
    });
    const peers = await run(['peers', '--url', url]);
    expect(peers.out).toMatch(/node-2 {2}127\.0\.0\.1:9092 {2}outbound {3}12 {6}1\.2 ms/);
    expect(peers.out).toContain('1 peer known, 1 connected');
    expect((await run(['mempool', '--url', url])).out).toBe('0 entries pending, 0 B\n');
  });
});
