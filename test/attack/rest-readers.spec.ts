import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { peakMemoryMiB, readMetric, useHonestPair } from './support/honest-pair.js';
import { probeWhile } from './support/probe.js';
import { scaled } from './support/scale.js';
import { getRequest, hostAddress, useSockets } from './support/sockets.js';

const ENTRY_BYTES = 16_000;
const ENTRIES_PER_BLOCK = 64;

/** Mines blocks of nearly 1 MiB, each of some large entries. */
async function mineLargeBlocks(node: NodeProcess, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    const data = Array.from({ length: ENTRIES_PER_BLOCK }, (_, n) => `${block} ${n} `.padEnd(ENTRY_BYTES, 'x'));
    for (let n = 0; n < data.length; n += 32) await node.post('/blocks', { data: data.slice(n, n + 32) });
    await node.post('/mine', { blocks: 1 });
  }
}

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

/** Clients, each with requests one after another, until `durationMs` have passed. @returns how many were answered. */
async function poll(clients: number, durationMs: number, ask: (client: number) => Promise<unknown>): Promise<number> {
  const endMs = performance.now() + durationMs;
  let answered = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < endMs) {
        await ask(client);
        answered += 1;
      }
    }),
  );
  return answered;
}

describe('readers', () => {
  const pair = useHonestPair({ HTTP_MAX_CONNECTIONS: '2000' });
  const sockets = useSockets();

  it('who do not read their long answers cost little memory, and end', async () => {
    const { victim, ...rest } = Object.assign(await pair.start());
    void rest;
    await mineLargeBlocks(victim, 4);
    const before = peakMemoryMiB(victim);
    const count = scaled(150, 1_000);
    const answers = await probeWhile(victim, async () => {
      const clients = await Promise.all(
        Array.from({ length: count }, (_, n) =>
          sockets.open({ port: victim.httpPort, from: hostAddress(n % 100), text: getRequest('/chain?limit=3') }),
        ),
      );
      await waitFor(
        'all have an answer',
        () => clients.every((c) => c.peek().status !== undefined || c.isClosed),
        60_000,
      );
      const statuses = Object.groupBy(clients, (c) => String(c.status));
      console.log(Object.entries(statuses).map(([k, v]) => `${k}: ${v?.length}`));
      await sleep(3000);
    });
    console.log(`peak memory ${before} -> ${peakMemoryMiB(victim)} MiB`);
    answers.expectHealthy('unread');
    expect(await readMetric(victim, 'minichain_open_connections', 'rest')).toBeGreaterThan(0);
  });

  it('pollers of own entry', async () => {
    const { victim } = await pair.start();
    const ids = await mineOrdinaryEntries(victim, 9_000);
    (await probeWhile(victim, () => sleep(2000))).expectHealthy('idle');
    let n = 0;
    const answers = await probeWhile(victim, async () => {
      n = await poll(50, 5_000, async (c) => (await fetch(`${victim.url}/transactions/${ids[c * 17]}`)).text());
    });
    console.log(n, 'answered');
    answers.expectHealthy('pollers one block');
  });

  it('pollers of many blocks', async () => {
    const { victim } = await pair.start();
    const ids: string[] = [];
    for (let b = 0; b < 24; b++) {
      const data = Array.from({ length: ENTRIES_PER_BLOCK }, (_, k) => `${b} ${k} `.padEnd(ENTRY_BYTES, 'x'));
      for (let k = 0; k < data.length; k += 32)
        ids.push(...(await victim.post<{ ids: string[] }>('/blocks', { data: data.slice(k, k + 32) })).ids);
      await victim.post('/mine', { blocks: 1 });
    }
    let n = 0;
    const answers = await probeWhile(victim, async () => {
      n = await poll(50, 5_000, async () =>
        (await fetch(`${victim.url}/transactions/${ids[Math.floor(Math.random() * ids.length)]}`)).text(),
      );
    });
    console.log(n, 'answered');
    answers.expectHealthy('pollers many blocks');
    n = 0;
    const a2 = await probeWhile(victim, async () => {
      n = await poll(50, 8_000, async () => {
        const r = await fetch(`${victim.url}/chain?limit=1000`);
        await r.text();
      });
    });
    console.log(n, 'answered');
    a2.expectHealthy('readers of chain, big');
  });

  it('readers of /chain?limit=1000 of small blocks, headers, pipelined', async () => {
    const { victim } = await pair.start();
    for (let k = 0; k < 3; k++) await victim.post('/mine', { blocks: 1000 });
    let n = 0;
    const a2 = await probeWhile(victim, async () => {
      n = await poll(50, 5_000, async () => {
        const r = await fetch(`${victim.url}/chain?limit=1000`);
        await r.text();
      });
    });
    console.log(n, 'answered');
    a2.expectHealthy('readers of chain, small');
    const a3 = await probeWhile(victim, async () => {
      n = await poll(50, 5_000, async () => {
        const r = await fetch(`${victim.url}/headers`);
        await r.text();
      });
    });
    console.log(n, 'answered');
    a3.expectHealthy('headers');
    const a4 = await probeWhile(victim, async () => {
      for (let s = 0; s < 5; s++)
        await sockets.open({ port: victim.httpPort, text: getRequest('/headers').repeat(1200) });
      await sleep(5000);
    });
    a4.expectHealthy('pipelined headers');
    const a5 = await probeWhile(victim, async () => {
      for (let s = 0; s < 50; s++)
        await sockets.open({ port: victim.httpPort, text: getRequest('/chain?limit=1000', 'HEAD').repeat(100) });
      await sleep(5000);
    });
    a5.expectHealthy('HEAD chain');
    console.log(peakMemoryMiB(victim));
  });
});
