import { Option, type Command } from 'commander';
import { clientCommand, clientOf, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { writeWhole } from '../files.js';
import { bytes, printable } from '../format.js';
import type { NodeClient } from '../node-client.js';
import { resolveHash } from '../resolve-hash.js';
import type { Terminal } from '../terminal.js';

interface ProofOptions extends ClientOptions {
  readonly format: 'json' | 'ots' | 'merkleblock';
  readonly from: 'all' | 'checkpoint' | 'block';
  readonly stamped: 'entry' | 'file';
  readonly out?: string;
}

/** Options that one form of a proof has, and the others do not. */
const FORM_OF_OPTION = [
  ['from', 'json'],
  ['json', 'json'],
  ['stamped', 'ots'],
] as const;

export function proofCommand(terminal: Terminal): Command {
  return clientCommand(
    'proof',
    'get a proof that an entry is in the chain; `minichain verify` checks it',
    'print the proof as JSON, as it is without this option',
  )
    .argument('<id>', 'the id of the entry')
    .addOption(
      new Option('--format <format>', 'how it is written').choices(['json', 'ots', 'merkleblock']).default('json'),
    )
    .addOption(
      new Option('--from <where>', 'with json: where the headers begin')
        .choices(['all', 'checkpoint', 'block'])
        .default('all'),
    )
    .addOption(
      new Option('--stamped <what>', 'with ots: a proof of the entry, or of the file whose SHA-256 is its salt')
        .choices(['entry', 'file'])
        .default('entry'),
    )
    .option('--out <file>', 'write it to this file, whole or not at all (default: standard output)')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain proof 4a5e... --out entry.proof.json\n  minichain proof 4a5e... --format ots --out entry.bin.ots',
    )
    .action(async (given: string, { format, from, stamped, out, ...options }: ProofOptions, command: Command) => {
      for (const [name, form] of FORM_OF_OPTION) {
        if (format === form || command.getOptionValueSource(name) !== 'cli') continue;
        throw new CliError(`--${name} goes with --format ${form}, not with ${format}`, EXIT.usage);
      }
      if (format === 'ots' && out === undefined && terminal.stdout.isTTY === true) {
        throw new CliError('an OpenTimestamps proof is no text: give --out', EXIT.usage);
      }
      const client = clientOf(options, terminal);
      const id = await resolveHash(client, given, 'entry');
      const content = await read(client, id, { format, from, stamped });
      if (out === undefined) {
        terminal.stdout.write(format === 'ots' ? content : `${content.toString('utf8')}\n`);
        return;
      }
      writeWhole(out, content);
      terminal.stderr.write(`${printable(out)}: ${bytes(content.length)}\n`);
    });
}

/** The proof as it came. */
async function read(
  client: NodeClient,
  id: string,
  { format, from, stamped }: Pick<ProofOptions, 'format' | 'from' | 'stamped'>,
): Promise<Buffer> {
  // All headers of a long chain take a while.
  const timeoutMs = Infinity;
  if (format === 'ots') return Buffer.from(await client.call((api) => api.otsProof(id, { stamped, timeoutMs })));
  if (format === 'merkleblock') return Buffer.from(await client.call((api) => api.merkleBlock(id, { timeoutMs })));
  const input = { params: { id }, query: { headers: from } } as const;
  return Buffer.from((await client.ask('GET /transactions/:id/proof', input, { timeoutMs })).text);
}
