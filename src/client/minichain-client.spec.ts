import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { signedEntry } from '../../test/support/signing.js';
import { encodeArmour, signatureNamespace } from '../consensus/ssh-signature.js';
import {
  MinichainClient,
  MinichainError,
  ProofError,
  describeProof,
  prepareEntries,
  prepareEntry,
  prepareSigned,
  trustHeaders,
  verifyMerkleBlock,
  verifyOtsProof,
  verifyProof,
} from './client.js';

let rest: RestApp;
let client: MinichainClient;

beforeAll(async () => {
  rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: 'secret', MINICHAIN_BLOCKCHAIN_DIFFICULTY: '1' });
  client = new MinichainClient(`127.0.0.1:${rest.port}/`, { token: 'secret' });
});

afterAll(() => rest.close());

/** What is thrown, as the codes and the status. */
async function failure(promise: Promise<unknown>): Promise<unknown[]> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MinichainError) return [error.code, error.status];
    throw error;
  }
  return [];
}

describe('entries', () => {
  it('have an id before they are sent, and are one entry however often they are sent', async () => {
    const entry = prepareEntry('known before');
    expect(await client.submit(entry)).toEqual({ id: entry.id, status: 'pending' });
    await client.submit(entry);
    const { entries } = await client.mempool();
    expect(entries.filter(({ id }) => id === entry.id)).toHaveLength(1);
    expect(Buffer.from(await client.transactionBytes(entry.id))).toEqual(Buffer.from(entry.bytes));
  });

  it('of the same text are two, unless timestamp and salt are chosen', async () => {
    const ids = [await client.submit('twice'), await client.submit('twice')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    const chosen = { timestampMs: 1_700_000_000_000, salt: new Uint8Array([1, 2]) };
    expect((await client.submit('chosen', chosen)).id).toBe((await client.submit('chosen', chosen)).id);
  });

  it('of every length get an id that the node agrees on, none of them 64 bytes long', async () => {
    const texts = Array.from({ length: 60 }, (_, length) => 'x'.repeat(length + 1));
    for (const text of texts.slice(30, 45)) await client.submit(text);
    const entries = prepareEntries(texts.slice(34, 38));
    expect((await client.submitAll(entries)).ids).toEqual(entries.ids);
    expect((await client.submitAll(['one', 'two ✓', 'one'])).ids).toHaveLength(3);
  });

  it('that break a rule are not sent', async () => {
    const nowhere = new MinichainClient('http://127.0.0.1:1');
    expect(await failure(nowhere.submit(''))).toEqual(['bad-txn-data-empty', undefined]);
    expect(await failure(nowhere.submit('é'.repeat(8_193)))).toEqual(['bad-txn-data-length', undefined]);
    expect(await failure(nowhere.submit('\ud800'))).toEqual(['bad-txn-data-encoding', undefined]);
    expect(await failure(nowhere.submit('x', { salt: new Uint8Array(33) }))).toEqual(['bad-txn-salt', undefined]);
    expect(await failure(nowhere.submit('x', { signature: 'none' }))).toEqual(['bad-signature-armour', undefined]);
  });

  it('that a key has signed have their id before they are sent', async () => {
    const { genesis } = await client.network();
    const signed = signedEntry('by me', genesis);
    const armour = encodeArmour(signed, signatureNamespace(genesis));
    const entry = prepareSigned('by me', armour);
    expect(entry.id).toBe(signed.id);
    expect((await client.submit(entry)).id).toBe(signed.id);
    expect((await client.submit('by me', { signature: armour })).id).toBe(signed.id);
    expect(await client.signature(signed.id)).toBe(armour);
  });
});

describe('reads', () => {
  it('are typed answers; ask also gives the text and the newest event', async () => {
    const { nodeId, height } = await client.status();
    expect([nodeId, height]).toEqual(['rest', 0]);
    const { body, text, eventId } = await client.ask('GET /chain', { query: { from: 0, limit: 1 } });
    expect([body.blocks.length, JSON.parse(text), eventId]).toEqual([
      1,
      body,
      expect.stringMatching(/^[0-9a-f]+-\d+$/),
    ]);
    expect((await client.block(0)).hash).toBe((await client.network()).genesis);
    expect((await client.blockBytes(0)).length).toBe((await client.block(0)).size);
  });

  it('that the node refuses throw its code, status and sentence', async () => {
    const refused = client.block(99);
    await expect(refused).rejects.toMatchObject({
      name: 'MinichainError',
      code: 'block-not-found',
      status: 404,
      detail: 'no block at height 99: the tip is at height 0',
      isTransient: false,
      problem: { instance: '/blocks/99' },
    });
    expect(await failure(new MinichainClient(client.url).mine())).toEqual(['unauthorized', 401]);
    expect(await failure(client.ask('GET /lab', {}))).toEqual(['not-found', 404]);
  });
});

describe('proofs', () => {
  it('are got in three forms, and checked here', async () => {
    const { id } = await client.submit('proven');
    const waiting = client.waitFor(id, { confirmations: 2 });
    await client.mine(2);
    const { block, confirmations } = await waiting;
    expect([block.index, confirmations]).toEqual([1, 2]);
    const proof = await client.proof(id);
    const proven = verifyProof(proof, { file: await client.transactionBytes(id) });
    expect([proven.id, proven.entry?.data, proven.block.hash]).toEqual([id, 'proven', block.hash]);
    expect(describeProof(proven).proven[0]).toContain('The text "proven" stands in block 1');
    const headers = trustHeaders([await client.allHeaders()]);
    const file = await client.transactionBytes(id);
    expect(verifyOtsProof(await client.otsProof(id), headers, { file }).id).toBe(id);
    expect(verifyMerkleBlock(await client.merkleBlock(id), headers, { file }).entry?.data).toBe('proven');
    const changed = JSON.stringify({ ...proof, transaction: proof.transaction.replace(/..$/, '00') });
    expect(() => verifyProof(changed)).toThrow(ProofError);
    expect(await failure(client.proof(id, { block: 'ab'.repeat(32) }))).toEqual(['block-undone', 409]);
    const { id: pending } = await client.submit('pending');
    expect(await failure(client.proof(pending, { headers: 'block' }))).toEqual(['entry-pending', 409]);
  });
});

describe('waitFor', () => {
  it('says when the time is up, and that the node does not know the entry', async () => {
    const { id } = await client.submit('never mined');
    const seen: string[] = [];
    const waiting = client.waitFor(id, { timeoutMs: 1, onProgress: ({ status }) => seen.push(status) });
    expect(await failure(waiting)).toEqual(['not-confirmed', undefined]);
    expect(seen[0]).toBe('pending');
    expect(await failure(client.waitFor('ab'.repeat(32)))).toEqual(['transaction-not-found', 404]);
  });

  it('ends with its signal', async () => {
    const { id } = await client.submit('never mined either');
    const stop = new AbortController();
    const waiting = client.waitFor(id, { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('a client', () => {
  it('is not made for what is no address or no token', () => {
    for (const url of ['ftp://x', 'http://', 'http://a?b', 'http://a:b@c']) {
      expect(() => new MinichainClient(url)).toThrow('the address of a node is like');
    }
    expect(() => new MinichainClient('http://x', { token: 'caf\uFFFD' })).toThrow('no token has such characters');
  });
});
