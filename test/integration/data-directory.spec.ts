import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { entriesOf, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

interface Problem {
  readonly code: string;
  readonly detail: string;
}

const processes = useNodeProcesses({ NETWORK_HEARTBEAT_SECONDS: '1' });

const post = (node: NodeProcess, data: string): Promise<Response> =>
  fetch(`${node.url}/blocks`, { method: 'POST', body: JSON.stringify({ data }) });
const unready = (node: NodeProcess, reason: string): Promise<string> =>
  waitFor(`${node.nodeId} is unready: ${reason}`, async () => {
    const text = await (await fetch(`${node.url}/health/ready`)).text();
    return text.includes(reason) ? text : undefined;
  });

describe('a data directory', () => {
  it('that is moved away and back: posts are refused meanwhile, and nothing acknowledged is lost', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    await node.submit('before');
    renameSync(node.dataDir, `${node.dataDir}-away`);
    const refused = await post(node, 'meanwhile');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    expect((await refused.json()) as Problem).toMatchObject({ code: 'data-dir-lost' });
    expect((await fetch(`${node.url}/mine`, { method: 'POST', body: '{"blocks": 1}' })).status).toBe(503);
    expect(await unready(node, 'data_dir')).toContain('move it back, or restart the node');
    renameSync(`${node.dataDir}-away`, node.dataDir);
    await node.ready();
    await node.submit('after');
    expect(node.output.match(/was moved, deleted or replaced/g)).toHaveLength(1);
    await node.kill('SIGKILL');
    await node.spawn().ready();
    const chain = await waitFor('all is mined', async () => {
      const found = entriesOf(await node.chain());
      return found.length >= 2 ? found : undefined;
    });
    expect(chain).toEqual(['before', 'after']);
  });

  it('that is deleted: the node says so once, refuses posts, and ends on SIGTERM', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    rmSync(node.dataDir, { recursive: true });
    await unready(node, 'data_dir');
    for (let count = 0; count < 5; count++) expect((await post(node, 'lost')).status).toBe(503);
    expect(node.output.match(/was moved, deleted or replaced/g)).toHaveLength(1);
    expect(await node.kill()).toBe(0);
  });

  it("that another node's takes the place of: the end of the first node leaves the other's entries alone", async () => {
    const [node, other] = [await processes.create('node-1'), await processes.create('node-2')];
    await Promise.all([node.spawn().ready(), other.spawn().ready()]);
    await node.submit('of node-1');
    await other.submit('of node-2');
    await waitFor('both have mined', async () => {
      const chains = await Promise.all([node.chain(), other.chain()]);
      return chains.every(({ length }) => length === 2);
    });
    // Killed, it leaves a log (-wal) whose content is not in the database yet.
    await other.kill('SIGKILL');
    renameSync(node.dataDir, `${node.dataDir}-away`);
    renameSync(other.dataDir, node.dataDir);
    expect(statSync(join(node.dataDir, 'node.db-wal')).size).toBeGreaterThan(0);
    await unready(node, 'data_dir');
    expect(await node.kill()).toBe(0);
    expect(statSync(join(node.dataDir, 'node.db-wal')).size).toBeGreaterThan(0);
    renameSync(node.dataDir, other.dataDir);
    renameSync(`${node.dataDir}-away`, node.dataDir);
    await Promise.all([node.spawn().ready(), other.spawn().ready()]);
    expect(entriesOf(await node.chain())).toEqual(['of node-1']);
    expect(entriesOf(await other.chain())).toEqual(['of node-2']);
  });
});

