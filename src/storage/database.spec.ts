import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { DATABASE_FILE, LOCK_FILE, openDatabase, type Database } from './database.js';
import { DataDirUnusableError } from './data-dir.js';
import { SCHEMA } from './migrations.js';
import { DataDirInUseError, DatabaseDamagedError, DatabaseTooNewError, DatabaseTooOldError } from './storage-errors.js';

let dataDir: string;
let opened: Database[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'minichain-storage-'));
  opened = [];
});

afterEach(() => {
  for (const database of opened) database.close();
  rmSync(dataDir, { recursive: true });
});

function open(directory = dataDir): Database {
  const database = openDatabase(directory, silentLog);
  opened.push(database);
  return database;
}

/** Fills the database to a few hundred pages and closes it. */
function fillAndClose(): string {
  const database = open();
  const insert = database.prepare('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, 1, ?)');
  database.transaction(() => {
    for (let i = 0; i < 300; i++) insert.run(Buffer.from(`id ${i}`), Buffer.alloc(2_000, i));
  })();
  opened.pop()!.close();
  return join(dataDir, DATABASE_FILE);
}

describe('openDatabase', () => {
  it('makes a missing directory, and keeps what was committed', () => {
    const directory = join(dataDir, 'a', 'b');
    open(directory).prepare(`INSERT INTO meta VALUES ('answer', 42)`).run();
    opened.pop()!.close();
    expect(open(directory).prepare('SELECT value FROM meta').pluck().get()).toBe(42);
  });

  it('is durable at each commit: WAL with synchronous=FULL, foreign keys on', () => {
    const database = open();
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1);
  });

  it('opens in memory as often as one likes, without a file', () => {
    open(':memory:').exec(`INSERT INTO meta VALUES ('a', 1)`);
    expect(open(':memory:').prepare('SELECT count(*) FROM meta').pluck().get()).toBe(0);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('refuses a database of an earlier minichain in one line, and leaves it as it is', () => {
    open().pragma('user_version = 1');
    opened.pop()!.close();
    for (let time = 0; time < 2; time++) {
      expect(() => open()).toThrow(DatabaseTooOldError);
      expect(() => open()).toThrow(/^database .*node\.db was written by an earlier minichain .*move the file away/);
    }
  });

  it('has every migration applied once', () => {
    open();
    opened.pop()!.close();
    expect(open().pragma('user_version', { simple: true })).toBe(SCHEMA);
  });

  it('refuses a database of a newer program, and leaves it as it is', () => {
    open().pragma('user_version = 1000');
    opened.pop()!.close();
    expect(() => open()).toThrow(DatabaseTooNewError);
    expect(() => open()).toThrow(/schema 1000, this minichain knows \d+/);
  });
});

describe('the lock of the data directory', () => {
  it('refuses a second node of this process, names the directory, and is free after close', () => {
    open();
    expect(() => open()).toThrow(DataDirInUseError);
    expect(() => open()).toThrow(dataDir);
    opened.pop()!.close();
    expect(() => open()).not.toThrow();
  });

  it('is held against other processes, and a kill -9 frees it', async () => {
    const child = await holdInChild();
    try {
      expect(() => open()).toThrow(DataDirInUseError);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(() => open()).not.toThrow();
  });

  it('is held by us against a child', async () => {
    open();
    await expect(holdInChild()).rejects.toThrow('SQLITE_BUSY');
  });

  it('is free again when opening failed', () => {
    writeFileSync(join(dataDir, DATABASE_FILE), 'no database at all'.repeat(100));
    expect(() => open()).toThrow(DatabaseDamagedError);
    rmSync(join(dataDir, DATABASE_FILE));
    expect(() => open()).not.toThrow();
  });

  /** A real second process that takes the lock as openDatabase does (it cannot load TypeScript). */
  async function holdInChild(): Promise<ChildProcess> {
    const script = `
      const Sqlite = require('better-sqlite3');
      const lock = new Sqlite(process.argv[1], { timeout: 0 });
      try { lock.exec('BEGIN EXCLUSIVE'); } catch (error) { console.log(error.code); process.exit(1); }
      console.log('held');
      setInterval(() => lock.open, 1000);`;
    const child = spawn(process.execPath, ['-e', script, join(dataDir, LOCK_FILE)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    if (said.toString().trim() !== 'held') throw new Error(said.toString());
    return child;
  }
});

describe('a database that cannot be opened', () => {
  it.each([DATABASE_FILE, LOCK_FILE])('is told by the name of the file that is in the way: %s', (name) => {
    mkdirSync(join(dataDir, name));
    expect(() => open()).toThrow(DataDirUnusableError);
    expect(() => open()).toThrow(join(dataDir, name));
    rmdirSync(join(dataDir, name));
    expect(() => open()).not.toThrow();
  });
});

describe('a link that leads nowhere', () => {
  it('is refused as data directory, with what to do', () => {
    const link = join(dataDir, 'link');
    symlinkSync('/not/there', link);
    expect(() => open(link)).toThrow(DataDirUnusableError);
    expect(() => open(link)).toThrow(
      /^data directory \S+link is a symbolic link to \/not\/there, which is not there: make that directory, or set [^\n]+$/,
    );
  });

  it.each([DATABASE_FILE, LOCK_FILE])('is refused as %s', (name) => {
    symlinkSync('/not/there', join(dataDir, name));
    expect(() => open()).toThrow(/^database file \S+ is a symbolic link to \/not\/there, .*: remove the link/);
  });

  it('is followed while it leads somewhere', () => {
    mkdirSync(join(dataDir, 'real'));
    symlinkSync(join(dataDir, 'real'), join(dataDir, 'link'));
    expect(() => open(join(dataDir, 'link'))).not.toThrow();
  });
});

it('a data directory whose name begins or ends with a space is opened as it is named', () => {
  const before = process.cwd();
  try {
    process.chdir(dataDir);
    for (const name of [' leading', 'trailing ']) {
      open(name);
      expect(readdirSync(name)).toContain(DATABASE_FILE);
    }
  } finally {
    process.chdir(before);
  }
});

describe('a damaged database', () => {
  it.each([
    ['is no database', (file: string) => writeFileSync(file, 'garbage '.repeat(1_000))],
    ['is cut off', (file: string) => truncate(file, Math.floor(statSync(file).size / 2))],
    ['was overwritten in the middle', (file: string) => overwrite(file, 4096 * 20, Buffer.alloc(4096 * 40, 0xab))],
  ])('that %s is refused with its name and the way out', (_what, damage) => {
    const file = fillAndClose();
    damage(file);
    expect(() => open()).toThrow(DatabaseDamagedError);
    expect(() => open()).toThrow(file);
    // One line.
    expect(() => open()).toThrow(/^database \S+ is damaged: [^\n]+\. Way out: run `minichain reindex`[^\n]*$/);
  });

  it('tells of a damaged lock file by its own name', () => {
    writeFileSync(join(dataDir, LOCK_FILE), 'garbage '.repeat(1_000));
    expect(() => open()).toThrow(join(dataDir, LOCK_FILE));
    expect(() => open()).toThrow(/delete it/);
  });

  function truncate(file: string, bytes: number): void {
    const handle = openSync(file, 'r+');
    ftruncateSync(handle, bytes);
    closeSync(handle);
  }

  function overwrite(file: string, position: number, bytes: Buffer): void {
    const handle = openSync(file, 'r+');
    writeSync(handle, bytes, 0, bytes.length, position);
    closeSync(handle);
  }
});
