import type { Channel, ChannelEvents } from '../../src/peers/channel.js';
import { numberField, numberOf, readFields, textField, writeFields, type RawField } from './protobuf-fields.js';

/** Field numbers of peer.proto; of PeerMessage, then of its bodies. */
const MESSAGE = {
  id: 1,
  inReplyTo: 2,
  hello: 3,
  peers: 7,
  verdict: 20,
  goodbye: 21,
  unsupported: 22,
  proof: 23,
} as const;
const HELLO_FEATURES = 8;
const VERDICT_RESULT = 1;
const RESULT_DUPLICATE = 2;
/** Numbers that no version of the protocol uses yet. */
const TOMORROW = {
  body: 1_000,
  bodyField: 900,
  messageField: 901,
  verdictResult: 99,
  firstRequest: 0x8000_0000,
} as const;
/** One in this many messages of a newer node is followed by messages that nobody else knows. */
const NOVELTY_EVERY = 5;

interface Message {
  readonly id: number;
  readonly inReplyTo: number;
  /** Field number of the body; 0 where there is none. */
  readonly kind: number;
  readonly body: readonly RawField[];
}

/** How a whole node speaks another version of the protocol: what it sends and receives is rewritten on the wire. */
export interface Dialect {
  /** What the other side gets in place of a message of the node. */
  outgoing(message: Uint8Array): Uint8Array[];
  /** Whether the node gets a message that came from this host. */
  isForUs(message: Uint8Array, host: string): boolean;
}

/** The first version of the protocol, which had neither features nor Unsupported, and banned for any other body. */
export class OlderDialect implements Dialect {
  /** Hosts that sent what the first version did not know. */
  readonly strangers = new Set<string>();

  outgoing(bytes: Uint8Array): Uint8Array[] {
    const message = readMessage(bytes);
    if (message.kind !== MESSAGE.hello) return [bytes];
    const body = message.body.filter(({ number }) => number !== HELLO_FEATURES);
    return [writeMessage({ ...message, body })];
  }

  isForUs(bytes: Uint8Array, host: string): boolean {
    const { kind } = readMessage(bytes);
    if (kind === 0 || (kind > MESSAGE.goodbye && kind !== MESSAGE.proof)) this.strangers.add(host);
    return true;
  }
}

/** A version to come: more features, more fields everywhere, another verdict, and bodies that today's nodes do not know. */
export class NewerDialect implements Dialect {
  /** Messages of each kind that it sent and that nobody else knows. */
  readonly sent = { notifications: 0, requests: 0, answers: 0, fields: 0, enums: 0 };
  /** Requests of its own that were answered with Unsupported. */
  refusals = 0;
  #messages = 0;

  outgoing(bytes: Uint8Array): Uint8Array[] {
    const message = readMessage(bytes);
    this.#messages += 1;
    if (message.kind === MESSAGE.peers && message.inReplyTo !== 0) {
      this.sent.answers += 1;
      return [novelty(0, message.inReplyTo)];
    }
    const rewritten = writeMessage({ ...message, body: this.#newer(message) }, [
      textField(TOMORROW.messageField, 'more'),
    ]);
    this.sent.fields += 1;
    // Nothing may stand before the Hello or behind the Goodbye.
    if (message.kind === MESSAGE.goodbye || this.#messages % NOVELTY_EVERY > 0) return [rewritten];
    this.sent.notifications += 1;
    this.sent.requests += 1;
    this.sent.answers += 1;
    const id = TOMORROW.firstRequest + this.#messages;
    return [rewritten, novelty(0, 0), novelty(id, 0), novelty(0, id)];
  }

  isForUs(bytes: Uint8Array): boolean {
    const { kind, inReplyTo } = readMessage(bytes);
    if (kind !== MESSAGE.unsupported || inReplyTo < TOMORROW.firstRequest) return true;
    this.refusals += 1;
    return false;
  }

  #newer({ kind, body }: Message): RawField[] {
    const extra = textField(TOMORROW.bodyField, 'of tomorrow');
    if (kind === MESSAGE.hello) {
      return [...body, ...['of-tomorrow', 'of.the-day-after'].map((name) => textField(HELLO_FEATURES, name)), extra];
    }
    if (kind !== MESSAGE.verdict || numberOf(body, VERDICT_RESULT) !== RESULT_DUPLICATE) return [...body, extra];
    this.sent.enums += 1;
    const others = body.filter(({ number }) => number !== VERDICT_RESULT);
    return [numberField(VERDICT_RESULT, TOMORROW.verdictResult), ...others, extra];
  }
}

/** The end of a channel at a node that speaks the dialect. */
export class DialectChannel implements Channel {
  constructor(
    private readonly channel: Channel,
    private readonly dialect: Dialect,
  ) {}

  get remoteHost(): string {
    return this.channel.remoteHost;
  }

  open(events: ChannelEvents): void {
    this.channel.open({
      message: (bytes) => {
        if (this.dialect.isForUs(bytes, this.remoteHost)) events.message(bytes);
      },
      drained: () => events.drained(),
      closed: (reason) => events.closed(reason),
    });
  }

  send(bytes: Uint8Array): boolean {
    return this.dialect
      .outgoing(bytes)
      .map((message) => this.channel.send(message))
      .every(Boolean);
  }

  pause(): void {
    this.channel.pause();
  }

  resume(): void {
    this.channel.resume();
  }

  close(): void {
    this.channel.close();
  }
}

function novelty(id: number, inReplyTo: number): Uint8Array {
  return writeMessage({ id, inReplyTo, kind: TOMORROW.body, body: [textField(1, 'what only tomorrow knows')] });
}

function readMessage(bytes: Uint8Array): Message {
  const fields = readFields(bytes);
  const body = fields.find(({ number }) => number >= MESSAGE.hello);
  return {
    id: numberOf(fields, MESSAGE.id),
    inReplyTo: numberOf(fields, MESSAGE.inReplyTo),
    kind: body?.number ?? 0,
    body: body === undefined ? [] : readFields(body.bytes),
  };
}

function writeMessage({ id, inReplyTo, kind, body }: Message, more: readonly RawField[] = []): Uint8Array {
  return writeFields([
    numberField(MESSAGE.id, id),
    numberField(MESSAGE.inReplyTo, inReplyTo),
    { number: kind, type: 2, bytes: writeFields(body) },
    ...more,
  ]);
}
