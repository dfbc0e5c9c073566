import { get, type IncomingMessage } from 'node:http';
import type { FeedEvent } from '../../src/events/event-schemas.js';
import { waitFor } from './wait.js';

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  // What is in it is for the test to say.
  readonly data: FeedEvent;
}

export interface EventClientOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** The address from which it connects, such as 127.0.0.2, which is not this machine's own. */
  readonly from?: string;
}

/** A client of GET /events, which reads the stream as the HTML standard has it. */
export class EventClient {
  readonly events: ReceivedEvent[] = [];
  comments = 0;
  /** Id that the client would send to go on. */
  lastId = '';
  isClosed = false;
  #rest = '';

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    response.on('error', () => {});
    response.on('close', () => (this.isClosed = true));
  }

  /** Resolves once the stream is open. @param url of the node, without a path. */
  static async open(url: string, { headers = {}, query = '', from }: EventClientOptions = {}): Promise<EventClient> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/events${query}`, { headers, agent: false, localAddress: from }, resolve).on('error', reject);
    });
    if (response.statusCode !== 200) throw new Error(`GET /events: ${response.statusCode}`);
    const client = new EventClient(response);
    await waitFor('the stream has begun', () => client.lastId !== '' || client.events.length > 0);
    return client;
  }

  /** Numbers of the events, from their ids. */
  get numbers(): number[] {
    return this.events.map(({ id }) => Number(id.split('-')[1]));
  }

  of<T extends FeedEvent['type']>(type: T): Extract<FeedEvent, { type: T }>[] {
    return this.events.flatMap(({ data }) => (data.type === type ? [data as Extract<FeedEvent, { type: T }>] : []));
  }

  close(): void {
    this.response.destroy();
  }

  #take(chunk: string): void {
    const messages = (this.#rest + chunk).split('\n\n');
    this.#rest = messages.pop()!;
    for (const message of messages) {
      const fields = new Map(
        message.split('\n').map((line) => /^(\w*): ?(.*)$/s.exec(line)!.slice(1) as [string, string]),
      );
      const [id, event, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
      if (id !== undefined) this.lastId = id;
      if (event !== undefined) this.events.push({ id: id!, event, data: JSON.parse(data!) as FeedEvent });
      if (message.startsWith(':')) this.comments += 1;
    }
  }
}
