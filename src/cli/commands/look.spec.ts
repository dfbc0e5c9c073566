import { describe, expect, it } from 'vitest';
import { BLOCK, HASH, ID, run, serve, type Route } from '../../../test/support/cli-rig.js';
import { cellsOf } from '../cells.js';

const TEXT = 'Two\nlines\u001b[2J \u202e<b>';
const ENTRY = {
  id: ID,
  kind: 'data',
  data: TEXT,
  timestamp: '2026-11-22T13:14:14.000Z',
  salt: '',
  status: 'confirmed',
  block: { index: 12, hash: HASH },
  confirmations: 3,
};
const OTHER = `cd${'0'.repeat(62)}`;
const MEMPOOL = {
  transactions: 1,
  bytes: 30,
  offset: 0,
  entries: [{ id: OTHER, kind: 'signed', data: 'Waits', timestamp: null, salt: null, author: 'SHA256:abc' }],
};
const PAGE = { length: 13, tip: HASH, from: 0, blocks: [BLOCK] };

const routes = (more: Record<string, Route> = {}): Record<string, Route> => ({
  'GET /mempool?limit=1000': () => ({ body: MEMPOOL }),
  'GET /chain?limit=500': () => ({ body: PAGE }),
  [`GET /transactions/${ID}`]: () => ({ body: ENTRY }),
  [`GET /blocks/${HASH}`]: () => ({ body: BLOCK }),
  ...more,
});

describe('tx', () => {
  it('shows state, block, depth and text, which cannot steer the terminal', async () => {
    const url = await serve(routes());
    const { code, out } = await run(['tx', ID, '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^state +confirmed, 3 blocks deep$/m);
    expect(out).toMatch(new RegExp(`^hash +${HASH}$`, 'm'));
    expect(out).toContain('\n\n  Two\n  lines\\u{1b}[2J \\u{202e}<b>\n');
  });

  it('says that an entry waits, and who signed it', async () => {
    const pending = { ...ENTRY, ...MEMPOOL.entries[0], status: 'pending', block: null, confirmations: 0 };
    const url = await serve(routes({ [`GET /transactions/${OTHER}`]: () => ({ body: pending }) }));
    const { out } = await run(['tx', OTHER, '--url', url]);
    expect(out).toMatch(/^state +pending: no block holds it yet$/m);
    expect(out).toMatch(/^author +SHA256:abc$/m);
  });

  it.each([
    [ID.slice(0, 9)],
    [`${ID.slice(0, 4)}…${ID.slice(-4)}`],
    [`${ID.slice(0, 4)}...${ID.slice(-4)}`],
    [ID.toUpperCase()],
  ])('takes %s for the id', async (given) => {
    const url = await serve(routes());
    const { code, out } = await run(['tx', given, '--url', url, '--json']);
    expect([code, JSON.parse(out)]).toEqual([0, ENTRY]);
  });

  it.each([
    ['cd00', 1, 'no entry in the mempool and the newest 1 block has the hash cd00'],
    ['cd', 2, 'an entry is named by its id (64 hex digits), or by the beginning of it, got "cd"'],
    ['\u001b]0;x', 2, 'got "\\u{1b}]0;x"'],
  ])('refuses %j with one sentence', async (given, code, message) => {
    const url = await serve(routes({ 'GET /mempool?limit=1000': () => ({ body: { ...MEMPOOL, entries: [] } }) }));
    const result = await run(['tx', given, '--url', url]);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toContain(message);
    expect(result.err.indexOf('\n')).toBe(result.err.length - 1);
  });

  it('asks for more digits where two ids begin like this', async () => {
    const twin = { ...MEMPOOL.entries[0]!, id: `${ID.slice(0, 20)}${'1'.repeat(44)}` };
    const url = await serve(routes({ 'GET /mempool?limit=1000': () => ({ body: { ...MEMPOOL, entries: [twin] } }) }));
    const { code, err } = await run(['tx', ID.slice(0, 10), '--url', url]);
    expect([code, err]).toEqual([1, expect.stringMatching(/fits 2 hashes \(.*\): give more digits\n$/)]);
  });
});

describe('search', () => {
  const find = async (...args: readonly string[]) => {
    const url = await serve(routes());
    return run(['search', ...args, '--url', url]);
  };

  it.each([
    ['hi', [ID]],
    ['WAIT', [OTHER]],
    ['SHA256:abc', [OTHER]],
    [HASH, [HASH]],
    [ID, [ID]],
    ['cdcd', [ID]],
    ['abab', [HASH, HASH]],
  ])('finds %s', async (what, ids) => {
    const { code, out } = await find(what, '--json');
    expect(code).toBe(0);
    const found = JSON.parse(out) as { hits: { id: string }[]; blocks: number };
    // A coinbase of the rig has the hash of its block.
    expect(found.hits.map(({ id }) => id)).toEqual([...new Set(ids)]);
    expect(found.blocks).toBe(1);
  });

  it('shows hits as a table, and ends with code 1 where there is none', async () => {
    const { out } = await find('i');
    expect(out).toContain('pending');
    expect(out).toContain('Hi\\u{1b}[2J');
    expect(out).toMatch(/2 hits; the mempool and 1 block were read\n$/);
    expect(await find('nowhere')).toEqual({
      code: 1,
      out: '',
      err: 'minichain: nothing found in the mempool and 1 block\n',
    });
    expect(JSON.parse((await find('nowhere', '--json')).out)).toEqual({ hits: [], blocks: 1 });
  });

  it('wants something to look for', async () => {
    expect(await run(['search', ' '])).toEqual({
      code: 2,
      out: '',
      err: 'minichain: every text holds that: say what to look for\n',
    });
  });
});

describe('forks', () => {
  const place = { height: 12, hash: HASH };
  const tree = {
    tip: place,
    from: 0,
    to: 12,
    runs: [{ from: 1, to: 10, count: 10 }],
    blocks: [
      {
        height: 11,
        hash: ID,
        previousHash: OTHER,
        status: 'active',
        miner: 'node-2',
        entries: 0,
        receivedMs: 0,
        chainWork: null,
      },
      {
        height: 12,
        hash: HASH,
        previousHash: ID,
        status: 'active',
        miner: 'node-1\u0007',
        entries: 2,
        receivedMs: 0,
        chainWork: null,
      },
      {
        height: 12,
        hash: OTHER,
        previousHash: ID,
        status: 'side',
        miner: null,
        entries: null,
        receivedMs: 0,
        chainWork: null,
      },
    ],
  };

  it('draws the tree, with what is known of each block', async () => {
    const url = await serve({ 'GET /forks?from=0&to=12': () => ({ body: tree }) });
    const { code, out } = await run(['forks', '--from', '0', '--to', '12', '--url', url]);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      ' height hash received miner entries',
      ` ○ 12 ${OTHER} 1970-01-01 00:00:00Z ? ? side`,
      `● │ 12 ${HASH} 1970-01-01 00:00:00Z node-1\\u{7} 2 tip`,
      '├─┘',
      `● 11 ${ID} 1970-01-01 00:00:00Z node-2 0`,
      '⋮ 10 blocks, from 10 down to 1',
      'heights 0 to 12: 1 side block',
      '',
    ]);
  });

  it.each([120, 80, 60, 40, 20])('fits into %d columns', async (width) => {
    const url = await serve({ 'GET /forks': () => ({ body: tree }) });
    const { out } = await run(['forks', '--url', url], { width });
    for (const line of out.split('\n').slice(0, -2)) expect(cellsOf(line)).toBeLessThanOrEqual(width);
  });
});

