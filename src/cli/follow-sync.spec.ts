import { describe, expect, it, vi } from 'vitest';
import { STATUS, begin, run, serve, serveAgain, stopServing } from '../../test/support/cli-rig.js';
import type { Status } from '../ops/status-schemas.js';

describe('status --wait', () => {
  it('shows progress on stderr until the chain is in sync', async () => {
    const syncs: Status[] = [
      { ...STATUS, peers: { connected: 0, known: 1 } },
      {
        ...STATUS,
        sync: {
          state: 'blocks',
          progress: 0.451,
          height: 4510,
          targetHeight: 10_000,
          blocksPerSecond: 820.4,
          etaSeconds: 7,
          peer: 'node-2',
        },
      },
      STATUS,
    ];
    const url = await serve({ 'GET /status': () => ({ body: syncs.length > 1 ? syncs.shift() : STATUS }) });
    const running = begin(['status', '--wait', '--url', url], { columns: 100 });
    expect(await running.code).toBe(0);
    expect(running.err.split('\r\x1b[K')).toEqual([
      '',
      'waiting for a peer',
      'blocks 45 %, 4,510 of 10,000, 820 blocks/s, 7.0 s left',
      '',
    ]);
  });
});

describe('a restart of the node', () => {
  const WAITING: Status = { ...STATUS, peers: { connected: 0, known: 1 } };

  it('is waited for, and said once', async () => {
    let answers = 0;
    let status = WAITING;
    const url = await serve({
      'GET /status': () => {
        answers += 1;
        return { body: status };
      },
    });
    const running = begin(['status', '--wait', '--url', url]);
    for (let restarts = 1; restarts <= 2; restarts++) {
      const before = answers;
      await vi.waitFor(() => expect(answers).toBeGreaterThan(before), { timeout: 10_000 });
      await stopServing();
      await vi.waitFor(() => expect(running.err.match(/still waiting/g)).toHaveLength(restarts), { timeout: 10_000 });
      if (restarts === 2) status = STATUS;
      await serveAgain(url);
    }
    expect([await running.code, running.out]).toEqual([0, expect.stringContaining('sync        in sync\n')]);
    expect(running.err).toMatch(/^minichain: no node reachable at .* \(connection refused\); still waiting\n$/m);
  });

  it('is none where no node has answered yet', async () => {
    const url = await serve({});
    await stopServing();
    expect(await run(['status', '--wait', '--url', url])).toMatchObject({ code: 3, out: '' });
  });
});
