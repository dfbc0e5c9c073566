import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { isHash } from '../../consensus/codec.js';
import { clientOf, nodeCommand, type ClientOptions } from '../client-command.js';
import { DATA_HELP, FILE_HELP, entryText } from '../entry-text.js';
import { CliError, EXIT } from '../exit.js';
import { signEntry } from '../sign/sign-entry.js';
import type { Terminal } from '../terminal.js';

interface SignOptions extends ClientOptions {
  readonly key: string;
  readonly file?: string;
  readonly genesis?: string;
  readonly out?: string;
}

export function signCommand(terminal: Terminal): Command {
  return nodeCommand('sign', 'sign an entry with an SSH key, and post nothing')
    .argument('[data]', DATA_HELP)
    .requiredOption('--key <file>', 'an Ed25519 key of OpenSSH, or the .pub file of a key in the agent')
    .option('--file <file>', FILE_HELP)
    .option('--genesis <hash>', 'hash of block 0 of the network; without it, a node is asked')
    .option('--out <file>', 'write the signature to this file instead of stdout')
    .option('--json', 'print the signature, or the name of its file, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain sign --file note.txt --key ~/.ssh/id_ed25519 --out note.txt.sig\n' +
        '  minichain submit --file note.txt --signature note.txt.sig',
    )
    .action(async (data: string | undefined, options: SignOptions) => {
      const entry = await entryText(data, options.file, terminal.stdin);
      const signature = await signEntry(entry, options.key, await genesisOf(options, terminal), terminal.env);
      const { out, json } = options;
      if (out !== undefined) writeOut(out, signature);
      if (json) terminal.stdout.write(`${JSON.stringify(out === undefined ? { signature } : { file: out })}\n`);
      else if (out === undefined) terminal.stdout.write(signature);
    });
}

async function genesisOf({ genesis, ...options }: SignOptions, terminal: Terminal): Promise<string> {
  if (genesis === undefined) return (await clientOf(options, terminal).ask('GET /network', {})).body.genesis;
  if (!isHash(genesis.toLowerCase())) throw new CliError('--genesis must have 64 hex digits', EXIT.usage);
  return genesis.toLowerCase();
}

function writeOut(path: string, signature: string): void {
  try {
    writeFileSync(path, signature);
  } catch (error) {
    throw new CliError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`, EXIT.failed);
  }
}
