import { Worker } from 'node:worker_threads';
import type { Logger } from '../common/logger.js';
import type { Hasher, SearchResult } from './hasher.js';
import { loadKernel, type KernelKind, type KernelSource } from './kernel/kernel.js';

/** What a mining thread gets when it starts. */
export interface HashWorkerData {
  readonly source: KernelSource;
  /**
   * First a cache line for all: the id of the job in hand (i32, 0 = none; a wait on it ends when it or the limit changes),
   * then at 8 the limit of each thread in thousandths of a hash per second (u64, 0 = none). Then one for each thread.
   */
  readonly control: SharedArrayBuffer;
  /** Where in `control` the thread counts: hashes done (u64), then job id << 32 | first nonce of its chunk (u64). */
  readonly controlOffset: number;
}

/** The nonces start..end-1 of a header, for one thread. The thread drops the job when `control` names another id. */
export interface HashJob {
  readonly id: number;
  readonly header: Uint8Array;
  readonly target: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** How a thread ends a job, unless it was cancelled. */
export type HashReport =
  | { readonly kind: 'found'; readonly id: number; readonly nonce: number }
  | { readonly kind: 'exhausted'; readonly id: number };

export interface HashPoolOptions {
  readonly threads: number;
  readonly log: Logger;
  /** Default: the fastest that this machine can run. */
  readonly kernel?: KernelKind;
  /** How many nonces a header has before it counts as exhausted; default 2^32. */
  readonly nonces?: number;
  /** See Hasher.limit; default 0. */
  readonly maxHashRate?: number;
}

interface Thread {
  readonly index: number;
  worker: Worker;
  /** Crashes in a row without a single chunk done. */
  crashes: number;
  /** Its counter when the thread that runs now was started. */
  hashesAtStart: bigint;
}

interface PoolSearch {
  readonly id: number;
  readonly header: Uint8Array;
  readonly target: Uint8Array;
  /** The nonces of each thread that has not reported yet. */
  readonly ranges: Map<Thread, { readonly start: number; readonly end: number }>;
  readonly resolve: (result: SearchResult) => void;
  readonly reject: (error: Error) => void;
}

const CACHE_LINE_BYTES = 64;
const LIMIT_OFFSET = 8;
const DEFAULT_NONCES = 2 ** 32;
const MAX_JOB_ID = 0x7fff_ffff;
const MAX_CRASHES = 3;

/**
 * Searches with worker threads, each of which has its part of the nonces. Changing one word of shared memory, which the
 * threads read about every millisecond, ends a job. A thread that crashes is replaced, and the new one goes on from there.
 */
export class HashPool implements Hasher {
  readonly #options: HashPoolOptions;
  readonly #control: SharedArrayBuffer;
  readonly #currentJob: Int32Array<SharedArrayBuffer>;
  readonly #threadLimit: BigUint64Array<SharedArrayBuffer>;
  #hashesPerSecond: number;
  #source: KernelSource | undefined;
  #threads: Thread[] = [];
  #search: PoolSearch | undefined;
  #lastJobId = 0;

  constructor(options: HashPoolOptions) {
    this.#options = options;
    this.#control = new SharedArrayBuffer(CACHE_LINE_BYTES * (options.threads + 1));
    this.#currentJob = new Int32Array(this.#control, 0, 1);
    this.#threadLimit = new BigUint64Array(this.#control, LIMIT_OFFSET, 1);
    this.#hashesPerSecond = options.maxHashRate ?? 0;
  }

