import { cpSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { waitFor } from '../../test/support/wait.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { Faults } from '../common/faults.js';
import { createTransact, DATABASE_FILE, LOG_LIMIT_BYTES, openDatabase, type Database } from './database.js';
import { DatabaseBusyError, DataDirLostError } from './storage-errors.js';
import { StorageWatch } from './storage-watch.js';

let clock: VirtualClock;
let dataDir: string;
let database: Database;
let watch: StorageWatch;
let problems: (string | undefined)[];
let lines: string[];

beforeEach(() => {
  clock = new VirtualClock();
  dataDir = join(temporaryDirectory(), 'data');
  [problems, lines] = [[], []];
  const log = pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  database = openDatabase(dataDir, log);
  watch = new StorageWatch(database, clock, log, new Faults(log, new Registry()));
  watch.onChange((problem) => void problems.push(problem));
  watch.onApplicationBootstrap();
});
afterEach(async () => {
  await watch.beforeApplicationShutdown();
  database.close();
});

const insert = (key: string, bytes = 10): void => {
  const statement = database.prepare('REPLACE INTO meta (key, value) VALUES (?, ?)');
  createTransact(database)(() => void statement.run(key, Buffer.alloc(bytes)));
};
const file = (): string => join(dataDir, DATABASE_FILE);

describe('a data directory', () => {
  it.each([
    ['deleted', () => rmSync(dataDir, { recursive: true }), /node\.db is gone/],
    ['moved', () => renameSync(dataDir, `${dataDir}-away`), /node\.db is gone/],
    [
      'moved from above',
      () => renameSync(join(dataDir, '..'), join(dataDir, '../../minichain-moved-above')),
      /is gone/,
    ],
    [
      'replaced by a copy',
      () => {
        cpSync(dataDir, `${dataDir}-copy`, { recursive: true });
        renameSync(dataDir, `${dataDir}-away`);
        renameSync(`${dataDir}-copy`, dataDir);
      },
      /node\.db is another file/,
    ],
    ['robbed of its log', () => rmSync(`${file()}-wal`), /node\.db-wal is gone/],
    ['robbed of its lock', () => rmSync(join(dataDir, 'node.lock')), /node\.lock is gone/],
  ])('that is %s is noticed within a second, logged once, and takes no write', async (_what, act, expected) => {
    insert('before');
    act();
    expect(() => insert('after')).toThrow(DataDirLostError);
    await clock.advance(1_000);
    expect(problems).toEqual([expect.stringMatching(expected)]);
    await clock.advance(60_000);
    expect(lines.filter((line) => line.includes('data directory'))).toHaveLength(1);
    expect(() => insert('after')).toThrow(
      /^data directory \S+ was moved, deleted or replaced .*: move it back, or restart/,
    );
    rmSync(join(dataDir, '../../minichain-moved-above'), { recursive: true, force: true });
  });

  it('that comes back takes writes again', async () => {
    renameSync(dataDir, `${dataDir}-away`);
    await clock.advance(1_000);
    renameSync(`${dataDir}-away`, dataDir);
    insert('back');
    await clock.advance(1_000);
    expect(problems).toEqual([expect.any(String), undefined]);
    expect(lines.at(-1)).toBe('The data directory is back in its place');
    renameSync(dataDir, `${dataDir}-away`);
    await clock.advance(1_000);
    expect(lines.at(-1)).toMatch(/^Fault of this node: data directory \S+ was moved/);
  });

  it('is not missed where another directory comes in its place', async () => {
    renameSync(dataDir, `${dataDir}-away`);
    mkdirSync(dataDir);
    await clock.advance(1_000);
    expect(problems).toHaveLength(1);
  });
});

describe("another program's lock", () => {
  it.each(['BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE'])('(%s) is reported at once, and is over when it ends', (sql) => {
    const other = new Sqlite(file());
    other.exec(sql);
    const startedMs = performance.now();
    expect(() => insert('during')).toThrow(DatabaseBusyError);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    other.exec('ROLLBACK');
    insert('after');
    other.close();
  });
});

describe('the log (-wal)', () => {
  const logBytes = (): number => statSync(`${file()}-wal`).size;

  it('is cut within seconds of the end of a long reader', async () => {
    const reader = new Sqlite(file(), { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM meta').get();
    for (let row = 0; row < 60; row++) insert(`row ${row}`, 1024 * 1024);
    await clock.advance(5_000);
    expect(logBytes()).toBeGreaterThan(60 * 1024 * 1024);
    reader.close();
    await waitFor('the log is cut', async () => {
      insert('meanwhile');
      await clock.advance(100);
      return logBytes() <= LOG_LIMIT_BYTES;
    });
    expect(lines).toEqual([]);
  });

  it('is cut after a long reader also where nobody writes any more', async () => {
    const reader = new Sqlite(file(), { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM meta').get();
    for (let row = 0; row < 20; row++) insert(`row ${row}`, 1024 * 1024);
    reader.close();
    await waitFor('the log is cut', async () => {
      await clock.advance(100);
      return logBytes() <= LOG_LIMIT_BYTES;
    });
  });

  it('is never copied by a commit', () => {
    const pages = (): number => {
      const [{ log, checkpointed }] = database.pragma('wal_checkpoint(NOOP)') as [
        { log: number; checkpointed: number },
      ];
      return log - checkpointed;
    };
    for (let row = 0; row < 12; row++) insert(`row ${row}`, 1024 * 1024);
    expect(pages()).toBeGreaterThan((12 * 1024 * 1024) / 4096);
  });

  it('stays bounded while writes never pause', async () => {
    let longest = 0;
    for (let row = 0; row < 150; row++) {
      insert(`row ${row}`, 1024 * 1024);
      await waitFor('the thread has had its turn', async () => {
        insert('small');
        await clock.advance(100);
        const [{ log, checkpointed }] = database.pragma('wal_checkpoint(NOOP)') as [
          { log: number; checkpointed: number },
        ];
        longest = Math.max(longest, log);
        return log - checkpointed < 1_000;
      });
    }
    // 150 MiB were written. It begins anew when it has 4,000 pages (16 MiB).
    expect(longest).toBeLessThan(8_000);
  });
});
