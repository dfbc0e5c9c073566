import type { Channel, ChannelEvents } from '../../src/peers/channel.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import type { SelfIdentity } from '../../src/peers/handshake.js';
import { decodeMessage, encodeMessage, type Body } from '../../src/peers/messages.js';
import { Handshake } from '../../src/peers/proof.js';

/** A channel with nobody at the other end: a test sees what is sent, and plays the peer and the transport. */
export class FakeChannel implements Channel {
  readonly sent: { readonly id: number; readonly inReplyTo: number; readonly body: Body }[] = [];
  /** Answers of `send`: false asks the session to wait for `drain`. */
  takesMore = true;
  isClosed = false;
  isPaused = false;
  /** The node id in the certificate of the peer that a test plays. */
  provenNodeId: string | undefined;
  #events: ChannelEvents | undefined;

  constructor(readonly remoteHost = 'fake') {}

  open(events: ChannelEvents): void {
    this.#events = events;
  }

  send(bytes: Uint8Array): boolean {
    if (this.isClosed) throw new Error('sent on a closed channel');
    const { body, ...numbers } = decodeMessage(bytes);
    this.sent.push({ ...numbers, body: body! });
    return this.takesMore;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The peer sends a message. */
  deliver(body: Body, { id = 0, inReplyTo = 0 } = {}): void {
    this.#events!.message(encodeMessage({ id, inReplyTo, body }));
  }

  /** The peer, who dialled, says Hello and proves its key, if the node asks for the proof. */
  greet(self: SelfIdentity, genesis: BlockNode): void {
    const handshake = new Handshake(self, genesis, 'outbound', Buffer.alloc(32, 7));
    this.deliver({ $case: 'hello', value: handshake.hello(genesis) });
    const theirs = this.sent.findLast(({ body }) => body.$case === 'hello')?.body;
    if (theirs?.$case !== 'hello') return;
    this.deliver({ $case: 'proof', value: handshake.prove(theirs.value) });
  }

  deliverBytes(bytes: Uint8Array): void {
    this.#events!.message(bytes);
  }

  drain(): void {
    this.#events!.drained();
  }

  /** The transport is gone. */
  end(reason: string): void {
    this.#events!.closed(reason);
  }

  get sentKinds(): string[] {
    return this.sent.map(({ body }) => body.$case);
  }
}
