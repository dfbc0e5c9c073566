import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { blockNames, openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

describe('a page whose node dies', () => {
  let browser: Browser;
  let network: ThreeNodes;
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes({ labs: [1] });
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it('says so, keeps what it knows, shows the others, and goes on when the node is back', async () => {
    const { nodes } = network;
    const [one, two, three] = nodes;
    const { page } = await visit(browser, one);
    await page.getByText('Nothing mined yet.').waitFor();
    await one.submit('before');
    await one.post('/mine', {});
    await page.getByText('All 3 nodes agree on block 1.').waitFor();

    await one.kill('SIGKILL');
    await page.getByText('node-1 is down').waitFor();
    expect(await page.locator('.composer .primary').isDisabled()).toBe(true);
    await two.submit('while node-1 is down');
    await two.post('/mine', {});
    await page.getByText('Both nodes agree on block 2. node-1 is down.').waitFor();
    const names = await blockNames(page);
    expect(names.some((name) => name.startsWith('Block 1, ') && name.endsWith('node-1 is here'))).toBe(true);

    await one.spawn([two, three]).ready();
    await page.getByText('All 3 nodes agree on block 2.').waitFor({ timeout: 30_000 });
    await one.submit('after');
    await one.post('/mine', {});
    await page.getByText('All 3 nodes agree on block 3.').waitFor();
    await converged(nodes, ({ length }) => length === 4);
    await page.context().close();
  });

  it('says so when it knows no other node', async () => {
    const [, , three] = network.nodes;
    const { page } = await visit(browser, three);
    await page.getByText('All 3 nodes agree').waitFor();
    await three.kill('SIGKILL');
    await page.getByText('node-3 does not answer. This is the last that was known.').waitFor();
    expect((await blockNames(page)).length).toBeGreaterThan(1);
    await three.spawn([network.nodes[0]]).ready();
    await page.getByText('All 3 nodes agree').waitFor({ timeout: 30_000 });
    await page.context().close();
  });
});
