import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcClient } from '../../test/support/rpc-client.js';
import { accept, genesisNode, mineOn } from '../../test/support/chain-builders.js';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { temporaryDirectory } from '../../test/support/node-process.js';
import { waitFor } from '../../test/support/wait.js';
import type { Node } from '../node.js';

const USER = { MINICHAIN_RPC_PORT: '0', MINICHAIN_RPC_USER: 'alice', MINICHAIN_RPC_PASSWORD: 'se:cret' };

const closing: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each.close();
});

async function start(env: Record<string, string> = USER): Promise<RestApp> {
  const rest = await startRestApp(env);
  closing.push(rest);
  return rest;
}

function portOf({ logged }: RestApp): number {
  const line = logged.map(({ msg }) => String(msg)).find((text) => text.startsWith('JSON-RPC listens on'));
  return Number(line?.split(':').at(-1));
}

async function client(env?: Record<string, string>): Promise<RpcClient & { node: Node; rest: RestApp }> {
  const rest = await start(env);
  return Object.assign(new RpcClient(portOf(rest), 'alice:se:cret'), { node: rest.node, rest });
}

describe('JSON-RPC is off', () => {
  it('unless rpc.port is set', async () => {
    const rest = await start({});
    expect([rest.node.rpc, portOf(rest)]).toEqual([undefined, NaN]);
    expect((await rest.get('/metrics')).text).not.toContain('minichain_rpc_calls_total');
  });
});

