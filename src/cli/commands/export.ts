import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { encodeSignedTransaction } from '../../consensus/signed-entry.js';
import {
  allowedSignersLine,
  encodeArmour,
  fingerprintOf,
  signatureNamespace,
  type KeyAndSignature,
} from '../../consensus/ssh-signature.js';
import type { TransactionStatus } from '../../mempool/mempool-schemas.js';
import { clientOf, nodeCommand, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { checkSigned } from '../sign/sign-entry.js';
import { resolveHash } from '../resolve-hash.js';
import type { Terminal } from '../terminal.js';

interface ExportOptions extends ClientOptions {
  readonly out: string;
  readonly as?: string;
}

export function exportCommand(terminal: Terminal): Command {
  return nodeCommand('export', 'write a signed entry, its signature and its key to files that ssh-keygen can verify')
    .argument('<id>', 'id of the entry')
    .option('--out <directory>', 'where the files go', '.')
    .option('--as <name>', 'what to call the author in the file of allowed signers (default: fingerprint of the key)')
    .option('--json', 'print the names of the files and the command as JSON')
    .addHelpText(
      'after',
      '\nIt writes <id>.txt, <id>.sig and <id>.allowed_signers, after the same checks as a node makes,\n' +
        'and prints the ssh-keygen command that verifies them.\n\nExample:\n  minichain export 5f1c... --out proofs --as alice',
    )
    .action(async (given: string, options: ExportOptions) => {
      if (options.as !== undefined && !/^[\w.@+-]+$/.test(options.as)) {
        throw new CliError('--as takes a name of letters, digits and . _ @ + - only', EXIT.usage);
      }
      const client = clientOf(options, terminal);
      const id = await resolveHash(client, given, 'entry');
      const { body: entry } = await client.ask('GET /transactions/:id', { params: { id } });
      const { genesis } = (await client.ask('GET /network', {})).body;
      const signed = signedOf(entry);
      const data = entry.data!;
      const namespace = signatureNamespace(genesis);
      const armour = encodeArmour(signed, namespace);
      checkSigned(data, armour, genesis);
      if (encodeSignedTransaction(data, signed).id !== id) {
        throw new CliError('the node shows another entry under this id: do not trust it', EXIT.failed);
      }
      const principal = options.as ?? fingerprintOf(signed.publicKey);
      const path = join(options.out, id);
      write(options.out, [
        [`${path}.txt`, data],
        [`${path}.sig`, armour],
        [`${path}.allowed_signers`, allowedSignersLine(principal, signed.publicKey, namespace)],
      ]);
      const verify = [
        `ssh-keygen -Y verify -f ${quoted(`${path}.allowed_signers`)} -I ${principal} -n ${namespace}`,
        `-s ${quoted(`${path}.sig`)} < ${quoted(`${path}.txt`)}`,
      ].join(' ');
      const files = { data: `${path}.txt`, signature: `${path}.sig`, allowedSigners: `${path}.allowed_signers` };
      terminal.stdout.write(`${options.json ? JSON.stringify({ id, principal, namespace, files, verify }) : verify}\n`);
    });
}

/** A path as a shell reads it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** @throws CliError when the entry is not signed. */
function signedOf({ kind, publicKey = '', signatureHex = '' }: TransactionStatus): KeyAndSignature {
  if (kind !== 'signed') throw new CliError('this entry is not signed: there is nothing to export', EXIT.failed);
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  const signed = { publicKey: blob.subarray(-32), signature: Buffer.from(signatureHex, 'hex') };
  if (signed.publicKey.length === 32 && signed.signature.length === 64) return signed;
  throw new CliError('the node shows a key or a signature of a wrong length', EXIT.failed);
}

function write(directory: string, files: readonly (readonly [string, string])[]): void {
  try {
    mkdirSync(directory, { recursive: true });
    for (const [path, content] of files) writeFileSync(path, content);
  } catch (error) {
    throw new CliError(`cannot write to ${directory}: ${(error as NodeJS.ErrnoException).code}`, EXIT.failed);
  }
}
