import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  chainData,
  easyParams,
  entry,
  mineChain,
  mineOn,
  openChain,
  silentLog,
  type TestChain,
} from '../test/support/chain-builders.js';
import { temporaryDirectory } from '../test/support/temp-dir.js';
import { createParams, type ConsensusParams } from './consensus/params.js';
import { reindex, type ReindexSummary } from './reindex.js';
import { DATABASE_FILE } from './storage/database.js';
import { DataDirInUseError, DatabaseDamagedError, DatabaseTooNewError } from './storage/storage-errors.js';

const PAGE_BYTES = 4096;

interface Built {
  readonly dataDir: string;
  readonly file: string;
  readonly image: ReturnType<typeof imageOf>;
}

function imageOf({ chain, mempool, database }: TestChain) {
  return {
    tip: chain.tip.hash,
    work: chain.tip.chainWork,
    competing: chain.competingTips().map(({ hash }) => hash),
    data: chainData(chain),
    waiting: mempool.ids(),
    acknowledged: mempool.acknowledgedCount,
    // Row ids may differ: only the order of arrival matters.
    entries: database
      .prepare(
        `SELECT prefix, place % ${2 ** 20}, header, height FROM entries JOIN blocks ON blocks.id = place / ${2 ** 20}
         ORDER BY prefix, height, header`,
      )
      .all(),
  };
}

/** A data directory with a chain, a side branch of equal work, waiting entries (posted, from a peer, given back) and a ban. */
async function buildNode(): Promise<Built> {
  const dataDir = temporaryDirectory();
  const node = openChain({ dataDir });
  const { chain, mempool, database } = node;
  const trunk = mineChain(chain.genesis, 120, (index) => [`entry ${index} ${'x'.repeat(500 + (index % 7) * 900)}`]);
  acceptBatch(chain, trunk.blocks.slice(0, 90));
  const given = mineOn(chain.tip, ['given back']);
  accept(chain, given);
  acceptBatch(chain, trunk.blocks.slice(90));
  acceptBatch(chain, mineChain(trunk.nodes[99]!, 20).blocks);
  const keepAlive = setInterval(() => undefined, 1_000);
  mempool.beforeApplicationShutdown();
  const posted = Promise.all(Array.from({ length: 30 }, (_, index) => mempool.submit(`waits ${index}`)));
  const received = mempool.acceptFromPeer([entry('from a peer')], 'peer');
  mempool.beforeApplicationShutdown();
  await Promise.all([posted, received]);
  clearInterval(keepAlive);
  database.prepare(`INSERT INTO bans VALUES ('node:evil', 1, 'high-hash')`).run();
  database.prepare(`INSERT INTO peers (address, source) VALUES ('10.0.0.1:9091', 'peer')`).run();
  const image = imageOf(node);
  expect(image.competing).toHaveLength(1);
  node.close();
  return { dataDir, file: join(dataDir, DATABASE_FILE), image };
}

function rebuild(dataDir: string, params: ConsensusParams = easyParams): ReindexSummary {
  return reindex({ dataDir, params, log: silentLog });
}

function reopened<T>(dataDir: string, use: (node: TestChain) => T): T {
  const node = openChain({ dataDir });
  try {
    expect(node.database.pragma('integrity_check', { simple: true })).toBe('ok');
    return use(node);
  } finally {
    node.close();
  }
}

function tamper(file: string, sql: string): void {
  const database = new Sqlite(file);
  database.exec(`PRAGMA foreign_keys = OFF; ${sql}`);
  database.close();
}

function overwrite(file: string, position: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, position);
  closeSync(handle);
}

