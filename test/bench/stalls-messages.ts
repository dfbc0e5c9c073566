import { hashToBytes } from '../../src/consensus/codec.js';
import type { DataTransaction } from '../../src/consensus/data-entry.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import { encodeTip } from '../../src/peers/wire.js';
import { mineChain } from '../support/chain-builders.js';
import { waitFor } from '../support/wait.js';
import {
  announce,
  announceLast,
  ask,
  connect,
  entriesOf,
  extend,
  fill,
  fullest,
  lab,
  largest,
  locator,
  request,
  smallest,
  status,
  storeAside,
  syncTo,
  WAIT_MS,
  type Scenario,
  type Served,
} from './stalls-lab.js';

const DEPTH = 12;
/** Entries of blocks that wait in the mempool, since they left the active chain. */
let returned: DataTransaction[][] | undefined;
/** How many others wait there. */
let othersWait: number | undefined;

const waiting = async (): Promise<number> => (await status()).mempool.transactions;

/**
 * A branch of full blocks takes the place of another one.
 * @param bring makes the node take the branch.
 * @param branch the entries of its blocks, by those of the present one.
 */
function reorganisation(
  name: string,
  bring: (chain: readonly Served[], end: BlockNode) => Promise<void>,
  branch: (ours: readonly DataTransaction[][]) => readonly (readonly DataTransaction[])[],
): Scenario {
  return {
    name,
    prepare: async () => {
      const fork = lab.tip;
      const shared = lab.blocks;
      // What the last one gave back is mined again here, so that the mempool does not grow from round to round.
      othersWait ??= await waiting();
      const base = othersWait;
      const entries = (returned ??= Array.from({ length: DEPTH }, fullest));
      const ours = mineChain(fork, DEPTH, (index) => entries[index]!);
      await syncTo([...shared, ...ours.blocks], ours.nodes.at(-1)!);
      const others = branch(entries);
      const theirs = mineChain(fork, others.length, (index) => others[index]!);
      const kept = new Set(others.flat().map(({ id }) => id));
      const missing = entries.flat().filter(({ id }) => !kept.has(id));
      const chain = [...shared, ...theirs.blocks];
      if (bring === announceLast) await storeAside(theirs.blocks.slice(0, -1), theirs.nodes);
      await waitFor('mined again', async () => (await waiting()) <= base, WAIT_MS);
      return async () => {
        await bring(chain, theirs.nodes.at(-1)!);
        await waitFor('settled', async () => (await waiting()) >= base + missing.length, WAIT_MS);
        if (missing.length === entries.flat().length) return;
        returned = undefined;
        othersWait = undefined;
      };
    },
  };
}

/** Messages of peers, with the largest content that is legal. */
export const messages: readonly Scenario[] = [
  {
    name: 'NewBlock of 10,000 transactions, the smallest',
    prepare: async () => {
      const block = extend(smallest());
      return () => announce(block);
    },
  },
  {
    name: 'NewBlock of 10,000 transactions and 1 MiB',
    prepare: async () => {
      const block = extend(fullest());
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
    name: 'a sync of 12 full blocks, each of 10,000 transactions and 1 MiB',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(lab.tip, 12, fullest);
      return () => syncTo([...lab.blocks, ...more], nodes.at(-1)!);
    },
  },
  {
    name: 'a sync of 4,000 small blocks, 2,000 headers a message',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(lab.tip, 4_000, () => entriesOf(3, 'y'.repeat(200)));
      return () => syncTo([...lab.blocks, ...more], nodes.at(-1)!);
    },
  },
  reorganisation('a reorganisation of 12 full blocks, by a sync', syncTo, (ours) => {
    const entries = ours.map(() => fullest());
    return [...entries, []];
  }),
  reorganisation('... by a NewBlock, the other branch being known', announceLast, (ours) => {
    const entries = ours.map(() => fullest());
    return [...entries, []];
  }),
  reorganisation('... with the same entries on both sides, in other blocks', syncTo, (ours) => {
    const all = ours.flat();
    // Neighbours in a block of the old branch stand in twelve different ones of the new one.
    const dealt = ours.map((_, start) => all.filter((_entry, index) => index % ours.length === start));
    // These are in the old branch alone, and come back last.
    dealt[0] = dealt[0]!.slice(1);
    return [...dealt, []];
  }),
  request('GetBlocks of 512 blocks', () =>
    ask(
      {
        $case: 'getBlocks',
        value: { hashes: lab.blocks.slice(-512).map(({ hash }) => hashToBytes(hash)), startIndex: 0, limit: 512 },
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
        lab.peer.session.notify({
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
  request('GetMempool, 50,000 ids', () => ask({ $case: 'getMempool', value: {} }, 'mempool')),
  {
    name: 'GetTransactions of 2,000',
    prepare: async () => {
      const { ids } = (await ask({ $case: 'getMempool', value: {} }, 'mempool')) as { ids: Buffer[] };
      return () => ask({ $case: 'getTransactions', value: { ids: ids.slice(-2_000) } }, 'transactions');
    },
  },
];

/** What makes the node close the session. */
export const hostile: readonly Scenario[] = [
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
      const raw = Buffer.concat([lab.blocks.at(-1)!.bytes, Buffer.alloc(8_000_000)]);
      const other = await connect();
      await other.session.request(
        { $case: 'newBlock', value: { block: { raw }, tip: encodeTip(lab.tip) } },
        'verdict',
        WAIT_MS,
      );
      other.session.close('done');
    },
  },
];
