import * as fc from 'fast-check';
import { pino } from 'pino';
import { encodeTip } from '../../src/peers/wire.js';
import { FakeChannel } from '../support/fake-channel.js';
import { MemoryNetwork } from '../support/memory-network.js';
import { openHost, type PeersHost } from '../support/peers-host.js';
import { SeededRandom } from '../support/seeded-random.js';
import { identityOf } from '../support/test-identity.js';
import { VirtualClock } from '../support/virtual-clock.js';
import type { FuzzTarget, Outcome } from './fuzz.js';
import { check } from './outcome.js';
import { recordConversation } from './record.js';
import { messages, wireTokens } from './wire-targets.js';

const MAX_MESSAGES = 40;
/** A node that has heard it all asks for nothing any more: a new one takes its place. */
const CONVERSATIONS_PER_NODE = 8;

/** A whole conversation with a node: each message behind its length (u32). */
export async function sessionTarget(): Promise<FuzzTarget> {
  const conversation = await recordConversation();
  const [hello, proof] = conversation as [Buffer, Buffer, ...Buffer[]];
  let subject = new Subject(hello, proof);
  let conversations = 0;
  return {
    seeds: [framed(conversation), framed(conversation.slice(0, 4)), framed([hello, ...conversation.slice(4)])],
    tokens: wireTokens,
    structured: fc.array(messages, { maxLength: 6 }).map((list) => framed([hello, ...list])),
    run: async (input) => {
      if (++conversations % CONVERSATIONS_PER_NODE === 0) {
        subject.close();
        subject = new Subject(hello, proof);
      }
      return subject.converse(unframed(input));
    },
    close: () => subject.close(),
  };
}

/** The node under attack. */
class Subject {
  readonly #net = new MemoryNetwork(new VirtualClock(), new SeededRandom(1));
  readonly #faults: string[] = [];
  readonly #host: PeersHost;
  #peers = 0;

  /** @param hello and `proof`: the first messages of a recorded conversation, played anew. */
  constructor(
    private readonly hello: Buffer,
    private readonly proof: Buffer,
  ) {
    const log = pino({ level: 'error' }, { write: (line) => void this.#faults.push(line) });
    this.#host = openHost(this.#net, 'subject', { log });
  }

  /** Accepted: the peer stays welcome. */
  async converse(conversation: readonly Buffer[]): Promise<Outcome> {
    const channel = this.#connect();
    for (const message of conversation) {
      if (channel.isClosed) break;
      // A recorded proof holds for the recorded session alone.
      if (message.equals(this.hello)) channel.greet(identityOf('fuzzer'), this.#host.chain.genesis);
      else if (!message.equals(this.proof)) channel.deliverBytes(message);
      await this.#net.clock.advance(2);
    }
    const isRefused = channel.isClosed;
    if (!isRefused) channel.end('the fuzzer hangs up');
    await this.#checkAlive();
    return isRefused ? 'rejected' : 'accepted';
  }

  close(): void {
    this.#host.close();
  }

  /** From a host of its own, as bans are by host. */
  #connect(): FakeChannel {
    const n = ++this.#peers;
    const channel = new FakeChannel(`10.0.${n >> 8}.${n & 255}`);
    this.#host.peers.acceptInbound(channel);
    return channel;
  }

  /** An honest peer is served, and no message was a fault of ours. */
  async #checkAlive(): Promise<void> {
    const { chain } = this.#host;
    const channel = this.#connect();
    channel.greet(identityOf('honest'), chain.genesis);
    channel.deliver({ $case: 'ping', value: { tip: encodeTip(chain.genesis) } }, { id: 1 });
    await this.#net.clock.advance(2);
    check(channel.sentKinds.includes('pong'), `an honest peer is not served: ${channel.sentKinds.join()}`);
    channel.end('bye');
    await this.#net.clock.advance(2);
    check(this.#faults.length === 0, `a fault of ours: ${this.#faults[0]}`);
  }
}

function framed(conversation: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    conversation.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}

function unframed(bytes: Buffer): Buffer[] {
  const conversation: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length && conversation.length < MAX_MESSAGES;) {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    conversation.push(bytes.subarray(start, at));
  }
  return conversation;
}
