import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certs.js';
import { temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { readMetric, useHonestPair } from './support/honest-pair.js';
import { probeWhile } from './support/probe.js';
import { scaled } from './support/scale.js';
import { getRequest, hostAddress, useSockets, type AttackSocket } from './support/sockets.js';

/** What many systems give a process. */
const FEW_FILES = ['sh', '-c', 'ulimit -n 1024; exec "$0" "$@"'];
/** A connection without a stream ends after 10 s. */
const IDLE_LIMIT_MS = 60_000;
const CLIENT_HELLO = Buffer.from('16030100ff010000fb0303', 'hex').toString('latin1');

describe('connections that only hold places', () => {
  const pair = useHonestPair();
  const sockets = useSockets();
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });

  const openMany = (count: number, open: (n: number) => Promise<AttackSocket>): Promise<AttackSocket[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => open(n)));

  /** HTTP/2 connections without a stream, from one host. */
  const openSessions = (port: number, count: number, from: string): Promise<unknown> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const createConnection = () => connect({ host: '127.0.0.1', port, localAddress: from });
        const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection }).on('error', () => {});
        sessions.push(session);
        await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]).catch(() => {});
      }),
    );

  it.each(['127.0.0.1', '127.0.0.9'])('from %s leave a node with few descriptors alive, and end', async (from) => {
    const honest = await pair.start({}, FEW_FILES);
    const { victim } = honest;
    const answers = await probeWhile(victim, async () => {
      await openSessions(victim.p2pPort, scaled(500, 3_000), from);
      await openMany(1_000, (n) =>
        sockets.open({ port: victim.httpPort, from, text: n % 2 === 0 ? '' : 'GET /status HTTP/1.1\r\nHost: x\r\nX-' }),
      );
      await honest.worksOn();
    });
    answers.expectHealthy(`idle connections from ${from}`);
    expect(await readMetric(victim, 'process_open_fds')).toBeLessThan(1_000);
    await waitFor('sessions without a stream end', () => sessions.every(({ destroyed }) => destroyed), IDLE_LIMIT_MS);
    expect(victim.output).not.toMatch(/EMFILE|ENFILE/);
  });

  it('from many hosts leave room for this machine, and for one more host', async () => {
    const honest = await pair.start({}, FEW_FILES);
    const { victim } = honest;
    const attack = async (): Promise<void> => {
      await openMany(1_000, (n) =>
        sockets.open({ port: victim.httpPort, from: hostAddress(n % 200), text: getRequest('/status') }),
      );
      await honest.worksOn();
    };
    (await probeWhile(victim, attack)).expectHealthy('full from many hosts, asked from 127.0.0.1');
    (await probeWhile(victim, attack, '127.9.9.9')).expectHealthy('full from many hosts, asked from another one');
  });

  it('half-open TLS handshakes end, and keep no peer out', async () => {
    const authority = await TestAuthority.create();
    const directory = temporaryDirectory();
    try {
      const [own, common] = await Promise.all(
        ['victim', 'other'].map((nodeId) => authority.settings(`${directory.path}/${nodeId}`, nodeId)),
      );
      const honest = await pair.start(own, FEW_FILES, common);
      const { victim } = honest;
      const clients = await openMany(scaled(300, 1_000), (n) =>
        sockets.open({ port: victim.p2pPort, from: hostAddress(n % 20), text: CLIENT_HELLO, reads: true }),
      );
      await honest.worksOn();
      await waitFor('all handshakes have ended', () => clients.every(({ isClosed }) => isClosed), IDLE_LIMIT_MS);
      await honest.other.connectedTo(victim);
    } finally {
      directory.remove();
    }
  });
});

describe('one address that renews its connections', () => {
  const pair = useHonestPair();
  const sockets = useSockets();

  it('keeps nobody else out', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    const attack = async (): Promise<void> => {
      const over = new AbortController();
      const current: AttackSocket[] = [];
      const renew = async (n: number): Promise<void> => {
        const text = getRequest('/status');
        while (!over.signal.aborted) {
          const client = await sockets.open({ port: victim.httpPort, from: '127.0.0.9', text, reads: true });
          current[n] = client;
          // The node closes it to make room for another one of the same host.
          if (!over.signal.aborted) await client.closed();
          client.socket.destroy();
        }
      };
      const renewing = Array.from({ length: 1_000 }, (_, n) => renew(n));
      for (let round = 0; round < scaled(2, 10); round++) await honest.worksOn();
      over.abort();
      for (const { socket } of current) socket.destroy();
      await Promise.all(renewing);
    };
    (await probeWhile(victim, attack)).expectHealthy('1,000 renewed connections, asked from 127.0.0.1');
    (await probeWhile(victim, attack, '127.9.9.9')).expectHealthy('1,000 renewed connections, asked from another host');
    expect(await readMetric(victim, 'minichain_connections_evicted_total', 'rest')).toBeGreaterThan(500);
  });
});
