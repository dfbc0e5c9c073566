import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { waitFor } from '../../test/support/wait.js';
import { MinichainClient, type ReceivedEvent } from './client.js';

let rest: RestApp | undefined;
let server: Server | undefined;

afterEach(async () => {
  await rest?.close();
  server?.closeAllConnections();
  server?.close();
  [rest, server] = [undefined, undefined];
});

async function start(): Promise<MinichainClient> {
  rest = await startRestApp();
  return new MinichainClient(`http://127.0.0.1:${rest.port}`);
}

/** A server whose answer to the n-th request the test writes. */
async function serve(answer: (response: ServerResponse, path: string, at: number) => void): Promise<MinichainClient> {
  let requests = 0;
  server = createServer((request, response) => answer(response, request.url!, requests++));
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return new MinichainClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function take(events: AsyncIterable<ReceivedEvent>, count: number): Promise<ReceivedEvent[]> {
  const taken: ReceivedEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

describe('events', () => {
  it('follow on what was read, with nothing between missed', async () => {
    const client = await start();
    const { eventId } = await client.ask('GET /status', {});
    const { id } = await client.submit('seen');
    await client.mine();
    const events = await take(client.events({ lastEventId: eventId }), 5);
    const told = events.map(({ event }) => event.type);
    expect(told).toEqual(expect.arrayContaining(['entry', 'tip', 'block']));
    const first = events.find(({ event }) => event.type === 'entry')!.event;
    expect(first).toMatchObject({ state: 'pending', ids: [id], from: null });
  });

  it('resume after the last one that was read', async () => {
    const client = await start();
    const { eventId } = await client.ask('GET /status', {});
    for (const text of ['a', 'b', 'c']) await client.submit(text);
    const [first] = await take(client.events({ lastEventId: eventId }), 1);
    const next = await take(client.events({ lastEventId: first!.id }), 2);
    const numbers = [first!, ...next].map(({ id }) => Number(id.split('-')[1]));
    expect(numbers).toEqual([numbers[0], numbers[0]! + 1, numbers[0]! + 2]);
  });

  it('begin with a reset where the node does not have what came in between', async () => {
    const client = await start();
    const [reset] = await take(client.events({ lastEventId: 'another-7' }), 1);
    expect(reset!.event).toMatchObject({ type: 'reset', id: reset!.id });
  });

  it('end with their signal, and their stream with them', async () => {
    const client = await start();
    const stop = new AbortController();
    const streams = async (): Promise<string | undefined> =>
      /^minichain_event_streams(?:\{.*\})? (\d+)$/m.exec((await rest!.get('/metrics')).text)?.[1];
    const reading = take(client.events({ signal: stop.signal }), 1_000);
    await waitFor('the stream is open', async () => (await streams()) === '1');
    stop.abort();
    expect((await reading).every(({ event }) => event.type !== 'reset')).toBe(true);
    await waitFor('the stream is closed', async () => (await streams()) === '0');
    expect(await take(client.events({ signal: stop.signal }), 1)).toEqual([]);
  });

  it('go on where they broke off, whether the stream ends, breaks or is refused for a while', async () => {
    const paths: string[] = [];
    const client = await serve((response, path, at) => {
      paths.push(path);
      if (at === 2) {
        response.writeHead(503, { 'retry-after': '0' }).end('{}');
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`retry: 1\nid: boot-${at}\n\n: still here\n\n`);
      // In pieces, as a network may deliver them.
      for (const piece of [`id: boot-${at + 10}\nev`, 'ent: lab\ndata: {"type":', '"lab","text":"ä"}\n', '\n'])
        response.write(piece);
      if (at === 0) response.end();
      else if (at === 1) setTimeout(() => response.destroy(), 50);
    });
    const broken: string[] = [];
    const events = await take(client.events({ onBreak: ({ code }) => broken.push(code) }), 3);
    expect(events.map(({ id }) => id)).toEqual(['boot-10', 'boot-11', 'boot-13']);
    expect(events[0]!.event).toEqual({ type: 'lab', text: 'ä' });
    const resumed = ['boot-10', 'boot-11', 'boot-11'].map((id) => `/events?lastEventId=${id}`);
    expect(paths).toEqual(['/events', ...resumed]);
    expect(broken).toEqual(['unreachable', 'unreachable', 'http-503']);
  });

  it('wait, if they are asked to, for a node that is not there or refuses, and tell each time the stream is open', async () => {
    const client = await serve((response, _path, at) => {
      if (at < 2) response.writeHead([503, 404][at]!).end('{}');
      else response.writeHead(200).end(`retry: 1\nid: boot-${at}\ndata: {"type":"lab"}\n\n`);
    });
    const told: string[] = [];
    const events = client.events({
      isPatient: true,
      onOpen: () => told.push('open'),
      onBreak: ({ code }) => told.push(code),
    });
    expect((await take(events, 2)).map(({ id }) => id)).toEqual(['boot-2', 'boot-3']);
    expect(told).toEqual(['http-503', 'http-404', 'open', 'unreachable', 'open']);
  });

  it('fail with an error of the library where what comes is no event', async () => {
    const client = await serve((response) => response.writeHead(200).end('data: {oops\n\n'));
    await expect(take(client.events(), 1)).rejects.toMatchObject({ name: 'MinichainError', code: 'not-a-node' });
  });

  it('fail where the first stream cannot be opened, and where the node refuses for good', async () => {
    const full = await serve((response, _path, at) => {
      const [status, body] = [
        [503, '{"code":"too-many-streams"}'],
        [200, 'retry: 1\n\n'],
        [404, '{"code":"route-not-found"}'],
      ][at] as [number, string];
      response.writeHead(status).end(body);
    });
    await expect(take(full.events(), 1)).rejects.toMatchObject({ code: 'too-many-streams' });
    await expect(take(full.events(), 1)).rejects.toMatchObject({ code: 'route-not-found' });
    await expect(take(new MinichainClient('http://127.0.0.1:1').events(), 1)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});
