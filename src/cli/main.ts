import { leave } from '../common/leave.js';
import { EXIT } from './exit.js';
import { runCli } from './run-cli.js';

/**
 * Nothing that the command has begun takes longer than this once it is over, except what hangs: a log that nobody reads,
 * a lookup that no DNS server answers.
 */
const LINGER_MS = 500;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe may leave when it has seen enough (`minichain chain | head`), and says nothing about it.
  if (error.code === 'EPIPE') process.exit(EXIT.readerGone);
  process.stderr.write(`minichain: cannot write to standard output: ${error.message}\n`);
  process.exit(EXIT.failed);
});
// Nobody is left to be told. What the command does may matter all the same: a node goes on.
process.stderr.on('error', () => {});

const code = await runCli(process.argv.slice(2), process);
process.exitCode = code;
setTimeout(() => leave(code), LINGER_MS).unref();
