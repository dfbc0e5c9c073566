import { LineSink } from '../common/line-sink.js';
import { plural } from './format.js';
import type { Output, Terminal } from './terminal.js';

/**
 * The terminal for a command that runs until it is stopped: output that nobody reads, or for which the disk has no room,
 * never holds it up (see LineSink).
 */
export function lastingTerminal({ env, stdin, stdout, stderr }: Terminal): Terminal {
  return { env, stdin, stdout: lastingOutput(stdout), stderr: lastingOutput(stderr) };
}

function lastingOutput(output: Output): Output {
  if (output.fd === undefined) return output;
  const sink = new LineSink(output.fd, ({ count, reason }) =>
    sink.write(`minichain: ${plural(count, 'line')} of output dropped: nothing took them (${reason})\n`),
  );
  process.once('exit', () => sink.writeRest());
  return {
    write: (text) => sink.write(typeof text === 'string' ? text : Buffer.from(text).toString()),
    isTTY: output.isTTY === true,
    get columns() {
      return output.columns ?? 0;
    },
  };
}
