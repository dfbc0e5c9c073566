import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freePort, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');
const SCRIPT = resolve('test/support/verify-ots.py');
/** Debian's, whatever other Python there is: its packages are for this one. */
const PYTHON = '/usr/bin/python3';

const hasLibrary = spawnSync(PYTHON, ['-c', 'import opentimestamps, bitcoin.rpc']).status === 0;
// CI installs it, and a test that is skipped there shows nothing.
const isSkipped = !hasLibrary && process.env['CI'] === undefined;
const WHY = isSkipped ? ' (skipped: python3-opentimestamps of Debian is not installed)' : '';

const run = promisify(execFile);

describe.skipIf(isSkipped)(`proofs, checked by python3-opentimestamps against a running node${WHY}`, () => {
  const processes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '2', BLOCKCHAIN_AUTO_MINE: 'false' });

  interface Rig {
    readonly node: NodeProcess;
    /** Checks "file, proof" pairs; the answers in the same order. */
    readonly verify: (pairs: readonly (readonly [string, string])[]) => Promise<string[]>;
  }

  async function start(): Promise<Rig> {
    const port = await freePort();
    const node = await (await processes.create('node-1', { RPC_PORT: String(port) })).spawn().ready();
    const cookie = readFileSync(`${node.dataDir}/.cookie`, 'utf8');
    return {
      node,
      async verify(pairs) {
        const child = run(PYTHON, [SCRIPT, `http://${cookie}@127.0.0.1:${port}`], { maxBuffer: 1 << 26 });
        child.child.stdin!.end(pairs.map((pair) => `${pair.join('\t')}\n`).join(''));
        return (await child).stdout.trimEnd().split('\n');
      },
    };
  }

  async function download(node: NodeProcess, path: string, name: string): Promise<string> {
    const response = await fetch(`${node.url}${path}`);
    expect([path, response.status]).toEqual([path, 200]);
    const file = `${processes.path}/${name}`;
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    return file;
  }

  /** The file and its proof, with each byte of the one or the other changed. */
  function* changed(file: string, proof: string): Generator<[string, string]> {
    for (const [which, path] of [file, proof].entries()) {
      const whole = readFileSync(path);
      for (let at = 0; at < whole.length; at++) {
        const copy = Buffer.from(whole);
        copy[at]! ^= 1 << (at % 8);
        const name = `${path}.${which}.${at}`;
        writeFileSync(name, copy);
        yield which === 0 ? [name, proof] : [file, name];
      }
    }
  }

  it('hold for every entry of blocks of one, two and more entries, and for no other bytes', async () => {
    const { node, verify } = await start();
    const pairs: [string, string][] = [];
    const times: number[] = [];
    for (const texts of [['alone'], ['one', 'héllo "✓"'], ['a', 'b', 'c', 'x'.repeat(3_000), 'e', 'f']]) {
      const ids = await Promise.all(texts.map((text) => node.submit(text)));
      const { blocks } = await node.post<{ blocks: { index: number }[] }>('/mine', { blocks: 1 });
      const { time } = await node.get<{ time: number }>(`/blocks/${blocks[0]!.index}`);
      for (const id of ids) {
        const raw = await download(node, `/transactions/${id}?format=raw`, `${id}.bin`);
        pairs.push([raw, await download(node, `/transactions/${id}/proof?format=ots`, `${id}.ots`)]);
        times.push(time);
      }
    }
    expect(await verify(pairs)).toEqual(times.map(String));
    const others = [...changed(...pairs[0]!), ...changed(...pairs[1]!)];
    const held = (await verify(others)).flatMap((answer, at) => (answer.startsWith('refused:') ? [] : [others[at]]));
    expect(held).toEqual([]);
  });

  it('hold for a file that `minichain stamp` has stamped, and for no other', async () => {
    const { node, verify } = await start();
    await node.submit('beside it');
    const file = `${processes.path}/contract.pdf`;
    writeFileSync(file, Buffer.from(Array.from({ length: 300 }, (_, n) => n % 256)));
    const env = { PATH: process.env['PATH'], MINICHAIN_URL: node.url };
    const stamping = run(process.execPath, [LAUNCHER, 'stamp', file, '--wait', '2'], { env });
    await waitFor('the entry waits to be mined', async () => {
      return (await node.get<{ transactions: number }>('/mempool')).transactions === 2;
    });
    await node.post('/mine', { blocks: 2 });
    const { stdout } = await stamping;
    const proof = `${file}.minichain.ots`;
    expect(stdout).toContain(proof);
    const { time } = await node.get<{ time: number }>('/blocks/1');
    expect(await verify([[file, proof]])).toEqual([String(time)]);
    const others = [...changed(file, proof)];
    const held = (await verify(others)).flatMap((answer, at) => (answer.startsWith('refused:') ? [] : [others[at]]));
    expect(held).toEqual([]);
  });
});
