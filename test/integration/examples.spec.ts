import { execFile, spawnSync, type ExecFileException } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hashToBytes } from '../../src/consensus/codec.js';
import { hash256 } from '../../src/consensus/hash.js';
import type { NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

const EXAMPLES = resolve('examples');
const TYPESCRIPT = [process.execPath, `${EXAMPLES}/typescript/post-and-prove.ts`];
const PYTHON = ['python3', `${EXAMPLES}/python/post_and_prove.py`];
const SHELL = ['bash', `${EXAMPLES}/shell/post-and-prove.sh`];

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run([command, ...args]: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Ended> {
  const options = { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }, cwd };
  return new Promise((done) => {
    execFile(command!, args, options, (error: ExecFileException | null, out, err) => {
      done({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

interface Entry {
  readonly id: string;
  readonly data: string;
  readonly status: string;
}

const processes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '2' });
let servers: Server[] = [];

afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function node(settings: Record<string, string> = {}): Promise<NodeProcess> {
  return (await processes.create('node-1', settings)).spawn().ready();
}

describe.each([
  ['TypeScript', TYPESCRIPT],
  ['Python', PYTHON],
  ['shell', SHELL],
])('the example in %s', (_, command) => {
  it('posts an entry, waits for it, and proves it', async () => {
    const one = await node({ HTTP_WRITE_TOKEN: 'secret' });
    const env = { MINICHAIN_URL: one.url, MINICHAIN_TOKEN: 'secret' };
    // 37 bytes: with the usual salt that would make an entry of 64, which none may have.
    for (const text of ['a "quoted" text\nof two lines, ✓', 'x'.repeat(37), 'y'.repeat(5_000)]) {
      const { code, out, err } = await run([...command, text], env);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^entry [0-9a-f]{64}\nblock \d+ 00[0-9a-f]{62}\n/);
      expect(out).not.toMatch(/\b1 blocks/);
      const id = /^entry (.*)$/m.exec(out)![1]!;
      expect(await one.get<Entry>(`/transactions/${id}`)).toMatchObject({ id, data: text, status: 'confirmed' });
    }
  });

  it('makes one entry when the node comes late, and says when it refuses', async () => {
    const late = await processes.create('node-1', { HTTP_WRITE_TOKEN: 'secret' });
    const running = run([...command, 'early'], { MINICHAIN_URL: late.url, MINICHAIN_TOKEN: 'secret' });
    await late.spawn().ready();
    const { code, out } = await running;
    expect([code, out]).toEqual([0, expect.stringMatching(/^entry .*\nblock /)]);
    const entries = (await late.chain()).blocks.flatMap(({ transactions }) => transactions.map(({ data }) => data));
    expect(entries.filter((data) => data === 'early')).toHaveLength(1);
    const refused = await run([...command, 'no token'], { MINICHAIN_URL: late.url });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('unauthorized') });
  });
});

describe('the check of proofs in Python', () => {
  it('takes a whole proof, and no other with a byte changed', async () => {
    const one = await node({ BLOCKCHAIN_AUTO_MINE: 'false' });
    const ids = await Promise.all(['a', 'b', 'c'].map((text) => one.submit(text)));
    await one.post('/mine', { blocks: 2 });
    const text = await (await fetch(`${one.url}/transactions/${ids[1]}/proof`)).text();
    const path = `${processes.path}/proof.json`;
    const check = async (content: string): Promise<Ended> => {
      writeFileSync(path, content);
      return run([...PYTHON, '--check', path]);
    };
    expect((await check(text)).out).toContain(`proven: entry ${ids[1]} stands in block 1 of network minichain\n`);
    const proof = JSON.parse(text) as Record<'transaction' | 'id' | 'block_hash', string> & {
      merkle: string[];
      headers: string[];
      pos: number;
      tip: { height: number; hash: string };
    };
    const flip = (hex: string): string => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
    const [first, second] = proof.headers;
    const changed = [
      { transaction: flip(proof.transaction) },
      { id: flip(proof.id) },
      { block_hash: flip(proof.block_hash) },
      { block_height: 2 },
      { pos: proof.pos ^ 1 },
      { merkle: [flip(proof.merkle[0]!), ...proof.merkle.slice(1)] },
      { headers: [flip(first!), second] },
      { headers: [first] },
      { headers: [second] },
      { tip: { ...proof.tip, hash: flip(proof.tip.hash) } },
    ];
    for (const change of changed) {
      const { code, err } = await check(JSON.stringify({ ...proof, ...change }));
      expect([change, code, err]).toEqual([change, 1, expect.stringMatching(/^not proven: /)]);
    }
    const { transactions } = await one.get<{ transactions: { id: string }[] }>('/blocks/1');
    const leaves = transactions.map(({ id }) => hashToBytes(id));
    const [left, right] = [Buffer.concat(leaves.slice(0, 2)), Buffer.concat(leaves.slice(2))];
    const inner = { transaction: right.toString('hex'), id: hash256(right), merkle: [hash256(left)], pos: 1 };
    const { code, err } = await check(JSON.stringify({ ...proof, ...inner }));
    expect([code, err]).toEqual([1, 'not proven: 64 bytes are two hashes of the Merkle tree, and no entry\n']);
    const other = await run([...PYTHON, '--check', path], { MINICHAIN_GENESIS: 'ab'.repeat(32) });
    expect(other.err).toContain('the proof is of another network');
  });
});

it('the example that follows a node shows its blocks, also after a restart', async () => {
  const one = await node({ BLOCKCHAIN_AUTO_MINE: 'false' });
  const script = `${EXAMPLES}/typescript/follow.ts`;
  const options = { env: { PATH: process.env['PATH'], MINICHAIN_URL: one.url } };
  let shown = '';
  const child = execFile(process.execPath, [script], options);
  const ended = new Promise((done) => child.once('close', done));
  child.stdout!.on('data', (text: string) => (shown += text));
  try {
    await waitFor('it has read the state', () => shown.includes('node-1 is at block 0'));
    await one.post('/mine', { blocks: 1 });
    await waitFor('it shows block 1', () => shown.includes('\nblock 1 ('));
    await one.kill();
    await one.spawn().ready();
    await waitFor('it notices the restart', () => shown.includes('after a gap'));
    await one.post('/mine', { blocks: 1 });
    await waitFor('it shows block 2', () => /\nblock 2 \(/.test(shown));
  } finally {
    child.kill('SIGINT');
  }
  expect(await ended).toBe(0);
});

describe('the git hook', () => {
  /** A repository with the hook in it, whose commits go to this address. */
  function repository(url: string): { commit: (message: string) => Promise<string>; log: () => string } {
    const path = `${processes.path}/repository`;
    mkdirSync(path);
    const git = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync('git', args, { cwd: path, env, encoding: 'utf8' });
      expect([args, status, stderr]).toEqual([args, 0, expect.any(String)]);
      return stdout.trim();
    };
    const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
    const env = { PATH: process.env['PATH'], HOME: path, GIT_CONFIG_NOSYSTEM: '1', ...who };
    git('init', '--quiet');
    git('config', 'minichain.url', url);
    mkdirSync(`${path}/.git/hooks`, { recursive: true });
    copyFileSync(`${EXAMPLES}/git-hook/post-commit`, `${path}/.git/hooks/post-commit`);
    chmodSync(`${path}/.git/hooks/post-commit`, 0o755);
    const log = `${path}/.git/minichain.log`;
    return {
      commit: async (message) => {
        const { code, err } = await run(['git', 'commit', '--allow-empty', '-qm', message], env as never, path);
        expect([code, err]).toEqual([0, '']);
        return git('rev-parse', 'HEAD');
      },
      log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    };
  }

  it('stamps every commit', async () => {
    const one = await node();
    const { commit, log } = repository(one.url);
    const commits = [await commit('first'), await commit('second "quoted"')];
    await waitFor('both are posted', () => log().split('\n').length === 3);
    for (const hash of commits) {
      const [, id] = new RegExp(`^${hash} .*"id":"([0-9a-f]{64})"`, 'm').exec(log())!;
      expect((await one.get<Entry>(`/transactions/${id}`)).data).toBe(`git commit ${hash}`);
    }
  });

  it('does not hold up a commit while the node is silent', async () => {
    let silent: ServerResponse | undefined;
    const server = createServer((_request, response) => (silent = response));
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { commit, log } = repository(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    // The server does not answer before this has ended.
    const hash = await commit('lonely');
    const response = await waitFor('the hook asks', () => silent);
    expect(log()).toBe('');
    response.end('{"detail":"at last"}');
    await waitFor('the answer is in the log', () => log() === `${hash} {"detail":"at last"}\n`);
  });

  it('posts what a node that comes late is sent, once', async () => {
    const late = await processes.create('node-1', { BLOCKCHAIN_AUTO_MINE: 'false' });
    const { commit, log } = repository(late.url);
    const hash = await commit('early');
    await late.spawn().ready();
    await waitFor('it is posted', () => log().includes('"id"'), 60_000);
    expect(log()).toContain(hash);
    const { entries } = await late.get<{ entries: Entry[] }>('/mempool');
    expect(entries.map(({ data }) => data)).toEqual([`git commit ${hash}`]);
  });
});
