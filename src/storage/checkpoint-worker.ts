// A thread that copies the log (-wal) into the database whenever it is told to. 60 MiB may take a second, and the event loop
// must not wait for it. Node loads this file itself, as .ts from src and as .js from dist.
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';

/** As long as a reader needs what the log holds, only a part can be copied: so long until the next attempt. */
const RETRY_MS = 500;

const database = new Sqlite(workerData as string, { fileMustExist: true, timeout: 0 });

async function copy(): Promise<void> {
  // PASSIVE never keeps anybody from writing.
  if (!isWhole(database.pragma('wal_checkpoint(PASSIVE)'))) await wait(RETRY_MS);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort!.postMessage('done');
}

function isWhole(result: unknown): boolean {
  const [{ busy, log, checkpointed }] = result as [{ busy: number; log: number; checkpointed: number }];
  return busy === 0 && log === checkpointed;
}

parentPort!.on('message', () => void copy());
