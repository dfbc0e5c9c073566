import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { BlockReader } from '../../src/chain/block-reader.js';
import { ChainStore } from '../../src/chain/chain.store.js';
import { loadChain } from '../../src/chain/load-chain.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import { hashFromBytes } from '../../src/consensus/codec.js';
import { createParams } from '../../src/consensus/params.js';
import { NodeProcess, temporaryDirectory, type ChainBody } from '../support/node-process.js';
import { SeededRandom } from '../support/seeded-random.js';
import { waitFor } from '../support/wait.js';
import { unfinishedPages } from '../support/write-ahead-log.js';
import { Rival } from './rival.js';

const DIFFICULTY = 2;
const POSTERS = 4;
/** Blocks of a chain of which a half and more is replaced at once. */
const DEEP = 300;
const DATABASE_FILE = 'node.db';
const STACK_TRACE = /^\s+at /m;

export interface CrashReport {
  readonly seed: number;
  /** SIGKILLs, by what went on. */
  readonly kills: { readonly load: number; readonly reorganisation: number; readonly start: number };
  /** SIGTERMs in the first seconds of a start, and while a branch is fetched. */
  readonly terminations: number;
  /** Kills that left a half-written commit in the write-ahead log. */
  readonly unfinishedCommits: number;
  readonly acknowledged: number;
  readonly reorganisations: number;
  readonly height: number;
  readonly slowestStartMs: number;
}

export interface CrashOptions {
  readonly seed: number;
  readonly kills: number;
  readonly say?: (line: string) => void;
}

/**
 * Kills a real node again and again while entries are posted, blocks mined and branches overtake each other, and checks
 * after each kill that the database is whole and after each start that nothing acknowledged is gone.
 * @throws Error with the seed when a promise is broken.
 */
export async function runCrashes({ seed, kills, say = () => undefined }: CrashOptions): Promise<CrashReport> {
  const directory = temporaryDirectory();
  const run = await CrashRun.create(seed, join(directory.path, 'node'), join(directory.path, 'copy'));
  try {
    for (let done = 0; done < kills;) {
      done += await run.round(done);
      say(run.line(done));
    }
    return await run.finish();
  } catch (error) {
    throw new Error(`crash run with seed ${seed} failed: ${(error as Error).message}\n${run.tail()}`, { cause: error });
  } finally {
    await run.end();
    directory.remove();
  }
}

/** Rounds of start, check, load and kill on one data directory. */
class CrashRun {
  readonly #random: SeededRandom;
  readonly #rival: Rival;
  readonly #acknowledged = new Set<string>();
  readonly #kills = { load: 0, reorganisation: 0, start: 0 };
  #terminations = 0;
  #unfinished = 0;
  #work = 0n;
  #height = 0;
  #slowestStartMs = 0;

  private constructor(
    private readonly seed: number,
    private readonly node: NodeProcess,
    private readonly copyDir: string,
  ) {
    this.#random = new SeededRandom(seed);
    const params = createParams({ network: 'minichain', difficulty: DIFFICULTY });
    this.#rival = new Rival(params, this.#random.fork());
  }

  static async create(seed: number, dataDir: string, copyDir: string): Promise<CrashRun> {
    const settings = { BLOCKCHAIN_DIFFICULTY: String(DIFFICULTY), BLOCKCHAIN_AUTO_MINE: 'false' };
    return new CrashRun(seed, await NodeProcess.create('crashing', dataDir, settings), copyDir);
  }

  /** @returns how many SIGKILLs it came to. */
  async round(index: number): Promise<number> {
    const isStart = index % 5 === 2;
    const before = this.#kills.load + this.#kills.reorganisation + this.#kills.start;
    if (isStart) await this.#killStart();
    await this.#start();
    if (index % 10 === 4) {
      await this.#stopDuringSync();
      await this.#start();
    }
    if (index % 5 === 1 || index % 5 === 4) await this.#killReorganisation(index % 5 === 1);
    else await this.#killUnderLoad();
    return this.#kills.load + this.#kills.reorganisation + this.#kills.start - before;
  }

  line(done: number): string {
    return `${done} kills: height ${this.#height}, ${this.#acknowledged.size} acknowledged, ${this.#unfinished} unfinished commits`;
  }

  tail(): string {
    return this.node.output.split('\n').slice(-15).join('\n');
  }

