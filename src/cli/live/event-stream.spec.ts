import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventServer } from '../../../test/support/event-server.js';
import { waitFor } from '../../../test/support/wait.js';
import type { FeedEvent } from '../../events/event-schemas.js';
import { NodeClient } from '../node-client.js';
import { followEvents } from './event-stream.js';

let server: EventServer;
let stop: AbortController;
let following: Promise<void>;
let told: string[];

const lab = (text: string): FeedEvent => ({ type: 'lab', atMs: 1, change: 'heal', text });

function follow(url: string): void {
  following = followEvents(
    new NodeClient(url, undefined),
    {
      opened: () => told.push('opened'),
      event: (event, id) => told.push(`${id} ${event.type === 'lab' ? event.text : event.type}`),
      lost: (reason) => told.push(`lost: ${reason}`),
    },
    stop.signal,
  );
}

beforeEach(async () => {
  server = await EventServer.start();
  stop = new AbortController();
  told = [];
});

afterEach(async () => {
  stop.abort();
  await following;
  await server.stop();
});

const tells = (...what: readonly string[]): Promise<unknown> =>
  waitFor(`it tells ${what.join('; ')}`, () => told.join('\n').includes(what.join('\n')));

describe('followEvents', () => {
  it('tells each event with its id, in whatever pieces it comes', async () => {
    follow(server.url);
    await server.isRead();
    server.send(lab('one'));
    await tells('opened', 'boot-1 one');
    const text = `id: boot-2\nevent: lab\ndata: ${JSON.stringify(lab('two \u00fc'))}\n\n`;
    for (const piece of text.match(/.{1,7}/gsu)!) server.write(piece);
    await tells('boot-1 one', 'boot-2 two \u00fc');
  });

  it('goes on after a break where it ended, and says once that it broke off', async () => {
    follow(server.url);
    await server.isRead();
    server.send(lab('one'));
    await tells('boot-1 one');
    await server.stop();
    await tells('lost: connection lost');
    await server.startAgain();
    await server.isRead();
    server.send(lab('two'));
    await tells('lost: connection lost', 'opened', 'boot-2 two');
    expect(server.resumedFrom).toEqual([undefined, 'boot-1']);
  });

  it('says that the node has ended the stream, is not there, or refuses', async () => {
    follow(server.url);
    await server.isRead();
    server.status = 503;
    server.endStreams();
    await tells('opened', 'lost: it ended the stream');
    await waitFor('it asks again', () => server.resumedFrom.length > 1);
    server.status = 200;
    await tells('lost: it ended the stream', 'opened');
  });

  it('goes on asking a node that refuses for good', async () => {
    server.status = 404;
    follow(server.url);
    await tells('lost: it refuses (HTTP 404): Not Found');
    server.status = 200;
    await tells('Not Found', 'opened');
  });

  it('waits for a node that is not there yet', async () => {
    await server.stop();
    follow(server.url);
    await tells('lost: connection refused');
    await server.startAgain();
    await tells('lost: connection refused', 'opened');
  });

  it('takes what is no event for the end of the stream', async () => {
    follow(server.url);
    await server.isRead();
    server.write('data: {\u001b[2J\n\n');
    await waitFor('it is lost', () => told.some((line) => line.startsWith('lost: ')));
    expect(told.join('')).not.toContain('\u001b');
  });

  it('ends at once when it is stopped, also while it waits', async () => {
    await server.stop();
    follow(server.url);
    await tells('lost: connection refused');
    stop.abort();
    await following;
    await server.startAgain();
  });
});
