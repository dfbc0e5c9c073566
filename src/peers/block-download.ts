import type { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { HEADER_BYTES, decodeHeader, hashHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';
import { WireError, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';
import { SteppedVerification } from './stepped-verification.js';
import { checkBlockCount, encodeHashes } from './wire.js';

const BATCH_BLOCKS = 128;
/** How far ahead of the last connected block bodies are fetched; with the bytes, bounds what is held in memory. */
const WINDOW_BLOCKS = 1_024;
const WINDOW_BYTES = 64 * 1024 * 1024;
const REQUESTS_PER_PEER = 2;
/** One turn of the event loop verifies, or commits, no more than this (one block at least): some tens of milliseconds. */
const TURN_BLOCKS = 256;
const TURN_BYTES = 2 * 1024 * 1024;
const TURN_TRANSACTIONS = 4_000;
const FIRST_TIMEOUT_MS = 2_000;
const MAX_TIMEOUT_MS = 64_000;

/** How long each peer has to answer a request for blocks: doubled by a silence of its own, relaxing with each answer. */
export class RequestPace {
  readonly #timeouts = new WeakMap<Peer, number>();

  timeoutMs(peer: Peer): number {
    return this.#timeouts.get(peer) ?? FIRST_TIMEOUT_MS;
  }

  /** Was it silent lately? Then it is asked only where no other peer is left. */
  isSlow(peer: Peer): boolean {
    return this.timeoutMs(peer) > FIRST_TIMEOUT_MS;
  }

  answered(peer: Peer): void {
    this.#timeouts.set(peer, Math.max(FIRST_TIMEOUT_MS, Math.floor(this.timeoutMs(peer) * 0.85)));
  }

  timedOut(peer: Peer): void {
    this.#timeouts.set(peer, Math.min(MAX_TIMEOUT_MS, this.timeoutMs(peer) * 2));
  }
}

interface Slot {
  readonly node: BlockNode;
  state: 'needed' | 'asked' | 'received';
  /** The block as it came, until it is connected. */
  raw: Uint8Array | undefined;
  sender: Peer | undefined;
}

/** 'no-source': nobody is left who has the rest; 'invalid': a block breaks a rule; 'stopped': by stop(). */
export type DownloadResult = 'complete' | 'no-source' | 'invalid' | 'stopped';

/** What a download needs of its surroundings. */
export interface DownloadPorts {
  /** Peers that may have the blocks, the likeliest first; asked anew whenever a request is over, so newcomers take part. */
  sources(): Iterable<Peer>;
  blame(peer: Peer, error: RuleError | WireError): void;
  /** `count` more blocks are connected. */
  progress(count: number): void;
}

/**
 * Fetches the bodies of a checked branch of headers from all peers that have them, in parallel within a moving window,
 * and connects them in order in batched commits. A peer that is silent for its timeout is passed over for the rest of
 * this download, and what it was asked for goes to another; one that sends wrong bodies is blamed and left out.
 */
export class BlockDownload {
  readonly #slots: Slot[];
  readonly #byHash: Map<string, Slot>;
  /** Requests under way per peer, and who is left out for the rest of this download. */
  readonly #load = new Map<Peer, number>();
  readonly #excluded = new Set<Peer>();
  readonly #ended = Promise.withResolvers<DownloadResult>();
  #isEnded = false;
  #connected = 0;
  /** Of bodies that wait to be connected. */
  #heldBytes = 0;
  #connectQueued = false;
  /** Verified blocks that follow the last connected one, and their transactions. */
  #verified: VerifiedBlock[] = [];
  #verifiedTransactions = 0;
  /** Of the block behind the last verified one, as far as it is. */
  #verification: SteppedVerification | undefined;

  constructor(
    branch: readonly BlockNode[],
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly pace: RequestPace,
    private readonly ports: DownloadPorts,
  ) {
    this.#slots = branch.map((node) => ({ node, state: 'needed', raw: undefined, sender: undefined }));
    this.#byHash = new Map(this.#slots.map((slot) => [slot.node.hash, slot]));
  }

  /** @throws faults of our own (disk full). */
  run(): Promise<DownloadResult> {
    this.#ask();
    return this.#ended.promise;
  }

  stop(): void {
    this.#end('stopped');
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
    const usable = [...this.ports.sources()].filter((peer) => !this.#excluded.has(peer) && !peer.session.isClosed);
    const lively = usable.filter((peer) => !this.pace.isSlow(peer));
    for (const peer of lively.length > 0 ? lively : usable) {
      while ((this.#load.get(peer) ?? 0) < REQUESTS_PER_PEER) {
        const wanted = this.#takeNeeded();
        if (wanted.length === 0) break;
        this.#load.set(peer, (this.#load.get(peer) ?? 0) + 1);
        this.#fetch(peer, wanted).catch((error: unknown) => this.#fail(error));
      }
    }
    const isIdle = [...this.#load.values()].every((count) => count === 0);
    if (isIdle && !this.#connectQueued) this.#end('no-source');
  }

  #takeNeeded(): Slot[] {
    const taken: Slot[] = [];
    // The very next block may always be asked for, or a full window would never empty.
    const reach = this.#heldBytes < WINDOW_BYTES ? WINDOW_BLOCKS : 1;
    const end = Math.min(this.#slots.length, this.#connected + reach);
    for (let index = this.#connected; index < end && taken.length < BATCH_BLOCKS; index++) {
      const slot = this.#slots[index]!;
      if (slot.state !== 'needed') continue;
      slot.state = 'asked';
      taken.push(slot);
    }
    return taken;
  }

  async #fetch(peer: Peer, wanted: readonly Slot[]): Promise<void> {
    const value = { hashes: encodeHashes(wanted.map((slot) => slot.node.hash)), startIndex: 0, limit: 0 };
    try {
      const answer = await peer.session.request({ $case: 'getBlocks', value }, 'blocks', this.pace.timeoutMs(peer));
      if (this.#isEnded) return;
      this.pace.answered(peer);
      // Since it was asked, it may have turned out to send wrong bodies.
      if (!this.#excluded.has(peer)) this.#receive(peer, new Set(wanted), answer);
    } catch (error) {
      if (this.#isEnded) return;
      this.#excluded.add(peer);
      if (error instanceof RuleError || error instanceof WireError) this.ports.blame(peer, error);
      else if (!(error instanceof RequestFailedError)) throw error;
      else if (error.reason === 'timeout') this.pace.timedOut(peer);
    }
    for (const slot of wanted) if (slot.state === 'asked') slot.state = 'needed';
    this.#load.set(peer, this.#load.get(peer)! - 1);
    this.#ask();
  }

  /** Only the headers are looked at here. @throws WireError `unrequested-data`, `oversized-message`; RuleError */
  #receive(peer: Peer, wanted: ReadonlySet<Slot>, { blocks }: BodyOf<'blocks'>): void {
    checkBlockCount(blocks.length);
    // A peer that has none of what its tip promised is of no use to this download, but an honest reorg can do that.
    if (blocks.length === 0) this.#excluded.add(peer);
    for (const { raw } of blocks) {
      const hash = hashHeader(decodeHeader(raw.subarray(0, HEADER_BYTES)));
      const slot = this.#byHash.get(hash);
      if (slot === undefined || !wanted.has(slot)) {
        throw new WireError('unrequested-data', `block ${hash} was not asked for`);
      }
      if (slot.state !== 'asked') continue;
      slot.state = 'received';
      slot.raw = raw;
      slot.sender = peer;
      this.#heldBytes += raw.length;
      peer.known.add(hash);
      this.#queueConnect();
    }
  }

  /** One turn of the event loop for each batch, so that pings and posts get their share in between. */
  #queueConnect(): void {
    if (this.#connectQueued) return;
    this.#connectQueued = true;
    this.clock.after(0, () => {
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
    return this.#slots[this.#connected + this.#verified.length]?.raw;
  }

  /** Verifies what comes next, as far as one turn and one commit allow. False: there is nothing more to verify first. */
  #verify(): boolean {
    let bytes = 0;
    let isBusy = false;
    while (
      this.#verified.length < TURN_BLOCKS &&
      this.#verifiedTransactions < TURN_TRANSACTIONS &&
      bytes < TURN_BYTES
    ) {
      const raw = this.#nextRaw();
      if (raw === undefined) break;
      try {
        this.#verification ??= new SteppedVerification(raw, this.chain);
        const transactions = this.#verifiedTransactions + this.#verification.count;
        if (this.#verified.length > 0 && transactions > TURN_TRANSACTIONS) break;
        isBusy = true;
        bytes += raw.length;
        const block = this.#verification.step();
        // A big block takes turns of its own.
        if (block === undefined) break;
        this.#verification = undefined;
        this.#verified.push(block);
        this.#verifiedTransactions += block.transactions.length;
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        this.#refused(this.#connected + this.#verified.length, error);
        break;
      }
    }
    return isBusy;
  }

  #connect(): void {
    const batch = this.#verified;
    if (batch.length === 0) return;
    this.#forgetVerified();
    const { outcomes, error } = this.chain.acceptBatch(batch);
    for (let index = 0; index < outcomes.length; index++) {
      const slot = this.#slots[this.#connected + index]!;
      slot.sender!.usefulAtMs = this.clock.monotonicMs();
      this.#release(slot);
    }
    this.#connected += outcomes.length;
    this.ports.progress(outcomes.length);
    if (error !== undefined) this.#refused(this.#connected, error);
    else if (this.#connected === this.#slots.length) this.#end('complete');
  }

  #forgetVerified(): void {
    this.#verified = [];
    this.#verifiedTransactions = 0;
  }

  #release(slot: Slot): void {
    this.#heldBytes -= slot.raw!.length;
    slot.raw = undefined;
  }

  /** The block at `index` breaks a rule. */
  #refused(index: number, error: RuleError): void {
    const sender = this.#slots[index]!.sender!;
    this.#excluded.add(sender);
    this.ports.blame(sender, error);
    this.#verification = undefined;
    if (error.verdict !== 'body') {
      this.#connect();
      this.#end('invalid');
    }
    // The header may well have an honest body; whatever else came from there is not worth a look.
    for (const slot of this.#slots.slice(index, index + WINDOW_BLOCKS)) {
      if (slot.raw === undefined || slot.sender !== sender) continue;
      this.#release(slot);
      slot.state = 'needed';
    }
  }
}
