import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';

export interface ClientOptions {
  readonly port: number;
  /** The address of this machine to come from: another host, as the node sees it. */
  readonly from?: string;
  /** Sent as soon as it is connected. */
  readonly text?: string;
  /** Without, nothing that the node sends is read. */
  readonly reads?: boolean;
}

/** The n-th of many hosts: 127.0.0.2, 127.0.0.3, and so on. */
export function hostAddress(n: number): string {
  const number = n + 2;
  return `127.0.${Math.floor(number / 250)}.${(number % 250) + 1}`;
}

/** A connection of an attacker, and what came of it. */
export class AttackSocket {
  received = '';
  /** The node has closed it. Known only of a connection that is read. */
  isClosed = false;

  constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    for (const event of ['end', 'close']) socket.on(event, () => (this.isClosed = true));
  }

  /** Resolves once the node has closed it. */
  async closed(): Promise<void> {
    if (!this.isClosed) await new Promise((resolve) => this.socket.once('end', resolve).once('close', resolve));
  }

  /** The status of the first answer, as far as it was read. */
  get status(): number | undefined {
    const digits = /^HTTP\/1\.1 (\d{3})/.exec(this.received)?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /** Reads what is there already, and at most 64 KiB. */
  peek(): this {
    const chunk = this.socket.read() as Buffer | null;
    if (chunk !== null) this.received += chunk.toString('latin1');
    return this;
  }
}

/** Raw connections of one test; those that are still open after it are closed. */
export function useSockets() {
  const all: AttackSocket[] = [];
  afterEach(() => {
    for (const { socket } of all.splice(0)) socket.destroy();
  });
  return {
    /** Resolves once connected, or refused. */
    async open({ port, from, text = '', reads = false }: ClientOptions): Promise<AttackSocket> {
      const options = { port, host: '127.0.0.1', allowHalfOpen: true };
      const client = new AttackSocket(connect(from === undefined ? options : { ...options, localAddress: from }));
      all.push(client);
      const { socket } = client;
      await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      if (reads) socket.on('data', (chunk) => (client.received += chunk.toString('latin1')));
      else socket.pause();
      if (text !== '') socket.write(text);
      return client;
    },
  };
}

export function getRequest(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
}
