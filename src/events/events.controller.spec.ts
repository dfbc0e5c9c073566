import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { EventClient, type EventClientOptions } from '../../test/support/event-client.js';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { waitFor } from '../../test/support/wait.js';
import { EventFeed, MAX_STREAMS, MAX_STREAMS_OF_HOST, RING_EVENTS, type ToldEvent } from './event-feed.js';
import { feedEventSchema } from './event-schemas.js';

let rest: RestApp;
const clients: EventClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await rest.close();
});

async function open(options?: EventClientOptions): Promise<EventClient> {
  const client = await EventClient.open(`http://127.0.0.1:${rest.port}`, options);
  clients.push(client);
  return client;
}

/** Something that happened. @param chars of text in it. */
function happening(chars = 1): ToldEvent {
  const nothing = { tip: null, direction: null, address: null };
  return { type: 'peer', state: 'disconnected', id: 'n2', ...nothing, reason: 'x'.repeat(chars) };
}

async function metric(name: string): Promise<number> {
  const { text } = await rest.get('/metrics');
  return Number(new RegExp(`^minichain_${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
}

describe('GET /events', () => {
  it('tells of an entry, its block and the tip, as the schemas say', async () => {
    rest = await startRestApp();
    const client = await open();
    const { json } = await rest.post('/blocks', { data: 'hello' });
    await rest.post('/mine');
    await waitFor('the entry is confirmed', () => client.of('entry').length === 2);
    for (const { event, data } of client.events) {
      expect(feedEventSchema.parse(data)).toEqual(data);
      expect(event).toBe(data.type);
    }
    expect(client.of('entry')).toMatchObject([
      { state: 'pending', ids: [json.id] },
      { state: 'confirmed', ids: [json.id], block: { height: 1, hash: rest.node.chain.tip.hash } },
    ]);
    expect(client.of('block')).toMatchObject([{ block: { height: 1, status: 'active', miner: 'rest', entries: 1 } }]);
    expect(client.of('tip')).toMatchObject([{ tip: { height: 1 }, reorg: null }]);
    expect(client.numbers).toEqual(client.numbers.map((_, index) => index + 1));
  });

  it('is a stream that proxies and caches leave alone', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_CORS_ORIGINS: 'http://page.example' });
    const { response } = await open({ headers: { origin: 'http://page.example' } });
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': 'http://page.example',
    });
    const head = await rest.fetch('/events', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(await metric('event_streams')).toBe(1);
  });

  it.each([
    ['the header', (id: string) => ({ headers: { 'last-event-id': id } })],
    ['the query', (id: string) => ({ query: `?lastEventId=${id}` })],
    ['the header before the query', (id: string) => ({ headers: { 'last-event-id': id }, query: '?lastEventId=x-1' })],
  ])('resumes after the id in %s, and loses nothing', async (_, options) => {
    rest = await startRestApp();
    const feed = rest.node.app.get(EventFeed);
    const first = await open();
    // Before the first event too.
    const start = first.lastId;
    for (let i = 0; i < 500; i++) feed.tell(happening(200));
    await waitFor('it has some', () => first.events.length >= 500);
    const id = first.events[99]!.id;
    first.close();
    for (let i = 0; i < 400; i++) feed.tell(happening(200));
    const [again, fromStart] = [await open(options(id)), await open(options(start))];
    await waitFor('they have all', () => again.events.length >= 800 && fromStart.events.length >= 900);
    expect(again.numbers).toEqual(Array.from({ length: 800 }, (__, i) => 101 + i));
    expect(fromStart.numbers).toEqual(Array.from({ length: 900 }, (__, i) => 1 + i));
    expect(await metric('event_streams_dropped_total')).toBe(0);
  });

  it('sends a reset where it does not have what was missed, then goes on', async () => {
    rest = await startRestApp();
    const feed = rest.node.app.get(EventFeed);
    const { lastId: start } = await open();
    for (let i = 0; i < RING_EVENTS + 1; i++) feed.tell(happening());
    const present = feed.lastId;
    const boot = start.split('-')[0];
    for (const id of [start, `${boot}-${RING_EVENTS + 2}`, '0123456789ab-5', 'nonsense', '%0A']) {
      const client = await open({ query: `?lastEventId=${id}` });
      expect(client.events).toEqual([
        { id: present, event: 'reset', data: { type: 'reset', atMs: expect.any(Number), id: present } },
      ]);
    }
    const client = clients.at(-1)!;
    feed.tell(happening());
    await waitFor('it goes on', () => client.events.length === 2);
    expect(client.numbers).toEqual([RING_EVENTS + 1, RING_EVENTS + 2]);
  });

  it('serves 100 streams, and refuses more with 503', async () => {
    rest = await startRestApp();
    for (let i = 0; i < MAX_STREAMS; i++) await open();
    const refused = await rest.get('/events');
    expect(refused.json).toMatchObject({ status: 503, code: 'too-many-streams', retryAfterSeconds: 5 });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await metric('event_streams')).toBe(MAX_STREAMS);
    clients[50]!.close();
    await waitFor('there is room again', async () => (await metric('event_streams')) < MAX_STREAMS);
    await open();
    rest.node.app.get(EventFeed).tell(happening());
    await waitFor('all have it', () => clients.filter(({ events }) => events.length === 1).length === MAX_STREAMS);
    expect(await metric('events_sent_total')).toBe(MAX_STREAMS);
  });

  it.runIf(process.platform === 'linux')('lets no host take all streams, and keeps some for this machine', async () => {
    rest = await startRestApp();
    const from = (n: number): EventClientOptions => ({ from: `127.0.1.${n}` });
    for (let i = 0; i < MAX_STREAMS_OF_HOST; i++) await open(from(1));
    await expect(open(from(1))).rejects.toThrow('503');
    clients[0]!.close();
    await waitFor('it has room again', async () => (await metric('event_streams')) < MAX_STREAMS_OF_HOST);
    await open(from(1));
    for (let i = MAX_STREAMS_OF_HOST; i < 90; i++) await open(from(2 + Math.floor(i / MAX_STREAMS_OF_HOST)));
    await expect(open(from(99))).rejects.toThrow('503');
    for (let i = 90; i < MAX_STREAMS; i++) await open();
    const { json } = await rest.get('/events');
    expect(json).toMatchObject({ code: 'too-many-streams', detail: expect.stringMatching(/^all 100 event streams/) });
  });

  it('drops a client that does not read, while the others have all, and keeps nothing for it', async () => {
    rest = await startRestApp();
    const feed = rest.node.app.get(EventFeed);
    const client = await open();
    const sockets: Socket[] = [];
    rest.node.app.getHttpServer().on('connection', (socket: Socket) => sockets.push(socket));
    const slow = connect(rest.port, '127.0.0.1').pause();
    slow.on('error', () => {});
    slow.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor('both are open', async () => (await metric('event_streams')) === 2);
    const theirs = sockets[0]!;
    let [told, most] = [0, 0];
    await waitFor(
      'it is dropped',
      async () => {
        for (let i = 0; i < 200; i++) {
          for (let j = 0; j < 10; j++) feed.tell(happening(8_000));
          told += 10;
          await nextTurn();
          most = Math.max(most, theirs.writableLength);
        }
        return theirs.destroyed;
      },
      60_000,
    );
    slow.destroy();
    await waitFor('the other has all', () => client.events.length === told);
    expect(client.numbers).toEqual(Array.from({ length: told }, (_, i) => i + 1));
    // One write over the mark of the socket.
    expect(most).toBeLessThan(400_000);
    expect(await metric('event_streams_dropped_total')).toBe(1);
  });

  it('sends comments by the clock of the node', async () => {
    const clock = new VirtualClock();
    rest = await startRestApp({}, { clock });
    const client = await open();
    await clock.advance(30_000);
    await waitFor('two comments', () => client.comments === 2);
    expect(client.events).toEqual([]);
  });

  it('ends its streams when the node stops', async () => {
    rest = await startRestApp();
    const client = await open();
    await rest.close();
    await waitFor('the stream has ended', () => client.isClosed);
    expect(client.response.complete).toBe(true);
  });

  it('stays out of the histogram of durations, its refusals do not', async () => {
    rest = await startRestApp();
    (await open()).close();
    await waitFor('it is closed', async () => (await metric('event_streams')) === 0);
    expect((await rest.get('/events?unknown=1')).status).toBe(400);
    const { text } = await rest.get('/metrics');
    const counts = text.split('\n').filter((line) => /_duration_seconds_count.*"\/events"/.test(line));
    expect(counts).toEqual([expect.stringMatching(/status="400".* 1$/)]);
  });
});

describe('X-Event-Id', () => {
  it('says in answers to reads which event came last', async () => {
    rest = await startRestApp();
    const client = await open();
    const idOf = async (path: string): Promise<string | null> => (await rest.get(path)).headers.get('x-event-id');
    expect(await idOf('/status')).toBe(client.lastId);
    await rest.post('/blocks', { data: 'x' });
    const { lastId } = rest.node.app.get(EventFeed);
    expect(lastId).toMatch(/^[0-9a-f]{12}-1$/);
    for (const path of ['/status', '/chain', '/forks', '/peers', '/mempool', '/blocks/0?format=raw', '/blocks/9']) {
      expect([path, await idOf(path)]).toEqual([path, lastId]);
    }
    expect((await rest.post('/mine')).headers.get('x-event-id')).toBeNull();
    await waitFor('the client has it too', () => client.events.some(({ id }) => id === lastId));
  });
});
