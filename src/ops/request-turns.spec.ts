import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startRestApp } from '../../test/support/rest-app.js';
import { RequestTurns } from './request-turns.js';

/** Holds the event loop. */
function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

describe('RequestTurns', () => {
  it('begins tasks in order, and leaves the event loop to others once they have taken long enough', async () => {
    const turns = new RequestTurns();
    const begun: number[] = [];
    for (let n = 0; n < 4; n++) {
      turns.take(() => {
        begun.push(n);
        work(6);
      });
    }
    const seen: number[] = [];
    while (begun.length < 4) {
      await nextTurn();
      seen.push(begun.length);
    }
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(seen).toEqual(expect.arrayContaining([1, 2, 3]));
  });

  it('begins many short tasks in one turn', async () => {
    const turns = new RequestTurns();
    const begun: number[] = [];
    for (let n = 0; n < 100; n++) turns.take(() => begun.push(n));
    for (let turn = 0; begun.length < 100; turn++) {
      expect(turn).toBeLessThan(50);
      await nextTurn();
    }
  });
});

describe('requests that a client sends at once', () => {
  const request = (path: string, last = false): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;

  it('are answered in order, up to 16 of them', async () => {
    const rest = await startRestApp();
    const answer = await rest.raw(request('/chain').repeat(14) + request('/status') + request('/nope', true));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([...Array(15).fill('HTTP/1.1 200'), 'HTTP/1.1 404']);
    await rest.close();
  });

  it('end the connection above 16', async () => {
    const rest = await startRestApp();
    const answer = await rest.raw(request('/chain').repeat(17));
    expect(answer.match(/HTTP\/1/g)?.length ?? 0).toBeLessThan(17);
    await rest.close();
  });
});
