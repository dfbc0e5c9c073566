import type { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { isBodyMismatch } from '../consensus/check-block.js';
import { RuleError } from '../consensus/rule-error.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';
import { decodeBlocks, encodeHashes } from './wire.js';

const BATCH_BLOCKS = 128;
/** How far ahead of the last connected block bodies are fetched; with the bytes, bounds what is held in memory. */
const WINDOW_BLOCKS = 1_024;
const WINDOW_BYTES = 64 * 1024 * 1024;
const REQUESTS_PER_PEER = 2;
/** One commit holds no more than this, so that the event loop is never away for long. */
const COMMIT_BLOCKS = 256;
const COMMIT_BYTES = 4 * 1024 * 1024;
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
  block: Block | undefined;
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

  constructor(
    branch: readonly BlockNode[],
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly pace: RequestPace,
    private readonly ports: DownloadPorts,
  ) {
    this.#slots = branch.map((node) => ({ node, state: 'needed', block: undefined, sender: undefined }));
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
      this.#receive(peer, new Set(wanted), decodeBlocks(answer));
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

  /** @throws WireError `unrequested-data`. */
  #receive(peer: Peer, wanted: ReadonlySet<Slot>, blocks: readonly Block[]): void {
    // A peer that has none of what its tip promised is of no use to this download, but an honest reorg can do that.
    if (blocks.length === 0) this.#excluded.add(peer);
    for (const block of blocks) {
      const slot = this.#byHash.get(block.hash);
      if (slot === undefined || !wanted.has(slot)) {
        throw new WireError('unrequested-data', `block ${block.hash} was not asked for`);
      }
      if (slot.state !== 'asked') continue;
      slot.state = 'received';
      slot.block = block;
      slot.sender = peer;
      this.#heldBytes += block.bytes.length;
      peer.known.add(block.hash);
      this.#queueConnect();
    }
  }

  /** Connects one batch per turn of the event loop, so that pings and posts get their share in between. */
  #queueConnect(): void {
    if (this.#connectQueued) return;
    this.#connectQueued = true;
    this.clock.after(0, () => {
      this.#connectQueued = false;
      if (this.#isEnded) return;
      try {
        if (this.#connect()) this.#queueConnect();
        this.#ask();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** True when there is more to connect at once. */
  #connect(): boolean {
    const batch: Block[] = [];
    let bytes = 0;
    while (batch.length < COMMIT_BLOCKS && bytes < COMMIT_BYTES) {
      const block = this.#slots[this.#connected + batch.length]?.block;
      if (block === undefined) break;
      batch.push(block);
      bytes += block.bytes.length;
    }
    if (batch.length === 0) return false;
    const { outcomes, error } = this.chain.acceptBatch(batch);
    for (let index = 0; index < outcomes.length; index++) {
      const slot = this.#slots[this.#connected + index]!;
      slot.sender!.usefulAtMs = this.clock.nowMs();
      this.#release(slot);
    }
    this.#connected += outcomes.length;
    this.ports.progress(outcomes.length);
    if (error !== undefined) return this.#refused(error);
    if (this.#connected === this.#slots.length) this.#end('complete');
    return this.#slots[this.#connected]?.block !== undefined;
  }

  #release(slot: Slot): void {
    this.#heldBytes -= slot.block!.bytes.length;
    slot.block = undefined;
  }

  #refused(error: RuleError): boolean {
    const sender = this.#slots[this.#connected]!.sender!;
    this.#excluded.add(sender);
    this.ports.blame(sender, error);
    if (!isBodyMismatch(error)) this.#end('invalid');
    // The header may well have an honest body; whatever else came from there is not worth a look.
    for (const slot of this.#slots.slice(this.#connected, this.#connected + WINDOW_BLOCKS)) {
      if (slot.block === undefined || slot.sender !== sender) continue;
      this.#release(slot);
      slot.state = 'needed';
    }
    return false;
  }
}
