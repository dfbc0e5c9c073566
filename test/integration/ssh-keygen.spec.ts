import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { encodeArmour } from '../../src/consensus/ssh-signature.js';
import { run } from '../support/cli-rig.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { armourOf, signedEntry, testKey } from '../support/signing.js';
import { hasSsh, makeKey, ssh, sshNote } from '../support/ssh.js';
import { temporaryDirectory } from '../support/temp-dir.js';
import { waitFor } from '../support/wait.js';

const DATA = 'Grüße, signed\n';
const env = { PATH: process.env['PATH']! };

describe.skipIf(!hasSsh)(`signed entries and OpenSSH${sshNote}`, () => {
  let rest: RestApp;
  let url: string;
  let genesis: string;
  let namespace: string;
  beforeAll(async () => {
    rest = await startRestApp();
    url = `http://127.0.0.1:${rest.port}`;
    genesis = rest.node.chain.genesis.hash;
    namespace = `minichain/${genesis}`;
  });
  afterAll(() => rest.close());

  /** A directory with a key and a file to sign. */
  function desk(): { directory: string; key: string; note: string } {
    const directory = temporaryDirectory();
    const note = join(directory, 'note.txt');
    writeFileSync(note, DATA);
    return { directory, key: makeKey(directory), note };
  }

  /** The key file with another public key in the place of its own, beside the same secret. */
  function otherPublicKey(file: string): string {
    const blob = Buffer.from(file.replaceAll(/-----.*-----/g, ''), 'base64');
    blob[blob.lastIndexOf('ssh-ed25519') + 'ssh-ed25519'.length + 4]! ^= 1;
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${blob.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
  }

  const viewOf = async (id: string): Promise<Record<string, string>> => (await rest.get(`/transactions/${id}`)).json;
  const idOf = (out: string): string => /^([0-9a-f]{64}) is pending/.exec(out)?.[1] ?? `no id in: ${out}`;

  it('the node takes what ssh-keygen signed, and gives it back byte for byte', async () => {
    const { key, note } = desk();
    expect(ssh('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', key, note])).toMatchObject({ code: 0 });
    const signature = readFileSync(`${note}.sig`, 'utf8');
    const { status, json } = await rest.post('/blocks', { data: DATA, signature });
    expect([status, json.code]).toEqual([202, undefined]);
    expect((await rest.get(`/transactions/${json.id}?format=sig`)).text).toBe(signature);
    const fingerprint = ssh('ssh-keygen', ['-l', '-f', key]).out.split(' ')[1];
    const line = readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    expect(await viewOf(json.id)).toMatchObject({ author: fingerprint, publicKey: line });
  });

  it('ssh-keygen -Y verify takes what `minichain export` writes, waiting or mined, and nothing that was changed', async () => {
    const { directory, key, note } = desk();
    const posted = await run(['submit', '--file', note, '--key', key, '--url', url], { env });
    expect(posted.err).toBe('');
    const id = idOf(posted.out);
    for (let round = 0; round < 2; round++) {
      const out = join(directory, `alice's round ${round}`);
      const exported = await run(['export', id, '--out', out, '--as', 'alice', '--url', url], { env });
      expect(exported).toMatchObject({ code: 0, err: '' });
      const command = spawnSync('sh', ['-c', exported.out], { encoding: 'utf8' });
      expect([command.status, command.stdout.trim()]).toEqual([
        0,
        expect.stringMatching(/^Good .* signature for alice/),
      ]);
      const verify = (data: string, name = 'alice', space = namespace) =>
        ssh(
          'ssh-keygen',
          [
            ...['-Y', 'verify', '-f', join(out, `${id}.allowed_signers`), '-I', name, '-n', space],
            ...['-s', join(out, `${id}.sig`)],
          ],
          data,
        );
      const text = readFileSync(join(out, `${id}.txt`), 'utf8');
      expect(text).toBe(DATA);
      expect(verify(text)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^Good "minichain\/.*" signature for alice/),
      });
      expect(verify(`${text}\n`).code).not.toBe(0);
      expect(verify(text, 'bob').code).not.toBe(0);
      expect(verify(text, 'alice', 'file').code).not.toBe(0);
      await rest.post('/mine');
    }
    const unnamed = await run(['export', id, '--out', directory, '--url', url], { env });
    expect(spawnSync('sh', ['-c', unnamed.out], { encoding: 'utf8' }).stdout).toMatch(/^Good .* signature for SHA256:/);
  });

  it('`minichain sign` writes what ssh-keygen would, without a node', async () => {
    const { key, note } = desk();
    ssh('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', key, note]);
    const theirs = readFileSync(`${note}.sig`, 'utf8');
    const offline = ['--key', key, '--genesis', genesis.toUpperCase()];
    expect(await run(['sign', '--file', note, ...offline], { env })).toEqual({ code: 0, out: theirs, err: '' });
    const ours = `${note}.ours`;
    expect((await run(['sign', '-', ...offline, '--out', ours], { env, stdin: `${DATA}\n` })).code).toBe(0);
    expect(readFileSync(ours, 'utf8')).toBe(theirs);
    expect((await run(['sign', DATA, '--key', key, '--url', url], { env })).out).toBe(theirs);
    const posted = await run(['submit', '--file', note, '--signature', ours, '--url', url], { env });
    expect(await viewOf(idOf(posted.out))).toMatchObject({ kind: 'signed', data: DATA });
  });

  it('a key with a passphrase signs once ssh-keygen has asked for it', async () => {
    const { directory } = desk();
    const key = makeKey(directory, 'ed25519', 'open sesame');
    const asks = (answer: string): Record<string, string> => {
      const program = join(directory, `ask-${answer.length}`);
      writeFileSync(program, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o700 });
      return { ...env, SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' };
    };
    const posted = await run(['submit', 'locked', '--key', key, '--url', url], { env: asks('open sesame') });
    expect(posted.err).toBe('');
    expect(await viewOf(idOf(posted.out))).toMatchObject({ kind: 'signed', data: 'locked' });
    const wrong = await run(['submit', 'locked', '--key', key, '--url', url], { env: asks('open') });
    expect(wrong).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^minichain: ssh-keygen could not sign with .*[a-z]\n$/),
    });
    const bare = await run(['submit', 'locked', '--key', key, '--url', url], { env: { PATH: directory } });
    expect(bare).toMatchObject({ code: 1, err: expect.stringMatching(/ssh-keygen, which is not installed here/) });
  });

  it('a key in the agent signs by its .pub file', async () => {
    const { directory, key } = desk();
    const socket = join(directory, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(() => void agent.kill());
    await waitFor('the agent listens', () => existsSync(socket));
    const withAgent = { ...env, SSH_AUTH_SOCK: socket };
    expect(ssh('ssh-add', ['-q', key], '', withAgent)).toMatchObject({ code: 0 });
    rmSync(key);
    const posted = await run(['submit', 'by the agent', '--key', `${key}.pub`, '--url', url], { env: withAgent });
    expect(posted.err).toBe('');
    expect(await viewOf(idOf(posted.out))).toMatchObject({ kind: 'signed', data: 'by the agent' });
    const alone = await run(['submit', 'nobody', '--key', `${key}.pub`, '--url', url], { env });
    expect(alone).toMatchObject({ code: 1, err: expect.stringMatching(/ssh-keygen could not sign/) });
  });

  it('a key that others can read is refused, as ssh does', async () => {
    const { directory, key } = desk();
    const locked = makeKey(directory, 'ed25519', 'secret');
    for (const path of [key, locked]) {
      chmodSync(path, 0o644);
      const { code, out, err } = await run(['submit', 'x', '--key', path, '--url', url], { env });
      expect([code, out]).toEqual([1, '']);
      expect(err).toBe(
        `minichain: the key ${path} is not used, because others can read it (permissions 0644): \`chmod 600 ${path}\`\n`,
      );
      chmodSync(path, 0o400);
    }
    expect((await run(['sign', 'x', '--key', key, '--genesis', genesis], { env })).code).toBe(0);
  });

  it('other keys are refused by name', async () => {
    const { directory, key } = desk();
    const [rsa, ecdsa] = [makeKey(directory, 'rsa'), makeKey(directory, 'ecdsa')];
    const write = (name: string, content: string): string => {
      writeFileSync(join(directory, name), content, { mode: 0o600 });
      return join(directory, name);
    };
    const token = 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA== x';
    const whole = readFileSync(key, 'latin1');
    for (const [path, reason] of [
      [rsa, /a key of type ssh-rsa, and only Ed25519 keys/],
      [`${rsa}.pub`, /a key of type ssh-rsa/],
      [ecdsa, /a key of type ecdsa-sha2-nistp256/],
      [write('token.pub', token), /a key of type sk-ssh-ed25519@openssh.com/],
      [write('pem', '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n'), /a key of type RSA/],
      [write('note', 'hello'), /not a key file of OpenSSH/],
      [write('empty', ''), /not a key file of OpenSSH/],
      [write('two', otherPublicKey(whole)), /damaged/],
      [write('cut', whole.replace(/\n[^\n]+\n[^\n]+\n(?=-----END)/, '\n')), /damaged/],
      ['/dev/zero', /too long for the key/],
      ['/dev/null', /not a key file of OpenSSH/],
      [directory, /cannot read the key .*: EISDIR/],
      [join(directory, 'none'), /cannot read the key .*none: ENOENT/],
    ] as const) {
      const { code, out, err } = await run(['submit', 'x', '--key', path, '--url', url], { env });
      expect([code > 0, out]).toEqual([true, '']);
      expect(err).toMatch(reason);
      expect(err.trim().split('\n')).toHaveLength(1);
    }
  });

  it('a signature that does not fit is refused before it is sent, by what is wrong with it', async () => {
    const { directory } = desk();
    const post = async (signature: string): Promise<string> => {
      const path = join(directory, 'given.sig');
      writeFileSync(path, signature);
      const { code, err } = await run(['submit', 'x', '--signature', path, '--url', url], { env });
      expect(code).toBe(1);
      return err;
    };
    expect(await post(armourOf('x', 'ab'.repeat(32)))).toMatch(/namespace "minichain\/abab.* that of this network is/);
    expect(await post(encodeArmour(signedEntry('x', genesis), 'file'))).toMatch(/for namespace "file"; that of this/);
    expect(await post(armourOf('y', genesis))).toMatch(/not that of this key for this data .*\(bad-sig\)\n$/);
    expect(await post(`${armourOf('x', genesis)}more`)).toMatch(/nothing may stand around it/);
    const endless = await run(['submit', 'x', '--signature', '/dev/zero', '--url', url], { env });
    expect(endless).toMatchObject({ code: 2, err: expect.stringMatching(/^minichain: .* too long for the signature/) });
    const size = rest.node.mempool.size;
    const key = testKey('alice');
    expect(await post(armourOf('x\n', genesis, key))).toMatch(/bad-sig/);
    expect(rest.node.mempool.size).toBe(size);
  });

  it('an entry without a signature, an unknown one and a wrong name cannot be exported', async () => {
    const { directory } = desk();
    const { id } = (await rest.post('/blocks', { data: 'plain' })).json;
    const exporting = (...args: string[]) => run(['export', ...args, '--out', directory, '--url', url], { env });
    expect(await exporting(id)).toMatchObject({ code: 1, err: expect.stringMatching(/not signed/) });
    expect(await exporting('0'.repeat(64))).toMatchObject({ code: 1, err: expect.stringMatching(/no entry/) });
    expect(await exporting('12')).toMatchObject({ code: 2, err: expect.stringMatching(/64 hex digits/) });
    expect(await exporting(id, '--as', 'a b')).toMatchObject({ code: 2, err: expect.stringMatching(/--as takes/) });
  });
});
