import type { SignedTransaction } from '../../src/consensus/signed-entry.js';
import { mineChain } from '../support/chain-builders.js';
import { fingerprintOf } from '../../src/consensus/ssh-signature.js';
import { armourOf, signedEntry, testKey } from '../support/signing.js';
import { announce, extend, fill, get, lab, params, posting, request, syncTo, type Scenario } from './stalls-lab.js';

/** As many as fit into 1 MiB with a text of four characters. */
const MOST_SIGNED = 9_999;
/** As many as fit into 32 KiB, which is verified in one turn if nothing in it is expensive. */
const SMALL_BLOCK = 300;

const key = testKey('bench');
const { hash: genesis } = params.genesis;
let counter = 0;

const author = encodeURIComponent(fingerprintOf(key.publicKey));
const mempoolPath = `/mempool?limit=1000&author=${author}`;
const searchPath = `/transactions?limit=1000&author=${author}`;

/** Entries that no node has seen. */
function signedOf(count: number): SignedTransaction[] {
  return Array.from({ length: count }, () => signedEntry((++counter).toString(36).padStart(4, '0'), genesis, key));
}

/** Entries whose signatures are the most that a message can ask to be checked. */
export const signed: readonly Scenario[] = [
  {
    name: 'NewBlock of 10,000 signed entries never seen before',
    prepare: async () => {
      const block = extend(signedOf(MOST_SIGNED));
      return () => announce(block);
    },
  },
  {
    name: 'NewBlock of 10,000 signed entries that wait in the mempool',
    prepare: async () => {
      const entries = signedOf(MOST_SIGNED);
      await fill(entries);
      const block = extend(entries);
      return () => announce(block);
    },
  },
  {
    name: 'NewBlock of 32 KiB, 300 signed entries',
    prepare: async () => {
      const block = extend(signedOf(SMALL_BLOCK));
      return () => announce(block);
    },
  },
  {
    name: 'a sync of 4 full blocks of signed entries',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(lab.tip, 4, () => signedOf(MOST_SIGNED));
      return () => syncTo([...lab.blocks, ...more], nodes.at(-1)!);
    },
  },
  {
    name: 'a sync of 400 blocks of 50 signed entries',
    prepare: async () => {
      const { blocks: more, nodes } = mineChain(lab.tip, 400, () => signedOf(50));
      return () => syncTo([...lab.blocks, ...more], nodes.at(-1)!);
    },
  },
  {
    name: 'NewTransactions of 2,000 signed entries',
    prepare: async () => {
      const entries = signedOf(2_000);
      return () => fill(entries);
    },
  },
  posting('a signed entry of 16 KiB', () => {
    const data = 's'.repeat(16_000) + String(++counter);
    return JSON.stringify({ data, signature: armourOf(data, genesis, key) });
  }),
  request('GET /mempool?limit=1000&author=...', () => get(mempoolPath)),
  request('GET /transactions?author=... through full blocks', () => get(searchPath)),
  {
    name: 'GET /blocks/:id with 10,000 signed entries',
    prepare: async () => {
      const block = extend(signedOf(MOST_SIGNED));
      await announce(block);
      return () => get(`/blocks/${block.hash}`);
    },
  },
];
