import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { hashToBytes } from '../../src/consensus/codec.js';
import { encodeDataTransaction, type DataTransaction } from '../../src/consensus/data-entry.js';
import { LOG_LIMIT_BYTES } from '../../src/storage/database.js';
import { waitFor } from '../support/wait.js';
import {
  announce,
  ask,
  connect,
  databaseFile,
  extend,
  get,
  lab,
  largest,
  post,
  WAIT_MS,
  type Scenario,
} from './stalls-lab.js';

const LOG_BLOCKS = 61;
/** Small ones, beside 62 of 16 KiB. */
const ENTRIES = 250;
/** The same for all, so that one request can post them again. */
const TIMESTAMP_MS = 1_780_000_000_000;
const SALT = Buffer.alloc(8, 1);

/** The node says nothing when it has looked all of them up, so this long is given to it. */
const READ_MS = 8_000;

interface Confirmed {
  readonly data: string;
  readonly entry: DataTransaction;
}

let counter = 0;
/** The small entries of each block of 1 MiB. */
const confirmed: Confirmed[][] = [];

function confirmable(): Confirmed {
  const data = `again ${++counter}`;
  return { data, entry: encodeDataTransaction(data, TIMESTAMP_MS, SALT) };
}

let taken = 0;
/** Entries of the chain, none asked for before, each in another block than its neighbours. */
function take(count: number): Confirmed[] {
  return Array.from({ length: count }, () => {
    const at = taken++;
    return confirmed[at % confirmed.length]![Math.floor(at / confirmed.length)]!;
  });
}

/** What concerns many blocks of 1 MiB at once, and the log that they leave behind. */
export const crowded: readonly Scenario[] = [
  {
    name: 'cutting a log (-wal) of 60 MiB, while entries are posted',
    prepare: async () => {
      const reader = new Sqlite(databaseFile, { readonly: true });
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM chain_tip').get();
      for (let count = 0; count < LOG_BLOCKS; count++) {
        const small = Array.from({ length: ENTRIES }, confirmable);
        confirmed.push(small);
        await announce(extend([...small.map(({ entry }) => entry), ...largest().slice(1)]));
      }
      return async () => {
        reader.close();
        await waitFor(
          'cut',
          async () => {
            await post('/blocks', '{"data":"meanwhile"}');
            return statSync(`${databaseFile}-wal`).size <= LOG_LIMIT_BYTES;
          },
          WAIT_MS,
        );
      };
    },
  },
  {
    name: 'NewTransactions of 2,000 confirmed entries, each in another block of 1 MiB',
    prepare: async () => {
      const transactions = take(2_000).map(({ entry }) => ({ raw: entry.bytes }));
      return async () => {
        lab.peer.session.notify({ $case: 'newTransactions', value: { transactions } });
        await ask({ $case: 'getChainLength', value: {} }, 'chainLength');
        await new Promise((resolve) => setTimeout(resolve, READ_MS));
      };
    },
  },
  {
    name: 'POST /blocks: 1,000 confirmed entries again, each in another block of 1 MiB',
    prepare: async () => {
      const data = take(1_000).map((each) => each.data);
      const body = JSON.stringify({ data, timestamp: TIMESTAMP_MS, salt: SALT.toString('hex') });
      return () => post('/blocks', body);
    },
  },
  {
    name: '100 times GET /transactions/:id, each in another block of 1 MiB',
    prepare: async () => {
      const entries = take(100);
      return async () => {
        for (const { entry } of entries) await get(`/transactions/${entry.id}`);
      };
    },
  },
  {
    name: 'a Mempool answer of 10,000 confirmed ids, each in another block of 1 MiB',
    prepare: async () => {
      const ids = take(10_000).map(({ entry }) => hashToBytes(entry.id));
      return async () => {
        const asked = Promise.withResolvers<void>();
        const other = await connect({
          getMempool: () => {
            asked.resolve();
            return { $case: 'mempool', value: { ids } };
          },
        });
        await asked.promise;
        await new Promise((resolve) => setTimeout(resolve, READ_MS));
        other.session.close('done');
      };
    },
  },
];
