import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NodeProcess } from '../support/node-process.js';
import { temporaryDirectory } from '../support/temp-dir.js';
import { waitFor } from '../support/wait.js';

/** Only root may have a mount namespace of its own, and not in every container. */
const canMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt']).status === 0;
const reason = canMount ? '' : ' (skipped: a full disk needs root and `unshare -m`)';

/** A small file system that only processes started with `prefix` see, and we through `path`. */
async function smallDisk(mountPoint: string, size: string): Promise<{ path: string; prefix: string[] }> {
  mkdirSync(mountPoint, { recursive: true });
  const script = `mount -t tmpfs -o size=${size} tmpfs ${mountPoint} && echo mounted && exec sleep 300`;
  const keeper: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void keeper.kill('SIGKILL'));
  await once(keeper.stdout!, 'data');
  return { path: `/proc/${keeper.pid}/root${mountPoint}`, prefix: ['nsenter', `--mount=/proc/${keeper.pid}/ns/mnt`] };
}

describe.skipIf(!canMount)(`a disk that is full${reason}`, { timeout: 120_000 }, () => {
  it('is told, stores nothing by halves, and all goes on by itself when there is room', async () => {
    const dataDir = join(temporaryDirectory(), 'disk');
    const disk = await smallDisk(dataDir, '16m');
    const settings = { BLOCKCHAIN_DIFFICULTY: '2', BLOCKCHAIN_AUTO_MINE: 'false' };
    const node = await NodeProcess.create('small', dataDir, settings, disk.prefix);
    onTestFinished(async () => {
      if (node.exit === null) await node.kill('SIGKILL');
    });
    await node.spawn().ready();
    const acknowledged: string[] = [];
    const post = async (): Promise<Response> => {
      const data = `entry ${acknowledged.length} ${'x'.repeat(15_000)}`;
      const response = await fetch(`${node.url}/blocks`, { method: 'POST', body: JSON.stringify({ data }) });
      if (response.status === 202) acknowledged.push(((await response.clone().json()) as { id: string }).id);
      return response;
    };
    await post();
    await node.post('/mine', {});
    const filler = join(disk.path, 'filler');
    fill(disk.path, filler);

    const refused = await waitFor('a post is refused', async () => {
      const response = await post();
      return response.status === 202 ? undefined : response;
    });
    expect(refused.status).toBe(507);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'disk-full', detail: expect.stringContaining('disk') });
    const ready = await fetch(`${node.url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('database or disk is full');
    expect((await fetch(`${node.url}/health/live`)).status).toBe(200);

    // Mining fails as well, and what waits goes on waiting.
    const before = await node.chain();
    const mined = await fetch(`${node.url}/mine`, { method: 'POST' });
    expect(mined.status).toBeGreaterThanOrEqual(500);
    expect(await node.chain()).toEqual(before);
    expect(await idsOf(node)).toEqual(acknowledged);

    rmSync(filler);
    expect((await post()).status).toBe(202);
    await node.post('/mine', {});
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(200);
    expect(await idsOf(node)).toEqual(acknowledged);

    // Full again, and killed: it must be whole on disk, say so when it cannot start, and come back.
    fill(disk.path, filler);
    await waitFor('a post is refused again', async () => (await post()).status !== 202);
    await node.kill('SIGKILL');
    const copy = temporaryDirectory();
    for (const part of ['node.db', 'node.db-wal']) cpSync(join(disk.path, part), join(copy, part));
    const database = new Sqlite(join(copy, 'node.db'));
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
    const { bavail, bsize } = statfsSync(disk.path);
    const last = join(disk.path, 'last');
    writeFileSync(last, Buffer.alloc(bavail * bsize));
    node.spawn();
    const said = node.output.length;
    await waitFor('a start without any room ends or comes up', async () => {
      return node.exit !== null || (await fetch(`${node.url}/health/live`)).ok;
    });
    if (node.exit === null) await node.kill('SIGKILL');
    else expect(node.output.slice(said)).toMatch(/^minichain: database \S+node\.db cannot be used: [^\n]+\n$/);
    rmSync(last);
    rmSync(filler);
    await node.spawn().ready();
    expect(await idsOf(node)).toEqual(acknowledged);
    expect(await node.kill('SIGTERM')).toBe(0);
  });
});

/** Leaves room for a few entries only. */
function fill(path: string, filler: string): void {
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(filler, Buffer.alloc(bavail * bsize - 128 * 1024));
}

/** Ids of all entries, mined and waiting, in order. */
async function idsOf(node: NodeProcess): Promise<string[]> {
  const { blocks } = await node.chain();
  const mined = blocks.flatMap(({ transactions }) => transactions.filter(({ kind }) => kind !== 'coinbase'));
  const { entries } = await node.get<{ entries: { id: string }[] }>('/mempool?limit=1000');
  return [...mined, ...entries].map(({ id }) => id);
}
