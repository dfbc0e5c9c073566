import { describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { peakMemoryMiB, readMetric, useHonestPair } from './support/honest-pair.js';
import { probeWhile } from './support/probe.js';
import { scaled } from './support/scale.js';
import { getRequest, hostAddress, useSockets } from './support/sockets.js';

const ENTRY_BYTES = 16_000;
const ENTRIES_PER_BLOCK = 64;
/** More than systems buffer for a connection: an answer of 3 MiB would end although nobody reads it. */
const UNREAD_BLOCKS = 12;
const CLIENTS = 50;
const LIMIT_MS = 60_000;
/**
 * What the attack may add: the answers that are being sent, and several times as much that was given up and not yet collected.
 * 800 unread answers with a block and its text each would take more.
 */
const MOST_MIB = 768;

/** Mines one block of ordinary entries. @returns their ids. */
async function mineOrdinaryEntries(node: NodeProcess, entries: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < entries) {
    const data = Array.from({ length: Math.min(1_000, entries - ids.length) }, (_, n) => `post ${ids.length + n}`);
    ids.push(...(await node.post<{ ids: string[] }>('/blocks', { data })).ids);
  }
  await node.post('/mine', { blocks: 1 });
  return ids;
}

/** Full blocks with entries of 16,000 bytes. @returns the ids of the entries. */
async function mineLargeBlocks(node: NodeProcess, blocks: number): Promise<string[]> {
  const ids: string[] = [];
  for (let block = 0; block < blocks; block++) {
    const data = Array.from({ length: ENTRIES_PER_BLOCK }, (_, n) => `${block} ${n} `.padEnd(ENTRY_BYTES, 'x'));
    for (let n = 0; n < data.length; n += 32) {
      ids.push(...(await node.post<{ ids: string[] }>('/blocks', { data: data.slice(n, n + 32) })).ids);
    }
    await node.post('/mine', { blocks: 1 });
  }
  return ids;
}

describe('readers', () => {
  const pair = useHonestPair();
  const sockets = useSockets();
  const durationMs = scaled(2_000, 20_000);

  /** Each reads whole answers, one after another. */
  const readers = (node: NodeProcess, pathOf: () => string) => async (): Promise<void> => {
    const endMs = performance.now() + durationMs;
    const answered = new Map<number, number>();
    const read = async (): Promise<void> => {
      do {
        const answer = await fetch(node.url + pathOf());
        await answer.arrayBuffer();
        answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
      } while (performance.now() < endMs);
    };
    await Promise.all(Array.from({ length: CLIENTS }, read));
    console.log(
      `${CLIENTS} readers had ${[...answered].map(([status, count]) => `${count} times ${status}`).join(', ')}`,
    );
  };

  it('who do not read their long answers cost little memory, give way to others, and are ended', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    await mineLargeBlocks(victim, UNREAD_BLOCKS);
    const beforeMiB = peakMemoryMiB(victim);
    let refused = 0;
    const attack = async (): Promise<void> => {
      const port = victim.httpPort;
      const clients = await Promise.all(
        Array.from({ length: scaled(150, 800) }, (_, n) =>
          sockets.open({ port, from: hostAddress(n % 100), text: getRequest(`/chain?limit=${UNREAD_BLOCKS}`) }),
        ),
      );
      const begun = (): boolean => clients.every((each) => each.peek().status !== undefined);
      await waitFor('each has the beginning of an answer', begun, LIMIT_MS);
      refused = clients.filter(({ status }) => status === 503).length;
      for (const { received } of clients) expect(received).toMatch(/^HTTP\/1\.1 (200|503 .*Retry-After: 5)/is);
      await honest.worksOn();
      await waitFor('one more reader has its answer', async () => (await fetch(`${victim.url}/blocks/2`)).ok, LIMIT_MS);
      const left = () => readMetric(victim, 'minichain_long_answers');
      await waitFor('no answer is being sent any more', async () => (await left()) === 0, LIMIT_MS);
    };
    (await probeWhile(victim, attack)).expectHealthy('beside answers that nobody reads');
    console.log(
      `${refused} were refused; peak memory ${beforeMiB.toFixed()} MiB before, ${peakMemoryMiB(victim).toFixed()} after`,
    );
    expect(refused).toBeGreaterThan(0);
    expect(await readMetric(victim, 'minichain_long_answers_ended_total')).toBeGreaterThan(32);
    expect(peakMemoryMiB(victim)).toBeLessThan(beforeMiB + MOST_MIB);
  });

  it('who poll entries of one block leave room for the rest', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    const one = await mineOrdinaryEntries(victim, 9_000);
    (await probeWhile(victim, () => honest.worksOn())).expectHealthy('idle');
    const ofOne = readers(victim, () => `/transactions/${one[Math.floor(Math.random() * one.length)]}`);
    (await probeWhile(victim, ofOne)).expectHealthy('pollers of one block with 9,000 entries');
    await honest.worksOn();
  });

  it('who poll entries of many large blocks, or read them all, leave room for the rest', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    // More than fit into the cache of blocks.
    const many = await mineLargeBlocks(victim, scaled(10, 30));
    const ofMany = readers(victim, () => `/transactions/${many[Math.floor(Math.random() * many.length)]}`);
    (await probeWhile(victim, ofMany)).expectHealthy('pollers of many large blocks');
    (
      await probeWhile(
        victim,
        readers(victim, () => '/chain?limit=1000'),
      )
    ).expectHealthy('readers of large blocks');
    await honest.worksOn();
  });

  it('of long pages leave room for the rest', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    for (let n = 0; n < 2; n++) await victim.post('/mine', { blocks: 1_000 });
    for (const path of ['/chain?limit=1000', '/headers', '/metrics']) {
      (
        await probeWhile(
          victim,
          readers(victim, () => path),
        )
      ).expectHealthy(`readers of ${path}`);
    }
    await honest.worksOn();
  });

  it('who send all their requests at once leave room for the rest', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    await victim.post('/mine', { blocks: 1_000 });
    const requests = [getRequest('/headers'), getRequest('/chain?limit=1000', 'HEAD'), getRequest('/health/live')];
    const attack = async (): Promise<void> => {
      for (let n = 0; n < scaled(15, 150); n++) {
        await sockets.open({ port: victim.httpPort, text: requests[n % 3]!.repeat(1_000) });
      }
      await honest.worksOn();
    };
    (await probeWhile(victim, attack)).expectHealthy('1,000 requests at once on each connection');
  });
});
