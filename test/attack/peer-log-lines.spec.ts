import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { useHonestPair, type HonestPair } from './support/honest-pair.js';
import { helloOf } from './support/network.js';
import { frameOf, useRawPeers, type RawPeer } from './support/raw-peer.js';
import { IS_FULL, scaled } from './support/scale.js';
import { hostAddress } from './support/sockets.js';

/** In a minute, of a kind and a host. Sessions that begin and end have more. */
const LINES = 10;
const SESSION_LINES = 60;
/** With the end of the minute that a period of the log takes. */
const SUMMARY_LIMIT_MS = 100_000;
const TRIES = scaled(30, 1_000);
const MESSAGES = scaled(2_000, 100_000);
const GOODBYE = frameOf({ goodbye: { reason: 'nobody knows why' } });

describe('log lines that strangers cause on the port for peers', () => {
  const pair = useHonestPair();
  const peers = useRawPeers();
  const hosts = [hostAddress(1), hostAddress(2)];

  /** Each of two hosts does it again and again, one session after the other. */
  const repeat = async ({ victim }: HonestPair, act: (peer: RawPeer, n: number) => unknown): Promise<void> => {
    for (const from of hosts) {
      for (let n = 0; n < TRIES; n++) {
        const peer = peers.dial(victim.p2pPort, from);
        await act(peer, n);
        await peer.closed();
      }
    }
  };

  const linesWith = ({ victim }: HonestPair, pattern: RegExp): readonly string[] =>
    victim.output.split('\n').filter((line) => pattern.test(line));

  /** The end of the minute comes too late for the short form; src/common/log-limiter.spec.ts has it on a virtual clock. */
  const expectSummary = async (honest: HonestPair, kind: string): Promise<void> => {
    if (!IS_FULL) return;
    const summary = new RegExp(`Left out [0-9,]+ more lines? about ${kind} from 127\\.`);
    await waitFor(`what was left out about ${kind}`, () => linesWith(honest, summary).length >= 2, SUMMARY_LIMIT_MS);
  };

  it('by Goodbye before Hello: one for a session, and ten for a host', async () => {
    const honest = await pair.start();
    const peer = peers.dial(honest.victim.p2pPort, hostAddress(3));
    for (let n = 0; n < MESSAGES && !peer.isClosed; n++) if (!peer.write(GOODBYE)) await peer.drained();
    await peer.closed();
    expect(linesWith(honest, /refused us/)).toHaveLength(1);
    await repeat(honest, (other) => void other.write(GOODBYE));
    expect(linesWith(honest, /refused us/)).toHaveLength(1 + 2 * LINES);
    await expectSummary(honest, 'refusals of this node');
    await honest.worksOn();
  });

  it.each([
    ['another network', { genesis_hash: randomBytes(32) }],
    ['another version', { protocol_version: 99 }],
    ['a node id that is none', { node_id: 'a b'.repeat(30_000) }],
  ])('by Hellos of %s', async (_, change) => {
    const honest = await pair.start();
    const public_key = randomBytes(32);
    const hello = { protocol_version: 1, user_agent: 'x', instance_nonce: '1', nonce: randomBytes(32), public_key };
    await repeat(honest, (peer) => peer.send({ hello: { ...hello, ...helloOf('stranger'), ...change } }));
    const lines = linesWith(honest, /not accepted|misbehaved/);
    expect(lines).toHaveLength(2 * LINES);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(2_000);
    await honest.worksOn();
  });

  it('by messages that cannot be read, wrong proofs, and what is not welcome before Hello', async () => {
    const honest = await pair.start();
    const junk = Buffer.concat([Buffer.of(0, 0, 0, 0, 8), Buffer.alloc(8, 0xff)]);
    await repeat(honest, (peer, n) => (n % 2 === 0 ? void peer.write(junk) : peer.send({ get_peers: {} })));
    expect(linesWith(honest, /misbehaved/)).toHaveLength(2 * LINES);
    await expectSummary(honest, 'misbehaving peers');
    await honest.worksOn();
  });

  it('by sessions that begin, break a rule and end', async () => {
    const honest = await pair.start();
    const tries = scaled(2, 5) * SESSION_LINES;
    const from = hosts[0]!;
    for (let n = 0; n < tries; n++) {
      const peer = peers.dial(honest.victim.p2pPort, from);
      await peer.greet(helloOf(`visitor-${n}`));
      peer.send({ new_block: { block: { raw: Buffer.alloc(100) } } });
      await peer.closed();
    }
    expect(linesWith(honest, /Connected to peer visitor/).length).toBeLessThanOrEqual(SESSION_LINES);
    expect(linesWith(honest, /Disconnected from peer visitor/).length).toBeLessThanOrEqual(SESSION_LINES);
    expect(linesWith(honest, /Peer visitor-\d+ misbehaved/).length).toBeLessThanOrEqual(LINES);
    await honest.worksOn();
  });
});
