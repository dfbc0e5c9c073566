import type { Clock, Timer } from '../common/clock.js';
import { RuleError } from '../consensus/rule-error.js';
import type { Channel } from './channel.js';
import { DelayedChannel } from './delayed-channel.js';
import {
  WireError,
  decodeMessage,
  encodeMessage,
  isBulk,
  type Body,
  type BodyCase,
  type BodyOf,
  type MessageKind,
} from './messages.js';
import { OutgoingMemory, OutgoingQueue } from './outgoing-queue.js';

const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
const MAX_QUEUED_MESSAGES = 10_000;
const NOT_READ = 'peer does not read';
/** Ids are uint32 on the wire; 0 stands for none. */
const MAX_ID = 0xffff_ffff;

/** Handles one kind of message. What it returns is the reply if the message was a request. */
export type Handler<C extends BodyCase> = (value: BodyOf<C>) => Body | void | Promise<Body | void>;
export type HandlerTable = { readonly [C in BodyCase]?: Handler<C> };

/** Counts messages by kind and direction, in encoded bytes. */
export interface TrafficMeter {
  sent(kind: BodyCase, bytes: number): void;
  received(kind: MessageKind, bytes: number): void;
  /** Every message of kind 'unknown' is also counted here. */
  receivedUnknown(role: UnknownRole): void;
}

/** How a message whose body this version does not know came. */
export type UnknownRole = 'notification' | 'request' | 'answer';

/** What a session reports to its owner. */
export interface SessionEvents {
  /** The peer broke a rule: a WireError or a RuleError, thrown by decoding or by a handler. */
  misbehaved(error: WireError | RuleError): void;
  /** A handler of ours failed in another way; the peer is not to blame. */
  failed(error: unknown, kind: BodyCase | undefined): void;
  closed(reason: string): void;
}

/**
 * The request got no usable answer: the session ended, its time passed, the answer was of a wrong kind (for which the
 * peer is blamed), or the two nodes do not share this exchange ('unsupported', which is nobody's fault).
 */
export class RequestFailedError extends Error {
  override readonly name = 'RequestFailedError';

  constructor(
    readonly reason: 'timeout' | 'closed' | 'wrong-answer' | 'unsupported',
    kind: BodyCase,
  ) {
    super(`no answer to ${kind}: ${reason}`);
  }
}

interface PendingRequest {
  readonly kind: BodyCase;
  readonly expected: BodyCase;
  readonly timer: Timer;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * One conversation between two nodes over a channel. Both sides may ask, answer and announce, whichever of them dialled.
 * It knows nothing of chains: it matches answers to requests, calls handlers and keeps the outgoing queue bounded.
 * A handler returns the answer; `handlers` may be replaced as the conversation goes on (before and after Hello).
 */
export class Session {
  handlers: HandlerTable = {};
  /** Whether to handle a message of so many bytes that is no answer to a request of ours. Undefined: an unknown body. */
  gate: (body: Body | undefined, bytes: number) => boolean = () => true;
  /** The feature that the peer lacks for a body of this kind; undefined if it may be sent. */
  missingFeature: (kind: BodyCase) => string | undefined = () => undefined;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #queue: OutgoingQueue;
  readonly #channel: DelayedChannel;
  readonly #memory: OutgoingMemory;
  #lastId = 0;
  #holds = 0;
  #closed = false;

  constructor(
    channel: Channel,
    private readonly clock: Clock,
    private readonly meter: TrafficMeter,
    private readonly events: SessionEvents,
    memory = new OutgoingMemory(MAX_QUEUED_BYTES),
  ) {
    this.#channel = new DelayedChannel(channel, clock);
    this.#queue = new OutgoingQueue(this.#channel, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES);
    this.#memory = memory;
    memory.add(this.#queue, () => this.#hangUp(NOT_READ));
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Number of requests that wait for an answer. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Size of the messages that wait until the peer reads. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get remoteHost(): string {
    return this.#channel.remoteHost;
  }

  get provenNodeId(): string | undefined {
    return this.#channel.provenNodeId;
  }

  /** Makes the messages to come late on purpose: asked for each of them, in both directions. */
  set delayMs(delayMs: () => number) {
    this.#channel.delayMs = delayMs;
  }

  open(): void {
    this.#channel.open({
      message: (bytes) => this.#receive(bytes),
      drained: () => this.#queue.drained(),
      closed: (reason) => this.#end(reason),
    });
  }

