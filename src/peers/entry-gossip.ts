import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import type { Turns } from '../common/turns.js';
import { hashToBytes, type Hash } from '../consensus/codec.js';
import { RuleError } from '../consensus/rule-error.js';
import type { Entry, Transaction } from '../consensus/transaction.js';
import type { MempoolEventMap, MempoolService } from '../mempool/mempool.service.js';
import { WireError, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { LIMITS, checkCount, decodeHashes, decodeTransactions, encodeHashes, inBatches } from './wire.js';

/** Transactions wait this long and travel together; what is mined meanwhile does not travel at all. */
const TRANSACTION_BATCH_MS = 20;
const ANSWER_MS = 10_000;
/** Entries that one turn of the event loop decodes, or looks up. */
const SLICE_ENTRIES = 100;
/** Ids that one turn encodes. */
const SLICE_IDS = 5_000;

export interface EntryGossipInit {
  readonly chain: ChainService;
  readonly mempool: MempoolService;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly peers: () => Iterable<Peer>;
}

/** Tells peers of new entries, takes theirs, and exchanges what both have pending. Each entry goes once to each peer. */
export class EntryGossip {
  readonly #given: EntryGossipInit;
  readonly #waiting = new Map<string, Entry>();
  #batchTimer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(given: EntryGossipInit) {
    this.#given = given;
  }

  start(): void {
    this.#unsubscribe = this.#given.mempool.events.on('added', this.#onAdded);
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#batchTimer?.cancel();
  }

  /**
   * Fetches what the peer has pending and we have not; both sides do this once a session is open. Each request but the
   * last of a page brings at least LIMITS.fullAnswerBytes, and an answer without entries ends the exchange.
   * @throws WireError, RuleError; RequestFailedError; faults of our own.
   */
  async fetchMempool(peer: Peer): Promise<void> {
    const { ids } = await peer.session.request({ $case: 'getMempool', value: {} }, 'mempool', ANSWER_MS);
    checkCount(ids.length, LIMITS.mempoolIds, 'hashes');
    for (let start = 0; start < ids.length; start += LIMITS.transactions) {
      if (start > 0) await this.#given.turns.next();
      const page = decodeHashes(ids.slice(start, start + LIMITS.transactions), LIMITS.transactions);
      for (const id of page) peer.known.add(id);
      let wanted = await this.#missing(page);
      while (wanted.length > 0) {
        const request = { $case: 'getTransactions', value: { ids: encodeHashes(wanted) } } as const;
        const { transactions } = await peer.session.request(request, 'transactions', ANSWER_MS);
        if (transactions.length === 0) return;
        const missing = new Set(wanted);
        await this.#receive(peer, { transactions }, (id) => missing.delete(id));
        // What is missing from an answer that had room for it has been mined meanwhile.
        const bytes = transactions.reduce((sum, { raw }) => sum + raw.length, 0);
        wanted = bytes < LIMITS.fullAnswerBytes ? [] : await this.#missing([...missing]);
      }
    }
  }

  /** @throws WireError, RuleError when a transaction breaks a rule (the good ones before it are taken all the same). */
  receiveTransactions(peer: Peer, message: BodyOf<'transactions'>): Promise<void> {
    peer.reading.decoded(message.transactions.length);
    return this.#receive(peer, message, () => true);
  }

  async #receive(peer: Peer, message: BodyOf<'transactions'>, isExpected: (id: Hash) => boolean): Promise<void> {
    const fresh: Transaction[] = [];
    let failure: { readonly error: unknown } | undefined;
    try {
      let slice: Transaction[] = [];
      for (const transaction of decodeTransactions(message)) {
        const { id } = transaction;
        if (!isExpected(id)) throw new WireError('unrequested-data', `entry ${id} was not asked for`);
        slice.push(transaction);
        if (slice.length < SLICE_ENTRIES) continue;
        fresh.push(...(await this.#freshOf(peer, slice)));
        slice = [];
        await this.#given.turns.next();
      }
      fresh.push(...(await this.#freshOf(peer, slice)));
    } catch (error) {
      failure = { error };
    }
    const taken = await this.#takeTransactions(peer, fresh);
    peer.reading.brought(taken.bytes, taken.count);
    if (failure !== undefined) throw failure.error;
  }

  /** Those that are new here. */
  async #freshOf(peer: Peer, transactions: readonly Transaction[]): Promise<Transaction[]> {
    for (const { id } of transactions) peer.known.add(id);
    const missing = new Set(await this.#missing(transactions.map(({ id }) => id)));
    return transactions.filter(({ id }) => missing.has(id));
  }

  /** @returns how much of it is in the mempool now. @throws RuleError */
  async #takeTransactions(peer: Peer, fresh: readonly Transaction[]): Promise<{ count: number; bytes: number }> {
    const taken = { count: 0, bytes: 0 };
    if (fresh.length === 0) return taken;
    const sizes = new Map<Hash, number>(fresh.map(({ id, bytes }) => [id, bytes.length]));
    for (const { id, result } of await this.#given.mempool.acceptFromPeer(fresh, peer.nodeId)) {
      if (result === 'accepted') {
        peer.usefulAtMs = this.#given.clock.monotonicMs();
        taken.count += 1;
        taken.bytes += sizes.get(id)!;
      }
      if (result !== 'accepted' && result !== 'duplicate' && result !== 'full') {
        throw new RuleError(result, `transaction ${id} breaks a rule`);
      }
    }
    return taken;
  }

  /** Those that are neither in the mempool nor in the chain. */
  async #missing(ids: readonly Hash[]): Promise<Hash[]> {
    const unknown = ids.filter((id) => !this.#given.mempool.has(id));
    const missing: Hash[] = [];
    for (let start = 0; start < unknown.length;) {
      if (start > 0) await this.#given.turns.next();
      const part = unknown.slice(start, start + SLICE_ENTRIES);
      const { count, found } = this.#given.chain.lookUp(part);
      for (const id of part.slice(0, count)) if (!found.has(id)) missing.push(id);
      start += count;
    }
    return missing;
  }

  /** Number of ids in an answer to GetMempool. */
  get pendingCount(): number {
    return Math.min(this.#given.mempool.size, LIMITS.mempoolIds);
  }

  async serveMempool(): Promise<BodyOf<'mempool'>> {
    const hashes = this.#given.mempool.ids().slice(0, LIMITS.mempoolIds);
    const ids: Buffer[] = [];
    for (let start = 0; start < hashes.length; start += SLICE_IDS) {
      if (start > 0) await this.#given.turns.next();
      for (const hash of hashes.slice(start, start + SLICE_IDS)) ids.push(hashToBytes(hash));
    }
    return { ids };
  }

  serveTransactions(peer: Peer, message: BodyOf<'getTransactions'>): BodyOf<'transactions'> {
    const wanted = decodeHashes(message.ids, LIMITS.transactions);
    const found = wanted.flatMap((id) => this.#given.mempool.get(id) ?? []);
    const [first = []] = inBatches(found);
    for (const { id } of first) peer.known.add(id);
    return { transactions: first.map(({ bytes }) => ({ raw: bytes })) };
  }

  readonly #onAdded = ({ transactions }: MempoolEventMap['added']): void => this.#queueTransactions(transactions);

  #queueTransactions(transactions: readonly Entry[]): void {
    for (const transaction of transactions) this.#waiting.set(transaction.id, transaction);
    this.#batchTimer ??= this.#given.clock.after(TRANSACTION_BATCH_MS, () => this.#sendTransactions());
  }

  #sendTransactions(): void {
    this.#batchTimer = undefined;
    const pending = [...this.#waiting.values()].filter(({ id }) => this.#given.mempool.has(id));
    this.#waiting.clear();
    for (const peer of this.#given.peers()) {
      for (const batch of inBatches(pending.filter(({ id }) => peer.known.add(id)))) {
        const value = { transactions: batch.map(({ bytes }) => ({ raw: bytes })) };
        peer.session.notify({ $case: 'newTransactions', value });
      }
    }
  }
}
