import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TlsSection } from '../../src/config/node-config.js';
import { linkHeader } from '../../src/consensus/block-tree.js';
import { createParams } from '../../src/consensus/params.js';
import { PEER_SERVICE_DEFINITION } from '../../src/peers/grpc-definition.js';
import { GRPC_OPTIONS } from '../../src/peers/grpc-dialer.js';
import { serverCredentials } from '../../src/peers/grpc-tls.js';
import { createHello } from '../../src/peers/handshake.js';
import { encodeMessage } from '../../src/peers/messages.js';
import { TestAuthority, validFor } from '../support/certs.js';
import { connectGrpcPeer } from '../support/grpc-peer.js';
import { converged, entriesOf, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { identityOf } from '../support/test-identity.js';
import { waitFor } from '../support/wait.js';

const DIFFICULTY = 2;
const COMMON = { BLOCKCHAIN_DIFFICULTY: String(DIFFICULTY), BLOCKCHAIN_AUTO_MINE: 'false', NODE_LOG_LEVEL: 'debug' };
const params = createParams({ network: 'minichain', difficulty: DIFFICULTY });

describe('nodes with mTLS', () => {
  let network: TestAuthority;
  let others: TestAuthority;
  const processes = useNodeProcesses(COMMON);

  beforeAll(async () => {
    [network, others] = await Promise.all([TestAuthority.create(), TestAuthority.create()]);
  });

  /** @param tls NETWORK_TLS_* settings; {} = none. */
  const createNode = (nodeId: string, tls: Record<string, string>): Promise<NodeProcess> =>
    processes.create(nodeId, tls);
  const certified = async (nodeId: string): Promise<NodeProcess> =>
    createNode(nodeId, await network.settings(`${processes.path}/certs-${nodeId}`, nodeId));

  /** Lines of its log that say why a peer was not taken. */
  const refusals = (node: NodeProcess): string[] =>
    node.output.split('\n').filter((line) => /Peer at .* not accepted/.test(line));

  it('connect, gossip and mine together; nothing secret is logged, even at level debug', async () => {
    const token = 'correct-horse-battery-staple';
    const nodes: NodeProcess[] = [];
    const keys: string[] = [];
    for (const nodeId of ['node-1', 'node-2', 'node-3']) {
      const tls = await network.settings(`${processes.path}/certs-${nodeId}`, nodeId);
      keys.push(readFileSync(tls['NETWORK_TLS_KEY']!, 'utf8'));
      nodes.push(await createNode(nodeId, { ...tls, ...(nodeId === 'node-1' ? { HTTP_WRITE_TOKEN: token } : {}) }));
    }
    const [first, second, third] = nodes as [NodeProcess, NodeProcess, NodeProcess];
    await Promise.all(nodes.map((node) => node.spawn(nodes.filter((other) => other !== node)).ready()));
    await first.connectedTo(second, third);
    await second.connectedTo(third);

    const post = (authorization: string): Promise<Response> =>
      fetch(`${first.url}/blocks`, { method: 'POST', body: '{"data":"over TLS"}', headers: { authorization } });
    expect((await fetch(`${first.url}/blocks`, { method: 'POST', body: '{"data":"x"}' })).status).toBe(401);
    expect((await post(`Bearer ${token}-`)).status).toBe(401);
    expect((await post(`Bearer ${token}`)).status).toBe(202);
    await waitFor('the entry has reached node-3', async () => {
      const { entries } = await third.get<{ entries: unknown[] }>('/mempool');
      return entries.length > 0;
    });
    await third.post('/mine', {});
    const chain = await converged(nodes, ({ length }) => length === 2);
    expect(entriesOf(chain)).toEqual(['over TLS']);

    const log = nodes.map((node) => node.output).join('');
    expect(log).toContain('DEBUG');
    expect(log).not.toContain(token);
    for (const key of keys) {
      for (const line of key.split('\n')) if (line.length > 20) expect(log).not.toContain(line);
    }
    expect(log).not.toMatch(/PRIVATE KEY|BEGIN /);
  });

  it.each([
    ['no TLS', 'it does not speak TLS', async () => ({})],
    [
      "another authority's certificate",
      "its certificate is not from this network's authority",
      async (certs: string) => {
        const { NETWORK_TLS_CA: _, ...own } = await others.settings(`${certs}/own`, 'rogue');
        const { NETWORK_TLS_CA } = await network.settings(`${certs}/network`, 'rogue');
        // The configuration would refuse this mixture, so the rogue trusts both; what it shows is the other one's.
        return { ...own, NETWORK_TLS_CA: both(certs, NETWORK_TLS_CA!) };
      },
    ],
    [
      'an expired certificate',
      'its certificate has expired',
      (certs: string) => network.settings(certs, 'rogue', validFor(-3, -1)),
    ],
  ])('turn away one with %s, and say why in one line', async (_name, reason, tlsOf) => {
    const honest = await certified('honest');
    const rogue = await createNode('rogue', await tlsOf(`${processes.path}/certs-rogue`));
    await honest.spawn().ready();
    await rogue.spawn([honest]).ready();
    await waitFor('the refusal is logged', () => refusals(honest).length > 0);
    expect(refusals(honest)[0]).toContain(reason);
    await waitFor('the rogue has tried again', () => rogue.output.split('Session not opened').length > 2);
    // Not once per attempt.
    expect(refusals(honest)).toHaveLength(1);
    expect((await honest.get<{ connected: number }>('/peers')).connected).toBe(0);
    expect((await rogue.get<{ connected: number }>('/peers')).connected).toBe(0);
  });

  function both(certs: string, networkCa: string): string {
    const path = `${certs}/both.crt`;
    writeFileSync(path, readFileSync(networkCa, 'utf8') + others.authority.cert);
    return path;
  }

  it('turn away a TLS client without a certificate before it can send a byte', async () => {
    const honest = await (await certified('honest')).spawn().ready();
    const errors: string[] = [];
    const socket = connectTls({
      host: '127.0.0.1',
      port: honest.p2pPort,
      ca: network.authority.cert,
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
    });
    socket.on('error', (error) => errors.push(error.message)).resume();
    await waitFor('the connection is cut', () => socket.closed);
    expect(errors.join()).toContain('certificate required');
    await waitFor('the refusal is logged', () => refusals(honest).length > 0);
    expect(refusals(honest)[0]).toContain('it shows no certificate');
  });

  it('are reached by whatever name, and known by their node id', async () => {
    const honest = await (await certified('honest')).spawn().ready();
    const tls = await network.section('node-7');
    for (const host of ['127.0.0.1', 'localhost']) {
      const peer = await connectGrpcPeer(`${host}:${honest.p2pPort}`, params, {}, 'node-7', tls);
      expect(peer.session.provenNodeId).toBe('honest');
      await waitFor('it is there', async () => (await honest.get<{ connected: number }>('/peers')).connected === 1);
      peer.session.close('done');
      await waitFor('it is gone', async () => (await honest.get<{ connected: number }>('/peers')).connected === 0);
    }
  });

  it('turn away a peer whose Hello names another node than its certificate', async () => {
    const honest = await (await certified('honest')).spawn().ready();
    const tls = await network.section('node-7');
    await expect(connectGrpcPeer(honest.p2pAddress, params, {}, 'node-8', tls)).rejects.toThrow(
      'turned away: says it is node node-8, but its certificate is that of node node-7',
    );
    expect(refusals(honest)).toHaveLength(1);
    expect(refusals(honest)[0]).toContain('says it is node node-8, but its certificate is that of node node-7');
    const peer = await connectGrpcPeer(honest.p2pAddress, params, {}, 'node-7', tls);
    expect(peer.hello.nodeId).toBe('honest');
    peer.session.close('done');
  });

  it("dial nobody who shows another node's certificate, one of another authority, or none", async () => {
    const impostor = await listenAs('node-8', await network.section('node-7'));
    const stranger = await listenAs('node-9', await others.section('node-9'));
    const plain = await listenAs('node-10', undefined);
    const servers = [impostor, stranger, plain];
    const honest = await certified('honest');
    try {
      await honest.spawn(servers).ready();
      await waitFor('all refusals are logged', () => refusals(honest).length >= servers.length);
      const told = refusals(honest);
      const lineOf = (address: string): string | undefined => told.find((line) => line.includes(address));
      expect(lineOf(impostor.p2pAddress)).toContain(
        'says it is node node-8, but its certificate is that of node node-7',
      );
      expect(lineOf(stranger.p2pAddress)).toContain("its certificate is not from this network's authority");
      expect(lineOf(plain.p2pAddress)).toContain('it does not speak TLS');
      expect(stranger.messages() + plain.messages()).toBe(0);
      expect((await honest.get<{ connected: number }>('/peers')).connected).toBe(0);
    } finally {
      for (const server of servers) server.close();
    }
  });
});

interface FakeNode {
  readonly p2pAddress: string;
  /** How many it was sent. */
  messages(): number;
  close(): void;
}

/** A gRPC server that answers whatever comes first with the Hello of `nodeId`. */
async function listenAs(nodeId: string, tls: TlsSection | undefined): Promise<FakeNode> {
  const server = new Server(GRPC_OPTIONS);
  const genesis = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  const hello = createHello(identityOf(nodeId), Buffer.alloc(32), genesis, genesis);
  let messages = 0;
  server.addService(PEER_SERVICE_DEFINITION, {
    connect: (call: ServerDuplexStream<Uint8Array, Uint8Array>) => {
      call.on('error', () => {});
      call.on('data', () => {
        messages += 1;
        call.write(encodeMessage({ id: 0, inReplyTo: 0, body: { $case: 'hello', value: hello } }));
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const security = tls === undefined ? ServerCredentials.createInsecure() : serverCredentials(tls);
    server.bindAsync('127.0.0.1:0', security, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { p2pAddress: `127.0.0.1:${port}`, messages: () => messages, close: () => server.forceShutdown() };
}
