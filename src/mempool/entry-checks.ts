import type { ChainService } from '../chain/chain.service.js';
import { TURN_SIGNATURES } from '../chain/signature-memory.js';
import type { Hash } from '../consensus/codec.js';
import { RuleError, type RuleCode } from '../consensus/rule-error.js';
import {
  checkSignature,
  checkTransaction,
  hasSignature,
  isEntry,
  type Entry,
  type Transaction,
} from '../consensus/transaction.js';
import type { MempoolMetrics } from './mempool.metrics.js';

/** What became of transactions of a peer that are to be taken in. */
export interface SortedTransactions {
  readonly valid: readonly Entry[];
  /** Not looked at, because there is no room for them. */
  readonly unwanted: ReadonlySet<Hash>;
  readonly broken: ReadonlyMap<Hash, RuleCode>;
}

/** Entries of a peer that are checked, and taken in by one commit, in one turn of the event loop. */
const TURN_ENTRIES = 500;

/** Where the part of the list ends that begins at `start` and that one turn may check. */
export function sliceEnd(transactions: readonly Transaction[], start: number): number {
  const most = Math.min(start + TURN_ENTRIES, transactions.length);
  let signatures = 0;
  for (let end = start; end < most; end++) {
    if (hasSignature(transactions[end]!) && ++signatures > TURN_SIGNATURES) return end;
  }
  return most;
}

export interface EntryChecksInit {
  readonly chain: Pick<ChainService, 'params' | 'signatures'>;
  readonly metrics: Pick<MempoolMetrics, 'refused'>;
  /** Has the mempool room for an entry of a peer, as it is now? */
  readonly hasRoom: (entry: Entry) => boolean;
}

/** Checks all that an entry by itself can break, before it may wait; each signature once. */
export class EntryChecks {
  readonly #given: EntryChecksInit;

  constructor(given: EntryChecksInit) {
    this.#given = given;
  }

  /** Makes an entry and checks it; what is refused is counted. @throws RuleError, as `create` too. */
  checked<T extends Entry>(create: () => T): T {
    try {
      const entry = create();
      this.#check(entry);
      return entry;
    } catch (error) {
      if (error instanceof RuleError) this.#given.metrics.refused.inc({ reason: error.code });
      throw error;
    }
  }

  /** Checks what a peer sent, all of it in this turn of the event loop: no more than sliceEnd says. */
  sort(transactions: readonly Transaction[]): SortedTransactions {
    const { hasRoom, metrics } = this.#given;
    const valid: Entry[] = [];
    const unwanted = new Set<Hash>();
    const broken = new Map<Hash, RuleCode>();
    for (const transaction of transactions) {
      // A signature costs more than all else, so none is checked in vain.
      if (hasSignature(transaction) && isEntry(transaction) && !hasRoom(transaction)) {
        unwanted.add(transaction.id);
        metrics.refused.inc({ reason: 'full-for-gossip' });
        continue;
      }
      const code = this.#ruleBrokenBy(transaction);
      if (code === undefined) valid.push(transaction as Entry);
      else {
        broken.set(transaction.id, code);
        metrics.refused.inc({ reason: code });
      }
    }
    return { valid, unwanted, broken };
  }

  /** Which rule a transaction breaks that travels by itself, outside a block. */
  #ruleBrokenBy(transaction: Transaction): RuleCode | undefined {
    if (!isEntry(transaction)) return 'bad-txn-kind';
    try {
      this.#check(transaction);
      return undefined;
    } catch (error) {
      if (error instanceof RuleError) return error.code;
      throw error;
    }
  }

  #check(entry: Entry): void {
    checkTransaction(entry);
    const { params, signatures } = this.#given.chain;
    if (!signatures.has(entry.id)) checkSignature(entry, params.genesis.hash);
  }
}
