import { describe, expect, it } from 'vitest';
import { STATUS, accept, run, serve, stopServing } from '../../test/support/cli-rig.js';

/** Of those that `fetch` refuses (https://fetch.spec.whatwg.org/#port-blocking), some that seldom are in use. */
const RESERVED_PORTS = [10_080, 6697, 6566, 6665, 4190];

describe('the node that a command asks', () => {
  it('--json prints the body as it is', async () => {
    const body = '{"nodeId":  "node-1"}';
    const url = await serve({ 'GET /status': () => ({ body }) });
    expect((await run(['status', '--url', url, '--json'])).out).toBe(`${body}\n`);
  });

  it('takes the address from MINICHAIN_URL, also without http://', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) });
    expect((await run(['status'], { env: { MINICHAIN_URL: url.replace('http://', '') } })).code).toBe(0);
  });

  it('reaches a node at a port that the web reserves', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) }, RESERVED_PORTS);
    expect((await run(['status', '--url', url])).code).toBe(0);
    await expect(fetch(`${url}/status`)).rejects.toThrow('fetch failed');
  });

  it('in the container of a node asks that one, wherever its port is set to be', async () => {
    const tokens: unknown[] = [];
    const url = await serve({
      'POST /blocks': (body, request) => {
        tokens.push(request.headers.authorization);
        return accept(body, request);
      },
    });
    const env = { MINICHAIN_NODE_HTTP_PORT: new URL(url).port, MINICHAIN_HTTP_WRITE_TOKEN: 't' };
    expect((await run(['submit', 'a'], { env })).code).toBe(0);
    expect(tokens).toEqual(['Bearer t']);
  });
});

