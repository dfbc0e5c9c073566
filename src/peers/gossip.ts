import type { AcceptOutcome, TipChange } from '../chain/chain.events.js';
import type { ChainService } from '../chain/chain.service.js';
import { nowSeconds, type Clock, type Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { hashToBytes, type Hash } from '../consensus/codec.js';
import { HEADER_BYTES, decodeHeader, hashHeader, type BlockHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import type { Entry, Transaction } from '../consensus/transaction.js';
import type { MempoolEventMap, MempoolService } from '../mempool/mempool.service.js';
import { Verdict_Result } from './generated/minichain/v1/peer.js';
import { Turns } from '../common/turns.js';
import { BlockArrivals } from './block-arrivals.js';
import { WireError, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { intactBlock } from './serve-blocks.js';
import {
  LIMITS,
  checkCount,
  decodeHashes,
  decodeTip,
  decodeTransactions,
  decodeWireBlock,
  encodeHashes,
  encodeTip,
  inBatches,
} from './wire.js';

/** Transactions wait this long and travel together; what is mined meanwhile does not travel at all. */
const TRANSACTION_BATCH_MS = 20;
/** A longer reorganisation is announced by its tip alone; whoever lacks the rest asks for headers. */
const MAX_ANNOUNCED_BLOCKS = 8;
/** As Bitcoin Core's: a day's worth of blocks there. Forks of honest nodes that are connected are far shorter. */
const FAR_BEHIND_BLOCKS = 144n;
const FAR_BEHIND = { code: 'too-little-chainwork', detail: 'it stands on a branch that is much weaker than our chain' };
/** Blocks are mined and told within that time, for what they tell of clocks. */
const FRESH_SECONDS = 600;
const VERDICT_MS = 30_000;
const ANSWER_MS = 10_000;
/** Texts of a peer are cut to this in the log. */
const MAX_LOGGED_CHARS = 200;
/** Entries that one turn of the event loop decodes, or looks up. */
const SLICE_ENTRIES = 100;
/** Ids that one turn encodes. */
const SLICE_IDS = 5_000;

/** What gossip needs of the rest of the module. */
export interface GossipPorts {
  peers(): Iterable<Peer>;
  /** The peer broke a rule. */
  blame(peer: Peer, error: RuleError | WireError): void;
  /** The peer took a block of ours, or we took one of its. */
  clockAgreed(peer: Peer): void;
  /** The peer refused a block of ours because it lies in its future. */
  refusedAsTooNew(peer: Peer): void;
  /** A peer has a block now that we announced, so long after that. */
  delivered(tookMs: number): void;
  /** The peer has blocks that we lack. */
  considerSync(peer: Peer): void;
  /** While many blocks are being fetched nothing is announced: they are old to everybody else. */
  isCatchingUp(): boolean;
}

/**
 * Tells peers of new blocks and transactions, and takes theirs. What we announce is committed before; each item goes
 * once to each peer that is not known to have it.
 */
export class Gossip {
  readonly #waiting = new Map<string, Entry>();
  #batchTimer: Timer | undefined;
  readonly #subscriptions: (() => void)[] = [];
  readonly #turns: Turns;
  readonly #arrivals: BlockArrivals;

  constructor(
    private readonly chain: ChainService,
    private readonly mempool: MempoolService,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly ports: GossipPorts,
  ) {
    this.#turns = new Turns((task) => void clock.after(0, task));
    this.#arrivals = new BlockArrivals(chain, this.#turns);
  }

  start(): void {
    this.#subscriptions.push(this.chain.events.on('tip', this.#onTip), this.mempool.events.on('added', this.#onAdded));
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#batchTimer?.cancel();
  }

  /** Announces the present tip, to peers that are not ahead of it. */
  announceTip(): void {
    this.#announceBlocks([this.chain.tip]);
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
      if (start > 0) await this.#turns.next();
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

  /**
   * Takes an announced block, and says what became of it: a small one at once, a big one in several turns of the event
   * loop. @throws WireError; faults of our own.
   */
  async receiveBlock(peer: Peer, message: BodyOf<'newBlock'>): Promise<BodyOf<'verdict'>> {
    const tip = decodeTip(message.tip);
    if (message.block === undefined) throw new WireError('malformed-message', 'a NewBlock without a block');
    try {
      const { raw } = message.block;
      const header = decodeHeader(raw.subarray(0, HEADER_BYTES));
      const hash = hashHeader(header);
      peer.known.add(hash);
      peer.sawTip(tip);
      if (this.#isFarBehind(hash, header)) return { result: Verdict_Result.RESULT_REJECTED, ...FAR_BEHIND };
      const judge = (): AcceptOutcome | undefined => this.chain.judgeHeader(hash, header);
      const outcome = judge() ?? (await this.#takeBody(peer, hash, raw, judge));
      // Whatever it is: with too many of its blocks waiting, the rest is fetched once these are done.
      if (outcome === 'busy' || outcome.kind === 'orphan') {
        this.ports.considerSync(peer);
        return { result: Verdict_Result.RESULT_ORPHAN, code: '', detail: '' };
      }
      const isNew = outcome.kind !== 'duplicate';
      if (isNew) {
        peer.usefulAtMs = this.clock.monotonicMs();
        if (this.#isFresh(header)) this.ports.clockAgreed(peer);
        this.log.info(
          { block: hash, height: outcome.node.height, outcome: outcome.kind, peer: peer.nodeId },
          `Block ${outcome.node.height} from ${peer.nodeId}`,
        );
      }
      return {
        result: isNew ? Verdict_Result.RESULT_ACCEPTED : Verdict_Result.RESULT_DUPLICATE,
        code: '',
        detail: '',
      };
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      // After the verdict has gone out: a ban ends the session.
      this.clock.after(0, () => this.ports.blame(peer, error));
      return { result: Verdict_Result.RESULT_REJECTED, code: error.code, detail: error.message };
    }
  }

  /**
   * @param judge says what the block is, if that is known without its body.
   * @throws RuleError
   */
  async #takeBody(
    peer: Peer,
    hash: Hash,
    raw: Uint8Array,
    judge: () => AcceptOutcome | undefined,
  ): Promise<AcceptOutcome | 'busy'> {
    if (this.#arrivals.isSmall(peer, raw)) return this.chain.accept(this.chain.verify(decodeWireBlock(raw)));
    if (this.#arrivals.isFull(peer, raw)) return 'busy';
    // Judged anew after each wait: the block may have come from somebody else meanwhile.
    return this.#arrivals.inTurn(peer, hash, raw, async () => {
      const known = judge();
      if (known !== undefined) return known;
      const block = await this.#arrivals.verify(raw);
      return judge() ?? this.chain.accept(block);
    });
  }

  /** @throws WireError, RuleError when a transaction breaks a rule (the good ones before it are taken all the same). */
  receiveTransactions(peer: Peer, message: BodyOf<'transactions'>): Promise<void> {
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
        await this.#turns.next();
      }
      fresh.push(...(await this.#freshOf(peer, slice)));
    } catch (error) {
      failure = { error };
    }
    await this.#takeTransactions(peer, fresh);
    if (failure !== undefined) throw failure.error;
  }

  /** Those that are new here. */
  async #freshOf(peer: Peer, transactions: readonly Transaction[]): Promise<Transaction[]> {
    for (const { id } of transactions) peer.known.add(id);
    const missing = new Set(await this.#missing(transactions.map(({ id }) => id)));
    return transactions.filter(({ id }) => missing.has(id));
  }

  async #takeTransactions(peer: Peer, fresh: readonly Transaction[]): Promise<void> {
    if (fresh.length === 0) return;
    for (const { id, result } of await this.mempool.acceptFromPeer(fresh, peer.nodeId)) {
      if (result === 'accepted') peer.usefulAtMs = this.clock.monotonicMs();
      if (result !== 'accepted' && result !== 'duplicate' && result !== 'full') {
        throw new RuleError(result, `transaction ${id} breaks a rule`);
      }
    }
  }

  /** Those that are neither in the mempool nor in the chain. */
  async #missing(ids: readonly Hash[]): Promise<Hash[]> {
    const unknown = ids.filter((id) => !this.mempool.has(id));
    const missing: Hash[] = [];
    for (let start = 0; start < unknown.length;) {
      if (start > 0) await this.#turns.next();
      const part = unknown.slice(start, start + SLICE_ENTRIES);
      const { count, found } = this.chain.lookUp(part);
      for (const id of part.slice(0, count)) if (!found.has(id)) missing.push(id);
      start += count;
    }
    return missing;
  }

  /**
   * Does the block stand on a branch that is much weaker than our chain? Blocks are cheap where the difficulty was low
   * once, and would fill the disk. If that branch ever gets stronger than ours, its headers show it.
   */
  #isFarBehind(hash: Hash, header: BlockHeader): boolean {
    const { tip } = this.chain;
    const parent = this.chain.node(header.previousHash);
    if (parent === undefined || tip.parent === undefined || this.chain.node(hash) !== undefined) return false;
    return parent.chainWork + FAR_BEHIND_BLOCKS * (tip.chainWork - tip.parent.chainWork) < tip.chainWork;
  }

  async serveMempool(): Promise<BodyOf<'mempool'>> {
    const hashes = this.mempool.ids().slice(0, LIMITS.mempoolIds);
    const ids: Buffer[] = [];
    for (let start = 0; start < hashes.length; start += SLICE_IDS) {
      if (start > 0) await this.#turns.next();
      for (const hash of hashes.slice(start, start + SLICE_IDS)) ids.push(hashToBytes(hash));
    }
    return { ids };
  }

  serveTransactions(peer: Peer, message: BodyOf<'getTransactions'>): BodyOf<'transactions'> {
    const wanted = decodeHashes(message.ids, LIMITS.transactions);
    const found = wanted.flatMap((id) => this.mempool.get(id) ?? []);
    const [first = []] = inBatches(found);
    for (const { id } of first) peer.known.add(id);
    return { transactions: first.map(({ bytes }) => ({ raw: bytes })) };
  }

  readonly #onTip = ({ connected, arrived }: TipChange): void => {
    if (!this.ports.isCatchingUp()) this.#announceBlocks(connected, arrived);
  };

  readonly #onAdded = ({ transactions }: MempoolEventMap['added']): void => this.#queueTransactions(transactions);

  /** @param arrived the blocks that are in memory still; the others are read from disk. */
  #announceBlocks(connected: readonly BlockNode[], arrived: TipChange['arrived'] = new Map()): void {
    const tip = this.chain.tip;
    // A peer with more work needs none of ours; at equal work it has to hear of ours, or ties would stay unseen.
    const peers = [...this.ports.peers()].filter((peer) => peer.tip.chainWork <= tip.chainWork);
    for (const node of connected.length > MAX_ANNOUNCED_BLOCKS ? connected.slice(-1) : connected) {
      const lacking = peers.filter((peer) => !peer.known.has(node.hash));
      const raw = lacking.length === 0 ? undefined : (arrived.get(node)?.bytes ?? intactBlock(this.chain, node.hash));
      if (raw === undefined) continue;
      for (const peer of lacking) {
        peer.known.add(node.hash);
        void this.#announce(peer, node, raw);
      }
    }
  }

  /** Mined just now by our clock: only then does it tell something of clocks that both sides have taken it. */
  #isFresh({ time }: Pick<BlockHeader, 'time'>): boolean {
    return Math.abs(nowSeconds(this.clock) - time) <= FRESH_SECONDS;
  }

  async #announce(peer: Peer, node: BlockNode, raw: Buffer): Promise<void> {
    const value = { block: { raw }, tip: encodeTip(this.chain.tip) };
    const sentAtMs = this.clock.monotonicMs();
    try {
      const verdict = await peer.session.request({ $case: 'newBlock', value }, 'verdict', VERDICT_MS);
      const { result } = verdict;
      if (result === Verdict_Result.RESULT_ACCEPTED || result === Verdict_Result.RESULT_DUPLICATE) {
        this.ports.delivered(this.clock.monotonicMs() - sentAtMs);
        if (this.#isFresh(node)) this.ports.clockAgreed(peer);
      }
      if (result === Verdict_Result.RESULT_REJECTED) {
        const [code, detail] = [verdict.code, verdict.detail].map((text) => text.slice(0, MAX_LOGGED_CHARS));
        if (code === 'time-too-new') this.ports.refusedAsTooNew(peer);
        else {
          const facts = { block: node.hash, peer: peer.nodeId, code, detail };
          this.log.warn(facts, `Peer ${peer.nodeId} refused our block ${node.height}: ${code}`);
        }
      }
    } catch (error) {
      peer.known.delete(node.hash);
      this.log.debug(
        { block: node.hash, peer: peer.nodeId, reason: String(error) },
        `Peer ${peer.nodeId} did not answer the announcement of block ${node.height}`,
      );
    }
  }

  #queueTransactions(transactions: readonly Entry[]): void {
    for (const transaction of transactions) this.#waiting.set(transaction.id, transaction);
    this.#batchTimer ??= this.clock.after(TRANSACTION_BATCH_MS, () => this.#sendTransactions());
  }

  #sendTransactions(): void {
    this.#batchTimer = undefined;
    const pending = [...this.#waiting.values()].filter(({ id }) => this.mempool.has(id));
    this.#waiting.clear();
    for (const peer of this.ports.peers()) {
      for (const batch of inBatches(pending.filter(({ id }) => peer.known.add(id)))) {
        const value = { transactions: batch.map(({ bytes }) => ({ raw: bytes })) };
        peer.session.notify({ $case: 'newTransactions', value });
      }
    }
  }
}