describe("another program's lock on the database", () => {
  it('stops no other request, is waited for by posts, and is no fault of the disk', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    await node.submit('before');
    const other = new Sqlite(join(node.dataDir, 'node.db'));
    other.exec('BEGIN IMMEDIATE');
    const refusing = post(node, 'refused');
    let slowestMs = 0;
    for (let count = 0; count < 20; count++) {
      const startedMs = performance.now();
      expect((await fetch(`${node.url}/health/live`)).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
    console.log(`slowest answer under the lock: ${Math.round(slowestMs)} ms`);
    const refused = await refusing;
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await refused.json()) as Problem).toMatchObject({ code: 'database-locked' });
    const waiting = post(node, 'waits for the lock');
    other.exec('ROLLBACK');
    expect((await waiting).status).toBe(202);
    other.close();
    await waitFor('all is mined', async () => entriesOf(await node.chain()).includes('waits for the lock'));
    expect(node.output).not.toMatch(/disk|damage|SQLITE_/);
    expect(slowestMs).toBeLessThan(1_000);
  });

  it('does not lose a block that the node found meanwhile', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    await node.submit('before');
    await waitFor('it is mined', async () => (await node.chain()).length === 2);
    const other = new Sqlite(join(node.dataDir, 'node.db'));
    other.exec('BEGIN IMMEDIATE');
    const found = async (): Promise<string> => {
      const metrics = await (await fetch(`${node.url}/metrics`)).text();
      return /^minichain_miner_searches_total\{result="found".*\} (\d+)$/m.exec(metrics)![1]!;
    };
    const before = await found();
    const refused = await fetch(`${node.url}/mine`, { method: 'POST', body: '{"blocks": 1}' });
    expect(await refused.json()).toMatchObject({ code: 'database-locked' });
    const after = await found();
    expect(Number(after)).toBe(Number(before) + 1);
    expect((await node.chain()).length).toBe(2);
    other.exec('ROLLBACK');
    other.close();
    await waitFor('the block is stored', async () => (await node.chain()).length === 3);
    expect(await found()).toBe(after);
    expect(node.output).not.toMatch(/disk|damage|SQLITE_/);
  });

  it('does not make the node forget a peer that it met meanwhile', async () => {
    const [a, b] = [await processes.create('node-1'), await processes.create('node-2')];
    await b.spawn([a]).ready();
    const other = new Sqlite(join(b.dataDir, 'node.db'));
    other.exec('BEGIN IMMEDIATE');
    await a.spawn().ready();
    await b.connectedTo(a);
    const known = () => other.prepare('SELECT node_id FROM peers WHERE address = ?').pluck().get(a.p2pAddress);
    expect(known()).toBeUndefined();
    other.exec('ROLLBACK');
    await waitFor('the peer is on disk', () => known() === 'node-1');
    other.close();
  });

  it('does not keep blocks of peers out once it is over', async () => {
    const [a, b] = [await processes.create('node-1'), await processes.create('node-2')];
    await Promise.all([a.spawn().ready(), b.spawn([a]).ready()]);
    await b.connectedTo(a);
    const other = new Sqlite(join(b.dataDir, 'node.db'));
    other.exec('BEGIN IMMEDIATE');
    await a.submit('mined under the lock');
    const { tip } = await waitFor('a has mined', async () => {
      const chain = await a.chain();
      return entriesOf(chain).length > 0 ? chain : undefined;
    });
    expect((await fetch(`${b.url}/blocks/${tip}`)).status).toBe(404);
    other.exec('ROLLBACK');
    other.close();
    // Not as its tip: b may have mined the entry itself meanwhile.
    await waitFor('b has the block', async () => (await fetch(`${b.url}/blocks/${tip}`)).ok, 60_000);
    expect(b.output).not.toMatch(/disk|damage|SQLITE_|misbehaved/);
  });
});

describe('a start ends with one line that says what to do', () => {
  const start = (env: Record<string, string>, cwd = processes.path): { status: number | null; output: string } => {
    const script = resolve('scripts/minichain.mjs');
    const { status, stdout, stderr } = spawnSync(
      'sh',
      [
        '-c',
        'cd "$1" && { [ -z "$GONE" ] || rmdir "$1"; } && exec "$2" "$3" start',
        'sh',
        cwd,
        process.execPath,
        script,
      ],
      { env: { PATH: process.env['PATH'], MINICHAIN_NODE_NODE_ID: 'node-1', ...env }, encoding: 'utf8' },
    );
    return { status, output: stdout + stderr };
  };

  it('where the working directory was deleted', () => {
    const gone = join(processes.path, 'gone');
    mkdirSync(gone);
    expect(start({ GONE: 'yes' }, gone)).toEqual({
      status: 1,
      output: 'minichain: the working directory was deleted: change to another one and try again\n',
    });
  });

  it('where the data directory is a link that leads nowhere', () => {
    const link = join(processes.path, 'link');
    symlinkSync('/not/there', link);
    const { status, output } = start({ MINICHAIN_NODE_DATA_DIR: link });
    expect(status).toBe(1);
    expect(output).toMatch(
      /^minichain: data directory \S+ is a symbolic link to \/not\/there, .*: make that [^\n]+\n$/,
    );
  });

  it.each([' data', 'data '])('where the data directory is written with a space around it: "%s"', (name) => {
    const { status, output } = start({ MINICHAIN_NODE_DATA_DIR: name });
    expect(status).toBe(2);
    expect(output).toMatch(
      /^minichain: MINICHAIN_NODE_DATA_DIR: must be the path .* without spaces around it[^\n]+\n$/,
    );
  });

  it('where the path of the data directory is too long', () => {
    const { status, output } = start({ MINICHAIN_NODE_DATA_DIR: join(processes.path, 'x'.repeat(300)) });
    expect(status).toBe(1);
    expect(output).toMatch(/^minichain: data directory .* cannot be made, the path is too long: set [^\n]+\n$/);
  });

  it('where another program holds a lock on the database', () => {
    const dataDir = join(processes.path, 'data');
    mkdirSync(dataDir);
    const other = new Sqlite(join(dataDir, 'node.db'));
    other.exec('BEGIN EXCLUSIVE');
    const { status, output } = start({ MINICHAIN_NODE_DATA_DIR: dataDir });
    other.close();
    expect(status).toBe(1);
    expect(output).toMatch(/^minichain: another program holds a lock on database \S+node\.db: end it[^\n]+\n$/);
  });
});
