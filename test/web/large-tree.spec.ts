import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/seeded-random.js';
import { blockNames, openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const BLOCKS = 10_000;
const FORKS = 300;
const MOST_ELEMENTS = 400;
const LONGEST_TASK_MS = 50;
/** Other programs on the machine can hold the browser up; the page itself does it each time. */
const ROUNDS = 5;

const hashOf = (branch: number, height: number): string => (branch * 100_000 + height).toString(16).padStart(64, '0');

/** What GET /forks says of a chain with many forks of one to four blocks. */
function forkedChain(): object {
  const random = new SeededRandom(10);
  const blocks: object[] = [];
  const add = (branch: number, height: number, previousHash: string): void => {
    const status = branch === 0 ? 'active' : 'side';
    const miner = `node-${1 + (height % 3)}`;
    blocks.push({
      height,
      hash: hashOf(branch, height),
      previousHash,
      status,
      miner,
      entries: 1,
      receivedMs: 0,
      chainWork: null,
    });
  };
  for (let height = 0; height < BLOCKS; height++) add(0, height, hashOf(0, height - 1));
  for (let fork = 1; fork <= FORKS; fork++) {
    const from = 1 + Math.floor(random.next() * (BLOCKS - 10));
    const length = 1 + Math.floor(random.next() * 4);
    for (let i = 0; i < length; i++) add(fork, from + i, i === 0 ? hashOf(0, from - 1) : hashOf(fork, from + i - 1));
  }
  const tip = { height: BLOCKS - 1, hash: hashOf(0, BLOCKS - 1) };
  return { tip, from: 0, to: BLOCKS - 1, runs: [], blocks };
}

/** Drags the tree to the right, `times` times across the window. @returns durations of long tasks, in milliseconds. */
function dragAcross(page: Page, times: number): Promise<number[]> {
  return page.evaluate(async (count) => {
    const long: number[] = [];
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ entryTypes: ['longtask'] });
    const target = document.querySelector('.tree .window')!;
    const send = (type: string, clientX: number): void => {
      target.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX, clientY: 400, button: 0, bubbles: true }));
    };
    // No such pointer is really down.
    (target as HTMLElement).setPointerCapture = () => {};
    for (let time = 0; time < count; time++) {
      send('pointerdown', 100);
      for (let x = 100; x <= 1_100; x += 40) {
        send('pointermove', x);
        await new Promise(requestAnimationFrame);
      }
      send('pointerup', 1_100);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    observer.disconnect();
    return long;
  }, times);
}

describe('a tree of 10,000 blocks with 300 forks', () => {
  let browser: Browser;
  let network: ThreeNodes;
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes();
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it('is drawn with few elements, and moves without a long task', async () => {
    const forks = forkedChain();
    const { page, faults } = await visit(browser, network.nodes[0], {
      prepare: async (target) => {
        await target.route('**/forks*', (route) => route.fulfill({ json: forks }));
      },
    });
    await page.locator(`[data-key="${hashOf(0, BLOCKS - 1)}"]`).waitFor();
    const elements = (): Promise<number> => page.locator('.tree svg *').count();
    expect(await elements()).toBeLessThanOrEqual(MOST_ELEMENTS);
    expect((await blockNames(page)).some((name) => name.endsWith('folded'))).toBe(true);
    let tasks: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      tasks = await dragAcross(page, 5);
      expect(await elements()).toBeLessThanOrEqual(MOST_ELEMENTS);
      if (tasks.every((ms) => ms <= LONGEST_TASK_MS)) break;
    }
    expect(tasks.filter((ms) => ms > LONGEST_TASK_MS)).toEqual([]);
    // The reader moved it, so it no longer follows the tip.
    await page.getByRole('button', { name: 'Follow the tip' }).click();
    await page.locator(`[data-key="${hashOf(0, BLOCKS - 1)}"]`).waitFor();
    for (let i = 0; i < 6; i++) await page.getByRole('button', { name: 'Zoom out' }).click();
    expect(await elements()).toBeLessThanOrEqual(MOST_ELEMENTS);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
