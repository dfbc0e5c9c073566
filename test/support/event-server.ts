import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FeedEvent } from '../../src/events/event-schemas.js';
import { waitFor } from './wait.js';

/** A server with the events of a node, which a test sends, and with answers to other questions. */
export class EventServer {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #sent = 0;
  #port = 0;
  /** After which event each stream was asked to begin. */
  readonly resumedFrom: (string | undefined)[] = [];
  /** Paths that were asked for, without /events. */
  readonly asked: string[] = [];
  /** Status of GET /events. */
  status = 200;

  private constructor(readonly answers: Record<string, () => unknown>) {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** @param answers bodies by path. */
  static async start(answers: Record<string, () => unknown> = {}): Promise<EventServer> {
    const server = new EventServer(answers);
    await server.#listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Resolves once so many clients read the events. */
  async isRead(streams = 1): Promise<void> {
    await waitFor('the events are read', () => this.#streams.size === streams);
  }

  send(event: FeedEvent): void {
    this.#sent += 1;
    const text = `id: boot-${this.#sent}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const stream of this.#streams) stream.write(text);
  }

  /** Writes to all streams as it is. */
  write(text: string): void {
    for (const stream of this.#streams) stream.write(text);
  }

  /** Ends all streams, as a node does that stops. */
  endStreams(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  /** Nobody listens any more. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    this.#streams.clear();
    await promise;
  }

  /** Listens again, at the same address. */
  startAgain(): Promise<void> {
    return this.#listen();
  }

  async #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(this.#port, '127.0.0.1', () => resolve());
    await promise;
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    if (pathname === '/events') {
      this.#openStream(searchParams.get('lastEventId') ?? undefined, response);
      return;
    }
    this.asked.push(request.url!);
    const answer = this.answers[request.url!];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer?.() ?? { detail: `no route ${request.url}`, code: 'not-found' }));
  }

  #openStream(lastId: string | undefined, response: ServerResponse): void {
    this.resumedFrom.push(lastId);
    response.writeHead(this.status, { 'content-type': 'text/event-stream' });
    if (this.status !== 200) {
      response.end();
      return;
    }
    response.write(`id: boot-${this.#sent}\n\n`);
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }
}
