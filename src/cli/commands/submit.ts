import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Receipt } from '../../mempool/mempool-schemas.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { count, duration, printable } from '../format.js';
import type { Terminal } from '../terminal.js';
import { waitForEntry } from '../wait-for-entry.js';

const DEFAULT_TIMEOUT_SECONDS = 60;
/** No node takes more; a wrong pipe is noticed before it fills the memory. */
const MAX_INPUT_BYTES = 16_777_216;

interface SubmitOptions extends ClientOptions {
  readonly wait?: boolean;
  readonly timeout: number;
}

export function submitCommand(terminal: Terminal): Command {
  return clientCommand('submit', 'post an entry; it is pending until some node mines it')
    .argument('<data>', 'the entry, 1 to 16,384 bytes of UTF-8; - reads it from stdin, without its last line break')
    .option('--wait', 'wait until it stands in a block of the active chain')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumberArgument(1, 86_400), DEFAULT_TIMEOUT_SECONDS)
    .addHelpText(
      'after',
      '\nExamples:\n  minichain submit "Hello, chain" --wait\n  date | minichain submit -\n  minichain submit -- "-starts with a dash"',
    )
    .action(async (data: string, options: SubmitOptions) => {
      const client = clientOf(options, terminal);
      const entry = data === '-' ? await readEntry(terminal.stdin) : data;
      const startedMs = performance.now();
      const receipt = await client.post<Receipt>('/blocks', { data: entry });
      if (!options.wait) {
        print(terminal, options, receipt, ({ id }) => `${printable(id)} is pending\n`);
        return;
      }
      const confirmed = await waitForEntry(client, receipt.body.id, { timeoutMs: options.timeout * 1000, terminal });
      print(terminal, options, confirmed, ({ id, block }) => {
        const took = duration(performance.now() - startedMs);
        return `${printable(id)} is in block ${count(block!.index)} (${printable(block!.hash)}) after ${took}\n`;
      });
    });
}

async function readEntry(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunks.at(-1)!.length;
    if (length > MAX_INPUT_BYTES) throw new CliError('stdin is too long for an entry (16,384 bytes)', EXIT.usage);
  }
  try {
    // The BOM is part of the entry, too.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '');
  } catch {
    throw new CliError('stdin is not UTF-8 text: encode it first, for example with `base64 -w0`', EXIT.usage);
  }
}
