import { existsSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { begin, run } from '../../../test/support/cli-rig.js';
import { temporaryDirectory } from '../../../test/support/node-process.js';
import { startRestApp, type RestApp } from '../../../test/support/rest-app.js';

let rest: RestApp;
let url: string;
let directory: ReturnType<typeof temporaryDirectory>;

beforeEach(async () => {
  rest = await startRestApp({ MINICHAIN_NETWORK_NAME: 'cli-proofs', MINICHAIN_BLOCKCHAIN_DIFFICULTY: '2' });
  url = `http://127.0.0.1:${rest.port}`;
  directory = temporaryDirectory();
});

afterEach(async () => {
  await rest.close();
  directory.remove();
});

function file(name: string, content?: string | Buffer): string {
  const path = `${directory.path}/${name}`;
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

/** An entry in block 1 of 3. */
async function confirmed(data = 'Hello'): Promise<string> {
  const { id } = (await rest.post('/blocks', { data })).json as { id: string };
  await rest.post('/mine', { blocks: 3 });
  return id;
}

/** Runs `minichain proof` into a file. */
async function proofOf(id: string, ...more: string[]): Promise<string> {
  const path = file(`${id.slice(0, 8)}.proof`);
  expect(await run(['proof', id, '--url', url, '--out', path, ...more])).toMatchObject({ code: 0, out: '' });
  return path;
}

describe('proof and verify', () => {
  it('JSON: says what holds and what does not, without any node', async () => {
    const path = await proofOf(await confirmed('Hi \u001b[2J'));
    await rest.close();
    const { code, out, err } = await run(['verify', path]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^The proof holds: a proof as JSON\.\n\nThe text "Hi \\u001b\[2J" stands in block 1 of network cli-proofs, with 2 blocks of work on it\.\n/,
    );
    expect(out).toContain('about 768 hashes');
    expect(out).toContain('It does not prove:\n- that no other chain has more work');
    const { out: json } = await run(['verify', path, '--json']);
    expect(JSON.parse(json)).toMatchObject({ holds: true, form: 'json', confirmations: 3, work: '768', basis: 'work' });
  });

  it('takes an id as tables shorten it', async () => {
    const id = await confirmed();
    const path = file('short.json');
    const shortened = `${id.slice(0, 8)}…${id.slice(-4)}`;
    expect(await run(['proof', shortened, '--url', url, '--out', path])).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ id });
    const { code, err } = await run(['export', id.slice(0, 8), '--url', url, '--out', directory.path]);
    expect([code, err]).toEqual([1, 'minichain: this entry is not signed: there is nothing to export\n']);
  });

  it('all three forms, with the headers of a node, of files and of another proof', async () => {
    const id = await confirmed();
    const raw = file(
      'entry.bin',
      Buffer.from(await (await fetch(`${url}/transactions/${id}?format=raw`)).arrayBuffer()),
    );
    const page = file('page.json', (await rest.get('/headers?from=0')).text);
    const pages = [
      file('low.json', (await rest.get('/headers?from=0&limit=2')).text),
      file('high.json', (await rest.get('/headers?from=2')).text),
    ];
    const { headers } = JSON.parse(readFileSync(page, 'utf8')) as { headers: string[] };
    const binary = file('headers.bin', Buffer.from(headers.join(''), 'hex'));
    const lines = file('headers.txt', `${headers.join('\n')}\n`);
    const json = await proofOf(id);
    const proof = file('json.proof', readFileSync(json));
    for (const [form, ...more] of [['json'], ['merkleblock'], ['ots']] as const) {
      const path = await proofOf(id, '--format', form, ...more);
      for (const places of [[url], [page], pages, pages.toReversed(), [binary], [lines], [proof], [proof, url]]) {
        const { code, out, err } = await run(['verify', path, '--data', raw, '--headers', ...places]);
        expect([form, places.length, code, err]).toEqual([form, places.length, 0, '']);
        expect(out).toContain('The text "Hello" stands in block 1');
      }
    }
  });

  it('a tip that is named decides', async () => {
    const path = await proofOf(await confirmed());
    const { hash } = rest.node.chain.nodeAt(2)!;
    expect((await run(['verify', path, '--tip', hash])).out).toContain('with 1 block of work on it');
    expect(await run(['verify', path, '--tip', 'ab'.repeat(32)])).toMatchObject({
      code: 1,
      err: expect.stringContaining('not proven; check "tip" failed: block abab'),
    });
    expect(await run(['verify', path, '--tip', 'ab'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('64 hex digits'),
    });
  });

  it.each<[string, string, (text: string) => string | Buffer]>([
    ['cut off', 'format', (text) => text.slice(0, -100)],
    ['changed', 'merkle', (text) => text.replace('"pos":1', '"pos":0')],
    ['with a gap', 'link', (text) => text.replace(/"headers":\["[0-9a-f]+",/, '"headers":[')],
    ['empty', 'format', () => ''],
    ['something else', 'format', () => Buffer.from([1, 2, 3])],
  ])('a proof that is %s: exit code 1 or 2, and the check', async (_, check, change) => {
    const path = await proofOf(await confirmed());
    writeFileSync(path, change(readFileSync(path, 'utf8')));
    const { code, err } = await run(['verify', path, '--headers', url]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^minichain: not proven; check "${check}" failed: .+\n$`)),
    ]);
    const { out } = await run(['verify', path, '--headers', url, '--json']);
    expect(JSON.parse(out)).toMatchObject({ holds: false, check });
  });

  it('a proof of another network: exit code 1', async () => {
    const other = await startRestApp({ MINICHAIN_NETWORK_NAME: 'others' });
    try {
      const path = await proofOf(await confirmed());
      const { code, err } = await run(['verify', path, '--headers', `http://127.0.0.1:${other.port}`]);
      expect([code, err]).toEqual([
        1,
        expect.stringContaining('check "network" failed: the proof is of network cli-proofs'),
      ]);
    } finally {
      await other.close();
    }
  });

  it('what is missing or cannot be read: exit code 2, an unreachable node: 3', async () => {
    const id = await confirmed();
    const path = await proofOf(id, '--format', 'merkleblock');
    expect(await run(['verify', path])).toMatchObject({ code: 2, err: expect.stringContaining('say with --headers') });
    expect(await run(['verify', path, '--headers', 'nothing-here'])).toMatchObject({ code: 2 });
    expect(await run(['verify', path, '--headers', 'http://127.0.0.1:1'])).toMatchObject({ code: 3 });
    expect(await run(['verify', file('none')])).toMatchObject({ code: 2, err: expect.stringContaining('cannot read') });
    expect(await run(['verify', directory.path])).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not a file'),
    });
    expect(await run(['verify', path, '--data', file('none'), '--headers', url])).toMatchObject({ code: 2 });
    expect(await run(['proof', 'ab', '--url', url])).toMatchObject({ code: 2 });
    for (const [option, form] of [
      ['--json', 'ots'],
      ['--from=all', 'merkleblock'],
      ['--stamped=file', 'json'],
    ] as const) {
      const { code, err } = await run(['proof', 'ab'.repeat(32), '--url', url, '--format', form, option]);
      expect([code, err]).toEqual([2, expect.stringContaining(`not with ${form}`)]);
    }
  });

  it('what is no file is not read: a device, a directory, a broken link; nor what is far too large', async () => {
    const path = await proofOf(await confirmed());
    const link = file('link');
    symlinkSync(path, link);
    expect(await run(['verify', link])).toMatchObject({ code: 0 });
    symlinkSync(file('gone'), file('broken'));
    symlinkSync(file('loop'), file('loop'));
    const huge = file('huge', '');
    truncateSync(huge, 600 * 1024 * 1024);
    for (const [given, reason] of [
      ['/dev/zero', 'is not a file'],
      [directory.path, 'is not a file'],
      [file('broken'), 'ENOENT'],
      [file('loop'), 'ELOOP'],
      [huge, 'has 600 MiB, at most 500 MiB make sense'],
      [file('x'.repeat(300)), 'ENAMETOOLONG'],
      [file('a\u001b[31m'), 'a\\u{1b}[31m: ENOENT'],
    ] as const) {
      for (const args of [
        ['verify', given],
        ['verify', path, '--data', given],
        ['verify', path, '--headers', given],
      ]) {
        if (given === huge && args.includes('--data')) continue;
        const { code, out, err } = await run(args);
        expect([args, code, out]).toEqual([args, 2, '']);
        expect(err).toMatch(/^minichain: \P{Cc}+\n$/u);
        if (!args.includes('--headers')) expect(err).toContain(reason);
      }
    }
  });

  it('proof says what the node says: unknown, or not in a block yet', async () => {
    const unknown = await run(['proof', 'ab'.repeat(32), '--url', url]);
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('transaction-not-found, HTTP 404') });
    const { id } = (await rest.post('/blocks', { data: 'waits' })).json as { id: string };
    const out = file('out');
    const pending = await run(['proof', id, '--url', url, '--out', out]);
    expect(pending).toMatchObject({ code: 1, err: expect.stringContaining('not in a block yet') });
    expect(existsSync(out)).toBe(false);
  });

  it('proof writes to standard output', async () => {
    const id = await confirmed();
    const hex = await run(['proof', id, '--format', 'merkleblock', '--url', url]);
    expect(hex.out).toMatch(/^[0-9a-f]+\n$/);
    const ots = await run(['proof', id, '--format', 'ots', '--url', url]);
    expect(ots.out.slice(1, 15)).toBe('OpenTimestamps');
  });
});

