import { describe, expect, it, vi } from 'vitest';
import { encodeDataTransaction } from '../../consensus/data-entry.js';
import {
  HASH,
  accept,
  begin,
  run,
  serve,
  serveAgain,
  stopListening,
  stopServing,
} from '../../../test/support/cli-rig.js';

/** The entries that a node was sent, as JSON, without what is random. */
interface Sent {
  readonly data: string;
  readonly timestamp: number;
  readonly salt: string;
}

const CONFIRMED = { status: 'confirmed', block: { index: 7, hash: HASH }, confirmations: 1 };

describe('submit', () => {
  it('posts the string with the token; - reads stdin without its last line break', async () => {
    const seen: string[] = [];
    const url = await serve({
      'POST /blocks': (body, request) => {
        const { authorization, 'content-type': type } = request.headers;
        seen.push(`${authorization} ${type} ${(JSON.parse(body) as Sent).data}`);
        return accept(body, request);
      },
    });
    const first = await run(['submit', 'a "b"', '--url', url, '--token', 't1']);
    const second = await run(['submit', '-', '--url', url], {
      stdin: 'line 1\nline 2\n',
      env: { MINICHAIN_TOKEN: 't2' },
    });
    // That of the container it runs in is for the node there.
    await run(['submit', 'c', '--url', url], { env: { MINICHAIN_HTTP_WRITE_TOKEN: 't3' } });
    expect([first.out, second.code]).toEqual([expect.stringMatching(/^[0-9a-f]{64} is pending\n$/), 0]);
    expect(seen).toEqual([
      'Bearer t1 application/json a "b"',
      'Bearer t2 application/json line 1\nline 2',
      'undefined application/json c',
    ]);
  });

  it('sends the same entry again, with a word, when the node is busy or the answer is lost', async () => {
    const sent: string[] = [];
    const url = await serve({
      'POST /blocks': (body, request) => {
        sent.push(body);
        if (sent.length === 1) return { status: 503, headers: { 'retry-after': '0' }, body: { detail: 'full' } };
        if (sent.length === 2) request.socket.destroy();
        return accept(body, request);
      },
    });
    const { code, out, err } = await run(['submit', 'x', '--url', url, '--json']);
    expect([code, err]).toEqual([0, 'minichain: the node refused: full (HTTP 503); trying again\n']);
    expect(sent).toEqual([sent[0], sent[0], sent[0]]);
    const { timestamp, salt } = JSON.parse(sent[0]!) as Sent;
    const { id } = encodeDataTransaction('x', timestamp, Buffer.from(salt, 'hex'));
    expect(JSON.parse(out)).toEqual({ id, status: 'pending' });
  });

  it('gives up at once where the node says that it takes longer than anybody waits', async () => {
    const url = await serve({
      'POST /blocks': () => ({ status: 503, headers: { 'retry-after': '900' }, body: { detail: 'full', code: 'c' } }),
    });
    const { code, err } = await run(['submit', 'x', '--url', url]);
    expect([code, err]).toEqual([1, 'minichain: the node refused: full (c, HTTP 503); try again in 900 s\n']);
  });

  it('exit code 3 at once where nobody listens', async () => {
    const url = await serve({});
    await stopServing();
    const { code, err } = await run(['submit', 'x', '--url', url]);
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/^minichain: no node reachable .*\(connection refused\): start/),
    ]);
  });

  it('refuses an entry that breaks a rule before it is sent', async () => {
    const { code, err } = await run(['submit', '', '--url', 'http://127.0.0.1:1']);
    expect([code, err]).toEqual([
      1,
      'minichain: data is empty, 1 to 16384 bytes of UTF-8 expected (bad-txn-data-empty)\n',
    ]);
  });

  it('takes an entry from a file, and not from a device without an end', async () => {
    for (const [path, reason] of [
      ['/dev/zero', /^minichain: \/dev\/zero is too long for the entry: at most 16\.0 MiB make sense\n$/],
      ['.', /^minichain: cannot read the entry \.: EISDIR\n$/],
    ] as const) {
      expect(await run(['submit', '--file', path])).toEqual({ code: 2, out: '', err: expect.stringMatching(reason) });
    }
  });

  it('refuses bytes that are not UTF-8 before they are sent', async () => {
    const { code, err } = await run(['submit', '-'], { stdin: Buffer.from([0xff, 0xfe]) });
    expect([code, err]).toEqual([
      2,
      'minichain: stdin is not UTF-8 text: encode it first, for example with `base64 -w0`\n',
    ]);
  });

  it('--wait: until it is confirmed', async () => {
    let polls = 0;
    const url = await serve({
      'POST /blocks': accept,
      'GET /transactions/:id': (_body, { url: path }) => {
        polls += 1;
        const id = path!.slice(-64);
        return { body: { id, ...(polls > 2 ? CONFIRMED : { status: 'pending', block: null, confirmations: 0 }) } };
      },
    });
    const { code, out } = await run(['submit', 'x', '--wait', '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^[0-9a-f]{64} is in block 7 \\(${HASH}\\) after \\d+ ms\n$`));
  });

  it('--wait: keeps asking while the node restarts, and says so once', async () => {
    let polls = 0;
    const url = await serve({
      'POST /blocks': accept,
      'GET /transactions/:id': (_body, { url: path }) => {
        polls += 1;
        const id = path!.slice(-64);
        if (polls === 4) return { status: 503, headers: { 'retry-after': '1' }, body: { detail: 'starting' } };
        return { body: polls > 4 ? { id, ...CONFIRMED } : { id, status: 'pending', block: null, confirmations: 0 } };
      },
    });
    const running = begin(['submit', 'x', '--wait', '--url', url]);
    await vi.waitFor(() => expect(polls).toBeGreaterThan(1), { timeout: 10_000 });
    await stopServing();
    await vi.waitFor(() => expect(running.err).toContain('still waiting'), { timeout: 10_000 });
    polls = 3;
    await serveAgain(url);
    expect([await running.code, running.out]).toEqual([0, expect.stringContaining('is in block 7')]);
    expect(running.err.match(/no node reachable at .* \(connection refused\); still waiting\n/g)).toHaveLength(1);
  });

  it('--wait: exit code 3 when the node is not back in time', async () => {
    const url = await serve({
      'POST /blocks': (body, request) => {
        stopListening();
        request.socket.once('finish', () => request.socket.destroy());
        return { ...accept(body, request), headers: { connection: 'close' } };
      },
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`\n.*[0-9a-f]{64} was accepted; after 1.0 s, no node reachable`));
  });

  it('--wait --timeout: gives up with exit code 1 and says what to look at', async () => {
    const url = await serve({
      'POST /blocks': accept,
      'GET /transactions/:id': () => ({ body: { status: 'pending', block: null, confirmations: 0 } }),
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(1);
    expect(err).toMatch(/is still pending after 1\.0 s: is any node mining\?.*\n$/);
  });
});
