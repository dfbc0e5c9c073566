import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { waitFor } from '../../test/support/wait.js';
import { createBlock, type Block } from '../consensus/block.js';
import { hashHeader } from '../consensus/header.js';
import { computeMerkleRoot } from '../consensus/merkle.js';
import { isHashBelowTarget } from '../consensus/target.js';
import { createCoinbase } from '../consensus/coinbase.js';

/** Blocks enough for an answer of more than one chunk. */
const MINED = 200;
let rest: RestApp;

beforeAll(async () => {
  rest = await startRestApp();
  await rest.post('/blocks', { data: 'first entry' });
  await rest.post('/mine', { blocks: MINED });
});

afterAll(() => rest.close());

/** A block beside the active chain's one of its height. */
function siblingOf(height: number): Block {
  const parent = rest.node.chain.nodeAt(height - 1)!;
  const coinbase = createCoinbase(height, 1n, 'other');
  const { root } = computeMerkleRoot([coinbase.id]);
  const header = {
    version: 1,
    previousHash: parent.hash,
    merkleRoot: root,
    time: parent.time + 1,
    bits: parent.bits,
    nonce: 0,
  };
  while (!isHashBelowTarget(hashHeader(header), header.bits)) header.nonce += 1;
  return createBlock(header, [coinbase]);
}

const heights = (json: { blocks: { index: number }[] }): number[] => json.blocks.map(({ index }) => index);
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('GET /chain', () => {
  it('gives the newest 100, ascending, and counts the genesis in the length', async () => {
    const { status, json } = await rest.get('/chain');
    expect(status).toBe(200);
    expect(json).toMatchObject({ length: MINED + 1, tip: rest.node.chain.tip.hash, from: 101 });
    expect(heights(json)).toEqual(range(101, 200));
    expect(json.blocks.at(-1).hash).toBe(json.tip);
  });

  it('gives pages from a height on', async () => {
    expect(heights((await rest.get('/chain?from=0&limit=3')).json)).toEqual([0, 1, 2]);
    expect(heights((await rest.get('/chain?from=199')).json)).toEqual([199, 200]);
    expect(heights((await rest.get('/chain?from=0&limit=1000')).json)).toEqual(range(0, 200));
    expect(heights((await rest.get('/chain?limit=2')).json)).toEqual([199, 200]);
  });

  it('has nothing above the tip', async () => {
    const { status, json } = await rest.get('/chain?from=201');
    expect(status).toBe(200);
    expect(json).toEqual({ length: 201, tip: rest.node.chain.tip.hash, from: 201, blocks: [] });
  });

  it('links block to block from the genesis', async () => {
    const { json } = await rest.get('/chain?from=0&limit=1000');
    expect(json.blocks[0].previousHash).toBe('0'.repeat(64));
    for (let i = 1; i < json.blocks.length; i++) expect(json.blocks[i].previousHash).toBe(json.blocks[i - 1].hash);
  });

  it('holds what was posted', async () => {
    const { json } = await rest.get('/chain?from=1&limit=1');
    expect(json.blocks[0].transactions).toMatchObject([{ kind: 'coinbase' }, { kind: 'data', data: 'first entry' }]);
  });

  it('survives a caller who leaves in the middle', async () => {
    const controller = new AbortController();
    const response = await fetch(`http://127.0.0.1:${rest.port}/chain?from=0&limit=1000`, {
      signal: controller.signal,
    });
    controller.abort();
    await expect(response.text()).rejects.toThrow('abort');
    expect((await rest.get('/chain')).status).toBe(200);
  });
});

describe('GET /chain over a fault', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Makes the block at `height` unreadable. */
  function breakBlockAt(height: number): void {
    const { chain } = rest.node;
    const real = chain.getBlockBytes.bind(chain);
    vi.spyOn(chain, 'getBlockBytes').mockImplementation((hash) => {
      if (hash === chain.nodeAt(height)!.hash) throw new Error('disk I/O error');
      return real(hash);
    });
  }

  it('is a 500 where nothing was sent yet', async () => {
    breakBlockAt(0);
    const { status, json } = await rest.get('/chain?from=0');
    expect(status).toBe(500);
    expect(json.code).toBe('internal-error');
  });

  it('breaks the answer off rather than end it as if all were there', async () => {
    breakBlockAt(MINED);
    await expect(rest.get('/chain?from=0&limit=1000')).rejects.toThrow('terminated');
    expect(rest.logged.at(-1)).toMatchObject({ msg: 'GET /chain broken off', err: { message: 'disk I/O error' } });
    vi.restoreAllMocks();
    expect((await rest.get('/chain')).status).toBe(200);
  });
});

describe('GET /blocks/:id', () => {
  it('finds a block by height and by hash, in either case', async () => {
    const { json } = await rest.get('/blocks/7');
    expect(json).toMatchObject({ index: 7, hash: rest.node.chain.nodeAt(7)!.hash, confirmations: 194, miner: 'rest' });
    expect((await rest.get(`/blocks/${json.hash}`)).json).toEqual(json);
    expect((await rest.get(`/blocks/${json.hash.toUpperCase()}`)).json).toEqual(json);
    expect((await rest.get('/blocks/0')).json).toMatchObject({ index: 0, hash: rest.node.chain.genesis.hash });
    expect((await rest.get('/blocks/200')).json.confirmations).toBe(1);
  });

  it('shows a side block as one without confirmations', async () => {
    const side = siblingOf(60);
    expect(rest.node.chain.accept(rest.node.chain.verify(side)).kind).toBe('side');
    const { json } = await rest.get(`/blocks/${side.hash}`);
    expect(json).toMatchObject({ index: 60, hash: side.hash, confirmations: 0, miner: 'other' });
    expect((await rest.get('/blocks/60')).json.hash).not.toBe(side.hash);
  });
});

describe('GET /chain for a reader who leaves', () => {
  afterEach(() => vi.restoreAllMocks());

  it('reads no more blocks', async () => {
    const { chain } = rest.node;
    const entries = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(16_000)}`);
    for (const data of entries) await rest.post('/blocks', { data });
    await rest.post('/mine', { blocks: 1 });
    const bigBlock = chain.getBlockBytes(chain.tip.hash)!;
    const reading = vi.spyOn(chain, 'getBlockBytes').mockReturnValue(bigBlock);
    const connections = async (): Promise<number> => {
      const { text } = await rest.get('/metrics');
      return Number(/^minichain_open_connections\{server="rest".*\} (\d+)$/m.exec(text)?.[1]);
    };
    const before = await connections();
    const reader = connect(rest.port, '127.0.0.1');
    reader.write('GET /chain?from=0&limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(reader, 'data');
    reader.pause();
    expect(await connections()).toBe(before + 1);
    reader.destroy();
    await waitFor('the node notices', async () => (await connections()) === before);
    const read = reading.mock.calls.length;
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(MINED);
    await rest.get('/chain?limit=20');
    expect(reading.mock.calls.length).toBe(read + 20);
  });
});
