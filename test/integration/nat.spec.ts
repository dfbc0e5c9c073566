import { describe, expect, it } from 'vitest';
import { converged, entriesOf } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

interface PeersBody {
  readonly peers: readonly {
    readonly id: string | null;
    readonly direction: string | null;
    readonly connected: boolean;
  }[];
}

const WAITING = { BLOCKCHAIN_AUTO_MINE: 'false', BLOCKCHAIN_DIFFICULTY: '0' };
/**
 * As behind NAT: it listens where nobody looks for it, and what it says of itself leads nowhere (port 1 of loopback
 * takes no connection).
 */
const UNREACHABLE = { ...WAITING, NODE_P2P_HOST: '127.0.0.2', NODE_ADVERTISED_ADDRESS: '127.0.0.1:1' };

describe('a node process that cannot be dialled', () => {
  const { create } = useNodeProcesses();

  it('takes full part over the sessions that it dialled, also after it was away and mined alone', async () => {
    const [one, two] = [await create('node-1', WAITING), await create('node-2', WAITING)];
    const hidden = await create('node-hidden', UNREACHABLE);
    await one.spawn().ready();
    await Promise.all([two.spawn([one]).ready(), hidden.spawn([one]).ready()]);
    await hidden.connectedTo(one, two);
    const { peers } = await one.get<PeersBody>('/peers');
    expect(peers.filter(({ id }) => id === 'node-hidden')).toMatchObject([{ direction: 'inbound', connected: true }]);

    await two.submit('to the hidden node');
    await two.post('/mine', { blocks: 1 });
    expect(entriesOf(await converged([one, two, hidden], ({ length }) => length === 2))).toEqual([
      'to the hidden node',
    ]);
    await hidden.submit('from the hidden node');
    await hidden.post('/mine', { blocks: 1 });
    await converged([one, two, hidden], ({ length }) => length === 3);

    // Away: it finds nobody, as its only address to dial is dead.
    await hidden.kill('SIGTERM');
    await Promise.all([one.kill('SIGTERM'), two.kill('SIGTERM')]);
    await hidden.spawn([one]).ready();
    await hidden.submit('written alone');
    for (let left = 2_100; left > 0; left -= 300) await hidden.post('/mine', { blocks: 300 });
    await Promise.all([one.spawn().ready(), two.spawn([one]).ready()]);
    await waitFor(
      'all have what it mined',
      async () => {
        const nodes = await Promise.all([one, two, hidden].map((node) => node.get<{ length: number }>('/status')));
        return nodes.every(({ length }) => length === 2_103);
      },
      80_000,
    );
    const found = await Promise.all([one, two].map((node) => node.get<{ tip: string }>('/chain?limit=1')));
    expect(new Set(found.map(({ tip }) => tip)).size).toBe(1);
  });
});
