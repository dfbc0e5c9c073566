import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  accept,
  entry,
  genesisNode,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
  type TestChainOptions,
} from '../../test/support/chain-builders.js';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { armourOf, malleated, signedEntry, testKey } from '../../test/support/signing.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { encodeSignedTransaction } from '../consensus/signed-entry.js';
import { encodeArmour, fingerprintOf, publicKeyLine, signatureNamespace } from '../consensus/ssh-signature.js';
import type { Transaction } from '../consensus/transaction.js';
import { reindex } from '../reindex.js';
import { silentLog } from '../../test/support/chain-builders.js';

describe('signed entries in the mempool', () => {
  const clock = new VirtualClock();
  const GENESIS = genesisNode().hash;

  function open(options: TestChainOptions = {}): TestChain {
    const node = openChain({ clock, ...options });
    onTestFinished(() => node.close());
    return node;
  }

  async function gossip({ mempool }: TestChain, transactions: readonly Transaction[]): Promise<string[]> {
    const results = await clock.during('entries of a peer are taken', mempool.acceptFromPeer(transactions, 'peer'));
    return results.map(({ result }) => result);
  }

  const forgedOf = (data: string) => encodeSignedTransaction(data, signedEntry('other', GENESIS));

  it('are taken, once for each key and text, and are on disk then', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir });
    const posted = signedEntry('signed', GENESIS);
    for (let again = 0; again < 2; again++) {
      const taken = await clock.during('it is stored', first.mempool.submitSigned('signed', posted));
      expect(taken).toEqual(posted);
    }
    first.close();
    expect(open({ dataDir }).mempool.list(0, 10)).toEqual([posted]);
  });

  it('of a peer are judged one by one, in more turns than one', async () => {
    const node = open();
    const good = Array.from({ length: 450 }, (_, i) => signedEntry(`entry ${i}`, GENESIS));
    const forged = forgedOf('forged');
    const foreign = signedEntry('foreign', '00'.repeat(32));
    const twin = encodeSignedTransaction('entry 0', {
      publicKey: good[0]!.publicKey,
      signature: malleated(good[0]!.signature),
    });
    const results = await gossip(node, [...good, forged, entry('plain'), foreign, twin]);
    expect(results.slice(0, 450)).toEqual(Array(450).fill('accepted'));
    expect(results.slice(450)).toEqual(['bad-sig', 'accepted', 'bad-sig', 'bad-sig-encoding']);
    expect(node.mempool.size).toBe(451);
    expect(await node.registry.metrics()).toContain('minichain_mempool_refused_total{reason="bad-sig"} 2\n');
  });

  it('of a peer that are all forged, and so need no commit, are not all checked in one turn', async () => {
    const node = open();
    const genuine = signedEntry('other', GENESIS);
    const forged = Array.from({ length: 250 }, (_, i) => encodeSignedTransaction(`forged ${i}`, genuine));
    const results = node.mempool.acceptFromPeer(forged, 'peer');
    expect(await node.registry.metrics()).toContain('minichain_mempool_refused_total{reason="bad-sig"} 100\n');
    await clock.during('all are refused', results);
    expect((await results).map(({ result }) => result)).toEqual(Array(250).fill('bad-sig'));
  });

  it('of a peer are not even checked where there is no room for them', async () => {
    const node = open({ limits: { maxTransactions: 5, maxBytes: 1_000_000 } });
    await gossip(
      node,
      Array.from({ length: 4 }, () => entry('fills the share of peers')),
    );
    expect(await gossip(node, [forgedOf('forged'), signedEntry('good', GENESIS)])).toEqual(['full', 'full']);
  });

  it('need no second check in a block, nor in the next one with the same entries', async () => {
    const node = open();
    const entries = Array.from({ length: 30 }, (_, i) => signedEntry(`entry ${i}`, GENESIS));
    await gossip(node, entries.slice(0, 20));
    const unchecked = (block: ReturnType<typeof mineOn>): number => {
      const allowance = { left: 100 };
      node.chain.verification(block).step(allowance);
      return 100 - allowance.left;
    };
    const [first, rival] = [mineOn(genesisNode(), entries), mineOn(genesisNode(), entries)];
    expect(unchecked(first)).toBe(10);
    accept(node.chain, first);
    expect(node.mempool.size).toBe(0);
    expect(unchecked(rival)).toBe(0);
  });

  it('come back by a reorganisation, and go into the chain again', async () => {
    const node = open();
    const signed = signedEntry('given back', GENESIS);
    await gossip(node, [signed]);
    accept(node.chain, mineOn(genesisNode(), [signed]));
    expect(node.mempool.size).toBe(0);
    const rival = mineOn(genesisNode());
    accept(node.chain, rival);
    accept(node.chain, mineOn(nodeOf(rival, genesisNode())));
    expect(node.mempool.list(0, 10)).toEqual([signed]);
    accept(node.chain, mineOn(node.chain.tip, [signed]));
    expect(node.chain.findTransaction(signed.id)?.transaction).toEqual(signed);
    expect(node.mempool.size).toBe(0);
  });

  it('are checked again by a reindex, with their blocks', async () => {
    const dataDir = temporaryDirectory();
    const node = openChain({ clock, dataDir });
    const [mined, waiting] = [signedEntry('mined', GENESIS), signedEntry('waiting', GENESIS)];
    await gossip(node, [mined, waiting]);
    accept(node.chain, mineOn(genesisNode(), [mined]));
    // As a broken disk or a stranger might leave it: a row that decodes, under its right id.
    const forged = forgedOf('forged');
    node.database
      .prepare('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, 1, ?)')
      .run(Buffer.from(forged.id, 'hex').reverse(), forged.bytes);
    node.close();
    const { params } = node.chain;
    expect(reindex({ dataDir, params, log: silentLog })).toMatchObject({ blocks: 1, entries: 1, lostEntries: 1 });
    const rebuilt = open({ dataDir });
    expect(rebuilt.mempool.list(0, 10)).toEqual([waiting]);
    expect(rebuilt.chain.findTransaction(mined.id)?.transaction).toEqual(mined);
  });
});