  async finish(): Promise<CrashReport> {
    await this.#start();
    await waitFor('all entries are mined', async () => {
      await this.node.post('/mine', { blocks: 1 });
      return (await this.node.get<{ transactions: number }>('/mempool')).transactions === 0;
    });
    await this.#checkEntries();
    const exit = await this.node.kill('SIGTERM');
    if (exit !== 0) throw new Error(`the last stop ended with ${exit}`);
    this.#checkDisk();
    return {
      seed: this.seed,
      kills: this.#kills,
      terminations: this.#terminations,
      unfinishedCommits: this.#unfinished,
      acknowledged: this.#acknowledged.size,
      reorganisations: this.node.output.split('Reorganised above').length - 1,
      height: this.#height,
      slowestStartMs: Math.round(this.#slowestStartMs),
    };
  }

  async end(): Promise<void> {
    this.#rival.close();
    if (this.node.pid !== undefined && this.node.exit === null) await this.node.kill('SIGKILL');
  }

  async #start(): Promise<void> {
    const begin = performance.now();
    await this.node.spawn().ready();
    this.#slowestStartMs = Math.max(this.#slowestStartMs, performance.now() - begin);
    await this.#checkEntries();
  }

  /** Each acknowledged entry once, in the chain or waiting, and no less work than was seen before. */
  async #checkEntries(): Promise<void> {
    const { height, chainWork } = await this.node.get<{ height: number; chainWork: string }>('/status');
    const work = BigInt(`0x${chainWork}`);
    if (work < this.#work) throw new Error(`chain work fell from ${this.#work} to ${work}`);
    this.#work = work;
    this.#height = height;
    // After a reorganisation, entries come back to the mempool in steps, and a page may be read before and after one.
    await waitFor('each entry is in its place', async () => {
      await this.#checkPlaces(height);
      return true;
    });
  }

