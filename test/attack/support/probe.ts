import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { NodeProcess } from '../../support/node-process.js';
import { IS_FULL } from './scale.js';

/** What must be answered whatever others do. */
const PATHS = ['/health/live', '/health/ready', '/status'];
/** The promise: 99 of 100 answers within this time. */
const PROMISED_P99_MS = 100;
const PAUSE_MS = 10;
const TIMEOUT_MS = 30_000;

interface Sample {
  readonly path: string;
  /** 0 = no answer. */
  readonly status: number;
  readonly ms: number;
}

/** How a node answered during one phase of a test. */
export class Answers {
  readonly #samples: readonly Sample[];

  constructor(samples: readonly Sample[]) {
    this.#samples = samples.toSorted((one, other) => one.ms - other.ms);
  }

  /** Answers other than 200, and requests without one. */
  get failed(): readonly Sample[] {
    return this.#samples.filter(({ status }) => status !== 200);
  }

  get count(): number {
    return this.#samples.length;
  }

  /** Milliseconds within which this share of all answers came. */
  quantile(share: number): number {
    return this.#samples[Math.min(this.count - 1, Math.floor(this.count * share))]?.ms ?? 0;
  }

  toString(): string {
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => `${Math.round(this.quantile(share))} ms`);
    const slowest = this.#samples.at(-1)?.path;
    return `${this.count} probes, ${this.failed.length} failed, p50 ${p50}, p99 ${p99}, max ${max} (${slowest})`;
  }

  /**
   * Every probe must have had its 200. The time is printed, and judged in the full form only: it says as much about the
   * machine as about the node.
   */
  expectHealthy(phase: string): void {
    const text = `${phase}: ${this.toString()}`;
    console.log(text);
    assert(this.count > 0, text);
    assert.deepEqual(this.failed.slice(0, 3), [], text);
    if (IS_FULL) assert(this.quantile(0.99) < PROMISED_P99_MS, text);
  }
}

/**
 * Asks `node` for its health and status on new connections while `attack` runs.
 * @param from the address of this machine to ask from.
 */
export async function probeWhile(node: NodeProcess, attack: () => Promise<unknown>, from = '127.0.0.1') {
  const workerData = { port: node.httpPort, from, paths: PATHS, pauseMs: PAUSE_MS, timeoutMs: TIMEOUT_MS };
  const worker = new Worker(new URL('./probe-worker.mjs', import.meta.url), { workerData });
  try {
    await once(worker, 'online');
    await attack();
    const samples = once(worker, 'message') as Promise<[Sample[]]>;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage('stop');
    return new Answers((await samples)[0]);
  } finally {
    await worker.terminate();
  }
}
