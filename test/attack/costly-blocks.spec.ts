import { describe, expect, it } from 'vitest';
import { mineOn, nodeOf } from '../support/chain-builders.js';
import { waitFor } from '../support/wait.js';
import { peakMemoryMiB, readMetric, useHonestPair, type HonestPair } from './support/honest-pair.js';
import { GENESIS_TIP, genesis, helloOf, params } from './support/network.js';
import { probeWhile } from './support/probe.js';
import { frameOf, useRawPeers } from './support/raw-peer.js';
import { scaled } from './support/scale.js';
import { hostAddress } from './support/sockets.js';

const SESSIONS = 20;
const MIB = 1024 * 1024;
/** A block that is nearly as big as one may be, in bytes and in entries. */
const ENTRIES = Array.from({ length: 9_900 }, (_, n) => `${n} `.padEnd(75, 'x'));
const TOO_NEW_SECONDS = 3 * 3_600;
/** What a node takes in that is of no use: at first, and in each second. Twice as much is slack for a busy machine. */
const USELESS = { burst: 64 * MIB, perSecond: 32 * MIB, slack: 2 };
const ROUNDS = scaled(5, 40);

const now = (): number => Math.floor(Date.now() / 1000);

describe('20 hosts that send what is expensive to check, again and again', () => {
  const pair = useHonestPair();
  const peers = useRawPeers();

  /** Sends the frames of each session in turn, as fast as the node reads; comes again whenever it is thrown out. */
  const flood = async (honest: HonestPair, framesOf: (session: number) => readonly Buffer[]) => {
    const { victim } = honest;
    const over = new AbortController();
    const send = async (n: number): Promise<void> => {
      const frames = framesOf(n);
      while (!over.signal.aborted) {
        const peer = peers.dial(victim.p2pPort, hostAddress(n));
        if (await peer.greet(helloOf(`attacker-${n}`))) {
          for (let at = 0; !over.signal.aborted && !peer.isClosed; at++) {
            if (!peer.write(frames[at % frames.length]!)) await peer.drained();
          }
        }
        peer.close();
      }
    };
    const startMs = performance.now();
    const readBytes = (): Promise<number> =>
      readMetric(victim, 'minichain_peer_message_bytes_total', 'direction="received"');
    const answers = await probeWhile(victim, async () => {
      const sending = Array.from({ length: SESSIONS }, (_, n) => send(n));
      for (let round = 0; round < ROUNDS; round++) await honest.worksOn();
      over.abort();
      // What still waits to be written ends with its session.
      const seconds = (performance.now() - startMs) / 1000;
      const bytes = await readBytes();
      const rate = `${Math.round(bytes / MIB)} MiB in ${seconds.toFixed(1)} s`;
      const cpu = await readMetric(victim, 'process_cpu_seconds_total');
      console.log(`${rate}, ${cpu.toFixed(1)} s of CPU, peak ${Math.round(peakMemoryMiB(victim))} MiB`);
      expect(bytes).toBeLessThan((USELESS.burst + USELESS.perSecond * seconds) * USELESS.slack);
      peers.closeAll();
      await Promise.all(sending);
    });
    return answers;
  };

  const announcing = (raw: Buffer): Buffer => frameOf({ id: 1, new_block: { block: { raw }, tip: GENESIS_TIP } });

  it('a block that is too new', async () => {
    const { bytes } = mineOn(genesis, ENTRIES, { params, time: now() + TOO_NEW_SECONDS });
    const answers = await flood(await pair.start(), () => [announcing(bytes)]);
    answers.expectHealthy('a block that is too new');
  });

  it('a block that is known', async () => {
    const honest = await pair.start();
    const { bytes, hash } = mineOn(genesis, ENTRIES, { params, time: now() });
    const first = peers.dial(honest.victim.p2pPort, '127.0.0.1');
    await first.greet(helloOf('first'));
    first.write(announcing(bytes));
    await waitFor(
      'the block is known',
      async () => (await honest.victim.get<{ tip: string }>('/chain?limit=1')).tip === hash,
    );
    (await flood(honest, () => [announcing(bytes)])).expectHealthy('a block that is known');
    expect(await readMetric(honest.victim, 'minichain_peer_misbehaviour_total', 'too-many-messages')).toBeGreaterThan(
      0,
    );
  });

  it('orphans', async () => {
    const parent = nodeOf(mineOn(genesis, [], { params, time: now() }), genesis);
    const orphans = Array.from({ length: 5 }, () => announcing(mineOn(parent, ENTRIES, { params, time: now() }).bytes));
    const answers = await flood(await pair.start(), (n) => [...orphans.slice(n % 5), ...orphans.slice(0, n % 5)]);
    answers.expectHealthy('orphans');
  });

  it('entries that are known', async () => {
    const honest = await pair.start();
    const { transactions } = mineOn(genesis, ENTRIES.slice(0, 2_000), { params });
    const frame = frameOf({
      new_transactions: { transactions: transactions.slice(1).map(({ bytes: raw }) => ({ raw })) },
    });
    (await flood(honest, () => [frame])).expectHealthy('entries that are known');
  });
});
