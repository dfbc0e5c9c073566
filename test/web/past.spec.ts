import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const BLOCKS = 5;

const verdicts = (page: Page): Promise<string[]> => page.locator('.judged .verdict').allInnerTexts();

describe('editing the past', () => {
  let browser: Browser;
  let network: ThreeNodes;
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes();
    for (let i = 1; i <= BLOCKS; i++) {
      await network.nodes[0].submit(`entry ${i}`);
      await network.nodes[0].post('/mine', {});
      await converged(network.nodes, ({ length }) => length === i + 1);
    }
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it('turns every later block red, costs all their work, and still convinces nobody', async () => {
    const [one] = network.nodes;
    const before = await one.chain();
    const { page, faults } = await visit(browser, one, { path: '#/block/2' });
    await page.getByRole('link', { name: 'Edit the past' }).click();
    await page.getByText('Every block is valid.').waitFor();
    expect(await verdicts(page)).toEqual(Array(4).fill('valid'));

    // One text in 256 meets the target by chance once its root is written; this one is tried until it does not.
    for (let i = 0; ; i++) {
      await page.fill('#past-text', `something else ${i}`);
      expect(await verdicts(page)).toEqual(['bad-txnmrklroot', ...Array<string>(3).fill('bad-prevblk')]);
      await page.getByRole('button', { name: 'Write the new Merkle root' }).click();
      const [first, ...later] = await verdicts(page);
      expect(later).toEqual(Array(3).fill('bad-prevblk'));
      if (first === 'high-hash') break;
    }
    await page.getByRole('button', { name: 'Mine block 2 again' }).click();
    await page.getByRole('button', { name: 'Mine all 3 later blocks again' }).waitFor();
    expect(await verdicts(page)).toEqual(['valid', ...Array<string>(3).fill('bad-prevblk')]);
    await page.getByRole('button', { name: 'Mine all 3 later blocks again' }).click();
    await page.getByText('Still, node-1, node-2 and node-3 would stay on their chain.').waitFor();
    expect(await verdicts(page)).toEqual(Array(4).fill('valid'));
    await page.getByText('on a tie the chain that a node saw first stays').waitFor();

    await one.submit('meanwhile');
    await one.post('/mine', {});
    await page.getByText('theirs has more').waitFor();
    const after = await one.chain();
    expect(after.blocks.slice(0, BLOCKS + 1)).toEqual(before.blocks);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('explains the 80 bytes of a header, and compares its hash with the target', async () => {
    const [one] = network.nodes;
    const { page, faults } = await visit(browser, one, { path: '#/block/3' });
    await page.getByText('That is the proof of work.').waitFor();
    const { headers } = await one.get<{ headers: string[] }>('/headers?from=3&limit=1');
    const bytes = await page.locator('.field').allInnerTexts();
    expect(bytes.join('').replace(/\s/g, '')).toBe(headers[0]);
    const names: string[] = [];
    for (const field of await page.locator('.field').all()) {
      await field.focus();
      names.push((await page.locator('.about-field h3').innerText()).replace(/\s+/g, ' '));
    }
    expect(names).toEqual([
      'version bytes 0 to 3',
      'previous hash bytes 4 to 35',
      'Merkle root bytes 36 to 67',
      'time bytes 68 to 71',
      'bits bytes 72 to 75',
      'nonce bytes 76 to 79',
    ]);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
