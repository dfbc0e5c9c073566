import { runCli } from './run-cli.js';

/** The reader of a pipe has gone, the terminal was closed. */
const READER_GONE = new Set(['EPIPE', 'EIO']);

// Whoever read our output has gone (`minichain chain | head`): end as a pipe's writer does, a running node cleanly.
for (const stream of [process.stdout, process.stderr]) {
  let isGone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!READER_GONE.has(error.code ?? '')) throw error;
    if (!isGone) process.kill(process.pid, 'SIGTERM');
    isGone = true;
  });
}

const code = await runCli(process.argv.slice(2), process);
if (code !== 0) process.exitCode = code;
