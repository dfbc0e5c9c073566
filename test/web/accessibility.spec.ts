import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { seriousFaults } from './axe.js';
import { openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

/** Nodes that were cut off dial again at their own pace. */
const HEAL_MS = 90_000;

const focusedName = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

describe('the page for everybody', () => {
  let browser: Browser;
  let network: ThreeNodes;
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes({ labs: [1, 2, 3] });
    const [one, two, three] = network.nodes;
    // A fork of one block: node 3 mines alone, and the others go on without it.
    await one.submit('common');
    await one.post('/mine', {});
    await converged(network.nodes, ({ length }) => length === 2);
    for (const other of ['node-1', 'node-2']) await three.post(`/peers/${other}/disconnect`, {});
    await three.post('/mine', {});
    await one.post('/mine', { blocks: 3 });
    for (const other of ['node-1', 'node-2']) await three.post(`/peers/${other}/connect`, {});
    await converged([one, two, three], ({ length }) => length === 5, HEAL_MS);
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it.each(['light', 'dark'] as const)('has no serious fault that axe-core finds, in the %s', async (colorScheme) => {
    const [one, , three] = network.nodes;
    const { page } = await visit(browser, three, {
      colorScheme,
      bypassCSP: true,
      reducedMotion: 'reduce',
    });
    await page.getByText('All 3 nodes agree').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    for (const [place, ready] of [
      ['#/block/1', 'That is the proof of work.'],
      [`#/past/1/${(await one.chain()).blocks[1]!.transactions[1]!.id}`, 'Every block is valid.'],
      ['#/search/common', 'Texts of the mempool'],
    ] as const) {
      await page.goto(`${three.url}/${place}`);
      await page.getByText(ready).waitFor();
      expect(await seriousFaults(page), place).toEqual([]);
    }
    await page.context().close();
  });

  it('has a link that the keyboard meets before the lab, and that leads over it to the tree', async () => {
    const { page, faults } = await visit(browser, network.nodes[2], { bypassCSP: true });
    await page.getByText('All 3 nodes agree').waitFor();
    const link = page.getByRole('link', { name: 'Skip the lab, to the block tree' });
    const sizeOf = async (): Promise<number> => (await link.boundingBox())!.height;
    expect(await sizeOf()).toBeLessThanOrEqual(1);
    await page.getByRole('button', { name: 'The same as a curl line' }).focus();
    await page.keyboard.press('Tab');
    expect(await link.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await sizeOf()).toBeGreaterThan(20);
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    expect(await focusedName(page)).toMatch(/^Block 4, /);
    expect(page.url()).toBe(`${network.nodes[2].url}/`);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('can be read and opened by the keyboard alone', async () => {
    const { page, faults } = await visit(browser, network.nodes[2]);
    await page.getByText('All 3 nodes agree').waitFor();
    await page.getByRole('searchbox').focus();
    // The controls of the lab stand before the tree.
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      if ((await focusedName(page)).startsWith('Block ')) break;
    }
    expect(await focusedName(page)).toMatch(/^Block 4, /);
    await page.keyboard.press('Home');
    expect(await focusedName(page)).toMatch(/^Block 0, genesis/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await focusedName(page)).toMatch(/^Block 2, mined by node-1/);
    await page.keyboard.press('ArrowDown');
    expect(await focusedName(page)).toMatch(/^Block 2, mined by node-3, .*off the active chain/);
    await page.keyboard.press('ArrowLeft');
    expect(await focusedName(page)).toMatch(/^Block 1, /);
    await page.keyboard.press('End');
    expect(await focusedName(page)).toMatch(/^Block 4, /);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Block 4', exact: true }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
