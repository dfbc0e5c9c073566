import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { mempoolPageSchema, transactionStatusSchema } from './mempool-schemas.js';
import { TransactionQueries } from './transaction-queries.js';

let clock: VirtualClock;
let node: TestChain;
let queries: TransactionQueries;

beforeEach(() => {
  clock = new VirtualClock();
  node = openChain({ clock });
  queries = new TransactionQueries(node);
});

afterEach(() => node.close());

async function post(data: string) {
  const posted = node.mempool.submit(data);
  await clock.advance(0);
  return posted;
}

describe('status', () => {
  it('goes from pending to confirmed, and back when a reorganisation takes the block away', async () => {
    const { genesis } = node.chain;
    const transaction = await post('Hello');
    const { id } = transaction;
    const pending = queries.status(id)!;
    expect(pending).toMatchObject({ id, data: 'Hello', status: 'pending', block: null, confirmations: 0 });

    const block = mineOn(genesis, [transaction]);
    accept(node.chain, block);
    accept(node.chain, mineOn(node.chain.tip));
    const confirmed = queries.status(id)!;
    const place = { index: 1, hash: block.hash };
    expect(confirmed).toEqual({ ...pending, status: 'confirmed', block: place, confirmations: 2 });
    for (const status of [pending, confirmed]) expect(transactionStatusSchema.parse(status)).toEqual(status);

    acceptBatch(node.chain, mineChain(genesis, 3).blocks);
    expect(queries.status(id)).toEqual(pending);
  });

  it('is that of the active chain for an entry in two branches', () => {
    const { genesis } = node.chain;
    const first = mineOn(genesis, ['twice']);
    const entry = first.transactions[1]!;
    const rival = mineOn(genesis, [entry]);
    acceptBatch(node.chain, [first, rival]);
    expect(queries.status(entry.id)!.block).toEqual({ index: 1, hash: first.hash });
    accept(node.chain, mineOn(nodeOf(rival, genesis)));
    expect(queries.status(entry.id)).toMatchObject({ block: { index: 1, hash: rival.hash }, confirmations: 2 });
  });

  it('is undefined for coinbases, which are found in their blocks, and for what is nowhere', () => {
    const block = mineOn(node.chain.genesis);
    accept(node.chain, block);
    expect(queries.status(block.transactions[0]!.id)).toBeUndefined();
    expect(queries.status('f'.repeat(64))).toBeUndefined();
  });
});

describe('mempoolPage', () => {
  it('gives totals and a part of the entries in order of arrival', async () => {
    for (const data of ['a', 'b', 'c', 'd']) await post(data);
    const lazy = queries.mempoolPage({ offset: 1, limit: 2 });
    const page = { ...lazy, entries: [...lazy.entries] };
    expect(page).toMatchObject({ transactions: 4, bytes: node.mempool.bytes, offset: 1 });
    expect(page.entries.map(({ data }) => data)).toEqual(['b', 'c']);
    expect(mempoolPageSchema.parse(page)).toEqual(page);
    expect([...queries.mempoolPage({ offset: 9, limit: 2 }).entries]).toEqual([]);
  });
});