describe('stamp', () => {
  const NAME = 'contract.pdf';

  it('waits for its confirmations with progress, and writes a proof that verify finds the file to', async () => {
    const path = file(NAME, 'the contract');
    const running = begin(['stamp', path, '--url', url, '--wait', '3'], { columns: 80 });
    await vi.waitFor(() => expect(running.err).toContain('waiting for a block: 0 of 3 confirmations'), {
      timeout: 20_000,
    });
    await rest.post('/mine', { blocks: 2 });
    await vi.waitFor(() => expect(running.err).toContain('in block 1: 2 of 3 confirmations'), { timeout: 20_000 });
    await rest.post('/mine', { blocks: 1 });
    expect(await running.code).toBe(0);
    const ots = `${path}.cli-proofs.ots`;
    expect(running.out).toContain(`${ots}: entry `);
    const { code, out } = await run(['verify', ots, '--headers', url]);
    expect(code).toBe(0);
    expect(out).toContain(`The proof holds: an OpenTimestamps proof of ${path}.`);
    expect(out).toContain('The text "The salt is the SHA-256 of contract.pdf" stands in block 1');
    writeFileSync(path, 'the contract, changed');
    const changed = await run(['verify', ots, '--headers', url]);
    expect(changed).toMatchObject({ code: 1, err: expect.stringContaining('check "data" failed') });
  });

  it('run again, also after an interruption, posts nothing a second time', async () => {
    const path = file(NAME, 'the contract');
    const args = ['stamp', path, '--url', url, '--json'];
    const first = await run([...args, '--timeout', '1']);
    expect(first).toMatchObject({ code: 1, err: expect.stringContaining('is still pending after') });
    expect(rest.node.mempool.size).toBe(1);
    await rest.post('/mine', { blocks: 1 });
    const ids = [];
    for (let n = 0; n < 2; n++) {
      const { code, out } = await run(args);
      expect(code).toBe(0);
      ids.push((JSON.parse(out) as { id: string }).id);
    }
    expect([new Set(ids).size, rest.node.mempool.size]).toEqual([1, 0]);
  });

  it('keeps the proof of an older version of the file', async () => {
    const path = file(NAME, 'one');
    const mining = begin(['stamp', path, '--url', url]);
    await vi.waitFor(() => expect(rest.node.mempool.size).toBe(1), { timeout: 20_000 });
    await rest.post('/mine', { blocks: 1 });
    expect(await mining.code).toBe(0);
    const old = readFileSync(`${path}.cli-proofs.ots`);
    writeFileSync(path, 'two');
    const refused = await run(['stamp', path, '--url', url]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is no proof of this file as it is now') });
    expect([readFileSync(`${path}.cli-proofs.ots`).equals(old), rest.node.mempool.size]).toEqual([true, 0]);
  });

  it('takes a file of any time and size, and with any name that there can be', async () => {
    for (const [name, time] of [
      ['a', new Date(-1_000)],
      ['x'.repeat(200), new Date(0)],
      ['ä b', new Date('2400-01-01')],
    ] as const) {
      const path = file(name, Buffer.alloc(100_000, name));
      utimesSync(path, time, time);
      const { err } = await run(['stamp', path, '--url', url, '--timeout', '1']);
      expect(err).toContain('is still pending after');
    }
  });
});
