import { parentPort, workerData } from 'node:worker_threads';
import type { Block } from '../../src/consensus/block.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import { hashToBytes } from '../../src/consensus/codec.js';
import { createDataTransaction, type DataTransaction } from '../../src/consensus/data-entry.js';
import { createParams } from '../../src/consensus/params.js';
import { Verdict_Result } from '../../src/peers/generated/minichain/v1/peer.js';
import type { Body, BodyCase } from '../../src/peers/messages.js';
import type { HandlerTable } from '../../src/peers/session.js';
import { encodeTip } from '../../src/peers/wire.js';
import { genesisNode, mineChain, mineOn, nodeOf } from '../support/chain-builders.js';
import { connectGrpcPeer, type GrpcPeer } from '../support/grpc-peer.js';
import { waitFor } from '../support/wait.js';

/** What the bench tells this thread: which node to send to. */
export interface ClientData {
  readonly httpPort: number;
  readonly p2pAddress: string;
}

/** One thing that a client may do; `prepare` is not measured, what it returns is. */
interface Scenario {
  readonly name: string;
  prepare(round: number): Promise<() => Promise<unknown>>;
}

const { httpPort, p2pAddress } = workerData as ClientData;
const params = createParams({ network: 'minichain', difficulty: 0 });
const SMALLEST = 9_999;
const WAIT_MS = 120_000;

let counter = 0;
let peers = 0;
/** The active chain of the node, as far as this thread made it. */
let tip: BlockNode = genesisNode(params);
let blocks: Block[] = [];
let peer: GrpcPeer;

/** 12 bytes and up, by the length of its text; no two are equal. */
const entryOf = (text: string): DataTransaction => createDataTransaction(text, ++counter, () => Buffer.alloc(0));
const entriesOf = (count: number, text = 'x'): DataTransaction[] => Array.from({ length: count }, () => entryOf(text));
const smallest = (): DataTransaction[] => entriesOf(SMALLEST);
const largest = (): DataTransaction[] => entriesOf(63, '\u0001'.repeat(16_384));

async function connect(handlers: HandlerTable = {}): Promise<GrpcPeer> {
  return connectGrpcPeer(p2pAddress, params, handlers, `client-${++peers}`);
}

