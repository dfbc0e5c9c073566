import { credentials, makeGenericClientConstructor, type Client, type ClientReadableStream } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

interface HealthClient extends Client {
  watch(request: { service: string }): ClientReadableStream<{ status: string }>;
}

const HealthClient = makeGenericClientConstructor(service, 'grpc.health.v1.Health');
const clients: HealthClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** A client with a connection of its own. */
function connect({ p2pAddress }: NodeProcess): HealthClient {
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_http_proxy': 0 };
  const client = new HealthClient(p2pAddress, credentials.createInsecure(), options) as unknown as HealthClient;
  clients.push(client);
  return client;
}

/** A stream that nobody ends, and what it has told. */
function watch(client: HealthClient): { statuses: string[] } {
  const statuses: string[] = [];
  client
    .watch({ service: '' })
    .on('data', ({ status }) => statuses.push(status))
    .on('error', () => {});
  return { statuses };
}

describe('clients that watch the health of a node and never leave', () => {
  const processes = useNodeProcesses({ NETWORK_MAX_PEERS: '10' });

  it('keep no other node out, however many their connections', async () => {
    const [node, other] = [await processes.create('node-1'), await processes.create('node-2')];
    await node.spawn().ready();
    for (let n = 0; n < 150; n++) {
      const { statuses } = watch(connect(node));
      await waitFor(`watcher ${n} is told`, () => statuses[0] === 'SERVING');
    }
    await other.spawn([node]).ready();
    await other.connectedTo(node);
    const { statuses } = watch(connect(node));
    await waitFor('a newcomer is told', () => statuses[0] === 'SERVING');
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    const value = (name: string): number =>
      Number(new RegExp(`^minichain_${name}\\{server="peers",node="node-1"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(value('open_connections')).toBeLessThanOrEqual(125);
    expect([value('connections_evicted_total') > 0, value('connections_refused_total')]).toEqual([true, 0]);
    expect(node.output).not.toMatch(/fault/i);
  });

  it('have at most 8 streams on one connection', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const client = connect(node);
    // The first waits for the settings of the server; the others then know its limit.
    const first = watch(client);
    await waitFor('the first is told', () => first.statuses.length > 0);
    const more = Array.from({ length: 50 }, () => watch(client));
    const told = (): number => more.filter(({ statuses }) => statuses.length > 0).length;
    await waitFor('seven more are told', () => told() === 7);
    const another = watch(connect(node));
    await waitFor('another connection is served', () => another.statuses[0] === 'SERVING');
    expect(told()).toBe(7);
  });
});
