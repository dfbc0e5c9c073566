import { describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { peakMemoryMiB, readMetric, useHonestPair, type HonestPair } from './support/honest-pair.js';
import { helloOf, internal } from './support/network.js';
import { probeWhile } from './support/probe.js';
import { frameOf, useRawPeers, type RawMessage, type RawPeer } from './support/raw-peer.js';
import { scaled } from './support/scale.js';
import { hostAddress } from './support/sockets.js';

const MIB = 1024 * 1024;
const SESSIONS = 8;
/** Requests of each session that are under way at a time. */
const DEPTH = 32;
const BLOCKS = 12;
const ROUNDS = scaled(5, 40);
/** What a node serves: at first, and in each second. Twice as much is slack for a busy machine. */
const SERVED = { burst: 40 * MIB, perSecond: 32 * MIB, slack: 2 };
/** Of sessions that read nothing: some 6 MiB each, several times as much that is not collected yet, and the node itself. */
const MAX_MEMORY_MIB = 700;

/** Blocks of about 1 MiB. */
async function fill(node: NodeProcess): Promise<void> {
  for (let block = 0; block < BLOCKS; block++) {
    await node.post('/blocks', { data: Array.from({ length: 62 }, (_, n) => `${block} ${n} `.padEnd(16_000, 'x')) });
    await node.post('/mine', { blocks: 1 });
  }
}

describe('peers that ask for all they can get', () => {
  const pair = useHonestPair();
  const peers = useRawPeers();

  /** @param dial makes one session of the attacker; the n-th comes from a host of its own. */
  const attack = async (honest: HonestPair, asking: (n: number) => RawMessage, reads = true) => {
    const { victim } = honest;
    const over = new AbortController();
    const press = async (n: number): Promise<void> => {
      while (!over.signal.aborted) {
        const peer: RawPeer = peers.dial(victim.p2pPort, hostAddress(n));
        const frame = frameOf({ id: 1, ...asking(n) });
        if (await peer.greet(helloOf(`reader-${n}`))) {
          peer.onMessage = () => void peer.write(frame);
          for (let request = 0; request < DEPTH; request++) peer.write(frame);
          if (!reads) peer.stopReading();
          await peer.closed();
        }
        peer.close();
      }
    };
    const sentBytes = (): Promise<number> =>
      readMetric(victim, 'minichain_peer_message_bytes_total', 'direction="sent"');
    const [startMs, before] = [performance.now(), await sentBytes()];
    const answers = await probeWhile(victim, async () => {
      const pressing = Array.from({ length: SESSIONS }, (_, n) => press(n));
      for (let round = 0; round < ROUNDS; round++) await honest.worksOn();
      over.abort();
      const seconds = (performance.now() - startMs) / 1000;
      const bytes = (await sentBytes()) - before;
      const cpu = await readMetric(victim, 'process_cpu_seconds_total');
      const rate = `${Math.round(bytes / MIB)} MiB in ${seconds.toFixed(1)} s`;
      console.log(`${rate}, ${cpu.toFixed(1)} s of CPU, peak ${Math.round(peakMemoryMiB(victim))} MiB`);
      expect(bytes).toBeLessThan((SERVED.burst + SERVED.perSecond * seconds) * SERVED.slack);
      peers.closeAll();
      await Promise.all(pressing);
    });
    return answers;
  };

  it.each([true, false])('blocks, and read them: %s', async (reads) => {
    const honest = await pair.start();
    await fill(honest.victim);
    const answers = await attack(honest, () => ({ get_blocks: { start_index: 1, limit: 2 } }), reads);
    answers.expectHealthy(`readers of blocks who read them: ${reads}`);
    expect(peakMemoryMiB(honest.victim)).toBeLessThan(MAX_MEMORY_MIB);
  });

  it('headers', async () => {
    const honest = await pair.start();
    for (let round = 0; round < 4; round++) await honest.victim.post('/mine', { blocks: 500 });
    const { blocks } = await honest.victim.get<{ blocks: readonly { hash: string }[] }>('/chain?limit=1&from=0');
    const locator = [internal(blocks[0]!.hash)];
    (await attack(honest, () => ({ get_headers: { locator } }))).expectHealthy('readers of headers');
  });

  it('pending entries', async () => {
    const honest = await pair.start();
    const ids: Buffer[] = [];
    for (let n = 0; n < 100; n++) ids.push(internal(await honest.victim.submit(`${n} `.padEnd(16_000, 'x'))));
    const answers = await attack(honest, () => ({ get_transactions: { ids } }));
    answers.expectHealthy('readers of pending entries');
  });
});
