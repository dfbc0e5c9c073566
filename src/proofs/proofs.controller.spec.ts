import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accept, genesisNode, mineChain } from '../../test/support/chain-builders.js';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import type { Hash } from '../consensus/codec.js';
import { sha256 } from '../consensus/hash.js';
import { trustHeaders, type TrustedHeaders } from './offline/trusted-headers.js';
import { verifyJsonProof, verifyMerkleBlock, verifyOtsProof } from './offline/verify-proof.js';

let rest: RestApp;

beforeEach(async () => {
  rest = await startRestApp({ MINICHAIN_NETWORK_NAME: 'proofs' });
});

afterEach(() => rest.close());

async function post(data: string, more: object = {}): Promise<Hash> {
  return ((await rest.post('/blocks', { data, ...more })).json as { id: Hash }).id;
}

async function mine(blocks = 1): Promise<void> {
  expect(await rest.post('/mine', { blocks })).toMatchObject({ status: 200 });
}

/** An entry in block 3 of 6, with others beside it. */
async function confirmed(): Promise<Hash> {
  await mine(2);
  for (let n = 0; n < 4; n++) await post(`other ${n}`);
  const id = await post('Hello');
  await mine(4);
  return id;
}

async function headers(): Promise<TrustedHeaders> {
  const { json } = await rest.get('/headers?from=0');
  const list = (json as { headers: string[] }).headers.map((hex) => Buffer.from(hex, 'hex'));
  return trustHeaders([{ from: 0, headers: list, network: undefined }]);
}

async function rawOf(id: Hash, path = `/transactions/${id}/proof?format=ots`): Promise<Buffer> {
  return Buffer.from(await (await fetch(`http://127.0.0.1:${rest.port}${path}`)).arrayBuffer());
}

/** Makes a longer chain from the genesis on, without any of the entries. */
function reorganise(blocks: number): void {
  const { params, genesis } = rest.node.chain;
  const root = { ...genesisNode(params), id: genesis.id };
  for (const block of mineChain(root, blocks).blocks) accept(rest.node.chain, block);
}