describe('the rules of the server', () => {
  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense', undefined])(
    'take a body of type %s, and answer exactly application/json',
    async (type) => {
      const rpc = await client();
      const { status, headers, json } = await rpc.post(
        { jsonrpc: '1.0', id: 'curltest', method: 'getblockcount', params: [] },
        { headers: type === undefined ? {} : { 'content-type': type } },
      );
      expect([status, headers['content-type'], json]).toEqual([
        200,
        'application/json',
        { result: 0, error: null, id: 'curltest' },
      ]);
    },
  );

  it.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['an empty list', []],
    ['an empty object', {}],
  ])('take params that are %s', async (_, params) => {
    const rpc = await client();
    const { status, json } = await rpc.post({ id: 1, method: 'getblockcount', params });
    expect([status, json]).toEqual([200, { result: 0, error: null, id: 1 }]);
  });

  it('take params by name, and values that are null as left out', async () => {
    const rpc = await client();
    const { hash } = rpc.node.chain.genesis;
    expect((await rpc.post({ method: 'getblockhash', params: { height: 0 } })).json.result).toBe(hash);
    const named = await rpc.post({ method: 'getblockheader', params: { verbose: false, blockhash: hash } });
    expect(named.json.result).toHaveLength(160);
    expect((await rpc.call('getblockheader', hash, null)).json.result.hash).toBe(hash);
    const unknown = await rpc.post({ method: 'getblockhash', params: { heigth: 0 } });
    expect([unknown.status, unknown.json.error]).toEqual([
      500,
      { code: -8, message: 'Unknown named parameter heigth' },
    ]);
  });

  it('answer a request without an id with id null', async () => {
    const rpc = await client();
    expect((await rpc.post({ method: 'getblockcount' })).json).toEqual({ result: 0, error: null, id: null });
    expect((await rpc.post({ method: 'getblockcount', id: { a: [1] } })).json.id).toEqual({ a: [1] });
  });

  it('say "jsonrpc": "2.0" only when asked, and answer its errors with 200 and its notifications with 204', async () => {
    const rpc = await client();
    const ask = (more: object) => rpc.post({ jsonrpc: '2.0', method: 'getblockcount', ...more });
    expect((await ask({ id: 7 })).text).toBe('{"jsonrpc":"2.0","result":0,"id":7}\n');
    const refused = await ask({ id: 7, method: 'nosuch' });
    expect([refused.status, refused.json]).toEqual([
      200,
      { jsonrpc: '2.0', error: { code: -32_601, message: 'Method not found' }, id: 7 },
    ]);
    const silent = await ask({});
    expect([silent.status, silent.text]).toEqual([204, '']);
    expect((await rpc.post({ jsonrpc: '1.1', method: 'getblockcount', id: 7 })).text).not.toContain('jsonrpc');
  });

  it('answer batches in order, of both kinds, with 200 whatever is in them', async () => {
    const rpc = await client();
    const { hash } = rpc.node.chain.genesis;
    const { status, json } = await rpc.post([
      { method: 'getblockhash', params: [0], id: 'a' },
      { method: 'nosuch', id: 'b' },
      { jsonrpc: '2.0', method: 'getblockcount', id: 'c' },
      { jsonrpc: '2.0', method: 'getblockcount' },
      5,
    ]);
    expect(status).toBe(200);
    expect(json).toEqual([
      { result: hash, error: null, id: 'a' },
      { result: null, error: { code: -32_601, message: 'Method not found' }, id: 'b' },
      { jsonrpc: '2.0', result: 0, id: 'c' },
      { result: null, error: { code: -32_600, message: 'Invalid Request object' }, id: null },
    ]);
    expect((await rpc.post([])).text).toBe('[]');
    const silent = await rpc.post([{ jsonrpc: '2.0', method: 'getblockcount' }]);
    expect([silent.status, silent.text]).toEqual([204, '']);
  });

  it.each<[string, number, number, unknown]>([
    ['an unknown method', 404, -32_601, { method: 'getwork' }],
    ['no method', 400, -32_600, { id: 1 }],
    ['a method that is no string', 400, -32_600, { method: 5 }],
    ['params that are a string', 400, -32_600, { method: 'getblockcount', params: 'x' }],
    ['a string', 400, -32_600, '"getblockcount"'],
    ['half a body', 500, -32_700, '{"method":'],
    ['no body', 500, -32_700, ''],
    ['too many params', 500, -1, { method: 'getblockcount', params: [1] }],
    ['too few params', 500, -1, { method: 'getblockhash', params: [] }],
    ['a height that is text', 500, -3, { method: 'getblockhash', params: ['1'] }],
    ['a height that is no whole number', 500, -3, { method: 'getblockhash', params: [0.5] }],
    ['a height above the tip', 500, -8, { method: 'getblockhash', params: [1] }],
    ['a height below 0', 500, -8, { method: 'getblockhash', params: [-1] }],
    ['an unknown block', 500, -5, { method: 'getblockheader', params: ['ab'.repeat(32)] }],
    ['a short hash', 500, -8, { method: 'getblockheader', params: ['ab'] }],
    ['a hash that is not hex', 500, -8, { method: 'getblockheader', params: ['zz'.repeat(32)] }],
    ['verbose that is a number', 500, -3, { method: 'getblockheader', params: ['ab'.repeat(32), 1] }],
  ])('answer %s with %i and code %i', async (_, status, code, body) => {
    const rpc = await client();
    const reply = await rpc.post(body);
    expect([reply.status, reply.headers['content-type']]).toEqual([status, 'application/json']);
    expect(reply.json).toMatchObject({ result: null, error: { code, message: expect.stringMatching(/./) } });
  });

  it('refuse a body that is too large or too complex, and go on', async () => {
    const rpc = await client();
    const large = await rpc.send(`{"method":"${'x'.repeat(3_200_000)}"}`).catch((error: Error) => error);
    if (!(large instanceof Error)) expect(large.status).toBe(413);
    const complex = await rpc.send(`[${'[],'.repeat(30_000)}[]]`);
    expect([complex.status, complex.json.error.code]).toEqual([500, -32_700]);
    const deep = (depth: number): string => `{"method":"getblockcount","id":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect((await rpc.send(deep(511))).json.result).toBe(0);
    const tooDeep = await rpc.send(deep(9_000));
    expect([tooDeep.status, tooDeep.json.error]).toEqual([
      500,
      { code: -32_700, message: expect.stringContaining('more than 512 lists and objects within each other') },
    ]);
    expect((await rpc.call('getblockcount')).json.result).toBe(0);
  });

  it('answer only POST /', async () => {
    const rpc = await client();
    const get = await rpc.send('', { method: 'GET' });
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    expect((await rpc.post({ method: 'getblockcount' }, { path: '/wallet/x' })).status).toBe(404);
  });
});

describe('a fault of the node', () => {
  it('is reported and answered as such, in a call or outside of one', async () => {
    const rpc = await client();
    const { chain } = rpc.node;
    chain.nodeAt = () => {
      throw new Error('the disk is gone');
    };
    const answer = { code: -32_603, message: 'The node could not answer; its log says why' };
    const inCall = await rpc.call('getblockhash', 0);
    expect([inCall.status, inCall.json.error]).toEqual([500, answer]);
    Object.defineProperty(chain, 'tip', { get: () => ({ height: 1n }) });
    const outside = await rpc.call('getblockcount');
    expect([outside.status, outside.json.error]).toEqual([500, answer]);
    const faults = rpc.rest.logged.filter(({ level }) => Number(level) >= 50).map(({ msg }) => String(msg));
    expect(faults).toEqual([expect.stringContaining('the disk is gone'), expect.stringContaining('BigInt')]);
  });
});

describe('credentials', () => {
  it('are asked for with 401, an empty body and Basic, whatever is sent instead', async () => {
    const rpc = await client();
    for (const auth of [null, 'alice:', 'alice:wrong', 'bob:se:cret', ':']) {
      const { status, headers, text } = await rpc.post({ method: 'getblockcount' }, { auth });
      expect([auth, status, headers['www-authenticate'], text]).toEqual([auth, 401, 'Basic realm="jsonrpc"', '']);
    }
    const bearer = await rpc.post({ method: 'x' }, { auth: null, headers: { authorization: 'Bearer se:cret' } });
    expect(bearer.status).toBe(401);
    expect(rpc.rest.logged.filter(({ msg }) => String(msg).startsWith('Wrong credentials'))).not.toEqual([]);
    expect(JSON.stringify(rpc.rest.logged)).not.toContain('se:cret');
  });

  it('are in the file .cookie, new at each start and gone at its end, if no user is configured', async () => {
    const directory = temporaryDirectory();
    const { path } = directory;
    closing.push({ close: () => directory.remove() });
    const cookies: string[] = [];
    for (let n = 0; n < 2; n++) {
      const rest = await startRestApp({ MINICHAIN_RPC_PORT: '0', MINICHAIN_NODE_DATA_DIR: path });
      const cookie = readFileSync(`${path}/.cookie`, 'utf8');
      expect([cookie, statSync(`${path}/.cookie`).mode & 0o777]).toEqual([
        expect.stringMatching(/^__cookie__:[0-9a-f]{64}$/),
        0o600,
      ]);
      expect((await new RpcClient(portOf(rest), cookie).call('getblockcount')).json.result).toBe(0);
      cookies.push(cookie);
      await rest.close();
      expect(existsSync(`${path}/.cookie`)).toBe(false);
    }
    expect(new Set(cookies).size).toBe(2);
  });
});

describe('getblockheader', () => {
  it('shows the header as Bitcoin Core does, of active and side blocks', async () => {
    const rpc = await client();
    const { chain } = rpc.node;
    const root = { ...genesisNode(chain.params), id: chain.genesis.id };
    const [first, side] = [mineOn(root, ['a', 'b']), mineOn(root)];
    for (const block of [first, side]) accept(chain, block);
    accept(chain, mineOn(chain.tip));
    const header = (await rpc.call('getblockheader', first.hash.toUpperCase())).json.result;
    expect(header).toEqual({
      hash: first.hash,
      confirmations: 2,
      height: 1,
      version: 1,
      versionHex: '00000001',
      merkleroot: first.header.merkleRoot,
      time: first.header.time,
      mediantime: first.header.time,
      nonce: first.header.nonce,
      bits: '2100ffff',
      difficulty: 2 ** -32,
      chainwork: `${'0'.repeat(63)}2`,
      nTx: 3,
      previousblockhash: chain.genesis.hash,
      nextblockhash: chain.tip.hash,
    });
    const off = (await rpc.call('getblockheader', side.hash)).json.result;
    expect([off.confirmations, off.nextblockhash]).toEqual([-1, undefined]);
    expect((await rpc.call('getblockheader', chain.genesis.hash)).json.result).not.toHaveProperty('previousblockhash');
    const hex = (await rpc.call('getblockheader', first.hash, false)).json.result;
    expect(hex).toBe(first.bytes.subarray(0, 80).toString('hex'));
    expect((await rpc.call('getblockcount')).json.result).toBe(2);
  });
});

describe('a node with JSON-RPC', () => {
  it('counts calls by method, unknown ones together, and connections', async () => {
    const rpc = await client();
    await rpc.post([
      { method: 'getblockcount' },
      { method: 'nosuch' },
      { method: 'other' },
      { method: 'getblockhash' },
    ]);
    const { text } = await rpc.rest.get('/metrics');
    const series = [...text.matchAll(/^minichain_rpc_calls_total\{method="(\w+)",outcome="(\w+)".*\} (\d+)$/gm)];
    expect(
      series
        .map(([, ...rest]) => rest.join(' '))
        .filter((line) => !line.endsWith(' 0'))
        .toSorted(),
    ).toEqual(['getblockcount answered 1', 'getblockhash refused 1', 'unknown refused 2']);
    expect(text).toMatch(/minichain_open_connections\{server="rpc"/);
  });

  it('ends in time, whatever its clients do', async () => {
    const rest = await startRestApp(USER);
    const basic = Buffer.from('alice:se:cret').toString('base64');
    for (const text of [
      '',
      'POST / HT',
      `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\nContent-Length: 9\r\n\r\n{`,
    ]) {
      const socket = connect(portOf(rest), '127.0.0.1', () => socket.write(text)).on('error', () => {});
      closing.push({ close: () => socket.destroy() });
    }
    const { open } = rest.node.rpc!.connections;
    await waitFor('all are connected', () => open.size === 3 && open.isBusy);
    await rest.close();
    await waitFor('all are closed', () => open.size === 0);
  });
});
