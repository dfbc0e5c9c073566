import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** False where OpenSSH's client is not installed; the tests that need it are then skipped. */
export const hasSsh = spawnSync('ssh-keygen', ['-?']).error === undefined;

/** For the titles of suites that need it: skip-summary.ts prints the reason when the run ends. */
export const sshNote = hasSsh ? '' : ' (skipped: ssh-keygen is not installed)';

export interface SshResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function ssh(
  program: 'ssh-keygen' | 'ssh-add',
  args: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = process.env,
): SshResult {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { code: status, out: stdout, err: stderr };
}

/** Makes a key in the directory; its path. */
export function makeKey(directory: string, type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519', passphrase = ''): string {
  const path = join(directory, `id_${type}${passphrase === '' ? '' : '_locked'}`);
  const { code, err } = ssh('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'a test', '-f', path]);
  if (code !== 0) throw new Error(err);
  return path;
}
