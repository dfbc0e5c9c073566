import { readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { blockNames, openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const MOST_BYTES = 100_000;

describe('the first visit', () => {
  let browser: Browser;
  let network: ThreeNodes;
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes({ first: { BLOCKCHAIN_AUTO_MINE: 'true' }, labs: [1] });
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it('shows the genesis with all nodes on it, and needs one key to post an entry and see it travel', async () => {
    const { nodes } = network;
    const { page, faults } = await visit(browser, nodes[0]);
    const headline = page.locator('h1');
    await page.getByText('Three nodes, connected. Nothing mined yet.').waitFor();
    expect(await page.locator('#entry').inputValue()).toBe('hello');
    await waitFor('all nodes are on the genesis', async () => {
      const names = await blockNames(page);
      return names.length === 1 && names[0] === 'Block 0, genesis; node-1, node-2 and node-3 are here';
    });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Post to node-1');

    await page.keyboard.press('Enter');
    await page.getByText('All 3 nodes agree on block 1.').waitFor();
    const { tip } = await converged(nodes, ({ length }) => length === 2);
    const names = await blockNames(page);
    expect(names).toContainEqual(
      expect.stringMatching(/^Block 1, mined by node-1, 1 entry; node-1, node-2 and node-3 are here$/),
    );
    expect(await page.locator(`[data-key="${tip}"]`).count()).toBe(1);

    const journey = page.getByLabel('The way of your entry');
    await waitFor(
      'the entry is in block 1 at every node',
      async () => (await journey.getByText('block 1').count()) === 3,
    );
    expect(await journey.innerText()).toMatch(/“hello”[\s\S]*node-1[\s\S]*node-2[\s\S]*\+\d/);
    // The one that had it first stands first.
    await waitFor('each node says how late it was', async () => {
      const text = (await page.locator('.newest').innerText()).replaceAll('\n', ' ');
      return text.includes('node-2 after ') && text.includes('node-3 after ');
    });
    expect(await headline.innerText()).toBe('All 3 nodes agree on block 1.');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('shows the tips of the peers without a list of nodes, and asks no other host', async () => {
    const { page, faults, requests } = await visit(browser, network.nodes[1]);
    await page.getByText('All 3 nodes agree on block').waitFor();
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([network.nodes[1].url]));
    expect(await page.locator('.lab').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('weighs at most 100 kB, compressed, with all that it may load later', () => {
    const page = resolve('dist/explorer');
    const files = readdirSync(page, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.gz'));
    expect(files.length).toBeGreaterThan(3);
    const bytes = files.reduce((sum, name) => sum + statSync(`${page}/${name}`).size, 0);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  });

  it('stands on a projector and on a phone without a scroll bar from side to side', async () => {
    for (const [path, width] of [
      ['?present', 1280],
      ['', 390],
      ['', 320],
    ] as const) {
      const { page, faults } = await visit(browser, network.nodes[2], { path, viewport: { width, height: 700 } });
      await page.getByText('All 3 nodes agree on block').waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${path} ${width}`).toBeLessThanOrEqual(
        width,
      );
      expect(faults).toEqual([]);
      await page.context().close();
    }
  });
});
