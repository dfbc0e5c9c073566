import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, loadPackageDefinition, type ClientDuplexStream } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import { newHandshake, type OwnHello, type TheirHello } from './handshake.js';
import { waitFor } from './wait.js';

const PROTO_DIR = new URL('../../proto/', import.meta.url).pathname;

/** A PeerMessage as @grpc/proto-loader shows it: `body` names the field of the oneof that is set. */
export type ProtoMessage = { readonly id?: number; readonly in_reply_to?: number; readonly body?: string } & Record<
  string,
  unknown
>;

/** How this peer's protocol differs from peer.proto: pieces of text and what stands in their place. */
export type ProtoChanges = readonly (readonly [text: string, replacement: string])[];

/** What there was before features and Unsupported. */
export const OLDER_PROTO: ProtoChanges = [
  ['  repeated string features = 8;\n', ''],
  ['    Unsupported unsupported = 22;\n', ''],
];

/** What a later version may add. */
export const NEWER_PROTO: ProtoChanges = [
  ['  repeated string features = 8;\n', '  repeated string features = 8;\n  bytes proof = 99;\n'],
  ['    Unsupported unsupported = 22;\n', '    Unsupported unsupported = 22;\n    Tomorrow tomorrow = 1000;\n'],
  ['message GetMempool {}', 'message GetMempool {}\nmessage Tomorrow {\n  string text = 1;\n  uint32 number = 2;\n}'],
  ['message Goodbye {\n', 'message Goodbye {\n  uint32 kind = 7;\n'],
  ['message Pong {\n', 'message Pong {\n  string mood = 50;\n'],
  ['    RESULT_REJECTED = 4;\n', '    RESULT_REJECTED = 4;\n    RESULT_LATER = 40;\n'],
];

interface PeerServiceClient {
  connect(): ClientDuplexStream<ProtoMessage, ProtoMessage>;
  close(): void;
}

/**
 * A peer that shares no code with this project: @grpc/proto-loader reads a .proto, made of peer.proto by `changes`, and
 * the test writes messages field by field.
 */
export class ProtoPeer {
  readonly received: ProtoMessage[] = [];
  isClosed = false;
  /** What it answers to a request, by the name of the body; later, if it is a promise. */
  answers: Readonly<Record<string, (request: ProtoMessage) => ProtoMessage | Promise<ProtoMessage>>> = {};
  readonly #client: PeerServiceClient;
  readonly #stream: ClientDuplexStream<ProtoMessage, ProtoMessage>;

  private constructor(client: PeerServiceClient) {
    this.#client = client;
    this.#stream = client.connect();
    this.#stream.on('data', (message: ProtoMessage) => this.#receive(message));
    for (const event of ['error', 'end', 'close']) this.#stream.on(event, () => (this.isClosed = true));
  }

  /** @param directory for the changed .proto. */
  static async dial(address: string, directory: string, changes: ProtoChanges): Promise<ProtoPeer> {
    const folder = join(directory, 'minichain/v1');
    mkdirSync(folder, { recursive: true });
    let proto = readFileSync(join(PROTO_DIR, 'minichain/v1/peer.proto'), 'utf8');
    for (const [text, replacement] of changes) {
      if (!proto.includes(text)) throw new Error(`peer.proto does not have ${JSON.stringify(text)}`);
      proto = proto.replace(text, replacement);
    }
    writeFileSync(join(folder, 'peer.proto'), proto);
    const definition = await load('minichain/v1/peer.proto', {
      includeDirs: [directory, PROTO_DIR],
      keepCase: true,
      oneofs: true,
      longs: String,
    });
    const { minichain } = loadPackageDefinition(definition) as unknown as {
      minichain: { v1: { PeerService: new (address: string, creds: unknown) => PeerServiceClient } };
    };
    return new ProtoPeer(new minichain.v1.PeerService(address, credentials.createInsecure()));
  }

  send(message: ProtoMessage): void {
    this.#stream.write(message);
  }

  /** Exchanges Hello and Proof with the node that it dialled, under a new key. */
  async greet(own: OwnHello): Promise<void> {
    const { hello, prove } = newHandshake(own);
    this.send({ hello });
    const theirs = (await this.next('hello'))['hello'] as TheirHello;
    this.send({ proof: prove(theirs) });
  }

  /** The first message with this body that was received, or will be. */
  async next(body: string, isWanted: (message: ProtoMessage) => boolean = () => true): Promise<ProtoMessage> {
    return waitFor(`a ${body}`, () => {
      if (this.isClosed) throw new Error(`the session is over: ${JSON.stringify(this.received.at(-1))}`);
      return this.received.find((message) => message.body === body && isWanted(message));
    });
  }

  close(): void {
    this.#stream.end();
    this.#client.close();
  }

  #receive(message: ProtoMessage): void {
    this.received.push(message);
    const answer = this.answers[message.body ?? ''];
    if (answer !== undefined && message.id !== undefined && message.id !== 0) {
      const reply = (body: ProtoMessage): void => this.send({ in_reply_to: message.id!, ...body });
      const body = answer(message);
      if (body instanceof Promise) void body.then(reply);
      else reply(body);
    }
  }
}
