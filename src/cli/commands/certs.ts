import { Command, InvalidArgumentError } from 'commander';
import { isListenHost } from '../../config/address.js';
import { isName } from '../../config/schema.js';
import { wholeNumberArgument } from '../client-command.js';
import type { Terminal } from '../terminal.js';

const MAX_DAYS = 36_500;
/** Names of the authority's own files. */
const RESERVED = 'ca';

interface Options {
  readonly out: string;
  readonly nodes: readonly string[];
  readonly days: number;
  readonly host: readonly string[];
  readonly json?: boolean;
}

export function certsCommand(terminal: Terminal): Command {
  return new Command('certs')
    .summary('make certificates for mTLS between nodes')
    .description(
      'Makes an authority for a network and a certificate for each node, and prints what to put into their\n' +
        'configurations. With an authority in the directory already, adds nodes to it. Nothing is overwritten.',
    )
    .requiredOption('--out <dir>', 'where the files go; keys are readable by you alone')
    .requiredOption('--nodes <ids>', 'node ids, separated by commas', nodeIds)
    .option('--days <n>', 'how long the certificates of nodes hold', wholeNumberArgument(1, MAX_DAYS), 365)
    .option('--host <name>', 'DNS name or IP address for all certificates; may be repeated', addHost, [])
    .option('--json', 'print the names of the files as JSON')
    .addHelpText('after', '\nExample:\n  minichain certs --out certs --nodes node-1,node-2,node-3')
    .action(async ({ out, nodes, days, host, json }: Options) => {
      const { writeCerts } = await import('../certs/write-certs.js');
      const written = await writeCerts({ directory: out, nodeIds: nodes, hosts: host, days, nowMs: Date.now() });
      const { stdout, stderr } = terminal;
      if (json) {
        stdout.write(`${JSON.stringify({ days, nodes: written })}\n`);
        return;
      }
      stderr.write(
        `${written.length} certificates in ${out}, good for ${days} days. Each node gets ca.crt and its own two files;\n` +
          'keep ca.key to yourself: whoever has it can make nodes. Put into the configurations:\n\n',
      );
      for (const { nodeId, ca, cert, key } of written) {
        const lines = [`# ${nodeId}`, '[network.tls]', ...Object.entries({ ca, cert, key }).map(tomlLine)];
        stdout.write(`${lines.join('\n')}\n\n`);
      }
    });
}

function tomlLine([key, value]: readonly [string, string]): string {
  return `${key} = ${JSON.stringify(value)}`;
}

function nodeIds(value: string): string[] {
  const ids = value.split(',').map((id) => id.trim());
  const bad = ids.find((id) => !isName(id));
  if (bad !== undefined) throw new InvalidArgumentError(`"${bad}" is no node id (A-Z a-z 0-9 . _ -, up to 64).`);
  if (ids.some((id) => id.toLowerCase() === RESERVED))
    throw new InvalidArgumentError(`"${RESERVED}" is the name of the authority's files.`);
  if (new Set(ids).size < ids.length) throw new InvalidArgumentError('a node id stands there twice.');
  return ids;
}

function addHost(value: string, others: readonly string[]): string[] {
  if (!isListenHost(value)) throw new InvalidArgumentError('give a DNS name or an IP address.');
  return [...others, value];
}