describe('signed entries over REST', () => {
  let rest: RestApp;
  afterEach(() => rest.close());

  const alice = testKey('alice');
  const genesis = (): string => rest.node.chain.genesis.hash;

  it('are posted with their SSH signature, and shown with their author', async () => {
    rest = await startRestApp();
    const body = { data: 'Signed: Hällo\n', signature: armourOf('Signed: Hällo\n', genesis()) };
    const posted = await rest.post('/blocks', body);
    expect([posted.status, posted.json]).toEqual([202, { id: expect.any(String), status: 'pending' }]);
    const { id } = posted.json;
    const view = {
      id,
      kind: 'signed',
      data: 'Signed: Hällo\n',
      timestamp: null,
      salt: null,
      author: fingerprintOf(alice.publicKey),
      publicKey: publicKeyLine(alice.publicKey),
      signatureHex: signedEntry('Signed: Hällo\n', genesis()).signature.toString('hex'),
    };
    expect((await rest.get('/mempool')).json.entries).toEqual([view]);
    expect((await rest.get(`/transactions/${id}`)).json).toMatchObject({ ...view, status: 'pending' });
    await rest.post('/mine');
    expect((await rest.get('/blocks/1')).json.transactions[1]).toEqual(view);
    expect((await rest.post('/blocks', body)).json).toEqual({ id, status: 'confirmed' });
  });

  it('give back the SSH signature byte for byte, waiting and mined', async () => {
    rest = await startRestApp();
    const armour = armourOf('x', genesis());
    const { id } = (await rest.post('/blocks', { data: 'x', signature: armour.replaceAll('\n', '\r\n') })).json;
    const unsigned = (await rest.post('/blocks', { data: 'x' })).json.id;
    for (let round = 0; round < 2; round++) {
      const answer = await rest.get(`/transactions/${id}?format=sig`);
      expect([answer.text, answer.headers.get('content-type')]).toEqual([armour, 'text/plain; charset=utf-8']);
      expect((await rest.get(`/transactions/${unsigned}?format=sig`)).json).toMatchObject({
        status: 404,
        code: 'entry-not-signed',
      });
      await rest.post('/mine');
    }
    expect((await rest.get(`/transactions/${'0'.repeat(64)}?format=sig`)).json.code).toBe('transaction-not-found');
  });

  it('are listed by author, in order and in pages', async () => {
    rest = await startRestApp();
    const bob = testKey('bob');
    for (let i = 0; i < 6; i++) {
      const data = `entry ${i}`;
      const signature = i % 3 === 0 ? undefined : armourOf(data, genesis(), i % 3 === 1 ? alice : bob);
      expect((await rest.post('/blocks', { data, signature })).status).toBe(202);
    }
    const of = async (author: string, page = ''): Promise<string[]> => {
      const { json } = await rest.get(`/mempool?author=${author}${page}`);
      return json.entries.map(({ data }: { data: string }) => data);
    };
    const [hers, his] = [alice, bob].map(({ publicKey }) => fingerprintOf(publicKey)) as [string, string];
    expect(await of(encodeURIComponent(hers))).toEqual(['entry 1', 'entry 4']);
    expect(await of(his)).toEqual(['entry 2', 'entry 5']);
    expect(await of(his, '&offset=1')).toEqual(['entry 5']);
    expect(await of(his, '&limit=1')).toEqual(['entry 2']);
    expect(await of(`SHA256:${'A'.repeat(43)}`)).toEqual([]);
    await rest.post('/mine');
    expect(await of(hers)).toEqual([]);
    const wrong = await rest.get('/mempool?author=alice');
    expect(wrong.json).toMatchObject({ status: 400, detail: expect.stringMatching(/^author: expected the SHA256/) });
  });

  it('are found in the chain by author, the newest block first, in as many requests as it takes', async () => {
    rest = await startRestApp();
    const author = encodeURIComponent(fingerprintOf(alice.publicKey));
    for (let height = 1; height <= 4; height++) {
      for (const [name, key] of [[`hers ${height}`, alice] as const, [`his ${height}`, testKey('bob')] as const]) {
        await rest.post('/blocks', { data: name, signature: armourOf(name, genesis(), key) });
      }
      await rest.post('/blocks', { data: 'nobody' });
      await rest.post('/mine');
    }
    const search = async (query: string): Promise<{ found: string[]; from: number; next: number | null }> => {
      const { json } = await rest.get(`/transactions?author=${author}${query}`);
      return { found: json.entries.map(({ data }: { data: string }) => data), from: json.from, next: json.next };
    };
    expect(await search('')).toEqual({ found: ['hers 4', 'hers 3', 'hers 2', 'hers 1'], from: 4, next: null });
    expect(await search('&limit=2')).toEqual({ found: ['hers 4', 'hers 3'], from: 4, next: 2 });
    expect(await search('&from=2')).toEqual({ found: ['hers 2', 'hers 1'], from: 2, next: null });
    const { json } = await rest.get(`/transactions?author=${author}&limit=1`);
    const { hash } = rest.node.chain.nodeAt(4)!;
    expect(json.entries[0]).toMatchObject({ kind: 'signed', block: { index: 4, hash }, confirmations: 1 });
    expect((await rest.get('/transactions')).json).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  const rsa = `-----BEGIN SSH SIGNATURE-----\n${Buffer.concat([
    Buffer.from('SSHSIG\0\0\0\u0001\0\0\0\u000b\0\0\0\u0007ssh-rsa'),
  ]).toString('base64')}\n-----END SSH SIGNATURE-----`;

  it.each<[string, (genesis: string) => object, number, string, RegExp]>([
    [
      'other data',
      (g) => ({ data: 'y', signature: armourOf('x', g) }),
      422,
      'bad-sig',
      /not that of this key for this/,
    ],
    ['a line break more', (g) => ({ data: 'x\n', signature: armourOf('x', g) }), 422, 'bad-sig', /a line break/],
    [
      'another network',
      () => ({ data: 'x', signature: armourOf('x', 'ab'.repeat(32)) }),
      422,
      'wrong-namespace',
      /made for another network, in the namespace "minichain\/abab.*sign with -n minichain\//,
    ],
    [
      'another namespace',
      (g) => ({ data: 'x', signature: encodeArmour(signedEntry('x', g), 'file') }),
      422,
      'wrong-namespace',
      /made for another purpose, in the namespace "file"; sign with -n minichain\/[0-9a-f]{64}$/,
    ],
    [
      'S + L',
      (g) => {
        const { publicKey, signature } = signedEntry('x', g);
        const twin = { publicKey, signature: malleated(signature) };
        return { data: 'x', signature: encodeArmour(twin, signatureNamespace(g)) };
      },
      422,
      'bad-sig-encoding',
      /S of the signature is not below/,
    ],
    [
      'a weak key',
      (g) => {
        const weak = { publicKey: Buffer.alloc(32), signature: signedEntry('x', g).signature };
        return { data: 'x', signature: encodeArmour(weak, signatureNamespace(g)) };
      },
      422,
      'bad-sig-key',
      /point of small order/,
    ],
    ['an RSA key', () => ({ data: 'x', signature: rsa }), 422, 'unsupported-signature', /an RSA key \("ssh-rsa"\)/],
    [
      'text behind the signature',
      (g) => ({ data: 'x', signature: `${armourOf('x', g)}x` }),
      400,
      'bad-signature-armour',
      /nothing may stand around it/,
    ],
    ['no armour', () => ({ data: 'x', signature: 'hello' }), 400, 'bad-signature-armour', /not an SSH signature/],
    ['a number', () => ({ data: 'x', signature: 7 }), 400, 'invalid-request', /^signature: expected an SSH signature/],
    ['a book', () => ({ data: 'x', signature: 'x'.repeat(8_193) }), 400, 'invalid-request', /^signature: expected/],
    [
      'a list',
      (g) => ({ data: ['x'], signature: armourOf('x', g) }),
      400,
      'invalid-request',
      /^signature: expected none with a list/,
    ],
    [
      'a timestamp',
      (g) => ({ data: 'x', timestamp: 0, signature: armourOf('x', g) }),
      400,
      'invalid-request',
      /^timestamp: expected none with a signature/,
    ],
    [
      'a salt',
      (g) => ({ data: 'x', salt: '', signature: armourOf('x', g) }),
      400,
      'invalid-request',
      /^salt: expected none with a signature/,
    ],
    ['empty data', (g) => ({ data: '', signature: armourOf('', g) }), 400, 'bad-txn-data-empty', /empty/],
  ])('are refused with %s, and nothing is stored', async (_name, bodyOf, status, code, detail) => {
    rest = await startRestApp();
    const { json } = await rest.post('/blocks', bodyOf(genesis()));
    expect(json).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
    expect(rest.node.mempool.size).toBe(0);
  });
});