describe('GET /transactions/:id/proof', () => {
  it('gives JSON with all headers, which proves the entry by itself', async () => {
    const id = await confirmed();
    const { text, headers: head } = await rest.get(`/transactions/${id}/proof`);
    expect(head.get('content-type')).toBe('application/json; charset=utf-8');
    const { genesis, tip } = rest.node.chain;
    expect(verifyJsonProof(text, { headers: await headers() })).toMatchObject({ confirmations: 4, basis: 'headers' });
    expect(verifyJsonProof(text)).toMatchObject({
      id,
      entry: { data: 'Hello' },
      network: { name: 'proofs', genesis: genesis.hash },
      block: { height: 3 },
      tip: { height: 6, hash: tip.hash },
      anchor: undefined,
    });
  });

  it('gives JSON that begins with the block itself, or after a checkpoint if there is one', async () => {
    const id = await confirmed();
    const short = verifyJsonProof((await rest.get(`/transactions/${id}/proof?headers=block`)).text);
    expect(short).toMatchObject({ confirmations: 4, anchor: { height: 2, hash: rest.node.chain.nodeAt(2)!.hash } });
    const { text } = await rest.get(`/transactions/${id}/proof?headers=checkpoint`);
    expect(verifyJsonProof(text)).toMatchObject({ confirmations: 4, anchor: undefined });
  });

  it('gives a merkleblock as hex digits', async () => {
    const id = await confirmed();
    const { text, headers: head } = await rest.get(`/transactions/${id}/proof?format=merkleblock`);
    expect(head.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(verifyMerkleBlock(Buffer.from(text, 'hex'), await headers())).toMatchObject({ id, confirmations: 4 });
  });

  it('gives an OpenTimestamps file whose stamped file is the entry', async () => {
    const id = await confirmed();
    const bytes = await rawOf(id, `/transactions/${id}?format=raw`);
    const { headers: head } = await rest.get(`/transactions/${id}/proof?format=ots`);
    expect(head.get('content-disposition')).toBe(`attachment; filename="${id}.proofs.ots"`);
    const data = { sha256: sha256(bytes), bytes };
    const proven = verifyOtsProof(await rawOf(id), await headers(), { data });
    expect(proven).toMatchObject({ id, entry: { data: 'Hello' }, confirmations: 4 });
  });

  it('gives an OpenTimestamps file whose stamped file has its SHA-256 in the salt', async () => {
    const digest = sha256(Buffer.from('a file'));
    const id = await post('note.txt', { salt: digest.toString('hex') });
    const other = await post('no file');
    await mine();
    const path = `/transactions/${id}/proof?format=ots&stamped=file`;
    const proven = verifyOtsProof(await rawOf(id, path), await headers(), {
      data: { sha256: digest, bytes: undefined },
    });
    expect(proven).toMatchObject({ id, entry: { data: 'note.txt' }, fileSha256: digest.toString('hex') });
    const refused = await rest.get(`/transactions/${other}/proof?format=ots&stamped=file`);
    expect([refused.status, refused.json]).toMatchObject([409, { code: 'no-stamped-file' }]);
  });

  it('gives no OpenTimestamps file that nobody could read: of a stamped file, only where the entry fits into a step', async () => {
    const digest = sha256(Buffer.from('a file'));
    const data = { sha256: digest, bytes: undefined };
    for (const [length, status] of [
      [4_051, 200],
      [4_052, 409],
      [16_384, 409],
    ] as const) {
      const id = await post('x'.repeat(length), { salt: digest.toString('hex') });
      await mine();
      const path = `/transactions/${id}/proof?format=ots`;
      const answer = await rest.get(`${path}&stamped=file`);
      expect([length, answer.status, answer.json?.code]).toEqual([
        length,
        status,
        status === 409 ? 'entry-too-long' : undefined,
      ]);
      if (status === 200) verifyOtsProof(await rawOf(id, `${path}&stamped=file`), await headers(), { data });
      const bytes = await rawOf(id, `/transactions/${id}?format=raw`);
      verifyOtsProof(await rawOf(id, path), await headers(), { data: { sha256: sha256(bytes), bytes } });
    }
  });

  it('404 for an unknown id, 409 while the entry is in no block', async () => {
    const unknown = await rest.get(`/transactions/${'ab'.repeat(32)}/proof`);
    expect([unknown.status, unknown.json]).toMatchObject([404, { code: 'transaction-not-found' }]);
    const id = await post('waits');
    for (const format of ['json', 'ots', 'merkleblock']) {
      const pending = await rest.get(`/transactions/${id}/proof?format=${format}`);
      expect([pending.status, pending.json]).toMatchObject([
        409,
        { code: 'entry-pending', entry: { status: 'pending', block: null } },
      ]);
      expect(pending.json.detail).toBe(`entry ${id} is not in a block yet: it waits in the mempool`);
    }
  });

  it('409 with where the entry is now, after a reorganisation has undone its block', async () => {
    const id = await confirmed();
    const old = rest.node.chain.nodeAt(3)!.hash;
    expect((await rest.get(`/transactions/${id}/proof?block=${old}`)).status).toBe(200);
    reorganise(7);
    const undone = await rest.get(`/transactions/${id}/proof`);
    expect([undone.status, undone.json]).toMatchObject([
      409,
      { code: 'block-undone', entry: { status: 'pending', block: null } },
    ]);
    expect(undone.json.detail).toContain(old);
    await mine();
    const { hash } = rest.node.chain.tip;
    const moved = await rest.get(`/transactions/${id}/proof?block=${old.toUpperCase()}`);
    const place = { entry: { status: 'confirmed', block: { index: 8, hash } } };
    expect([moved.status, moved.json]).toMatchObject([409, { code: 'block-undone', ...place }]);
    expect((await rest.get(`/transactions/${id}/proof`)).status).toBe(200);
  });

  it.each([
    ['format=pdf', 'expected json, ots or merkleblock, got \\"pdf\\"'],
    ['headers=none', 'expected all, checkpoint or block'],
    ['stamped=x', 'expected entry or file'],
    ['stamped=file', 'stamped: only with format=ots, not with format=json'],
    ['format=ots&headers=all', 'headers: only with format=json, not with format=ots'],
    ['block=12', 'expected the hash of the block'],
    ['from=1', 'unknown query parameter'],
  ])('400 for ?%s', async (query, detail) => {
    const { status, text } = await rest.get(`/transactions/${'ab'.repeat(32)}/proof?${query}`);
    expect([status, text]).toEqual([400, expect.stringContaining(detail)]);
  });
});

describe('the salt', () => {
  it('stands on every data entry that REST shows, so that anybody can compute its id', async () => {
    const salt = 'ab'.repeat(20);
    const id = await post('salted', { salt });
    const seen = [await rest.get('/mempool'), await rest.get(`/transactions/${id}`)];
    await mine();
    seen.push(await rest.get(`/transactions/${id}`), await rest.get('/chain'), await rest.get('/blocks/1'));
    for (const { text } of seen) expect(text).toContain(`"salt":"${salt}"`);
  });
});