  /**
   * Sends a request and waits for its answer.
   * @throws RequestFailedError, also when the answer is of another kind than `expected`; Error when the peer lacks the
   *   feature of the body, which the caller has to check first.
   */
  request<C extends BodyCase>(body: Body, expected: C, timeoutMs: number): Promise<BodyOf<C>> {
    this.#checkFeature(body);
    if (this.#closed) return Promise.reject(new RequestFailedError('closed', body.$case));
    this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    const id = this.#lastId;
    return new Promise<BodyOf<C>>((resolve, reject) => {
      const timer = this.clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new RequestFailedError('timeout', body.$case));
      });
      this.#pending.set(id, {
        kind: body.$case,
        expected,
        timer,
        resolve,
        reject,
      });
      this.#send(id, 0, body);
    });
  }

  /**
   * Sends a message that needs no answer.
   * @throws Error when the peer lacks the feature of the body, which the caller has to check first.
   */
  notify(body: Body): void {
    this.#checkFeature(body);
    this.#send(0, 0, body);
  }

  /** Reads nothing more from the peer until `release` was called as often. */
  hold(): void {
    this.#holds += 1;
    if (this.#holds === 1 && !this.#closed) this.#channel.pause();
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0 && !this.#closed) this.#channel.resume();
  }

  /** Says why and ends the session. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#send(0, 0, { $case: 'goodbye', value: { reason } });
    this.#hangUp(reason);
  }

  #checkFeature({ $case }: Body): void {
    const feature = this.missingFeature($case);
    if (feature !== undefined) throw new Error(`${$case} for a peer without the feature ${feature}`);
  }

  #send(id: number, inReplyTo: number, body: Body): void {
    if (this.#closed) return;
    const bytes = encodeMessage({ id, inReplyTo, body });
    this.meter.sent(body.$case, bytes.length);
    if (!this.#queue.push(bytes, isBulk(body.$case))) this.#hangUp(NOT_READ);
    else if (this.#queue.bytes > 0) this.#memory.makeRoom();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    let kind: BodyCase | undefined;
    try {
      const { id, inReplyTo, body } = decodeMessage(bytes);
      kind = body?.$case;
      this.meter.received(kind ?? 'unknown', bytes.length);
      if (body === undefined) this.meter.receivedUnknown(roleOf(id, inReplyTo));
      if (this.#pending.has(inReplyTo)) this.#answered(inReplyTo, body);
      // An answer that comes after its deadline finds no request waiting, and is nobody's fault.
      else if (this.gate(body, bytes.length) && inReplyTo === 0) this.#asked(id, body);
    } catch (error) {
      this.#blame(error, kind);
    }
  }

  #answered(inReplyTo: number, body: Body | undefined): void {
    const pending = this.#pending.get(inReplyTo)!;
    this.#pending.delete(inReplyTo);
    pending.timer.cancel();
    if (body === undefined || body.$case === 'unsupported') {
      pending.reject(new RequestFailedError('unsupported', pending.kind));
    } else if (body.$case === pending.expected) pending.resolve(body.value);
    else {
      pending.reject(new RequestFailedError('wrong-answer', pending.kind));
      throw new WireError('unexpected-message', `${body.$case} in answer to ${pending.kind}`);
    }
  }

  #asked(id: number, body: Body | undefined): void {
    if (body === undefined) {
      if (id !== 0) this.#send(0, id, { $case: 'unsupported', value: {} });
      return;
    }
    const handler = this.handlers[body.$case] as Handler<BodyCase> | undefined;
    if (handler === undefined) throw new WireError('unexpected-message', `${body.$case} is not welcome now`);
    const reply = (answer: Body | void): void => {
      if (answer === undefined || id === 0) return;
      this.#checkFeature(answer);
      this.#send(0, id, answer);
    };
    const result = handler(body.value);
    if (result instanceof Promise) result.then(reply).catch((error: unknown) => this.#blame(error, body.$case));
    else reply(result);
  }

  #blame(error: unknown, kind: BodyCase | undefined): void {
    if (this.#closed) return;
    if (error instanceof WireError || error instanceof RuleError) this.events.misbehaved(error);
    else this.events.failed(error, kind);
  }

  #hangUp(reason: string): void {
    if (this.#closed) return;
    this.#channel.close();
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    this.#memory.remove(this.#queue);
    for (const pending of this.#pending.values()) {
      pending.timer.cancel();
      pending.reject(new RequestFailedError('closed', pending.kind));
    }
    this.#pending.clear();
    this.events.closed(reason);
  }
}

function roleOf(id: number, inReplyTo: number): UnknownRole {
  if (inReplyTo !== 0) return 'answer';
  return id === 0 ? 'notification' : 'request';
}
