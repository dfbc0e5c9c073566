import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { RuleError } from '../../consensus/rule-error.js';
import { encodeSignedTransaction } from '../../consensus/signed-entry.js';
import { bytesToSign, decodeArmour, encodeArmour, signatureNamespace } from '../../consensus/ssh-signature.js';
import { checkSignature, checkTransaction } from '../../consensus/transaction.js';
import { CliError, EXIT } from '../exit.js';
import { readBounded } from '../files.js';
import { printable } from '../format.js';
import type { Terminal } from '../terminal.js';
import { readKeyFile, signBytes } from './private-key.js';

const MAX_SHOWN = 300;
/** Those of the largest RSA keys, which are refused by name, have 13,000. */
const MAX_KEY_BYTES = 65_536;

/**
 * Signs an entry with a key of OpenSSH. A key without a passphrase is read here; for all others ssh-keygen asks for the
 * passphrase, or the agent.
 * @param genesis hash of the network's genesis.
 * @returns the SSH signature. @throws CliError where the key cannot sign.
 */
export async function signEntry(data: string, keyPath: string, genesis: string, env: Terminal['env']): Promise<string> {
  const namespace = signatureNamespace(genesis);
  const payload = Buffer.from(data, 'utf8');
  const file = readKeyFile(readBounded(keyPath, MAX_KEY_BYTES, 'the key').toString('latin1'));
  if (file.kind === 'refused') throw refusedKey(keyPath, file.reason);
  if (file.kind !== 'public') checkPermissions(keyPath);
  const armour =
    file.kind === 'private'
      ? encodeArmour(
          { publicKey: file.key.publicKey, signature: signBytes(file.key, bytesToSign(payload, namespace)) },
          namespace,
        )
      : await askSshKeygen(keyPath, payload, namespace, env);
  checkSigned(data, armour, genesis);
  return armour;
}

/**
 * Checks an SSH signature of an entry as a node would.
 * @throws CliError that says what is wrong with it.
 */
export function checkSigned(data: string, armour: string, genesis: string): void {
  const decoded = decodeArmour(armour);
  if (decoded.kind !== 'decoded') throw new CliError(`the signature cannot be used: ${decoded.reason}`, EXIT.failed);
  const namespace = signatureNamespace(genesis);
  if (decoded.namespace !== namespace) {
    const found = printable(decoded.namespace, 100);
    throw new CliError(
      `the signature is for namespace "${found}"; that of this network is ${namespace}: was it made for another one?`,
      EXIT.failed,
    );
  }
  try {
    const entry = encodeSignedTransaction(data, decoded);
    checkTransaction(entry);
    checkSignature(entry, genesis);
  } catch (error) {
    if (error instanceof RuleError) throw new CliError(`${error.message} (${error.code})`, EXIT.failed);
    throw error;
  }
}

/** As ssh does: a private key that others can read is not used. */
function checkPermissions(path: string): void {
  const mode = statSync(path).mode & 0o777;
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  const shown = mode.toString(8).padStart(4, '0');
  throw new CliError(
    `the key ${path} is not used, because others can read it (permissions ${shown}): \`chmod 600 ${path}\``,
    EXIT.failed,
  );
}

/** It reads a passphrase from the terminal itself, so stdin is free for the data. */
async function askSshKeygen(path: string, payload: Buffer, namespace: string, env: Terminal['env']): Promise<string> {
  const child = spawn('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', path], { env, stdio: 'pipe' });
  // It may end without reading what it should sign.
  child.stdin.on('error', () => undefined);
  child.stdin.end(payload);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  try {
    const [code, armour, said] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    if (code === 0) return armour;
    const reason = said
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('Signing data'))
      .join('; ');
    throw new CliError(`ssh-keygen could not sign with ${path}: ${printable(reason, MAX_SHOWN)}`, EXIT.failed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const what = 'a key with a passphrase, or one in the agent, is asked by ssh-keygen, which is not installed here';
    throw new CliError(`${what}: install the OpenSSH client`, EXIT.failed);
  }
}

function refusedKey(path: string, reason: string): CliError {
  return new CliError(`the key ${path} cannot be used: ${reason}`, EXIT.failed);
}
