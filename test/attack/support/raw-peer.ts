import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach } from 'vitest';
import { waitFor } from '../../support/wait.js';

/** A PeerMessage as @grpc/proto-loader shows it: `body` names the field of the oneof that is set. */
export type RawMessage = { readonly id?: number; readonly in_reply_to?: number; readonly body?: string } & Record<
  string,
  unknown
>;

interface Method {
  requestSerialize(message: RawMessage): Buffer;
  requestDeserialize(bytes: Buffer): RawMessage;
}

const PROTO_DIR = new URL('../../../proto/', import.meta.url).pathname;
const options = { includeDirs: [PROTO_DIR], keepCase: true, oneofs: true, longs: String };
const definition = loadSync('minichain/v1/peer.proto', options);
const { minichain } = loadPackageDefinition(definition) as unknown as {
  minichain: { v1: { PeerService: { service: { Connect: Method } } } };
};
const METHOD = minichain.v1.PeerService.service.Connect;
/** A byte that says "not compressed", and the length. */
const PREFIX_BYTES = 5;
/** Bigger messages are counted, not decoded: an attacker has no use for what it draws. */
const DECODED_BYTES = 4 * 1024;
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface RawHello extends Record<string, unknown> {
  readonly genesis_hash: Buffer;
  readonly node_id: string;
}

/** One message as gRPC sends it, to be written any number of times. */
export function frameOf(message: RawMessage): Buffer {
  const bytes = METHOD.requestSerialize(message);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A peer on a bare HTTP/2 stream that shares no code with this project, from any address of this machine. */
export class RawPeer {
  isClosed = false;
  /** Small messages, without pings. */
  readonly received: RawMessage[] = [];
  receivedBytes = 0;
  receivedMessages = 0;
  sentBytes = 0;
  /** Called for each message that came, however big. */
  onMessage: () => void = () => {};
  readonly #http2: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(port: number, from: string) {
    const createConnection = () => connect({ host: '127.0.0.1', port, localAddress: from });
    const settings = { initialWindowSize: WINDOW_BYTES };
    this.#http2 = connectHttp2(`http://127.0.0.1:${port}`, { createConnection, settings });
    this.#http2.on('error', () => this.close()).on('close', () => this.close());
    this.#http2.on('connect', () => this.#http2.setLocalWindowSize(WINDOW_BYTES));
    this.#stream = this.#http2.request({
      ':method': 'POST',
      ':path': '/minichain.v1.PeerService/Connect',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#stream.on('error', () => this.close()).on('close', () => this.close());
    this.#stream.on('end', () => this.close());
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  send(message: RawMessage): void {
    this.write(frameOf(message));
  }

  /** False: wait for `drained` before the next. */
  write(frame: Buffer): boolean {
    if (this.isClosed) return true;
    this.sentBytes += frame.length;
    return this.#stream.write(frame);
  }

  /** Resolves once there is room for more, or the session is over. */
  async drained(): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('drain', resolve).once('close', resolve);
    });
  }

  /** Resolves once the session is over. */
  async closed(): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => void this.#stream.once('close', resolve));
  }

  /** Reads nothing more. */
  stopReading(): void {
    this.#stream.pause();
  }

  /** Exchanges Hello and Proof under a new key. False: the session is over. */
  async greet(hello: RawHello): Promise<boolean> {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const public_key = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const [nonce, instance] = [randomBytes(32), randomBytes(8)];
    const instance_nonce = String(instance.readBigUInt64LE());
    this.send({ hello: { protocol_version: 1, user_agent: 'attacker', ...hello, instance_nonce, public_key, nonce } });
    const find = (body: string) => this.received.find((message) => message.body === body);
    await waitFor('a Hello, or the end', () => this.isClosed || find('proof') !== undefined);
    if (this.isClosed) return false;
    const theirs = find('hello')!['hello'] as { nonce: Buffer; public_key: Buffer };
    const statement = Buffer.concat([
      ...[Buffer.from('minichain handshake'), Buffer.of(0), hello.genesis_hash, nonce, theirs.nonce, public_key],
      ...[theirs.public_key, instance, Buffer.from(hello.node_id)],
    ]);
    this.send({ proof: { signature: sign(null, statement, privateKey) } });
    return true;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#stream.destroy();
    this.#http2.destroy();
  }

  #read(chunk: Buffer): void {
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
    this.receivedBytes += chunk.length;
    for (;;) {
      if (this.#restBytes < PREFIX_BYTES) return;
      if (this.#rest[0]!.length < PREFIX_BYTES) this.#rest = [Buffer.concat(this.#rest)];
      const length = PREFIX_BYTES + this.#rest[0]!.readUInt32BE(1);
      if (this.#restBytes < length) return;
      const all = Buffer.concat(this.#rest);
      this.#rest = all.length > length ? [all.subarray(length)] : [];
      this.#restBytes -= length;
      this.receivedMessages += 1;
      if (length <= DECODED_BYTES) this.#take(METHOD.requestDeserialize(all.subarray(PREFIX_BYTES, length)));
      this.onMessage();
    }
  }

  #take(message: RawMessage): void {
    if (message.body === 'ping') {
      this.send({ in_reply_to: message.id!, pong: { tip: (message['ping'] as { tip: unknown }).tip } });
    } else if (message.body !== 'verdict') this.received.push(message);
  }
}

/** Raw peers of one test; those that are still connected after it are closed. */
export function useRawPeers() {
  const all: RawPeer[] = [];
  const closeAll = (): void => {
    for (const peer of all.splice(0)) peer.close();
  };
  afterEach(closeAll);
  return {
    closeAll,
    dial(port: number, from: string): RawPeer {
      const peer = new RawPeer(port, from);
      all.push(peer);
      return peer;
    },
  };
}
