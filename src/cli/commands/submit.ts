import type { Command } from 'commander';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { DATA_HELP, FILE_HELP, entryText } from '../entry-text.js';
import { CliError, EXIT } from '../exit.js';
import { readBounded } from '../files.js';
import { count, duration, printable } from '../format.js';
import type { NodeClient } from '../node-client.js';
import { checkSigned, signEntry } from '../sign/sign-entry.js';
import { submitEntry } from '../submit-entry.js';
import type { Terminal } from '../terminal.js';
import { waitForEntry } from '../wait-for-entry.js';

const DEFAULT_TIMEOUT_SECONDS = 60;
/** The largest RSA signatures, which are refused by name, have 3,000. */
const MAX_SIGNATURE_BYTES = 65_536;

interface SubmitOptions extends ClientOptions {
  readonly file?: string;
  readonly key?: string;
  readonly signature?: string;
  readonly wait?: boolean;
  readonly timeout: number;
}

export function submitCommand(terminal: Terminal): Command {
  return clientCommand('submit', 'post an entry; it is pending until some node mines it')
    .argument('[data]', DATA_HELP)
    .option('--file <file>', FILE_HELP)
    .option('--key <file>', 'sign it with this Ed25519 key of OpenSSH, or the .pub file of a key in the agent')
    .option(
      '--signature <file>',
      'post it with this SSH signature, as `minichain sign` or `ssh-keygen -Y sign` made it',
    )
    .option('--wait', 'wait until it stands in a block of the active chain')
    .option('--timeout <seconds>', 'how long --wait waits', wholeNumberArgument(1, 86_400), DEFAULT_TIMEOUT_SECONDS)
    .addHelpText(
      'after',
      '\nExamples:\n  minichain submit "Hello, chain" --wait\n  date | minichain submit -\n' +
        '  minichain submit "Signed by me" --key ~/.ssh/id_ed25519\n  minichain submit -- "-starts with a dash"',
    )
    .action(async (given: string | undefined, options: SubmitOptions) => {
      const client = clientOf(options, terminal);
      const data = await entryText(given, options.file, terminal.stdin);
      const signature = await signatureOf(data, options, client, terminal.env);
      const startedMs = performance.now();
      const receipt = await submitEntry(client, data, terminal, signature);
      if (!options.wait) {
        print(terminal, options, receipt, ({ id }) => `${printable(id)} is pending\n`);
        return;
      }
      const confirmed = await waitForEntry(client, receipt.body.id, { timeoutMs: options.timeout * 1000, terminal });
      print(terminal, options, confirmed, ({ id, block }) => {
        const took = duration(performance.now() - startedMs);
        return `${printable(id)} is in block ${count(block.index)} (${printable(block.hash)}) after ${took}\n`;
      });
    });
}

/** The signature to post, checked before it is sent; undefined for an entry that is not to be signed. */
async function signatureOf(
  data: string,
  { key, signature }: SubmitOptions,
  client: NodeClient,
  env: Terminal['env'],
): Promise<string | undefined> {
  if (key === undefined && signature === undefined) return undefined;
  if (key !== undefined && signature !== undefined) {
    throw new CliError('--key makes a signature and --signature brings one: give one of them', EXIT.usage);
  }
  const { genesis } = (await client.ask('GET /network', {})).body;
  if (key !== undefined) return signEntry(data, key, genesis, env);
  const armour = readBounded(signature!, MAX_SIGNATURE_BYTES, 'the signature').toString('latin1');
  checkSigned(data, armour, genesis);
  return armour;
}
