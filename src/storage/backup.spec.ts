import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  acceptBatch,
  chainData,
  easyParams,
  mineChain,
  openChain,
  silentLog,
} from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { createParams } from '../consensus/params.js';
import { backUp } from './backup.js';
import { BackupError } from './backup-file.js';
import { DATABASE_FILE, openDatabase } from './database.js';
import { SCHEMA } from './migrations.js';
import { restore } from './restore.js';
import { DataDirInUseError, DatabaseTooNewError } from './storage-errors.js';

const BLOCKS = 60;

describe('backup and restore', () => {
  let dataDir: string;
  let target: string;
  let file: string;
  let acknowledged: string[];
  beforeEach(() => {
    dataDir = temporaryDirectory();
    target = temporaryDirectory();
    file = join(temporaryDirectory(), 'a.backup');
    acknowledged = [];
  });

  /** A chain with some bulk to it and two waiting entries, one of them posted here; `then` runs while it is open. */
  const withNode = async <T>(then: (node: ReturnType<typeof openChain>) => T | Promise<T>): Promise<T> => {
    const node = openChain({ dataDir });
    try {
      if (node.chain.tip.height === 0) {
        acceptBatch(
          node.chain,
          mineChain(node.chain.genesis, BLOCKS, (index) => [`${index} ${'x'.repeat(9_000)}`]).blocks,
        );
        const posted = node.mempool.submit('waits');
        // Has it committed now; the virtual clock stands still.
        node.mempool.beforeApplicationShutdown();
        acknowledged.push((await posted).id);
      }
      return await then(node);
    } finally {
      node.close();
    }
  };
  const restored = (): { tip: string; data: string[]; waiting: string[] } => {
    const node = openChain({ dataDir: target });
    const { chain, mempool } = node;
    const found = { tip: chain.tip.hash, data: chainData(chain), waiting: mempool.ids() };
    node.close();
    return found;
  };
  const failure = async (options: Partial<Parameters<typeof backUp>[0]> = {}): Promise<unknown> => {
    const before = readdirSync(join(file, '..'));
    const error = await backUp({ dataDir, file, ...options }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(readdirSync(join(file, '..'))).toEqual(before);
    return error;
  };

  it('gives back chain and mempool, while the node is open and while it is not', async () => {
    const image = await withNode(async ({ chain, mempool }) => {
      const summary = await backUp({ dataDir, file });
      expect(summary).toMatchObject({ height: BLOCKS, tip: chain.tip.hash, genesis: chain.genesis.hash });
      expect(summary).toMatchObject({ entries: 1, acknowledged: 1, bytes: readFileSync(file).length });
      return { tip: chain.tip.hash, data: chainData(chain), waiting: mempool.ids() };
    });
    expect(image.waiting).toEqual(acknowledged);
    const cold = join(temporaryDirectory(), 'cold.backup');
    await backUp({ dataDir, file: cold });
    for (const backup of [file, cold]) {
      target = temporaryDirectory();
      expect(restore({ file: backup, dataDir: target, params: easyParams })).toMatchObject({ height: BLOCKS });
      expect(readdirSync(target).toSorted()).toEqual([DATABASE_FILE, 'node.lock']);
      expect(restored()).toEqual(image);
    }
  });

  it('is one file, that a program may read which can write nothing there', async () => {
    await withNode(() => backUp({ dataDir, file }));
    expect(readdirSync(join(file, '..'))).toEqual(['a.backup']);
    const database = new Sqlite(file, { readonly: true });
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    database.close();
    expect(readdirSync(join(file, '..'))).toEqual(['a.backup']);
  });

  it('is of the moment when it began, and ends, however busily the node writes', async () => {
    await withNode(async ({ chain, database }) => {
      const before = chain.tip.hash;
      const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      const insertRows = (name: string, rows: number, bytes: number): void => {
        for (let row = 0; row < rows; row++) insert.run(`${name} ${row}`, Buffer.alloc(bytes));
      };
      database.transaction(() => insertRows('before', 12, 2 * 1024 * 1024))();
      const totals = new Set<number>();
      let steps = 0;
      const onProgress = (_done: number, total: number): void => {
        totals.add(total);
        insertRows(`during ${steps++}`, 10, 2_000);
      };
      const summary = await backUp({ dataDir, file, onProgress });
      expect(steps).toBeGreaterThanOrEqual(5);
      expect(totals.size).toBe(1);
      expect(summary.tip).toBe(before);
      const copy = new Sqlite(file, { readonly: true });
      const count = 'SELECT count(*) FROM meta WHERE key LIKE ?';
      expect(copy.prepare(count).pluck().get('before %')).toBe(12);
      expect(copy.prepare(count).pluck().get('during %')).toBe(0);
      expect(database.prepare(count).pluck().get('during %')).toBe(steps * 10);
      copy.close();
    });
  });

  it('goes by the names as they are written, with spaces around them too', async () => {
    await withNode(() => undefined);
    const before = process.cwd();
    try {
      process.chdir(target);
      await backUp({ dataDir, file: ' a.backup ' });
      expect(readdirSync('.')).toEqual([' a.backup ']);
      restore({ file: ' a.backup ', dataDir: ' data ', params: easyParams });
      expect(readdirSync(' data ').toSorted()).toEqual([DATABASE_FILE, 'node.lock']);
    } finally {
      process.chdir(before);
    }
  });

  it('is not made over a file, unless that is wanted', async () => {
    await withNode(() => undefined);
    writeFileSync(file, 'precious');
    expect(await failure()).toEqual(
      new BackupError(`${file} is there already: give another name, or --force to replace it`),
    );
    expect(readFileSync(file, 'utf8')).toBe('precious');
    await backUp({ dataDir, file, isForced: true });
    expect(restore({ file, dataDir: target, params: easyParams }).height).toBe(BLOCKS);
  });

  // As for the journal: SQLite would take it for a spoilt one of the database, and delete it.
  it.each([DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-journal`, 'node.lock'])(
    "is not made over the node's own %s",
    async (name) => {
      await withNode(async () => {
        const own = join(dataDir, '.', name);
        expect(await failure({ file: own, isForced: true })).toEqual(
          new BackupError(`${own} is the node's own: give the backup another name`),
        );
      });
    },
  );

  it('says what is wrong with where it is to go', async () => {
    await withNode(() => undefined);
    expect(String(await failure({ file: join(file, 'b', 'c') }))).toMatch(/there is no directory .* for c: make it$/);
    writeFileSync(join(target, 'a'), '');
    expect(String(await failure({ file: join(target, 'a', 'b') }))).toMatch(
      /there is no directory .*a for b: make it$/,
    );
    expect(String(await failure({ file: target, isForced: true }))).toMatch(/is a directory: give the name of a file/);
    execFileSync('mkfifo', [file]);
    expect(String(await failure({ isForced: true }))).toMatch(/a\.backup is no file: give the name of one$/);
    expect(statSync(file).isFIFO()).toBe(true);
    expect(String(await failure({ file: '/proc/node.backup' }))).toMatch(/^BackupError: \/proc\/node\.backup [^\n]+$/);
    expect(String(await failure({ dataDir: join(dataDir, 'none') }))).toMatch(/there is no database .*none\/node\.db/);
  });

  it('when stopped leaves nothing behind', async () => {
    await withNode(async ({ database }) => {
      const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      for (let row = 0; row < 6; row++) insert.run(`row ${row}`, Buffer.alloc(2 * 1024 * 1024));
      const controller = new AbortController();
      let steps = 0;
      const onProgress = (): void => {
        steps++;
        controller.abort();
      };
      expect(await failure({ signal: controller.signal, onProgress })).toEqual(
        new BackupError('stopped: no backup was made'),
      );
      expect(steps).toBe(1);
    });
  });

  it('of a damaged database is not made', async () => {
    await withNode(() => undefined);
    const database = join(dataDir, DATABASE_FILE);
    const image = readFileSync(database);
    image.fill(0xab, 4096 * 40, 4096 * 80);
    writeFileSync(database, image);
    expect(String(await failure())).toMatch(/^BackupError: no backup was made: .*node\.db is damaged: [^\n]+$/);
    writeFileSync(database, 'garbage '.repeat(1_000));
    expect(String(await failure())).toMatch(/node\.db is no backup of a minichain node|node\.db [^\n]+$/);
  });

  describe('restore', () => {
    const attempt = (options: Partial<Parameters<typeof restore>[0]> = {}): unknown => {
      const before = existsSync(target) ? readdirSync(target) : [];
      try {
        restore({ file, dataDir: target, params: easyParams, ...options });
      } catch (error) {
        const after = existsSync(target) ? readdirSync(target).filter((name) => name !== 'node.lock') : [];
        expect(after).toEqual(before.filter((name) => name !== 'node.lock'));
        return error;
      }
      return undefined;
    };
    beforeEach(() => withNode(() => backUp({ dataDir, file })));

    it('makes the data directory', () => {
      target = join(target, 'made', 'for', 'it');
      expect(attempt()).toBeUndefined();
      expect(restored().data).toHaveLength(BLOCKS);
    });

    it('leaves a database alone, and a log that has lost its own', () => {
      expect(attempt()).toBeUndefined();
      const image = readFileSync(join(target, DATABASE_FILE));
      expect(attempt()).toEqual(
        new BackupError(
          `${join(target, DATABASE_FILE)} is there already: restore into an empty data directory, or move the node.db files away first`,
        ),
      );
      expect(readFileSync(join(target, DATABASE_FILE)).equals(image)).toBe(true);
      target = temporaryDirectory();
      writeFileSync(join(target, 'node.db-wal'), 'x');
      expect(String(attempt())).toContain('node.db-wal is there already');
      target = temporaryDirectory();
      writeFileSync(join(target, 'node.db-journal'), 'x');
      expect(String(attempt())).toContain('node.db-journal is there already');
    });

    it('leaves a running node alone', () => {
      const running = openDatabase(target, silentLog);
      expect(attempt()).toBeInstanceOf(DataDirInUseError);
      running.close();
    });

    it('refuses a backup of another network', () => {
      const params = createParams({ network: 'another', difficulty: 0 });
      expect(String(attempt({ params }))).toMatch(
        /is of another network: its genesis is [0-9a-f]{64}, network "another"/,
      );
    });

    it.each([
      ['is cut off', () => truncateSync(file, 4096 * 30), /is damaged: /],
      [
        'was changed',
        () => {
          const image = readFileSync(file);
          image.fill(0xab, 4096 * 40, 4096 * 60);
          writeFileSync(file, image);
        },
        /is damaged: /,
      ],
      ['is no database', () => writeFileSync(file, 'garbage '.repeat(1_000)), /is no backup of a minichain node/],
      ['is empty', () => writeFileSync(file, ''), /is no backup of a minichain node/],
      [
        'is of another program',
        () => {
          writeFileSync(file, '');
          new Sqlite(file).exec('CREATE TABLE t (x)').close();
        },
        /is no backup of a minichain node/,
      ],
      [
        'is of another program with versions of its own',
        () => {
          writeFileSync(file, '');
          const database = new Sqlite(file).exec('CREATE TABLE t (x)');
          database.pragma(`user_version = ${SCHEMA}`);
          database.close();
        },
        /is no backup of a minichain node/,
      ],
      [
        'is a pipe',
        () => {
          rmSync(file);
          execFileSync('mkfifo', [file]);
        },
        /is no file: put what comes from there into one first$/,
      ],
      [
        'is of a newer version',
        () => {
          const database = new Sqlite(file);
          database.pragma('user_version = 1000');
          database.close();
        },
        /has schema 1000/,
      ],
    ])('refuses a file that %s', (_what, spoil, expected) => {
      spoil();
      const error = attempt();
      expect(error).toSatisfy((one) => one instanceof BackupError || one instanceof DatabaseTooNewError);
      expect(String(error)).toMatch(expected);
      expect(String(error)).not.toContain('\n');
    });

    it('refuses what is not there, a directory, and the files of a running node', () => {
      expect(String(attempt({ file: join(file, '..', 'none') }))).toMatch(/none is not there$/);
      expect(String(attempt({ file: dataDir }))).toMatch(/is a directory: give the name of a backup in it$/);
      const running = openDatabase(dataDir, silentLog);
      running.exec("INSERT INTO meta VALUES ('k', 1)");
      expect(String(attempt({ file: join(dataDir, DATABASE_FILE) }))).toMatch(
        /is no backup but the database of a node/,
      );
      running.close();
    });

    it('takes a backup that may only be read, and leaves it as it is', () => {
      chmodSync(file, 0o440);
      const image = readFileSync(file);
      expect(attempt()).toBeUndefined();
      // The node writes to it; nobody gets more rights than there were.
      expect(statSync(join(target, DATABASE_FILE)).mode & 0o777).toBe(0o640);
      expect(readFileSync(file).equals(image)).toBe(true);
      expect(restored().waiting).toEqual(acknowledged);
    });

    it('begins anew over what an earlier one left when it was killed', () => {
      mkdirSync(target, { recursive: true });
      cpSync(file, join(target, 'node.db.restore'));
      truncateSync(join(target, 'node.db.restore'), 5_000);
      restore({ file, dataDir: target, params: easyParams });
      expect(restored().data).toHaveLength(BLOCKS);
      expect(readdirSync(target).toSorted()).toEqual([DATABASE_FILE, 'node.lock']);
    });
  });
});
