import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/wait.js';
import { useHonestPair } from './support/honest-pair.js';
import { IS_FULL, scaled } from './support/scale.js';
import { getRequest, hostAddress, useSockets } from './support/sockets.js';

/** With the end of the minute that a period of the log takes. */
const SUMMARY_LIMIT_MS = 100_000;

describe('log lines that strangers cause through REST', () => {
  const pair = useHonestPair();
  const sockets = useSockets();

  it('are limited for each host, with a count of those left out', async () => {
    const { victim } = await pair.start();
    const id = await victim.submit('an entry');
    await victim.post('/mine', { blocks: 1 });
    // A fault that each lookup of an entry meets.
    const database = new Sqlite(join(victim.dataDir, 'node.db'));
    database.exec('ALTER TABLE entries RENAME TO entries_gone');
    database.close();
    const requests = scaled(20, 1_000);
    for (const from of [hostAddress(1), hostAddress(2)]) {
      for (let n = 0; n < requests; n++) {
        const text = getRequest(`/transactions/${id}`).replace('Host:', 'Connection: close\r\nHost:');
        const client = await sockets.open({ port: victim.httpPort, from, text, reads: true });
        await client.closed();
        expect(client.status).toBe(500);
      }
    }
    const lines = (): string[] => victim.output.split('\n');
    expect(lines().filter((line) => /request failed/.test(line))).toHaveLength(20);
    // The end of the minute comes too late for the short form; src/common/log-limiter.spec.ts has it on a virtual clock.
    if (!IS_FULL) return;
    for (const from of [hostAddress(1), hostAddress(2)]) {
      const summary = `Left out ${(requests - 10).toLocaleString('en')} more lines about failed requests from ${from}`;
      await waitFor(summary, () => lines().some((line) => line.includes(summary)), SUMMARY_LIMIT_MS);
    }
  });

  it('are none for readers who hang up, and for what is no request', async () => {
    const honest = await pair.start();
    const { victim } = honest;
    for (let block = 0; block < 2; block++) {
      await victim.post('/blocks', { data: Array.from({ length: 60 }, (_, n) => `${block} ${n}`.padEnd(16_000, 'x')) });
      await victim.post('/mine', { blocks: 1 });
    }
    for (let n = 0; n < scaled(100, 1_000); n++) {
      const text = [getRequest('/chain'), 'nonsense\r\n\r\n', getRequest('/nope'), getRequest('/blocks/x')][n % 4]!;
      const client = await sockets.open({ port: victim.httpPort, from: hostAddress(n), text });
      await new Promise((resolve) => client.socket.once('readable', resolve).once('close', resolve));
      client.socket.destroy();
    }
    const lines = victim.output.split('\n').filter((line) => /\[http\]|WARN|ERROR/.test(line));
    expect(lines).toEqual([]);
    await honest.worksOn();
  });
});
