import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NodeProcess, converged, temporaryDirectory, type ChainBody } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { WITHOUT_OVERRIDE } from '../support/without-override.js';

const SETTINGS = { BLOCKCHAIN_DIFFICULTY: '2', BLOCKCHAIN_AUTO_MINE: 'true' };
const POSTERS = 4;
const BACKUPS = 3;
/** Acknowledged between two backups, so that each one is of another moment of the load. */
const ENTRIES_BETWEEN = 150;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Summary {
  readonly height: number;
  readonly tip: string;
  readonly entries: number;
  readonly bytes: number;
}

/** The command as it is run in the node's container: the environment alone says where the node is. */
async function minichain(dataDir: string, ...args: string[]): Promise<Outcome> {
  const env = { PATH: process.env['PATH'], MINICHAIN_NODE_NODE_ID: 'n', MINICHAIN_NODE_DATA_DIR: dataDir };
  const settings = Object.fromEntries(Object.entries(SETTINGS).map(([key, value]) => [`MINICHAIN_${key}`, value]));
  return new Promise((done) => {
    const options = { env: { ...env, ...settings } };
    const [command, ...rest] = [...WITHOUT_OVERRIDE, process.execPath, resolve('scripts/minichain.mjs'), ...args];
    execFile(command!, rest, options, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** How often each entry stands in the node's chain or mempool. */
async function places(node: NodeProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const count = (id: string): unknown => found.set(id, (found.get(id) ?? 0) + 1);
  const { height } = await node.get<{ height: number }>('/status');
  for (let from = 0; from <= height; from += 1_000) {
    const { blocks } = await node.get<ChainBody>(`/chain?from=${from}&limit=1000`);
    for (const block of blocks) for (const { id } of block.transactions) count(id);
  }
  for (let offset = 0; ; offset += 1_000) {
    const { entries } = await node.get<{ entries: { id: string }[] }>(`/mempool?offset=${offset}&limit=1000`);
    for (const { id } of entries) count(id);
    if (entries.length < 1_000) return found;
  }
}

describe('minichain backup and restore', { timeout: 180_000 }, () => {
  const start = async (
    nodeId: string,
    dataDir: string,
    settings: Record<string, string> = {},
  ): Promise<NodeProcess> => {
    const node = await NodeProcess.create(nodeId, dataDir, { ...SETTINGS, ...settings });
    onTestFinished(async () => {
      if (node.exit === null) await node.kill('SIGKILL');
    });
    return node;
  };

  it('loses nothing that was acknowledged before the backup began, while clients post and the node mines', async () => {
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const node = await start('original', join(directory.path, 'original'));
    await node.spawn().ready();
    const acknowledged = new Set<string>();
    const done = new AbortController();
    const posters = Array.from({ length: POSTERS }, async (_, poster) => {
      for (let index = 0; !done.signal.aborted; index++) {
        acknowledged.add(await node.submit(`entry ${poster}.${index} ${'x'.repeat(2_000)}`));
      }
    });

    const backups: { file: string; before: string[]; summary: Summary }[] = [];
    for (let number = 1; number <= BACKUPS; number++) {
      await waitFor('more entries are in', () => acknowledged.size >= number * ENTRIES_BETWEEN, 60_000);
      const file = join(directory.path, `${number}.backup`);
      const before = [...acknowledged];
      const { code, out, err } = await minichain(node.dataDir, 'backup', file, '--json');
      expect([code, err]).toEqual([0, '']);
      expect(acknowledged.size, 'clients went on meanwhile').toBeGreaterThan(before.length);
      backups.push({ file, before, summary: JSON.parse(out) as Summary });
    }
    done.abort();
    await Promise.all(posters);
    expect(readdirSync(directory.path).toSorted()).toEqual(['1.backup', '2.backup', '3.backup', 'original']);
    expect(new Set(backups.map(({ summary }) => summary.tip)).size).toBe(BACKUPS);

    for (const [index, { file, before, summary }] of backups.entries()) {
      const dataDir = join(directory.path, `restored-${index}`);
      const restored = await minichain(dataDir, 'restore', file);
      expect(restored.err).toBe('');
      expect(restored.out).toContain(`tip at height ${summary.height.toLocaleString('en-US')} (${summary.tip})`);
      const database = new Sqlite(join(dataDir, 'node.db'), { readonly: true });
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      database.close();
      // Validates each block anew, from the genesis on.
      expect((await minichain(dataDir, 'reindex')).out).toContain('Nothing was lost.');

      const alone = await start(`restored-${index}`, dataDir, { BLOCKCHAIN_AUTO_MINE: 'false' });
      await alone.spawn().ready();
      const found = await places(alone);
      expect(before.filter((id) => found.get(id) !== 1)).toEqual([]);
      expect(await alone.get('/status')).toMatchObject({ height: summary.height, tip: summary.tip });
      expect(await alone.kill('SIGTERM')).toBe(0);
      // Beside the original, under an id of its own, it gets what came after the backup.
      await alone.spawn([node]).ready();
      await alone.connectedTo(node);
      await converged([alone, node], undefined, 60_000);
      const all = await places(alone);
      expect([...acknowledged].filter((id) => all.get(id) !== 1)).toEqual([]);
      await alone.kill('SIGKILL');
    }
  });

  it('is a matter of one line where it cannot be', async () => {
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const path = (name: string): string => join(directory.path, name);
    const node = await start('original', path('original'));
    const none = await minichain(node.dataDir, 'backup', path('a.backup'));
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.err).toMatch(/^minichain: there is no database \S+original\/node\.db: [^\n]+\n$/);
    await node.spawn().ready();

    const done = await minichain(node.dataDir, 'backup', path('a.backup'));
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(done.out).toMatch(
      /^Backed up \S+original to \S+a\.backup: tip at height 0 \([0-9a-f]{64}\), 0 waiting entries [^\n]+\n$/,
    );
    const refusals: [string[], RegExp][] = [
      [['backup', path('a.backup')], /a\.backup is there already: give another name, or --force to replace it/],
      [['backup', path('none/a.backup')], /there is no directory \S+none for a\.backup: make it/],
      [['backup', node.dataDir, '--force'], /is a directory: give the name of a file in it/],
      [['restore', path('none')], /none is not there/],
      [['restore', path('a.backup')], /data directory \S+ is in use by another node/],
    ];
    for (const [args, expected] of refusals) {
      const { code, out, err } = await minichain(node.dataDir, ...args);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(expected);
      expect(err).toMatch(/^minichain: [^\n]+\n$/);
    }
    expect(await minichain(node.dataDir, 'backup')).toMatchObject({ code: 2 });
    expect(await minichain(node.dataDir, 'backup', path('a.backup'), '--force')).toMatchObject({ code: 0, err: '' });
    await node.kill('SIGTERM');
    expect((await minichain(node.dataDir, 'restore', path('a.backup'))).err).toContain('node.db is there already');
    // A directory that is closed to this user, and one that only the node's user may write to.
    for (const [mode, refused] of [
      [0o000, 'node.db'],
      [0o555, ''],
    ] as const) {
      chmodSync(node.dataDir, mode);
      const { code, err } = await minichain(node.dataDir, 'backup', path('b.backup'));
      chmodSync(node.dataDir, 0o755);
      expect(code).toBe(1);
      expect(err).toBe(
        `minichain: ${join(node.dataDir, refused)} may not be read or written by uid ${process.getuid?.()}: run this as the user of the node, or see to the rights there\n`,
      );
    }
    const toml = '[node]\nnode_id = "n"\n[network]\nname = "elsewhere"\n';
    writeFileSync(path('other.toml'), toml);
    const other = await minichain(path('other'), 'restore', path('a.backup'), '--config', path('other.toml'));
    expect(other.err).toMatch(/^minichain: \S+a\.backup is of another network: [^\n]+\n$/);
    expect(existsSync(path('other/node.db'))).toBe(false);
  });
});
