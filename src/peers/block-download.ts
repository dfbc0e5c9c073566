import type { ChainService } from '../chain/chain.service.js';
import { turnAllowance } from '../chain/stepped-check.js';
import type { Clock } from '../common/clock.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { HEADER_BYTES, decodeHeader, hashHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';
import { BlockWindow, type BlockRequest } from './block-window.js';
import { WireError, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import type { RequestPace } from './request-pace.js';
import { RequestFailedError } from './session.js';
import { SteppedVerification } from './stepped-verification.js';
import { LIMITS, checkBlockCount, encodeHashes } from './wire.js';

const REQUESTS_PER_PEER = 2;
/** What a peer has not sent by then is asked of another one too; the first answer counts. */
const LATE_MS = 2_000;
/** A peer that lets a request wait for this long, and has sent nothing at all, is blamed. Links do pause for seconds. */
const STALLING_MS = 8_000;
/** One turn of the event loop verifies, or commits, no more than this (one block at least): some tens of milliseconds. */
const TURN_BLOCKS = 256;
const TURN_BYTES = 2 * 1024 * 1024;
const TURN_TRANSACTIONS = 2_000;

/** Why a download is stopped before its end; 'turn-over': it is slow, and other branches wait. */
export type StopReason = 'stopped' | 'turn-over';
/** 'no-source': nobody is left who has the rest; 'invalid': a block breaks a rule. */
export type DownloadResult = 'complete' | 'no-source' | 'invalid' | StopReason;

/** What a download needs of its surroundings. */
export interface DownloadPorts {
  /** Peers that may have the blocks, the likeliest first; asked anew whenever a request is over, so newcomers take part. */
  sources(): Iterable<Peer>;
  blame(peer: Peer, error: RuleError | WireError): void;
  /** The verified blocks from `first` to `last` are about to be connected. */
  connecting(first: BlockNode, last: BlockNode): void;
  /** `count` more blocks are connected. */
  progress(count: number): void;
}

export interface BlockDownloadInit {
  /** Checked headers in ascending order; the parent of the first is in the chain. */
  readonly branch: readonly BlockNode[];
  readonly chain: ChainService;
  readonly clock: Clock;
  readonly pace: RequestPace;
  readonly ports: DownloadPorts;
}

/**
 * Fetches the bodies of a checked branch of headers from all peers that have them, in parallel within a moving window,
 * and connects them in order in batched commits. What a peer does not send in time is asked of another one as well. A
 * peer that is silent for its timeout, or leaves out blocks without need, gets no more requests in this download; nor
 * does one that sends wrong bodies.
 */
export class BlockDownload {
  readonly #given: BlockDownloadInit;
  readonly #window: BlockWindow;
  readonly #requests = new Set<BlockRequest>();
  /** Left out for the rest of this download. */
  readonly #excluded = new Set<Peer>();
  /** Have sent a block of this branch. */
  readonly #delivered = new Set<Peer>();
  readonly #ended = Promise.withResolvers<DownloadResult>();
  #isEnded = false;
  #connectQueued = false;
  /** Verified blocks that follow the last connected one, and their transactions. */
  #verified: VerifiedBlock[] = [];
  #verifiedTransactions = 0;
  /** Of the block behind the last verified one, as far as it is. */
  #verification: SteppedVerification | undefined;

  constructor(given: BlockDownloadInit) {
    this.#given = given;
    this.#window = new BlockWindow(given.branch);
  }

  /** @throws faults of our own (disk full). */
  run(): Promise<DownloadResult> {
    this.#ask();
    return this.#ended.promise;
  }

  stop(reason: StopReason): void {
    if (this.#isEnded) return;
    if (reason === 'turn-over') {
      const nowMs = this.#given.clock.monotonicMs();
      const waiting = new Map([...this.#requests].reverse().map(({ peer, askedAtMs }) => [peer, askedAtMs]));
      for (const [peer, askedAtMs] of waiting) this.#judgeSilence(peer, nowMs - askedAtMs);
    }
    this.#end(reason);
  }

  #end(result: DownloadResult): void {
    this.#isEnded = true;
    this.#ended.resolve(result);
  }

  #fail(error: unknown): void {
    this.#isEnded = true;
    this.#ended.reject(error);
  }

  #ask(): void {
    if (this.#isEnded) return;
    const { clock, pace, ports } = this.#given;
    const usable = [...ports.sources()].filter((peer) => !this.#excluded.has(peer) && !peer.session.isClosed);
    const lively = usable.filter((peer) => !pace.isSlow(peer));
    for (const peer of lively.length > 0 ? lively : usable) {
      for (let load = this.#loadOf(peer); load < REQUESTS_PER_PEER; load++) {
        const request = this.#window.claim(peer, pace.batchBlocks(peer), clock.monotonicMs());
        if (request === undefined) break;
        this.#requests.add(request);
        this.#fetch(request).catch((error: unknown) => this.#fail(error));
      }
    }
    if (this.#requests.size === 0 && !this.#connectQueued) this.#end('no-source');
  }

  #loadOf(peer: Peer): number {
    let load = 0;
    for (const request of this.#requests) if (request.peer === peer) load += 1;
    return load;
  }

  async #fetch(request: BlockRequest): Promise<void> {
    const { clock, pace, ports } = this.#given;
    const { peer, slots, askedAtMs } = request;
    const value = { hashes: encodeHashes(slots.map((slot) => slot.node.hash)), startIndex: 0, limit: 0 };
    const timeoutMs = pace.timeoutMs(peer);
    const late = timeoutMs > LATE_MS ? clock.after(LATE_MS, () => this.#late(request)) : undefined;
    try {
      const answer = await peer.session.request({ $case: 'getBlocks', value }, 'blocks', timeoutMs);
      if (this.#isEnded) return;
      if (answer.blocks.length > 0) pace.answered(peer, clock.monotonicMs() - askedAtMs);
      else pace.gaveNothing(peer);
      // Since it was asked, it may have turned out to send wrong bodies.
      if (!this.#excluded.has(peer)) this.#receive(request, answer);
    } catch (error) {
      if (this.#isEnded) return;
      const isFirst = !this.#excluded.has(peer);
      this.#excluded.add(peer);
      if (error instanceof RuleError || error instanceof WireError) ports.blame(peer, error);
      else if (!(error instanceof RequestFailedError)) throw error;
      else if (error.reason === 'timeout' && isFirst) {
        pace.timedOut(peer);
        this.#judgeSilence(peer, timeoutMs);
      }
    } finally {
      late?.cancel();
      this.#requests.delete(request);
    }
    this.#window.over(request);
    this.#ask();
  }

  #late(request: BlockRequest): void {
    if (this.#isEnded) return;
    this.#window.late(request);
    this.#ask();
  }

  /** An honest peer on a slow link sends something, because it is asked for less and less. */
  #judgeSilence(peer: Peer, silentMs: number): void {
    if (silentMs < STALLING_MS || this.#delivered.has(peer)) return;
    this.#given.ports.blame(peer, new WireError('stalling', `no block of its branch in ${silentMs} ms`));
  }

  /**
   * Only the headers are looked at here.
   * @throws WireError `unrequested-data`, `oversized-message`, `stalling` where it leaves out blocks; RuleError
   */
  #receive({ peer, slots }: BlockRequest, { blocks }: BodyOf<'blocks'>): void {
    checkBlockCount(blocks.length);
    // Of no use to this download, but no fault: one of the blocks may be damaged on its disk.
    if (blocks.length === 0) return void this.#excluded.add(peer);
    const missing = new Set(slots);
    let bytes = 0;
    for (const { raw } of blocks) {
      const hash = hashHeader(decodeHeader(raw.subarray(0, HEADER_BYTES)));
      const slot = this.#window.slotOf(hash);
      if (slot === undefined || !missing.delete(slot)) {
        throw new WireError('unrequested-data', `block ${hash} was not asked for`);
      }
      bytes += raw.length;
      peer.known.add(hash);
      this.#delivered.add(peer);
      if (this.#window.take(slot, raw, peer)) this.#queueConnect();
    }
    const isInOrder = slots.slice(0, blocks.length).every((slot) => !missing.has(slot));
    if (missing.size === 0 || (isInOrder && bytes >= LIMITS.fullAnswerBytes)) return;
    // As much work as the branch has may be on another one, of which this peer knows only what both share.
    if (!this.#hasShownEnd(peer)) return void this.#excluded.add(peer);
    throw new WireError('stalling', `${missing.size} of ${slots.length} blocks were left out`);
  }

  #hasShownEnd(peer: Peer): boolean {
    return peer.has(this.#given.branch.at(-1)!.hash);
  }

  /** One turn of the event loop for each batch, so that pings and posts get their share in between. */
  #queueConnect(): void {
    if (this.#connectQueued) return;
    this.#connectQueued = true;
    this.#given.clock.after(0, () => {
      this.#connectQueued = false;
      if (this.#isEnded) return;
      try {
        if (!this.#verify()) this.#connect();
        if (this.#verified.length > 0 || this.#nextRaw() !== undefined) this.#queueConnect();
        this.#ask();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** The block behind the last verified one, if it is here. */
  #nextRaw(): Uint8Array | undefined {
    return this.#window.ahead(this.#verified.length)?.raw;
  }

  /** Verifies what comes next, as far as one turn and one commit allow. False: there is nothing more to verify first. */
  #verify(): boolean {
    let bytes = 0;
    let isBusy = false;
    const allowance = turnAllowance();
    while (
      this.#verified.length < TURN_BLOCKS &&
      this.#verifiedTransactions < TURN_TRANSACTIONS &&
      bytes < TURN_BYTES &&
      allowance.left > 0
    ) {
      const raw = this.#nextRaw();
      if (raw === undefined) break;
      try {
        this.#verification ??= new SteppedVerification(raw, this.#given.chain);
        const transactions = this.#verifiedTransactions + this.#verification.count;
        if (this.#verified.length > 0 && transactions > TURN_TRANSACTIONS) break;
        isBusy = true;
        bytes += raw.length;
        const block = this.#verification.step(allowance);
        // A big block takes turns of its own.
        if (block === undefined) break;
        this.#verification = undefined;
        this.#verified.push(block);
        this.#verifiedTransactions += block.transactions.length;
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        this.#refused(this.#verified.length, error);
        break;
      }
    }
    return isBusy;
  }

  #connect(): void {
    const batch = this.#verified;
    if (batch.length === 0) return;
    const { chain, clock, ports } = this.#given;
    this.#verified = [];
    this.#verifiedTransactions = 0;
    ports.connecting(this.#window.ahead(0)!.node, this.#window.ahead(batch.length - 1)!.node);
    const { outcomes, error } = chain.acceptBatch(batch);
    for (let offset = 0; offset < outcomes.length; offset++) {
      this.#window.ahead(offset)!.sender!.usefulAtMs = clock.monotonicMs();
    }
    this.#window.connected(outcomes.length);
    ports.progress(outcomes.length);
    if (error !== undefined) this.#refused(0, error);
    else if (this.#window.isComplete) this.#end('complete');
  }

  /** The block `offset` places behind the last connected one breaks a rule. */
  #refused(offset: number, error: RuleError): void {
    const sender = this.#window.ahead(offset)!.sender!;
    this.#excluded.add(sender);
    this.#given.ports.blame(sender, error);
    this.#verification = undefined;
    // The header may well have an honest body; whatever else came from there is not worth a look.
    if (error.verdict === 'body') return this.#window.distrust(sender, offset);
    this.#connect();
    this.#end('invalid');
  }
}
