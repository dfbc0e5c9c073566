import { workerData } from 'node:worker_threads';
import type { Block } from '../../src/consensus/block.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import { hashToBytes } from '../../src/consensus/codec.js';
import { createDataTransaction, type DataTransaction } from '../../src/consensus/data-entry.js';
import type { Entry } from '../../src/consensus/transaction.js';
import { createParams } from '../../src/consensus/params.js';
import { Verdict_Result } from '../../src/peers/generated/minichain/v1/peer.js';
import type { Body, BodyCase } from '../../src/peers/messages.js';
import type { HandlerTable } from '../../src/peers/session.js';
import { encodeTip } from '../../src/peers/wire.js';
import { genesisNode, mineOn, nodeOf } from '../support/chain-builders.js';
import { connectGrpcPeer, type GrpcPeer } from '../support/grpc-peer.js';
import { waitFor } from '../support/wait.js';

/** What the bench tells this thread: which node to send to. */
export interface ClientData {
  readonly httpPort: number;
  readonly p2pAddress: string;
  /** The node's database. */
  readonly databaseFile: string;
}

/** One thing that a client may do; `prepare` is not measured, what it returns is. */
export interface Scenario {
  readonly name: string;
  prepare(round: number): Promise<() => Promise<unknown>>;
}

export const { httpPort, p2pAddress, databaseFile } = workerData as ClientData;
export const params = createParams({ network: 'minichain', difficulty: 0 });
/** Entries of one block. */
export const MOST = 9_999;
export const WAIT_MS = 300_000;

let counter = 0;
let peers = 0;
/** A block without its decoded transactions: a hundred full ones would take a gigabyte. */
export type Served = Pick<Block, 'hash' | 'bytes'>;

/** The node's active chain, as far as this thread made it, and the session that most scenarios use. */
export const lab: { tip: BlockNode; blocks: readonly Served[]; peer: GrpcPeer } = {
  tip: genesisNode(params),
  blocks: [],
  peer: await connect(),
};

/** 12 bytes and up, by the length of its text; no two are equal. */
const entryOf = (text: string): DataTransaction => createDataTransaction(text, ++counter, () => Buffer.alloc(0));
export const entriesOf = (count: number, text = 'x'): DataTransaction[] =>
  Array.from({ length: count }, () => entryOf(text));
export const smallest = (): DataTransaction[] => entriesOf(MOST);
/** As many entries as a block may have, and 1 MiB of them. */
export const fullest = (): DataTransaction[] => entriesOf(MOST, 'x'.repeat(93));
export const largest = (): DataTransaction[] => entriesOf(63, '\u0001'.repeat(16_384));

export async function connect(handlers: HandlerTable = {}): Promise<GrpcPeer> {
  return connectGrpcPeer(p2pAddress, params, handlers, `client-${++peers}`);
}

export async function get(path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`);
  return response.text();
}

export async function post(path: string, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, { method: 'POST', body });
  return response.text();
}

export const status = async (): Promise<{ tip: string; height: number; mempool: { transactions: number } }> =>
  JSON.parse(await get('/status'));

export function extend(entries: readonly Entry[]): Block {
  const block = mineOn(lab.tip, entries);
  lab.tip = nodeOf(block, lab.tip);
  lab.blocks = [...lab.blocks, served(block)];
  return block;
}

export async function announce({ bytes }: Served, tip = lab.tip): Promise<void> {
  const value = { block: { raw: bytes }, tip: encodeTip(tip) };
  await revive();
  const verdict = await lab.peer.session.request({ $case: 'newBlock', value }, 'verdict', WAIT_MS);
  if (verdict.result !== Verdict_Result.RESULT_ACCEPTED) throw new Error(`${verdict.result}: ${verdict.detail}`);
}

/** The node gives up on a peer that builds blocks for too long to answer its pings. */
export async function revive(): Promise<void> {
  if (lab.peer.session.isClosed) lab.peer = await connect();
}

const served = ({ hash, bytes }: Served): Served => ({ hash, bytes });

/** Announces the blocks of a side branch but its last. */
export async function storeAside(branch: readonly Served[], nodes: readonly BlockNode[]): Promise<void> {
  for (const [index, block] of branch.entries()) await announce(block, nodes[index]);
}

/** Announces the last block of a chain whose others the node has. */
export async function announceLast(chain: readonly Served[], end: BlockNode): Promise<void> {
  await announce(chain.at(-1)!, end);
  lab.tip = end;
  lab.blocks = chain.map(served);
}

export const ask = (body: Body, answer: BodyCase): Promise<unknown> => lab.peer.session.request(body, answer, WAIT_MS);

/** Serves a chain to the node, which syncs to it. */
export async function syncTo(chain: readonly Served[], end: BlockNode): Promise<void> {
  const byHash = new Map(chain.map((block, index) => [block.hash, index]));
  const known = (raw: Uint8Array): number => byHash.get(Buffer.from(raw).reverse().toString('hex')) ?? -1;
  const handlers: HandlerTable = {
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
  };
  let source: GrpcPeer | undefined;
  await waitFor(
    'synced',
    async () => {
      // On a busy machine the node may lose patience with it.
      if (source === undefined || source.session.isClosed) {
        source = await connect(handlers);
        source.session.notify({ $case: 'ping', value: { tip: encodeTip(end) } });
      }
      return (await status()).tip === end.hash;
    },
    WAIT_MS,
  );
  source?.session.close('done');
  lab.tip = end;
  lab.blocks = chain.map(served);
}

/** Not measured by itself: makes entries wait in the node's mempool. */
export async function fill(entries: readonly Entry[]): Promise<void> {
  const { transactions: before } = (await status()).mempool;
  for (let start = 0; start < entries.length; start += 1_000) {
    const part = entries.slice(start, start + 1_000).map(({ bytes }) => ({ raw: bytes }));
    lab.peer.session.notify({ $case: 'newTransactions', value: { transactions: part } });
  }
  const end = before + entries.length;
  await waitFor('they wait', async () => (await status()).mempool.transactions >= end, WAIT_MS);
}

export const request = (name: string, run: () => Promise<unknown>): Scenario => ({ name, prepare: async () => run });
export const rest = (path: string): Scenario => request(`GET ${path}`, () => get(path));
export const posting = (name: string, body: () => string): Scenario => ({
  name: `POST /blocks: ${name}`,
  prepare: async () => {
    const text = body();
    return () => post('/blocks', text);
  },
});
export const locator = Array.from({ length: 101 }, (_, index) =>
  index === 100 ? hashToBytes(params.genesis.hash) : Buffer.alloc(32, index),
);
