import { describe, expect, it, vi } from 'vitest';
import { HASH, ID, begin, run, serve, serveAgain, stopListening, stopServing } from '../../../test/support/cli-rig.js';

describe('submit', () => {
  it('posts the string with the token; - reads stdin without its last line break', async () => {
    const seen: string[] = [];
    const url = await serve({
      'POST /blocks': (body, { headers }) => {
        seen.push(`${headers.authorization} ${headers['content-type']} ${body}`);
        return { status: 202, body: { id: ID, status: 'pending' } };
      },
    });
    const first = await run(['submit', 'a "b"', '--url', url, '--token', 't1']);
    const second = await run(['submit', '-', '--url', url], {
      stdin: 'line 1\nline 2\n',
      env: { MINICHAIN_TOKEN: 't2' },
    });
    // That of the container it runs in is for the node there.
    await run(['submit', 'c', '--url', url], { env: { MINICHAIN_HTTP_WRITE_TOKEN: 't3' } });
    expect([first.out, second.code]).toEqual([`${ID} is pending\n`, 0]);
    expect(seen).toEqual([
      'Bearer t1 application/json {"data":"a \\"b\\""}',
      'Bearer t2 application/json {"data":"line 1\\nline 2"}',
      'undefined application/json {"data":"c"}',
    ]);
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
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => {
        polls += 1;
        const isMined = polls > 2;
        const block = isMined ? { index: 7, hash: HASH } : null;
        return { body: { id: ID, status: isMined ? 'confirmed' : 'pending', block } };
      },
    });
    const { code, out } = await run(['submit', 'x', '--wait', '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^${ID} is in block 7 \\(${HASH}\\) after \\d+ ms\n$`));
  });

  it('--wait: keeps asking while the node restarts, and says so once', async () => {
    let polls = 0;
    const url = await serve({
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => {
        polls += 1;
        if (polls === 4) return { status: 503, headers: { 'retry-after': '1' }, body: { detail: 'starting' } };
        return { body: { id: ID, status: polls > 4 ? 'confirmed' : 'pending', block: { index: 7, hash: HASH } } };
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
      'POST /blocks': (_body, { socket }) => {
        stopListening();
        socket.once('finish', () => socket.destroy());
        return { status: 202, headers: { connection: 'close' }, body: { id: ID, status: 'pending' } };
      },
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`\n.*${ID} was accepted; after 1.0 s, no node reachable`));
  });

  it('--wait --timeout: gives up with exit code 1 and says what to look at', async () => {
    const url = await serve({
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => ({ body: { id: ID, status: 'pending', block: null } }),
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(1);
    expect(err).toMatch(/is still pending after 1\.0 s: is any node mining\?.*\n$/);
  });
});
