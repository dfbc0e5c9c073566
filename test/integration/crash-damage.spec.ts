import { execFile } from 'node:child_process';
import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { converged, entriesOf, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

const SETTINGS = { BLOCKCHAIN_DIFFICULTY: '2', BLOCKCHAIN_AUTO_MINE: 'false' };
const STACK_TRACE = /^\s+at /m;

describe('a data directory', { timeout: 120_000 }, () => {
  const processes = useNodeProcesses(SETTINGS);
  const { create } = processes;
  const endsWith1 = async (node: NodeProcess): Promise<string> => {
    const said = node.output.length;
    node.spawn();
    expect(await waitFor(`${node.nodeId} ends`, () => node.exit ?? undefined)).toBe(1);
    return node.output.slice(said);
  };
  const reindex = (node: NodeProcess): Promise<{ code: number; out: string; err: string }> => {
    const file = join(processes.path, 'reindex.toml');
    const toml = `[node]\nnode_id = "${node.nodeId}"\nhttp_port = ${node.httpPort}\np2p_port = ${node.p2pPort}\n[blockchain]\ndifficulty = 2\n`;
    writeFileSync(file, toml);
    const args = [resolve('scripts/minichain.mjs'), 'reindex', '--config', file, '--data-dir', node.dataDir];
    return new Promise((done) => {
      execFile(process.execPath, args, (error, out, err) => {
        done({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  };

  it('that is damaged is told in one line, rebuilt by `minichain reindex`, and completed by the peers', async () => {
    const [one, two] = [await create('node-1'), await create('node-2')];
    await Promise.all([one.spawn([two]).ready(), two.spawn([one]).ready()]);
    await one.connectedTo(two);
    for (let i = 0; i < 30; i++) await one.submit(`entry ${i} ${'x'.repeat(4_000)}`);
    await one.post('/mine', { blocks: 150 });
    for (let i = 30; i < 40; i++) await one.submit(`entry ${i}`);
    const before = await converged([one, two], ({ length }) => length === 151);
    expect((await reindex(one)).err).toMatch(/^minichain: data directory .* is in use by another node[^\n]*\n$/);
    expect(await one.kill('SIGTERM')).toBe(0);

    const file = join(one.dataDir, 'node.db');
    const handle = openSync(file, 'r+');
    const garbage = Buffer.alloc(4096 * 6, 0xab);
    writeSync(handle, garbage, 0, garbage.length, 4096 * Math.floor(statSync(file).size / 4096 / 2));
    closeSync(handle);
    const output = await endsWith1(one);
    expect(output).toContain(`database ${file} is damaged`);
    expect(output).toContain('minichain reindex');
    expect(output).not.toMatch(STACK_TRACE);
    expect(output.trim().split('\n')).toHaveLength(1);

    const { code, out, err } = await reindex(one);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Reindexed .*: \d+ blocks? kept, the tip is at height \d+, \d+ waiting entr/);
    expect(out).toMatch(/The old file is kept as .*node\.db\.before-reindex-/);

    await one.spawn([two]).ready();
    await two.connectedTo(one);
    const after = await converged([one, two], ({ length }) => length === 151);
    expect(after.tip).toBe(before.tip);
    await two.post('/mine', { blocks: 1 });
    const done = await converged([one, two], ({ length }) => length === 152);
    expect(entriesOf(done).toSorted()).toEqual(
      Array.from({ length: 40 }, (_, i) => (i < 30 ? `entry ${i} ${'x'.repeat(4_000)}` : `entry ${i}`)).toSorted(),
    );
  });

  it('is held against a second process, also by one that started right after a kill -9 of the first', async () => {
    const one = await (await create('node-1')).spawn().ready();
    const two = await create('node-2', { NODE_DATA_DIR: one.dataDir });
    expect(await endsWith1(two)).toMatch(/^minichain: data directory \S+ is in use by another node[^\n]*\n$/);
    await one.kill('SIGKILL');
    await two.spawn().ready();
    one.spawn();
    expect(await waitFor('the first is refused', () => one.exit ?? undefined)).toBe(1);
    expect(one.output).toContain('is in use by another node');
    expect(one.output).not.toMatch(STACK_TRACE);
    expect((await two.chain()).length).toBe(1);
  });
});
