import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { Peer } from './peer.js';

/** How far ahead of the last connected block bodies are fetched; with the bytes, bounds what is held in memory. */
export const WINDOW_BLOCKS = 1_024;
const WINDOW_BYTES = 64 * 1024 * 1024;

/** A request for blocks that is under way. */
export interface BlockRequest {
  readonly peer: Peer;
  readonly slots: readonly Slot[];
  readonly askedAtMs: number;
}

/** The place of one block of the branch. */
export interface Slot {
  readonly node: BlockNode;
  state: 'needed' | 'asked' | 'received';
  /** The request that has to bring it. */
  holder: BlockRequest | undefined;
  /** Peers whose requests for it are late, but still under way. */
  late: Set<Peer> | undefined;
  /** The block as it came, until it is connected. */
  raw: Uint8Array | undefined;
  sender: Peer | undefined;
}

/** What a download has, waits for and still needs, within a window that moves as blocks are connected. */
export class BlockWindow {
  readonly #slots: Slot[];
  readonly #byHash: Map<Hash, Slot>;
  #connected = 0;
  /** Of bodies that wait to be connected. */
  #heldBytes = 0;

  constructor(branch: readonly BlockNode[]) {
    this.#slots = branch.map((node) => ({
      node,
      state: 'needed',
      holder: undefined,
      late: undefined,
      raw: undefined,
      sender: undefined,
    }));
    this.#byHash = new Map(this.#slots.map((slot) => [slot.node.hash, slot]));
  }

  get isComplete(): boolean {
    return this.#connected === this.#slots.length;
  }

  /** The slot `offset` places behind the last connected block. */
  ahead(offset: number): Slot | undefined {
    return this.#slots[this.#connected + offset];
  }

  slotOf(hash: Hash): Slot | undefined {
    return this.#byHash.get(hash);
  }

  /** The lowest `limit` blocks that the peer can be asked for; undefined if there are none. */
  claim(peer: Peer, limit: number, nowMs: number): BlockRequest | undefined {
    const slots: Slot[] = [];
    // The very next block may always be asked for, or a full window would never empty.
    const reach = this.#heldBytes < WINDOW_BYTES ? WINDOW_BLOCKS : 1;
    const end = Math.min(this.#slots.length, this.#connected + reach);
    for (let index = this.#connected; index < end && slots.length < limit; index++) {
      const slot = this.#slots[index]!;
      if (slot.state === 'needed' && slot.late?.has(peer) !== true) slots.push(slot);
    }
    if (slots.length === 0) return undefined;
    const request = { peer, slots, askedAtMs: nowMs };
    for (const slot of slots) {
      slot.state = 'asked';
      slot.holder = request;
    }
    return request;
  }

  /** Others may be asked too for what has not come. */
  late(request: BlockRequest): void {
    for (const slot of request.slots) if (slot.holder === request) (slot.late ??= new Set()).add(request.peer);
    this.#release(request);
  }

  /** The request is over, with or without an answer. */
  over(request: BlockRequest): void {
    this.#release(request);
    for (const slot of request.slots) slot.late?.delete(request.peer);
  }

  /** False: the block had come before. */
  take(slot: Slot, raw: Uint8Array, sender: Peer): boolean {
    if (slot.state === 'received') return false;
    slot.state = 'received';
    slot.raw = raw;
    slot.sender = sender;
    this.#heldBytes += raw.length;
    return true;
  }

  /** The next `count` blocks are connected. */
  connected(count: number): void {
    for (let offset = 0; offset < count; offset++) this.#drop(this.ahead(offset)!);
    this.#connected += count;
  }

  /** Asks anew for what came from this peer and lies `offset` or more places behind the last connected block. */
  distrust(sender: Peer, offset: number): void {
    const from = this.#connected + offset;
    for (const slot of this.#slots.slice(from, from + WINDOW_BLOCKS)) {
      if (slot.raw === undefined || slot.sender !== sender) continue;
      this.#drop(slot);
      slot.state = 'needed';
    }
  }

  #release(request: BlockRequest): void {
    for (const slot of request.slots) {
      if (slot.holder !== request) continue;
      slot.holder = undefined;
      if (slot.state === 'asked') slot.state = 'needed';
    }
  }

  #drop(slot: Slot): void {
    this.#heldBytes -= slot.raw!.length;
    slot.raw = undefined;
  }
}
