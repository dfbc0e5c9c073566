import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Forks } from '../../src/chain/fork-schemas.js';
import type { Peers } from '../../src/peers/peers-schemas.js';
import type { Status } from '../../src/ops/status-schemas.js';
import { EventClient, type EventClientOptions } from '../support/event-client.js';
import { converged, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

const nodes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '0', BLOCKCHAIN_AUTO_MINE: 'false' });
const clients: EventClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function listen(node: NodeProcess, options?: EventClientOptions): Promise<EventClient> {
  const client = await EventClient.open(node.url, options);
  clients.push(client);
  return client;
}

async function start(nodeId: string, ...bootstrap: NodeProcess[]): Promise<NodeProcess> {
  return (await nodes.create(nodeId)).spawn(bootstrap).ready();
}

/** A stream of which only a digest is kept. */
interface Digest {
  readonly hash: ReturnType<typeof createHash>;
  bytes: number;
  isClosed: boolean;
}

function digest(node: NodeProcess, lastId: string): Promise<Digest> {
  return new Promise((resolve, reject) => {
    get(`${node.url}/events?lastEventId=${lastId}`, { agent: false }, (response) => {
      const stream: Digest = { hash: createHash('sha256'), bytes: 0, isClosed: false };
      response.on('data', (chunk: Buffer) => {
        stream.hash.update(chunk);
        stream.bytes += chunk.length;
      });
      response.on('close', () => (stream.isClosed = true));
      response.on('error', () => {});
      resolve(stream);
    }).on('error', reject);
  });
}

it('holds 100 streams through 1,000 blocks, and all get the same', async () => {
  const node = await start('node-1');
  const client = await listen(node);
  const streams = await Promise.all(Array.from({ length: 99 }, () => digest(node, client.lastId)));
  await node.post('/mine', { blocks: 1_000 });
  await waitFor('the last block is told', () => client.of('tip').at(-1)?.tip.height === 1_000, 60_000);
  expect(client.of('block').map(({ block }) => block.height)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  expect(client.numbers).toEqual(client.numbers.map((_, i) => i + 1));
  const metrics = await (await fetch(`${node.url}/metrics`)).text();
  expect(metrics).toMatch(/^minichain_event_streams\{.*\} 100$/m);
  expect(metrics).toMatch(/^minichain_event_streams_dropped_total\{.*\} 0$/m);
  expect(await node.kill()).toBe(0);
  await waitFor('all streams have ended', () => streams.every(({ isClosed }) => isClosed));
  expect(streams[0]!.bytes).toBeGreaterThan(500_000);
  expect(new Set(streams.map(({ hash, bytes }) => `${bytes} ${hash.digest('hex')}`)).size).toBe(1);
});

it('ends with code 0 while streams are open, one of them not read, and sends a reset in the next run', async () => {
  const node = await start('node-1');
  const client = await listen(node);
  const deaf = connect(node.httpPort, '127.0.0.1').pause();
  deaf.on('error', () => {});
  deaf.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await node.post('/mine', { blocks: 5 });
  await waitFor('blocks are told', () => client.of('tip').length === 5);
  expect(await node.kill()).toBe(0);
  deaf.destroy();
  await waitFor('the stream has ended', () => client.isClosed);
  expect(client.response.complete).toBe(true);
  await node.spawn().ready();
  const next = await listen(node, { headers: { 'last-event-id': client.lastId } });
  expect(next.events.map(({ event }) => event)).toEqual(['reset']);
  expect(next.lastId.split('-')[0]).not.toBe(client.lastId.split('-')[0]);
});

it('tells of peers and their tips, and of a sync without an event for each block', async () => {
  const first = await start('node-1');
  const second = await start('node-2', first);
  await second.connectedTo(first);
  const [one, other] = [await listen(first), await listen(second)];
  await second.post('/peers/node-1/disconnect', {});
  await waitFor('node-1 tells of the end of the session', () =>
    one.of('peer').some(({ state }) => state === 'disconnected'),
  );
  await first.post('/mine', { blocks: 400 });
  await second.post('/peers/node-1/connect', {});
  await waitFor('node-2 tells of the last block', () => other.of('tip').at(-1)?.tip.height === 400);
  // The first ones come before it shows that they come fast.
  expect(other.of('block').length).toBeLessThan(200);
  expect(other.of('tip').some(({ afterSync }) => afterSync)).toBe(true);
  expect(other.of('tip').reduce((sum, { connected }) => sum + connected, 0)).toBe(400);
  const { tip, chainWork } = await first.get<Status>('/status');
  const { peers } = await second.get<Peers>('/peers');
  expect(peers.find(({ id }) => id === 'node-1')).toMatchObject({ height: 400, tip, chainWork });
  const connected = other.of('peer').find(({ state }) => state === 'connected');
  expect(connected).toMatchObject({ id: 'node-1', tip: { height: 400, hash: tip, chainWork } });
  await second.post('/mine', { blocks: 1 });
  await waitFor('node-1 tells of the tip of node-2', () =>
    one.of('peer').some(({ id, tip: theirs }) => id === 'node-2' && theirs?.height === 401),
  );
});

it('tells of a fork and its reorganisation, as GET /forks shows them', async () => {
  const first = await start('node-1');
  const second = await start('node-2', first);
  await second.connectedTo(first);
  await first.post('/mine', { blocks: 3 });
  await converged([first, second], ({ length }) => length === 4);
  const client = await listen(first);
  await first.post('/peers/node-2/disconnect', {});
  const id = await first.submit('on the shorter branch');
  await first.post('/mine', { blocks: 1 });
  await second.post('/mine', { blocks: 2 });
  await first.post('/peers/node-2/connect', {});
  await converged([first, second], ({ length }) => length === 6);
  const reorg = await waitFor('the reorganisation is told', () =>
    client.of('tip').find((event) => event.reorg !== null),
  );
  expect(reorg).toMatchObject({ connected: 2, reorg: { depth: 1, fork: { height: 3 }, returned: 1 } });
  await waitFor('the entry is returned', () =>
    client.of('entry').some(({ state, ids }) => state === 'returned' && ids.includes(id)),
  );
  const tree = await first.get<Forks>('/forks?from=4');
  const shown = tree.blocks.map(({ height, status, miner }) => `${height} ${status} ${miner}`);
  expect(shown.sort()).toEqual(['4 active node-2', '4 side node-1', '5 active node-2']);
  expect(tree.tip.hash).toBe(reorg.tip.hash);
  const told = client.of('block').map(({ block }) => block.hash);
  expect(told.sort()).toEqual(tree.blocks.map(({ hash }) => hash).sort());
  // node-2 has not been told of the shorter branch.
  expect((await second.get<Forks>('/forks?from=4')).blocks.every(({ status }) => status === 'active')).toBe(true);
});