async function get(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`);
  return response.text();
}

async function post(path: string, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, { method: 'POST', body });
  return response.text();
}

const status = async (): Promise<{ tip: string; height: number; mempool: { transactions: number } }> =>
  JSON.parse(await get('/status'));

function extend(entries: readonly DataTransaction[]): Block {
  const block = mineOn(tip, entries);
  tip = nodeOf(block, tip);
  blocks.push(block);
  return block;
}

async function announce(block: Block): Promise<void> {
  const value = { block: { raw: block.bytes }, tip: encodeTip(tip) };
  const verdict = await peer.session.request({ $case: 'newBlock', value }, 'verdict', WAIT_MS);
  if (verdict.result !== Verdict_Result.RESULT_ACCEPTED) throw new Error(`${verdict.code}: ${verdict.detail}`);
}

const ask = (body: Body, answer: BodyCase): Promise<unknown> => peer.session.request(body, answer, WAIT_MS);

/** Serves a chain to the node, which syncs to it. */
async function syncTo(chain: readonly Block[], end: BlockNode): Promise<void> {
  const byHash = new Map(chain.map((block, index) => [block.hash, index]));
  const known = (raw: Uint8Array): number => byHash.get(Buffer.from(raw).reverse().toString('hex')) ?? -1;
  const source = await connect({
    getHeaders: ({ locator }) => {
      const start = Math.max(-1, ...locator.map(known)) + 1;
      const headers = chain.slice(start, start + 2_000).map(({ bytes }) => ({ raw: bytes.subarray(0, 80) }));
      return { $case: 'headers', value: { headers } };
    },
    getBlocks: ({ hashes }) => {
      const sent: { raw: Buffer }[] = [];
      let bytes = 0;
      for (const hash of hashes) {
        const block = chain[known(hash)]!;
        bytes += block.bytes.length;
        if (sent.length > 0 && bytes > 7_900_000) break;
        sent.push({ raw: block.bytes });
      }
      return { $case: 'blocks', value: { blocks: sent } };
    },
    ping: () => ({ $case: 'pong', value: { tip: encodeTip(end) } }),
  });
  source.session.notify({ $case: 'ping', value: { tip: encodeTip(end) } });
  await waitFor('synced', async () => (await status()).tip === end.hash, WAIT_MS);
  source.session.close('done');
  tip = end;
  blocks = [...chain];
}

/** Not measured by itself: makes entries wait in the node's mempool. */
async function fill(entries: readonly DataTransaction[]): Promise<void> {
  const { transactions: before } = (await status()).mempool;
  for (let start = 0; start < entries.length; start += 1_000) {
    const part = entries.slice(start, start + 1_000).map(({ bytes }) => ({ raw: bytes }));
    peer.session.notify({ $case: 'newTransactions', value: { transactions: part } });
  }
  const end = before + entries.length;
  await waitFor('they wait', async () => (await status()).mempool.transactions >= end, WAIT_MS);
}

const request = (name: string, run: () => Promise<unknown>): Scenario => ({ name, prepare: async () => run });
const rest = (path: string): Scenario => request(`GET ${path}`, () => get(path));
const posting = (name: string, body: () => string): Scenario => ({
  name: `POST /blocks: ${name}`,
  prepare: async () => {
    const text = body();
    return () => post('/blocks', text);
  },
});
const locator = Array.from({ length: 101 }, (_, index) =>
  index === 100 ? hashToBytes(params.genesis.hash) : Buffer.alloc(32, index),
);

const scenarios: Scenario[] = [
  {
    name: 'NewBlock of 10,000 transactions, the smallest',
    prepare: async () => {
      const block = extend(smallest());
      return () => announce(block);
    },
  },
  {
    name: 'NewBlock of 1 MiB, entries of 16 KiB',
    prepare: async () => {
      const block = extend(largest());
      return () => announce(block);
    },
  },
  {
    name: 'a sync of 12 blocks of 10,000 transactions',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(tip, 12, smallest);
      return () => syncTo([...blocks, ...more], nodes.at(-1)!);
    },
  },
  {
    name: 'a sync of 4,000 small blocks, 2,000 headers a message',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(tip, 4_000, () => entriesOf(3, 'y'.repeat(200)));
      return () => syncTo([...blocks, ...more], nodes.at(-1)!);
    },
  },
  {
    name: 'a reorganisation of 6 blocks of 10,000 transactions',
    prepare: async () => {
      const fork = tip;
      const shared = [...blocks];
      const ours = mineChain(fork, 6, smallest);
      await syncTo([...shared, ...ours.blocks], ours.nodes.at(-1)!);
      const theirs = mineChain(fork, 7, smallest);
      return async () => {
        await syncTo([...shared, ...theirs.blocks], theirs.nodes.at(-1)!);
        await waitFor('settled', async () => (await status()).mempool.transactions >= 6 * SMALLEST, WAIT_MS);
      };
    },
  },
  request('GetBlocks of 512 blocks', () =>
    ask(
      {
        $case: 'getBlocks',
        value: { hashes: blocks.slice(-512).map(({ hash }) => hashToBytes(hash)), startIndex: 0, limit: 512 },
      },
      'blocks',
    ),
  ),
  request('GetBlocks of 512 blocks, the largest first', () =>
    ask({ $case: 'getBlocks', value: { hashes: [], startIndex: 1, limit: 512 } }, 'blocks'),
  ),
  request('GetHeaders, a locator of 101', () =>
    ask({ $case: 'getHeaders', value: { locator, stopHash: Buffer.alloc(0) } }, 'headers'),
  ),
  {
    name: 'NewTransactions of 2,000 smallest entries',
    prepare: async () => {
      const entries = entriesOf(2_000);
      return () => fill(entries);
    },
  },
  {
    name: 'NewTransactions of 2 MiB, 1 KiB each',
    prepare: async () => {
      const entries = entriesOf(2_000, 'z'.repeat(1_000));
      const { transactions: before } = (await status()).mempool;
      return async () => {
        peer.session.notify({
          $case: 'newTransactions',
          value: { transactions: entries.map(({ bytes }) => ({ raw: bytes })) },
        });
        await waitFor('taken', async () => (await status()).mempool.transactions >= before + 2_000, WAIT_MS);
      };
    },
  },
  {
    name: 'a Mempool answer of 50,000 ids, and its entries',
    prepare: async () => {
      const entries = entriesOf(50_000);
      const byId = new Map(entries.map((entry) => [entry.id, entry]));
      const { transactions: before } = (await status()).mempool;
      return async () => {
        const ids = entries.map(({ id }) => hashToBytes(id));
        const other = await connect({
          getMempool: () => ({ $case: 'mempool', value: { ids } }),
          getTransactions: ({ ids: wanted }) => ({
            $case: 'transactions',
            value: {
              transactions: wanted.map((id) => ({ raw: byId.get(Buffer.from(id).reverse().toString('hex'))!.bytes })),
            },
          }),
        });
        await waitFor('fetched', async () => (await status()).mempool.transactions >= before + 50_000, WAIT_MS);
        other.session.close('done');
      };
    },
  },
  {
    name: 'NewTransactions of 2,000 entries that the chain holds, a block each',
    prepare: async (round) => {
      const entries = blocks
        .filter(({ transactions }) => transactions.length > 1_000)
        .flatMap(({ transactions }, index) => transactions.slice(1 + round * 200 + index, 201 + round * 200 + index));
      const mixed = entries.map((_, index) => entries[(index * 200 + Math.floor(index / 20)) % entries.length]!);
      return async () => {
        const transactions = mixed.slice(0, 2_000).map(({ bytes }) => ({ raw: bytes }));
        peer.session.notify({ $case: 'newTransactions', value: { transactions } });
        await ask({ $case: 'getChainLength', value: {} }, 'chainLength');
      };
    },
  },
  {
    name: 'a Mempool answer of 50,000 ids that the chain holds',
    prepare: async () => {
      const ids = blocks.flatMap(({ transactions }) => transactions.slice(1).map(({ id }) => hashToBytes(id)));
      return async () => {
        const asked = Promise.withResolvers<void>();
        const other = await connect({
          getMempool: () => {
            asked.resolve();
            return { $case: 'mempool', value: { ids: ids.slice(0, 50_000) } };
          },
        });
        await asked.promise;
        await ask({ $case: 'getChainLength', value: {} }, 'chainLength');
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        other.session.close('done');
      };
    },
  },
  request('GetMempool, 50,000 ids', () => ask({ $case: 'getMempool', value: {} }, 'mempool')),
  {
    name: 'GetTransactions of 2,000',
    prepare: async () => {
      const { ids } = (await ask({ $case: 'getMempool', value: {} }, 'mempool')) as { ids: Buffer[] };
      return () => ask({ $case: 'getTransactions', value: { ids: ids.slice(-2_000) } }, 'transactions');
    },
  },
  rest('/chain?from=0&limit=1000'),
  rest('/blocks/1'),
  rest('/blocks/1?format=hex'),
  rest('/headers?from=0&limit=2000'),
  {
    name: 'GET /transactions/:id in a full block',
    prepare: async (round) => {
      const { id } = blocks[0]!.transactions[5_000 + round]!;
      return () => get(`/transactions/${id}`);
    },
  },
  {
    name: 'GET /mempool?limit=1000 of 16 KiB entries',
    prepare: async (round) => {
      if (round === 0) for (let count = 0; count < 16; count++) await fill(largest());
      const { transactions } = (await status()).mempool;
      return () => get(`/mempool?offset=${transactions - 1_000}&limit=1000`);
    },
  },
  rest('/status'),
  rest('/metrics'),
  rest('/peers'),
  rest('/sync'),
  rest('/network'),
  rest('/health/ready'),
  rest('/docs-json'),
  rest('/docs'),
  posting('1,000 entries, 1 MiB', () =>
    JSON.stringify({ data: Array.from({ length: 1_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`) }),
  ),
  posting('1,000 entries, the smallest', () => JSON.stringify({ data: Array.from({ length: 1_000 }, () => 'x') })),
  posting('a list of 500,000 numbers', () => `{"data":[${'1,'.repeat(500_000)}1]}`),
  posting('brackets, 1 MiB of them', () => '['.repeat(1_000_000)),
  posting('100,000 unknown keys', () => `{${Array.from({ length: 90_000 }, (_, index) => `"k${index}":0`).join(',')}}`),
  request('POST /mine, 10,000 transactions', () => post('/mine', '{"blocks":1}')),
  // Last, for the node closes the sessions of a peer that does such things.
  {
    name: 'a Goodbye of 8 MiB',
    prepare: async () => async () => {
      const value = { reason: 'x'.repeat(8_000_000) };
      const other = await connect();
      other.session.notify({ $case: 'goodbye', value });
      await status();
    },
  },
  {
    name: 'NewBlock of 8 MiB',
    prepare: async () => async () => {
      const raw = Buffer.concat([blocks.at(-1)!.bytes, Buffer.alloc(8_000_000)]);
      const other = await connect();
      await other.session.request(
        { $case: 'newBlock', value: { block: { raw }, tip: encodeTip(tip) } },
        'verdict',
        WAIT_MS,
      );
      other.session.close('done');
    },
  },
];

parentPort!.on('message', ({ prepare: index, round }: { prepare?: number; round: number }) => void step(index, round));

let run: () => Promise<unknown> = async () => {};

async function step(index: number | undefined, round: number): Promise<void> {
  try {
    if (index === undefined) await run();
    else {
      // The node gives up on a peer that builds blocks for too long to answer its pings.
      if (peer.session.isClosed) peer = await connect();
      run = await scenarios[index]!.prepare(round);
    }
    tell({ done: true });
  } catch (error) {
    tell({ error: String(error) });
  }
}

function tell(message: object): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort!.postMessage(message);
}

peer = await connect();
tell({ names: scenarios.map(({ name }) => name) });
