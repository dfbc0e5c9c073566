import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/consensus/ssh-signature.js';
import { armourOf, testKey } from '../support/signing.js';
import { openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const TEXT = 'I owe you 5';

describe('a signed entry in the page', () => {
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

  it('shows its author in the mempool, its block and by itself, and cannot be rewritten', async () => {
    const [one] = network.nodes;
    const author = fingerprintOf(testKey('alice').publicKey);
    const genesis = (await one.chain()).blocks[0]!.hash;
    await one.post('/blocks', { data: TEXT, signature: armourOf(TEXT, genesis) });
    const { page, faults } = await visit(browser, one);
    await page.getByText(`signed by ${author.slice(0, 18)}…`).waitFor();
    await page.getByRole('link', { name: TEXT }).click();
    await page.getByText(author, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'SSH signature' }).waitFor();

    await one.post('/mine', {});
    await page.goto(`${one.url}/#/block/1`);
    await page.getByText(`signed by ${author.slice(0, 18)}…`).waitFor();
    await page.getByRole('link', { name: 'Edit the past' }).click();
    await page.getByText('Every block is valid.').waitFor();
    // One text in 256 meets the target by chance once its root is written; this one is tried until it does not.
    for (let i = 0; ; i++) {
      await page.fill('#past-text', `I owe you ${i}00`);
      await page.getByRole('button', { name: 'Write the new Merkle root' }).click();
      if ((await page.locator('.judged .verdict').first().innerText()) === 'high-hash') break;
    }
    await page.getByRole('button', { name: 'Mine block 1 again' }).click();
    await page.getByText('no node will ever take it: the text is signed').waitFor();
    expect(await page.locator('.judged .verdict').allInnerTexts()).toEqual(['bad-sig']);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
