import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait.js';
import { systemClock } from '../common/clock.js';
import type { Channel } from './channel.js';
import { GrpcChannel } from './grpc-channel.js';
import { PEER_SERVICE_DEFINITION } from './grpc-definition.js';
import { GRPC_OPTIONS, GrpcDialer } from './grpc-dialer.js';
import type { Body } from './messages.js';
import { Session } from './session.js';

type Stream = ServerDuplexStream<Uint8Array, Uint8Array>;

/** One end of a channel, and what it hears. */
class Listener {
  readonly messages: string[] = [];
  readonly closed: string[] = [];
  drained = 0;

  constructor(readonly channel: Channel) {
    channel.open({
      message: (bytes) => void this.messages.push(Buffer.from(bytes).toString('latin1')),
      drained: () => void (this.drained += 1),
      closed: (reason) => void this.closed.push(reason),
    });
  }

  send(text: string): boolean {
    return this.channel.send(Buffer.from(text, 'latin1'));
  }
}

describe('GrpcChannel', () => {
  let server: Server;
  let port: number;
  let accept: (channel: GrpcChannel, call: Stream) => void;
  beforeEach(async () => {
    server = new Server(GRPC_OPTIONS);
    server.addService(PEER_SERVICE_DEFINITION, {
      connect: (call: Stream) => accept(new GrpcChannel(call), call),
    });
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  });
  afterEach(() => server.forceShutdown());

  const pair = async (host = '127.0.0.1'): Promise<{ dialler: Listener; acceptor: Listener }> => {
    let acceptor: Listener | undefined;
    accept = (channel) => (acceptor = new Listener(channel));
    const dialler = new Listener(new GrpcDialer().dial(`${host}:${port}`));
    dialler.send('first');
    return { dialler, acceptor: await waitFor('the other end', () => acceptor) };
  };

  it('carries bytes both ways, in order and unchanged', async () => {
    const { dialler, acceptor } = await pair();
    const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(byte)).join('');
    for (const text of ['', everyByte, 'x'.repeat(3_000_000)]) {
      dialler.send(text);
      acceptor.send(text);
    }
    await waitFor('all is there', () => dialler.messages.length === 3 && acceptor.messages.length === 4);
    expect(dialler.messages).toEqual(['', everyByte, 'x'.repeat(3_000_000)]);
    expect(acceptor.messages.slice(1)).toEqual(dialler.messages);
  });

  it('that is paused stops the sender, and loses nothing', async () => {
    const { dialler, acceptor } = await pair();
    await waitFor('the first message', () => acceptor.messages.length === 1);
    acceptor.channel.pause();
    const text = 'x'.repeat(1_000_000);
    for (let count = 0; count < 20; count++) dialler.send(text);
    acceptor.send('the other way is open');
    await waitFor('a message of the paused side', () => dialler.messages.length === 1);
    expect(acceptor.messages.length).toBeLessThan(4);
    acceptor.channel.resume();
    await waitFor('all messages', () => acceptor.messages.length === 21);
    expect(acceptor.messages.slice(1).every((message) => message === text)).toBe(true);
  });

  it('knows the other host by its IP address, also where a name was dialled', async () => {
    const { dialler, acceptor } = await pair('localhost');
    acceptor.send('hello');
    await waitFor('an answer', () => dialler.messages.length === 1);
    expect([dialler.channel.remoteHost, acceptor.channel.remoteHost]).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it.each(['dialler', 'acceptor'] as const)(
    'closed by the %s delivers what was sent, and tells the other',
    async (closer) => {
      const { dialler, acceptor } = await pair();
      const [near, far] = closer === 'dialler' ? [dialler, acceptor] : [acceptor, dialler];
      near.send('goodbye');
      near.channel.close();
      near.channel.close();
      await waitFor('the other end knows', () => far.closed.length > 0);
      expect(far.messages.at(-1)).toBe('goodbye');
      await waitFor('so does this end', () => near.closed.length > 0);
      near.send('too late');
      far.send('too late');
      expect([near.closed.length, far.closed.length]).toEqual([1, 1]);
    },
  );

  it('of a dial that nobody takes closes with the reason', async () => {
    server.forceShutdown();
    const dialler = new Listener(new GrpcDialer().dial(`127.0.0.1:${port}`));
    dialler.send('anybody?');
    await waitFor('the dial fails', () => dialler.closed.length > 0);
    expect(dialler.closed[0]).toMatch(/ECONNREFUSED/);
  });

  it('closes on both ends when a message is too long', async () => {
    const { dialler, acceptor } = await pair();
    dialler.send('x'.repeat(GRPC_OPTIONS['grpc.max_send_message_length'] + 1));
    await waitFor('both are closed', () => dialler.closed.length > 0 && acceptor.closed.length > 0);
  });

  it('closes when the connection dies', async () => {
    const { dialler, acceptor } = await pair();
    server.forceShutdown();
    await waitFor('both are closed', () => dialler.closed.length > 0 && acceptor.closed.length > 0);
  });

  it('survives a client that speaks no HTTP/2', async () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\n\r\n'));
    socket.on('error', () => {}).resume();
    await new Promise((resolve) => socket.on('close', resolve));
    const { acceptor } = await pair();
    await waitFor('the first message', () => acceptor.messages.length === 1);
  });

  it('can be closed before it is opened', async () => {
    accept = (channel) => channel.close();
    const dialler = new Listener(new GrpcDialer().dial(`127.0.0.1:${port}`));
    dialler.send('hello');
    await waitFor('it is told', () => dialler.closed.length > 0);
    expect(dialler.messages).toEqual([]);
  });

  it('under a session drops a peer that does not read, and does not let it hold on to the stream', async () => {
    let call: Stream | undefined;
    let closed: string | undefined;
    accept = (channel, stream) => {
      call = stream;
      const meter = { sent: () => {}, received: () => {}, receivedUnknown: () => {} };
      const session = new Session(channel, systemClock, meter, {
        misbehaved: () => {},
        failed: () => {},
        closed: (reason) => (closed = reason),
      });
      const blocks: Body = { $case: 'blocks', value: { blocks: [{ raw: Buffer.alloc(1024 * 1024) }] } };
      session.open();
      for (let count = 0; count < 100; count++) session.notify(blocks);
    };
    const client = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => {});
    const stream = client.request({
      ':method': 'POST',
      ':path': PEER_SERVICE_DEFINITION.connect.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    // A flag byte and the length, as gRPC frames its messages.
    stream.write(Buffer.from([0, 0, 0, 0, 2, 0x22, 0]));
    await waitFor('it is dropped', () => closed);
    expect(closed).toBe('peer does not read');
    expect(call!.destroyed).toBe(false);
    await waitFor('its stream is cut off', () => stream.closed);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(call!.destroyed).toBe(true);
    client.close();
  });
});