  get hashesDone(): number {
    let sum = 0n;
    for (let index = 0; index < this.#options.threads; index++) sum += this.#counter(index, 0);
    return Number(sum);
  }

  async start(): Promise<void> {
    if (this.#threads.length > 0) return;
    const { threads, kernel, log } = this.#options;
    this.#source ??= loadKernel(kernel);
    if (this.#source.kind === 'crypto' && kernel === undefined) {
      log.warn('Mining with node:crypto, about 15 times slower: this machine runs no WebAssembly kernel');
    }
    for (let index = 0; index < threads; index++) {
      const thread = { index, worker: this.#spawn(index), crashes: 0, hashesAtStart: this.#counter(index, 0) };
      this.#threads.push(thread);
      this.#attend(thread);
    }
    this.#shareLimit();
    log.debug({ threads, kernel: this.#source.kind }, `Started ${threads} mining threads`);
  }

  limit(hashesPerSecond: number): void {
    this.#hashesPerSecond = hashesPerSecond;
    this.#shareLimit();
  }

  search(header: Buffer, target: Buffer): Promise<SearchResult> {
    this.cancel();
    if (this.#threads.length === 0) return Promise.reject(new Error('no mining thread runs'));
    this.#lastJobId = (this.#lastJobId % MAX_JOB_ID) + 1;
    const id = this.#lastJobId;
    const nonces = this.#options.nonces ?? DEFAULT_NONCES;
    const boundary = (part: number): number => Math.floor((nonces * part) / this.#threads.length);
    const ranges = new Map(this.#threads.map((thread, i) => [thread, { start: boundary(i), end: boundary(i + 1) }]));
    return new Promise((resolve, reject) => {
      // Copies, since posting a view on Node's buffer pool would post the whole pool.
      this.#search = { id, header: Uint8Array.from(header), target: Uint8Array.from(target), ranges, resolve, reject };
      this.#announce(id);
      for (const thread of this.#threads) this.#post(thread, this.#search);
    });
  }

  cancel(): void {
    this.#settle()?.resolve({ kind: 'cancelled' });
  }

  async stop(): Promise<void> {
    this.cancel();
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }

  #spawn(index: number): Worker {
    // From src under a test runner, from dist otherwise.
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const workerData: HashWorkerData = {
      source: this.#source!,
      control: this.#control,
      controlOffset: CACHE_LINE_BYTES * (index + 1),
    };
    return new Worker(new URL(`./hash-worker${extension}`, import.meta.url), { workerData, name: `miner-${index}` });
  }

  #attend(thread: Thread): void {
    const { worker } = thread;
    let cause: unknown;
    worker.on('message', (report: HashReport) => this.#onReport(thread, report));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.once('exit', (code) => {
      if (this.#threads.includes(thread)) this.#onCrash(thread, cause ?? new Error(`exit code ${code}`));
    });
  }

  #post(thread: Thread, search: PoolSearch): void {
    const range = search.ranges.get(thread);
    if (range === undefined) return;
    const job: HashJob = { id: search.id, header: search.header, target: search.target, ...range };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.worker.postMessage(job);
  }

  #onReport(thread: Thread, report: HashReport): void {
    const search = this.#search;
    if (report.id !== search?.id) return;
    if (report.kind === 'found') this.#settle()?.resolve({ kind: 'found', nonce: report.nonce });
    else this.#finishRange(thread, search);
  }

  #finishRange(thread: Thread, search: PoolSearch): void {
    search.ranges.delete(thread);
    if (search.ranges.size === 0) this.#settle()?.resolve({ kind: 'exhausted' });
  }

  #onCrash(thread: Thread, error: unknown): void {
    const { log } = this.#options;
    const hashes = this.#counter(thread.index, 0);
    thread.crashes = hashes > thread.hashesAtStart ? 1 : thread.crashes + 1;
    if (thread.crashes > MAX_CRASHES) {
      log.error({ err: error, thread: thread.index }, `Gave up on mining thread ${thread.index}, which keeps crashing`);
      this.#giveUp(thread);
      return;
    }
    log.error({ err: error, thread: thread.index }, `Mining thread ${thread.index} crashed and was replaced`);
    thread.hashesAtStart = hashes;
    thread.worker = this.#spawn(thread.index);
    this.#attend(thread);
    const search = this.#search;
    const range = search?.ranges.get(thread);
    if (search === undefined || range === undefined) return;
    const progress = this.#counter(thread.index, 8);
    // The progress is that of an earlier job if the thread crashed before its first chunk of this one.
    if (progress >> 32n === BigInt(search.id)) {
      search.ranges.set(thread, { ...range, start: Number(progress & 0xffff_ffffn) });
    }
    this.#post(thread, search);
  }

  /** The other threads go on. With none left the search fails, and the next start() tries all threads again. */
  #giveUp(thread: Thread): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.#shareLimit();
    if (this.#threads.length === 0) {
      this.#settle()?.reject(new Error('every mining thread has crashed'));
    } else if (this.#search !== undefined) {
      this.#finishRange(thread, this.#search);
    }
  }

  /** Ends the search for the threads. The caller settles its promise. */
  #settle(): PoolSearch | undefined {
    const search = this.#search;
    this.#search = undefined;
    this.#announce(0);
    return search;
  }

  /** Threads that wait because of the limit look up at once. */
  #announce(jobId: number): void {
    Atomics.store(this.#currentJob, 0, jobId);
    Atomics.notify(this.#currentJob, 0);
  }

  #shareLimit(): void {
    const milli = (this.#hashesPerSecond * 1000) / Math.max(1, this.#threads.length);
    Atomics.store(this.#threadLimit, 0, BigInt(Math.ceil(milli)));
    Atomics.notify(this.#currentJob, 0);
  }

  #counter(index: number, offset: number): bigint {
    const word = new BigUint64Array(this.#control, CACHE_LINE_BYTES * (index + 1) + offset, 1);
    return Atomics.load(word, 0);
  }
}
