import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';
import { armourOf } from '../../test/support/signing.js';
import { SeededRandom } from '../../test/support/seeded-random.js';

// What follows shares no code with the node: it knows src/consensus/README.md and the JSON of REST alone.

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const shown = (bytes: Uint8Array): string =>
  Buffer.from(sha256(sha256(bytes)))
    .reverse()
    .toString('hex');

function compactSize(length: number): Buffer {
  if (length < 0xfd) return Buffer.of(length);
  const bytes = Buffer.alloc(3, 0xfd);
  bytes.writeUInt16LE(length, 1);
  return bytes;
}

function u(bits: 32 | 64, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(bits / 8);
  if (bits === 32) bytes.writeUInt32LE(Number(value));
  else bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

interface ShownTransaction {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
  readonly timestamp: string;
  readonly salt: string;
  readonly publicKey: string;
  readonly signatureHex: string;
  readonly height: number;
  readonly extraNonce: string;
  readonly miner: string;
}

function bytesOf(shownTransaction: ShownTransaction): Buffer {
  const { kind, data, timestamp, salt, publicKey, signatureHex, height, extraNonce, miner } = shownTransaction;
  if (kind === 'coinbase') {
    const padded = Buffer.alloc(64);
    padded.write(miner);
    return Buffer.concat([Buffer.of(0), u(32, height), u(64, BigInt(extraNonce)), padded]);
  }
  if (kind === 'signed') {
    const key = Buffer.from(publicKey.split(' ')[1]!, 'base64').subarray(-32);
    const dataBytes = Buffer.from(data, 'utf8');
    const head = [Buffer.of(2), key, Buffer.from(signatureHex, 'hex')];
    return Buffer.concat([...head, compactSize(dataBytes.length), dataBytes]);
  }
  const [saltBytes, dataBytes] = [Buffer.from(salt, 'hex'), Buffer.from(data, 'utf8')];
  const head = [Buffer.of(1), u(64, Date.parse(timestamp)), compactSize(saltBytes.length), saltBytes];
  return Buffer.concat([...head, compactSize(dataBytes.length), dataBytes]);
}

function merkleRoot(ids: readonly string[]): string {
  let row: Uint8Array[] = ids.map((id) => Buffer.from(id, 'hex').reverse());
  while (row.length > 1) {
    const pairs = Array.from({ length: Math.ceil(row.length / 2) }, (_, i) => [
      row[2 * i]!,
      row[2 * i + 1] ?? row[2 * i]!,
    ]);
    row = pairs.map((pair) => sha256(sha256(Buffer.concat(pair))));
  }
  return Buffer.from(row[0]!).toString('hex');
}

const STRINGS = [
  'x',
  '\u0000',
  '\ufeffmarked',
  'e\u0301 and é',
  '👩‍👩‍👧‍👦 🜂 \u{10ffff}',
  '\u202e right to left',
  '"\\/\b\f\n\r\t\u007f\u2028\u2029',
  '\uffff\ufffd',
  '€'.repeat(5_461),
  'y'.repeat(252),
  'y'.repeat(253),
  'z'.repeat(16_384),
];
const SALT_LENGTHS = [0, 1, 16, 17, 32, undefined];
const ENTRIES = 200;

let rest: RestApp;
let seed: number;
let posted: { readonly id: string; readonly data: string }[];

beforeAll(async () => {
  rest = await startRestApp();
  seed = Math.floor(Math.random() * 2 ** 32);
  const random = new SeededRandom(seed);
  posted = [];
  for (let count = 0; count < ENTRIES; count++) {
    const data = STRINGS[random.below(STRINGS.length)]!.slice(0, 1 + random.below(16_384)).toWellFormed();
    const saltLength = SALT_LENGTHS[random.below(SALT_LENGTHS.length)];
    const salt = saltLength === undefined ? undefined : Buffer.from(random.bytes(saltLength)).toString('hex');
    const timestamp = random.below(2) === 0 ? undefined : random.below(2 ** 47);
    const { status, json } = await rest.post('/blocks', { data, salt, timestamp });
    // Only what would be 64 bytes long is refused; another string takes its place.
    if (json.code === 'bad-txn-64-bytes') count -= 1;
    else {
      if (status !== 202) throw new Error(`seed ${seed}: ${JSON.stringify(json)}`);
      posted.push({ id: json.id, data });
    }
  }
  for (const data of STRINGS) {
    const { status, json } = await rest.post('/blocks', {
      data,
      signature: armourOf(data, rest.node.chain.genesis.hash),
    });
    if (status !== 202) throw new Error(JSON.stringify(json));
    posted.push({ id: json.id, data });
  }
  await rest.post('/mine', { blocks: 3 });
});

afterAll(() => rest.close());

describe('what REST shows', () => {
  it('is enough to recompute the id of every transaction', async () => {
    const { json } = await rest.get('/chain?from=0&limit=1000');
    const all: ShownTransaction[] = json.blocks.flatMap((block: Answer['json']) => block.transactions);
    expect(all).toHaveLength(4 + new Set(posted.map(({ id }) => id)).size);
    for (const transaction of all) expect([seed, shown(bytesOf(transaction))]).toEqual([seed, transaction.id]);
    for (const { id, data } of [...posted.slice(0, 20), ...posted.slice(-STRINGS.length)]) {
      const found = (await rest.get(`/transactions/${id}`)).json;
      expect([seed, found.data, shown(bytesOf(found))]).toEqual([seed, data, id]);
    }
  });

  it('is enough to recompute every Merkle root, and every hash', async () => {
    const { json } = await rest.get('/headers?from=0');
    expect(json).toMatchObject({ length: 4, from: 0 });
    for (const [index, hex] of (json.headers as string[]).entries()) {
      const header = Buffer.from(hex, 'hex');
      const block = (await rest.get(`/blocks/${index}`)).json;
      expect(shown(header)).toBe(block.hash);
      expect(header.subarray(36, 68).toString('hex')).toBe(
        merkleRoot(block.transactions.map(({ id }: ShownTransaction) => id)),
      );
      if (index > 0) expect(shown(Buffer.from(json.headers[index - 1], 'hex'))).toBe(block.previousHash);
    }
    expect(shown(Buffer.from(json.headers.at(-1), 'hex'))).toBe(json.tip);
  });

  it('holds of entries that wait, too', async () => {
    await rest.post('/blocks', { data: 'waits' });
    const [entry] = (await rest.get('/mempool')).json.entries;
    expect(shown(bytesOf(entry))).toBe(entry.id);
  });
});

describe('GET /network', () => {
  it.each([
    [{}],
    [
      {
        MINICHAIN_NETWORK_NAME: 'class-7b',
        MINICHAIN_BLOCKCHAIN_DIFFICULTY: '3',
        MINICHAIN_BLOCKCHAIN_RETARGET_INTERVAL: '20',
        MINICHAIN_BLOCKCHAIN_TARGET_SPACING_SECONDS: '7',
        MINICHAIN_BLOCKCHAIN_MAX_BLOCK_BYTES: '40000',
      },
    ],
  ])('is enough to derive the genesis: %j', async (settings) => {
    const other = await startRestApp(settings);
    const { json } = await other.get('/network');
    const limitBits = Number.parseInt(json.limitBits, 16);
    const rules = JSON.stringify([
      json.ruleSet,
      json.network,
      limitBits,
      json.retargetInterval,
      json.targetSpacingSeconds,
      json.medianTimeSpan,
      json.maxFutureSeconds,
      json.maxBlockBytes,
    ]);
    const miner = Buffer.alloc(64);
    miner.write(json.network);
    const coinbase = Buffer.concat([Buffer.of(0), u(32, 0), sha256(Buffer.from(rules)).subarray(0, 8), miner]);
    const header = Buffer.concat([
      u(32, json.blockVersion),
      Buffer.alloc(32),
      sha256(sha256(coinbase)),
      u(32, json.genesisTime),
      u(32, limitBits),
      u(32, 0),
    ]);
    expect(shown(header)).toBe(json.genesis);
    expect((await other.get('/blocks/0')).json.hash).toBe(json.genesis);
    expect((await other.get('/headers?limit=1')).json.headers).toEqual([header.toString('hex')]);
    expect((await other.get('/blocks/0?format=hex')).text).toBe(
      Buffer.concat([header, Buffer.of(1), coinbase]).toString('hex'),
    );
    await other.close();
  });
});

describe('raw forms', () => {
  const binary = async (path: string): Promise<{ type: string | null; bytes: Buffer }> => {
    const response = await fetch(`http://127.0.0.1:${rest.port}${path}`);
    expect([path, response.status]).toEqual([path, 200]);
    return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
  };

  it('are the bytes that are hashed', async () => {
    const { json } = await rest.get('/blocks/1');
    const raw = await binary('/blocks/1?format=raw');
    expect(raw.type).toBe('application/octet-stream');
    expect(raw.bytes).toHaveLength(json.size);
    expect(shown(raw.bytes.subarray(0, 80))).toBe(json.hash);
    const hex = await rest.get(`/blocks/${json.hash}?format=hex`);
    expect(hex.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(hex.text).toBe(raw.bytes.toString('hex'));
    const { id } = posted[0]!;
    expect(shown((await binary(`/transactions/${id}?format=raw`)).bytes)).toBe(id);
    const pending = (await rest.post('/blocks', { data: 'not mined' })).json.id;
    expect(shown(Buffer.from((await rest.get(`/transactions/${pending}?format=hex`)).text, 'hex'))).toBe(pending);
  });

  it.each([
    ['/blocks/1', 'json, raw or hex'],
    ['/transactions/', 'json, raw, hex or sig'],
  ])('of %s are %s and no others', async (route, known) => {
    const path = route === '/transactions/' ? route + posted[0]!.id : route;
    expect((await rest.get(`${path}?format=json`)).json).toEqual((await rest.get(path)).json);
    const { status, json } = await rest.get(`${path}?format=xml`);
    expect([status, json.detail]).toEqual([400, `format: expected ${known}, got "xml"`]);
  });

  it('are not had of what is not there', async () => {
    expect((await rest.get('/blocks/77?format=raw')).json.code).toBe('block-not-found');
    expect((await rest.get(`/transactions/${'0'.repeat(64)}?format=hex`)).json.code).toBe('transaction-not-found');
  });
});

describe('GET /headers', () => {
  it('gives pages as GET /chain does, at most 2,000', async () => {
    const all = (await rest.get('/headers')).json.headers;
    expect((await rest.get('/headers?limit=1')).json).toMatchObject({ from: 3, headers: [all[3]] });
    expect((await rest.get('/headers?from=1&limit=2')).json).toMatchObject({ from: 1, headers: [all[1], all[2]] });
    expect((await rest.get('/headers?from=9')).json.headers).toEqual([]);
    expect((await rest.get('/headers?limit=2001')).status).toBe(400);
  });
});
