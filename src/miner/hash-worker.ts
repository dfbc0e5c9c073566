// A mining thread. Node loads this file itself, as .ts from src and as .js from dist, so only types are imported statically
// and the kernel is looked for under the extension that this file has.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type * as PaceModule from './hash-pace.js';
import type { HashJob, HashReport, HashWorkerData } from './hash-pool.js';
import type * as KernelModule from './kernel/kernel.js';

/** How long a scan may take before the job is looked at again: it bounds how long a thread works on a stale header. */
const CHUNK_MS = 1;
const MIN_CHUNK = 64;
const MAX_CHUNK = 2 ** 22;
/** After this, a waiting thread looks at the limit again: its change may have come just before the wait. */
const MAX_WAIT_MS = 250;
const LOWEST_PRIORITY = 19;

const { source, control, controlOffset } = workerData as HashWorkerData;
const port = parentPort!;
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const { createKernel } = (await import(
  new URL(`./kernel/kernel${extension}`, import.meta.url).href
)) as typeof KernelModule;

const { HashPace } = (await import(new URL(`./hash-pace${extension}`, import.meta.url).href)) as typeof PaceModule;

const kernel = createKernel(source);
const currentJob = new Int32Array(control, 0, 1);
const threadLimit = new BigUint64Array(control, 8, 1);
const pace = new HashPace();
const [hashesDone, progress] = [0, 8].map((offset) => new BigUint64Array(control, controlOffset + offset, 1));
let chunk = 1024;

// On Linux priorities belong to threads, elsewhere this would slow down the whole node.
if (process.platform === 'linux') {
  try {
    setPriority(LOWEST_PRIORITY);
  } catch {
    // Not allowed here; then mining competes with the rest of the node on equal terms.
  }
}

port.on('message', run);

function run(job: HashJob): void {
  kernel.setJob(job.header, job.target);
  for (let nonce = job.start; nonce < job.end;) {
    if (Atomics.load(currentJob, 0) !== job.id) return;
    Atomics.store(progress!, 0, (BigInt(job.id) << 32n) | BigInt(nonce));
    const limit = Number(Atomics.load(threadLimit, 0)) / 1000;
    const waitMs = pace.waitMs(performance.now(), limit);
    if (waitMs > 0) {
      Atomics.wait(currentJob, 0, job.id, Math.min(waitMs, MAX_WAIT_MS));
      continue;
    }
    const count = pace.piece(Math.min(chunk, job.end - nonce), limit);
    const startedMs = performance.now();
    const offset = kernel.scan(nonce, count);
    const elapsedMs = performance.now() - startedMs;
    const hashes = offset < 0 ? count : offset + 1;
    Atomics.add(hashesDone!, 0, BigInt(hashes));
    pace.did(hashes, startedMs);
    if (offset >= 0) {
      report({ kind: 'found', id: job.id, nonce: nonce + offset });
      return;
    }
    nonce += count;
    if (count === chunk) chunk = nextChunk(elapsedMs);
  }
  report({ kind: 'exhausted', id: job.id });
}

/** Multiples of 64 keep the SIMD lanes full. Grows and shrinks by steps, since a single measurement may be an outlier. */
function nextChunk(elapsedMs: number): number {
  const factor = Math.min(4, Math.max(0.5, CHUNK_MS / elapsedMs));
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.round((chunk * factor) / MIN_CHUNK) * MIN_CHUNK));
}

function report(message: HashReport): void {
  port.postMessage(message);
}
