import { leave } from '../common/leave.js';
import { EXIT } from './exit.js';
import { runCli } from './run-cli.js';
import { StandardError } from './standard-error.js';

/**
 * Nothing that the command has begun takes longer than this once it is over, except what hangs: a log that nobody reads,
 * a lookup that no DNS server answers.
 */
const LINGER_MS = 500;

const stderr = new StandardError(process.stderr);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe may leave when it has seen enough (`minichain chain | head`), and says nothing about it.
  if (error.code === 'EPIPE') process.exit(EXIT.readerGone);
  void stderr.end(`minichain: cannot write to standard output: ${error.message}\n`, EXIT.failed);
});
// Node.js itself would wait until somebody reads its report.
process.on('uncaughtException', (error: unknown) => {
  const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
  void stderr.end(`minichain: crashed: ${report}\n`, EXIT.failed);
});

const { env, stdin, stdout } = process;
const code = await runCli(process.argv.slice(2), { env, stdin, stdout, stderr });
process.exitCode = code;
setTimeout(() => leave(code), LINGER_MS).unref();
