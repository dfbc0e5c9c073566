import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');

interface PeersBody {
  readonly peers: readonly { readonly id: string; readonly connected: boolean; readonly refused: boolean }[];
}

describe('minichain peers', () => {
  const { create } = useNodeProcesses({ BLOCKCHAIN_AUTO_MINE: 'false', BLOCKCHAIN_DIFFICULTY: '0' });

  const minichain = async (node: NodeProcess, ...args: string[]): Promise<string> => {
    const run = promisify(execFile);
    return (await run(process.execPath, [LAUNCHER, 'peers', ...args, '--url', node.url])).stdout;
  };
  const linkOf = async (node: NodeProcess, other: NodeProcess): Promise<PeersBody['peers'][number] | undefined> =>
    (await node.get<PeersBody>('/peers')).peers.find(({ id }) => id === other.nodeId);

  it('disconnect keeps two nodes apart, whoever dials, and connect brings them together at once', async () => {
    const [one, two] = [await create('node-1'), await create('node-2')];
    await one.spawn([two]).ready();
    await two.spawn([one]).ready();
    await one.connectedTo(two);
    expect(await minichain(one, 'disconnect', 'node-2')).toBe('Disconnected from node-2; links with it are refused\n');
    expect(await linkOf(one, two)).toMatchObject({ connected: false, refused: true });
    expect(await minichain(one)).toMatch(/^node-2 .* refused /m);
    await waitFor('the other side is told why', () =>
      two.output.includes('refused us: this node refuses links with node-2'),
    );
    await two.submit('does not arrive yet');
    await two.post('/mine', { blocks: 1 });
    expect(await linkOf(two, one)).toMatchObject({ connected: false, refused: false });
    expect(await minichain(one, 'connect', 'node-2')).toBe('Links with node-2 are allowed; dialling it\n');
    await one.connectedTo(two);
    await waitFor('the block is there', async () => (await one.get<{ height: number }>('/status')).height === 1);
    expect(await minichain(one, 'connect', 'node-2')).toBe('Connected to node-2 already\n');
    await expect(minichain(one, 'disconnect', 'node-3')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('this node knows no node "node-3"'),
    });
  });
});
