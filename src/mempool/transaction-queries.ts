import { viewTransaction } from '../chain/block-view.js';
import type { TransactionView } from '../chain/chain-schemas.js';
import type { ChainService } from '../chain/chain.service.js';
import { encodeArmour, signatureNamespace } from '../consensus/ssh-signature.js';
import type { Hash } from '../consensus/codec.js';
import type { Transaction } from '../consensus/transaction.js';
import { textOfAuthorSearch, type AuthorSearch } from './author-search.js';
import type { MempoolPage, TransactionStatus } from './mempool-schemas.js';
import type { MempoolService } from './mempool.service.js';

export interface TransactionSources {
  readonly chain: Pick<
    ChainService,
    'genesis' | 'tip' | 'nodeAt' | 'getBlockBytes' | 'findTransaction' | 'hasTransactions'
  >;
  readonly mempool: Pick<MempoolService, 'size' | 'bytes' | 'find' | 'list'>;
}

/** A page whose entries are shown one by one, while the caller iterates: full ones are megabytes of text. */
export interface LazyMempoolPage extends Omit<MempoolPage, 'entries'> {
  /** Can be iterated once. */
  readonly entries: Iterable<TransactionView>;
}

export interface MempoolPageQuery {
  readonly offset: number;
  readonly limit: number;
  readonly author?: string | undefined;
}

/** What every API shows of transactions, mined or waiting. */
export class TransactionQueries {
  readonly #chain: TransactionSources['chain'];
  readonly #mempool: TransactionSources['mempool'];

  constructor({ chain, mempool }: TransactionSources) {
    this.#chain = chain;
    this.#mempool = mempool;
  }

  /** Hash of the network's genesis. */
  get genesis(): Hash {
    return this.#chain.genesis.hash;
  }

  /** The SSH signature of an entry, null for one that is not signed; undefined as for status(). */
  armour(id: Hash): string | null | undefined {
    const transaction = this.#find(id);
    if (transaction === undefined) return undefined;
    return transaction.kind === 'signed' ? encodeArmour(transaction, signatureNamespace(this.genesis)) : null;
  }

  /** The bytes that a transaction's id is the hash of; undefined as for status(). */
  bytes(id: Hash): Buffer | undefined {
    return this.#find(id)?.bytes;
  }

  /** Where a transaction stands; undefined if it is neither on the active chain nor in the mempool. */
  status(id: Hash): TransactionStatus | undefined {
    return this.#confirmed(id) ?? this.#pending(id);
  }

  /** Of entries that are on disk: 'confirmed' if all of them stand in the chain. */
  statusOf(ids: readonly Hash[]): TransactionStatus['status'] {
    return this.#chain.hasTransactions(ids).size === new Set(ids).size ? 'confirmed' : 'pending';
  }

  /**
   * Totals of the mempool, and at most `limit` of its entries in order of arrival, the first `offset` skipped.
   * @param page `author`: only entries that the key with this fingerprint signed.
   */
  mempoolPage({ offset, limit, author }: MempoolPageQuery): LazyMempoolPage {
    const { size: transactions, bytes } = this.#mempool;
    const entries = this.#mempool.list(offset, limit, author).values().map(viewTransaction);
    return { transactions, bytes, offset, entries };
  }

  /** The JSON of the entries that a key signed, in pieces. */
  textOfEntriesBy(search: AuthorSearch): Iterable<string> {
    return textOfAuthorSearch(this.#chain, search);
  }

  #find(id: Hash): Transaction | undefined {
    return this.#chain.findTransaction(id)?.transaction ?? this.#mempool.find(id);
  }

  #confirmed(id: Hash): TransactionStatus | undefined {
    const found = this.#chain.findTransaction(id);
    if (found === undefined) return undefined;
    const { transaction, node } = found;
    const { height, hash } = node;
    const confirmations = this.#chain.tip.height - height + 1;
    return { ...viewTransaction(transaction), status: 'confirmed', block: { index: height, hash }, confirmations };
  }

  #pending(id: Hash): TransactionStatus | undefined {
    const transaction = this.#mempool.find(id);
    return transaction && { ...viewTransaction(transaction), status: 'pending', block: null, confirmations: 0 };
  }
}