describe('tables', () => {
  const long = {
    ...BLOCK.transactions[1]!,
    data: 'A long text \u4e16\u754c '.repeat(20),
    author: `SHA256:${'x'.repeat(43)}`,
  };
  const block = { ...BLOCK, transactions: [BLOCK.transactions[0]!, long] };
  const peer = {
    id: 'a-node-with-a-long-name',
    address: 'a-host-with-a-long-name.example:9091',
    connected: true,
    score: 1,
  };
  const shown: Record<string, [string[], unknown]> = {
    'GET /chain?limit=20': [['chain'], { ...PAGE, blocks: [block] }],
    'GET /blocks/12': [['block', '12'], block],
    'GET /mempool': [['mempool'], { ...MEMPOOL, entries: [long, MEMPOOL.entries[0]] }],
    'GET /peers': [
      ['peers'],
      { connected: 1, peers: [{ ...peer, lastSeen: ENTRY.timestamp, direction: 'inbound', latencyMs: 1, height: 1 }] },
    ],
    'GET /peers/bans': [
      ['bans'],
      { bans: [{ subject: 'host:2001:db8::7'.repeat(3), until: ENTRY.timestamp, code: 'bad-signature-of-an-entry' }] },
    ],
  };

  it.each(Object.entries(shown))('of %s fit the terminal, and are whole elsewhere', async (route, [argv, body]) => {
    const url = await serve({ [route]: () => ({ body }) });
    for (const width of [100, 80, 60, 40]) {
      const { out } = await run([...argv, '--url', url], { width });
      for (const line of out.split('\n')) expect(cellsOf(line), line).toBeLessThanOrEqual(width);
    }
    const { out } = await run([...argv, '--url', url]);
    expect(out).not.toMatch(/[\da-f]…[\da-f]/);
  });
});