describe('reindex', () => {
  it('of a sound database changes nothing, and keeps the old file', async () => {
    const { dataDir, file, image } = await buildNode();
    const before = readFileSync(file);
    const summary = rebuild(dataDir);
    expect(summary).toMatchObject({ blocks: 141, refused: 0, detached: 0, unreadable: 0, height: 120, entries: 32 });
    expect(summary.keptAs).toContain(`${file}.before-reindex-`);
    expect(readFileSync(summary.keptAs)).toEqual(before);
    reopened(dataDir, (node) => {
      expect(imageOf(node)).toEqual(image);
      expect(node.database.prepare('SELECT subject FROM bans').pluck().all()).toEqual(['node:evil']);
      expect(node.database.prepare('SELECT address FROM peers').pluck().all()).toEqual(['10.0.0.1:9091']);
    });
    expect(readdirSync(dataDir).filter((name) => name.includes('.reindex'))).toEqual([]);
  });

  it.each([
    ['rows of the index of entries are gone', `DELETE FROM entries WHERE place / ${2 ** 20} BETWEEN 20 AND 60`],
    [
      'the index of entries has wrong places',
      `UPDATE entries SET place = 3 * ${2 ** 20} + 9 WHERE place / ${2 ** 20} = 40`,
    ],
    ['another block is marked as the tip', 'UPDATE chain_tip SET block_id = 100'],
    ['nothing is marked as the tip', 'DELETE FROM chain_tip'],
    ['heights are wrong', 'UPDATE blocks SET height = 7 WHERE height > 30'],
  ])('repairs a database where %s', async (_what, sql) => {
    const { dataDir, file, image } = await buildNode();
    tamper(file, sql);
    rebuild(dataDir);
    reopened(dataDir, (node) => expect(imageOf(node)).toEqual(image));
  });

  it('drops waiting entries that are mined, and those whose bytes are damaged', async () => {
    const { dataDir, image } = await buildNode();
    reopened(dataDir, ({ chain, database }) => {
      const mined = chain.getBlocks(12, 1)[0]!.transactions[1]!;
      const insert = database.prepare('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, 1, ?)');
      insert.run(Buffer.from(mined.id, 'hex').reverse(), mined.bytes);
      insert.run(Buffer.alloc(32), Buffer.from('no transaction'));
    });
    expect(rebuild(dataDir)).toMatchObject({ entries: 32, lostEntries: 1 });
    reopened(dataDir, (node) => expect(imageOf(node)).toEqual(image));
  });

  it('takes what can be read past pages that were overwritten, and the rest from a peer', async () => {
    const { dataDir, file, image } = await buildNode();
    const blocks = reopened(dataDir, ({ chain }) => chain.getBlocks(0, 1_000));
    const pages = statSync(file).size / PAGE_BYTES;
    overwrite(file, PAGE_BYTES * Math.floor(pages / 2), Buffer.alloc(PAGE_BYTES * 6, 0xab));
    expect(() => openChain({ dataDir })).toThrow(DatabaseDamagedError);
    const damaged = readFileSync(file);

    const summary = rebuild(dataDir);
    expect(summary.blocks).toBeGreaterThan(20);
    expect(summary.unreadable + summary.refused).toBeGreaterThan(0);
    expect(readFileSync(summary.keptAs)).toEqual(damaged);
    reopened(dataDir, (node) => {
      expect(node.chain.tip.height).toBe(summary.height);
      acceptBatch(node.chain, blocks);
      expect(imageOf(node)).toMatchObject({ tip: image.tip, data: image.data });
    });
  });

  it.each([0.9, 0.5, 0.2])('takes what is left of a file that was cut to %d of its length', async (part) => {
    const { dataDir, file } = await buildNode();
    const blocks = reopened(dataDir, ({ chain }) => chain.getBlocks(0, 1_000));
    const handle = openSync(file, 'r+');
    ftruncateSync(handle, Math.floor(statSync(file).size * part));
    closeSync(handle);
    expect(() => openChain({ dataDir })).toThrow(DatabaseDamagedError);

    const summary = rebuild(dataDir);
    expect(summary.unreadable).toBeGreaterThan(0);
    expect(summary.height).toBeGreaterThan(90 * part - 15);
    reopened(dataDir, ({ chain }) => {
      acceptBatch(chain, blocks);
      expect(chain.tip.height).toBe(120);
    });
  });

  it('of bytes changed within bodies refuses those blocks and sets their descendants aside', async () => {
    const { dataDir, file } = await buildNode();
    const content = readFileSync(file);
    const at = content.indexOf('entry 60 ');
    overwrite(file, at, Buffer.from('ENTRY'));
    const summary = rebuild(dataDir);
    expect(summary).toMatchObject({ height: 60, refused: 1 });
    expect(summary.detached).toBe(141 - 61);
    reopened(dataDir, ({ chain }) => expect(chain.tip.height).toBe(60));
  });

  it('of a file that holds nothing readable leaves an empty chain, to be fetched anew', async () => {
    const { dataDir, file } = await buildNode();
    overwrite(file, 0, Buffer.alloc(statSync(file).size, 0xab));
    expect(rebuild(dataDir)).toMatchObject({ blocks: 0, height: 0, entries: 0 });
    reopened(dataDir, ({ chain }) => expect(chain.tip).toBe(chain.genesis));
  });

  it('does not let go of commits that are in the write-ahead log alone', async () => {
    const dataDir = temporaryDirectory();
    const node = openChain({ dataDir });
    acceptBatch(node.chain, mineChain(node.chain.genesis, 5).blocks);
    // As a kill -9 leaves it: the log is not brought into the file.
    const crashed = temporaryDirectory();
    node.database.exec(`VACUUM INTO '${join(crashed, 'unused')}'`);
    const files = ['', '-wal'].map((part) => [part, readFileSync(join(dataDir, DATABASE_FILE) + part)] as const);
    node.close();
    for (const [part, bytes] of files) {
      const handle = openSync(join(crashed, DATABASE_FILE) + part, 'w');
      writeSync(handle, bytes);
      closeSync(handle);
    }
    expect(rebuild(crashed)).toMatchObject({ blocks: 5, height: 5, unreadable: 0 });
    expect(existsSync(`${join(crashed, DATABASE_FILE)}-wal`)).toBe(false);
  });

  it('removes what a reindex that was killed left behind', async () => {
    const { dataDir, file, image } = await buildNode();
    for (const part of ['', '-wal', '-shm']) closeSync(openSync(`${file}.reindex${part}`, 'w'));
    rebuild(dataDir);
    reopened(dataDir, (node) => expect(imageOf(node)).toEqual(image));
  });

  it('refuses a directory in use, another network, a newer schema and an empty directory, and changes nothing', async () => {
    const { dataDir, file, image } = await buildNode();
    reopened(dataDir, () => expect(() => rebuild(dataDir)).toThrow(DataDirInUseError));
    const files = readdirSync(dataDir);
    const bytes = readFileSync(file);
    const other = createParams({ network: 'other', difficulty: 0 });
    expect(() => rebuild(dataDir, other)).toThrow(/belongs to another network/);
    expect(readdirSync(dataDir)).toEqual(files);
    expect(readFileSync(file)).toEqual(bytes);
    reopened(dataDir, (node) => expect(imageOf(node)).toEqual(image));
    tamper(file, 'PRAGMA user_version = 1000');
    expect(() => rebuild(dataDir)).toThrow(DatabaseTooNewError);
    expect(() => rebuild(temporaryDirectory())).toThrow(/there is no database/);
  });

  it('keeps the active one of two equal tips, and a branch that max_reorg_depth refused aside', () => {
    const dataDir = temporaryDirectory();
    const guarded = createParams({ network: 'test', difficulty: 0, maxReorgDepth: 2 });
    const node = openChain({ dataDir, params: guarded });
    acceptBatch(node.chain, mineChain(node.chain.genesis, 5).blocks);
    acceptBatch(node.chain, mineChain(node.chain.genesis, 6).blocks);
    const { hash } = node.chain.tip;
    expect(node.chain.tip.height).toBe(5);
    node.close();
    expect(rebuild(dataDir, guarded)).toMatchObject({ blocks: 11, height: 5 });
    reopened(dataDir, ({ chain }) => expect(chain.tip.hash).toBe(hash));
  });
});
