// A thread that copies a long log (-wal) into the database and then ends. It may take a second for 60 MiB, and the event loop
// must not wait for it. Node loads this file itself, as .ts from src and as .js from dist.
import { setTimeout as wait } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';

const RETRY_MS = 500;

const database = new Sqlite(workerData as string, { fileMustExist: true, timeout: 0 });
// PASSIVE never keeps anybody from writing. As long as a reader needs what the log holds, it copies only a part.
while (!isWhole(database.pragma('wal_checkpoint(PASSIVE)'))) await wait(RETRY_MS);
database.close();

function isWhole(result: unknown): boolean {
  const [{ busy, log, checkpointed }] = result as [{ busy: number; log: number; checkpointed: number }];
  return busy === 0 && log === checkpointed;
}