  async #checkPlaces(height: number): Promise<void> {
    const places = new Map<string, number>();
    const count = (id: string): unknown => places.set(id, (places.get(id) ?? 0) + 1);
    for (let from = 0; from <= height; from += 1_000) {
      const { blocks } = await this.node.get<ChainBody>(`/chain?from=${from}&limit=1000`);
      for (const block of blocks) for (const { id } of block.transactions) count(id);
    }
    for (let offset = 0; ; offset += 1_000) {
      const { entries } = await this.node.get<{ entries: { id: string }[] }>(`/mempool?offset=${offset}&limit=1000`);
      for (const { id } of entries) count(id);
      if (entries.length < 1_000) break;
    }
    const lost = [...this.#acknowledged].filter((id) => !places.has(id));
    const doubled = [...places].filter(([, times]) => times > 1).map(([id]) => id);
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged entries are gone, one is ${lost[0]}`);
    if (doubled.length > 0) throw new Error(`${doubled.length} entries stand twice, one is ${doubled[0]}`);
  }

  async #killUnderLoad(): Promise<void> {
    const stop = await this.#load({ isMining: true });
    await this.#rival.connect(this.node.p2pAddress);
    const endMs = performance.now() + 80 + this.#random.below(900);
    while (performance.now() < endMs) {
      await this.#rival.follow();
      this.#rival.overtake(1 + this.#random.below(6), 1 + this.#random.below(2));
      await pause(Math.min(60 + this.#random.below(120), Math.max(0, endMs - performance.now())));
    }
    await this.#kill('load', stop);
  }

  /**
   * One branch that replaces a great part of the chain. With entries posted meanwhile the kill comes at any moment of its
   * arrival; without, as soon as a write to the disk is seen.
   */
  async #killReorganisation(isLoaded: boolean): Promise<void> {
    if (this.#height < DEEP) await this.node.post('/mine', { blocks: DEEP });
    const stop = isLoaded ? await this.#load({ isMining: false }) : () => Promise.resolve();
    await this.#rival.connect(this.node.p2pAddress);
    await this.#rival.follow();
    const { served } = this.#rival;
    this.#rival.overtake(DEEP / 2 + this.#random.below(DEEP / 2), 2);
    await waitFor('the node fetches the branch', () => this.#rival.served > served);
    if (isLoaded) await pause(this.#random.below(400));
    else await this.#writes(1 + this.#random.below(12));
    await this.#kill('reorganisation', stop);
  }

  /** Resolves in the midst of a write to the disk: when the log was seen to change so many times. */
  async #writes(times: number): Promise<void> {
    const file = join(this.node.dataDir, `${DATABASE_FILE}-wal`);
    const look = (): string => {
      const { size, mtimeNs } = statSync(file, { bigint: true });
      return `${size} ${mtimeNs}`;
    };
    const endMs = performance.now() + 1_000;
    for (let last = look(); times > 0 && performance.now() < endMs;) {
      // Tightly for a while, for a write is over soon, then the rival must have its turn.
      for (const sliceMs = performance.now() + 3; times > 0 && performance.now() < sliceMs;) {
        const now = look();
        if (now !== last) times--;
        last = now;
      }
      if (times > 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Once by SIGKILL, once by SIGTERM, at any moment of the first two seconds. */
  async #killStart(): Promise<void> {
    this.node.spawn();
    await pause(this.#random.below(2_000));
    await this.#kill('start', () => Promise.resolve());
    const said = this.node.output.length;
    this.node.spawn();
    await pause(this.#random.below(2_000));
    // Before the program has said what to do on it, the signal itself ends the process.
    await this.#terminate('start-up', said, [0, 143, 'SIGTERM']);
  }

  async #stopDuringSync(): Promise<void> {
    if (this.#height < DEEP) await this.node.post('/mine', { blocks: DEEP });
    await this.#rival.connect(this.node.p2pAddress);
    await this.#rival.follow();
    const said = this.node.output.length;
    this.#rival.overtake(DEEP / 2 + this.#random.below(DEEP / 2), 2);
    await pause(this.#random.below(300));
    await this.#terminate('a sync', said, [0]);
    this.#rival.disconnect();
  }

  async #terminate(during: string, said: number, allowed: readonly unknown[]): Promise<void> {
    const exit = await this.node.kill('SIGTERM');
    if (!allowed.includes(exit)) throw new Error(`SIGTERM during ${during} ended with ${exit}`);
    const output = this.node.output.slice(said);
    if (STACK_TRACE.test(output)) throw new Error(`SIGTERM during ${during} ended with a stack trace:\n${output}`);
    this.#terminations++;
    this.#checkDisk();
  }

  async #kill(kind: keyof CrashReport['kills'], stop: () => Promise<void>): Promise<void> {
    await this.node.kill('SIGKILL');
    this.#kills[kind]++;
    this.#rival.disconnect();
    await stop();
    if (unfinishedPages(join(this.node.dataDir, `${DATABASE_FILE}-wal`)) > 0) this.#unfinished++;
    this.#checkDisk();
  }

  /** Posters, a miner and one who notes the chain work that he was told; they end with the node, and with what is returned. */
  async #load({ isMining }: { isMining: boolean }): Promise<() => Promise<void>> {
    const { node } = this;
    const ended = new AbortController();
    const first = this.#acknowledged.size;
    const repeat = async (what: () => Promise<void>): Promise<void> => {
      // The request under way when the node dies fails, whatever came of it; nothing is claimed of it.
      while (!ended.signal.aborted) await what().catch(() => ended.abort());
    };
    const tasks = Array.from({ length: POSTERS }, (_, poster) =>
      repeat(async () => {
        const id = await node.submit(`poster ${poster} ${'p'.repeat(this.#random.below(300))}`);
        this.#acknowledged.add(id);
        await pause(this.#random.below(20));
      }),
    );
    if (isMining) {
      tasks.push(
        repeat(async () => {
          await node.post('/mine', { blocks: 1 + this.#random.below(3) });
          await pause(this.#random.below(60));
        }),
      );
    }
    tasks.push(
      repeat(async () => {
        const { chainWork } = await node.get<{ chainWork: string }>('/status');
        const work = BigInt(`0x${chainWork}`);
        if (work > this.#work) this.#work = work;
        await pause(10);
      }),
    );
    await waitFor('the load runs', () => this.#acknowledged.size > first);
    return async () => {
      ended.abort();
      await Promise.all(tasks);
    };
  }

  /** Looks at a copy, so that all repair after a kill is the node's own. */
  #checkDisk(): void {
    const file = join(this.node.dataDir, DATABASE_FILE);
    if (!existsSync(file)) return;
    rmSync(this.copyDir, { recursive: true, force: true });
    mkdirSync(this.copyDir);
    const copy = join(this.copyDir, DATABASE_FILE);
    for (const part of ['', '-wal']) if (existsSync(file + part)) cpSync(file + part, copy + part);
    const database = new Sqlite(copy);
    try {
      const found = database.pragma('integrity_check', { simple: true });
      if (found !== 'ok') throw new Error(`integrity_check after a kill: ${String(found)}`);
      if (database.pragma('user_version', { simple: true }) === 0) return;
      const twice = minedAndWaiting(database);
      if (twice !== 0) throw new Error(`${twice} entries are both mined and waiting on disk`);
    } finally {
      database.close();
    }
  }
}

/** Entries that wait although the active chain holds them, in blocks that are not noted as still to be looked at. */
function minedAndWaiting(database: Sqlite.Database): number {
  const store = new ChainStore(database);
  const state = loadChain(store, createParams({ network: 'minichain', difficulty: DIFFICULTY }), 0);
  const unsettled = new Set(database.prepare<[], number>('SELECT block_id FROM unsettled_blocks').pluck().all());
  const reader = new BlockReader(store, state, { damaged: () => {}, mended: () => {} });
  const isSettled = (node: BlockNode): boolean => state.isActive(node) && !unsettled.has(node.id);
  const waiting = database.prepare<[], Buffer>('SELECT id FROM mempool').pluck().all();
  return waiting.filter((id) => reader.findEntry(hashFromBytes(id), isSettled) !== undefined).length;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