describe('what goes wrong', () => {
  it('exit code 1: the node refused, in its own words', async () => {
    const problem = { title: 'Bad Request', detail: 'data is empty\u001b[2J', code: 'bad-txn-data-empty' };
    const url = await serve({ 'POST /blocks': () => ({ status: 400, body: problem }) });
    expect(await run(['submit', 'x', '--url', url])).toEqual({
      code: 1,
      out: '',
      err: 'minichain: the node refused: data is empty\\u{1b}[2J (bad-txn-data-empty, HTTP 400)\n',
    });
  });

  it('says what to do about a missing token and a full mempool', async () => {
    const url = await serve({
      'POST /blocks': () => ({ status: 401, body: { detail: 'no token', code: 'unauthorized' } }),
      'POST /mine': () => ({ status: 503, headers: { 'retry-after': '2' }, body: { detail: 'full', code: 'full' } }),
    });
    expect((await run(['submit', 'x', '--url', url])).err).toContain('; give it with --token or in MINICHAIN_TOKEN');
    expect((await run(['mine', '--url', url])).err).toContain('; try again in 2 s');
  });

  it('exit code 1: what answers is not a minichain node', async () => {
    const url = await serve({ 'GET /status': () => ({ body: '<html>' }) });
    const { code, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([1, `minichain: what answers at ${url} is not a minichain node: check --url\n`]);
  });

  it('exit code 2: an argument or a token that is not UTF-8', async () => {
    const url = await serve({});
    const { code, err } = await run(['submit', 'caf\uFFFD', '--url', url]);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^minichain: the argument "caf\uFFFD" is not UTF-8: .*stdin.*\n$/),
    ]);
    expect((await run(['peers', 'disconnect', 'n\uFFFD', '--url', url])).code).toBe(2);
    const env = { MINICHAIN_TOKEN: '\uFFFD' };
    expect(await run(['status', '--url', url], { env })).toMatchObject({
      code: 2,
      err: expect.stringContaining('check --token'),
    });
  });

  it('a redirect: says where it leads', async () => {
    const url = await serve({ 'GET /status': () => ({ status: 301, headers: { location: 'https://x/' }, body: {} }) });
    const { code, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([1, expect.stringContaining('; it points to https://x/ (HTTP 301): check --url')]);
  });

  it('exit code 3: nobody listens there', async () => {
    const url = await serve({});
    await stopServing();
    const { code, err } = await run(['status', '--url', url]);
    expect(code).toBe(3);
    expect(err).toMatch(
      /^minichain: no node reachable at http:\/\/127\.0\.0\.1:\d+ \(connection refused\): start one.*\n$/,
    );
  });

  it.each([
    [['statsu'], "minichain: unknown command 'statsu' (Did you mean status?); see `minichain --help`\n"],
    [['status', '--jsn'], "minichain: unknown option '--jsn' (Did you mean --json?); see `minichain status --help`\n"],
    [
      ['--url', 'x', 'status'],
      "minichain: unknown option '--url': it stands after the name of the command; see `minichain --help`\n",
    ],
    [
      ['watch', 'a', 'b'],
      "minichain: too many arguments for 'watch': expected 0, got 2 (a, b); see `minichain watch --help`\n",
    ],
    [
      ['completion', 'tcsh'],
      "minichain: argument 'shell' is 'tcsh': allowed choices are bash, zsh, fish; see `minichain completion --help`\n",
    ],
    [
      ['mine', 'x'],
      "minichain: argument 'blocks' is 'x': it must be a whole number from 1 to 1000; see `minichain mine --help`\n",
    ],
    [
      ['chain', '--limit', '0'],
      "minichain: option '--limit <n>' is '0': it must be a whole number from 1 to 1000; see `minichain chain --help`\n",
    ],
    [['block'], "minichain: missing required argument 'height|hash'; see `minichain block --help`\n"],
    [['status', '--url', 'ftp://x'], 'minichain: --url must be like http://127.0.0.1:8091, got "ftp://x"\n'],
    [['cluster', '--config-dir', '/nowhere'], '/nowhere/node1.toml does not exist; run this in'],
    [['start', '--config', '/nowhere.toml'], 'minichain: /nowhere.toml: does not exist\n'],
  ])('exit code 2: %j', async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err.endsWith('\n') && err.indexOf('\n') === err.length - 1).toBe(true);
  });

  it.each([
    ['mine', '0'],
    ['mine', '1e3'],
    ['mine', '1001'],
    ['chain', '--limit', 'x'],
    ['cluster', '--nodes', '0'],
  ])('exit code 2: %s %s %s is no such number', async (...argv) => {
    const { code, err } = await run(argv.filter((part) => typeof part === 'string'));
    expect(code).toBe(2);
    expect(err).toContain(': it must be a whole number from');
  });

  it('exit code 2: all mistakes of a configuration, one a line', async () => {
    const env = { MINICHAIN_NODE_NODE_ID: 'a b', MINICHAIN_NODE_HTTP_PORT: 'x', MINICHAIN_NODE_P2P_PORT: '-1' };
    const { code, err } = await run(['start'], { env });
    expect(code).toBe(2);
    expect(err.match(/^minichain: MINICHAIN_NODE_/gm)).toHaveLength(3);
  });
});

describe('help', () => {
  it.each([
    '',
    'start',
    'cluster',
    'status',
    'chain',
    'block',
    'submit',
    'peers',
    'bans',
    'mempool',
    'mine',
    'backup',
    'restore',
  ])('%s --help: exit code 0, with an example', async (name) => {
    const { code, out, err } = await run(name === '' ? ['--help'] : [name, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: minichain/);
    expect(out).toMatch(/\nExamples?:\n {2}/);
  });

  it('tells the exit codes and every setting', async () => {
    expect((await run(['--help'])).out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n/);
    expect((await run(['start', '--help'])).out).toMatch(/\[blockchain\]\n {4}difficulty +4 /);
  });

  it('without a command shows the help and fails', async () => {
    const { code, err } = await run([]);
    expect(code).toBe(2);
    expect(err).toContain('Usage: minichain');
  });
});
