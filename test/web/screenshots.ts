import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { converged, type NodeProcess } from '../support/node-process.js';
import { openBrowser, visit, type VisitOptions } from './browser.js';
import { startThreeNodes } from './three-nodes.js';

const SLOW_MS = 120_000;
const IMAGES = 'docs/images';

mkdirSync(IMAGES, { recursive: true });
const browser = await openBrowser();
const network = await startThreeNodes({ labs: [1, 2, 3] });
try {
  await take(network.nodes);
} finally {
  await browser.close();
  await network.stop();
}

async function take(all: readonly [NodeProcess, NodeProcess, NodeProcess]): Promise<void> {
  const [one, two] = all;
  const { page } = await visit(browser, one);
  await page.getByText('Nothing mined yet.').waitFor();
  await save(page, 'first-visit');
  let length = 1;
  for (const text of ['hello', 'second entry', 'third entry']) {
    await one.submit(text);
    await one.post('/mine', {});
    length += 1;
    await converged(all, (chain) => chain.length === length, SLOW_MS);
  }
  await cutOff(one);
  await one.submit('only node-1 knows this');
  await one.post('/mine', {});
  await two.submit('the others know this');
  await two.post('/mine', { blocks: 3 });
  await page.getByText('Split: node-1 against node-2 and node-3').waitFor();
  await settle(page);
  await save(page, 'fork');

  for (const other of ['node-2', 'node-3']) await one.post(`/peers/${other}/connect`, {});
  await page.getByText('All 3 nodes agree on block 6').waitFor({ timeout: SLOW_MS });
  await one.post('/mine', {});
  await page.getByText('All 3 nodes agree on block 7').waitFor({ timeout: SLOW_MS });
  await settle(page);
  await save(page, 'healed');
  await page.getByRole('button', { name: 'Replay' }).first().click();
  await page.getByRole('button', { name: 'Next' }).click();
  await settle(page);
  await save(page, 'reorganisation');
  await page.getByRole('button', { name: 'Back to now' }).click();
  await page.goto(`${one.url}/#/block/1`);
  await page.getByText('That is the proof of work.').waitFor();
  await settle(page);
  await save(page, 'block');
  await page.context().close();

  await saveVisit('dark', one, { colorScheme: 'dark' });
  await saveVisit('present', one, { path: '?present', viewport: { width: 1280, height: 720 } });
  await saveVisit('phone', one, { viewport: { width: 390, height: 844 } });
}

async function saveVisit(name: string, node: NodeProcess, options: VisitOptions): Promise<void> {
  const { page } = await visit(browser, node, options);
  await page.getByText('All 3 nodes agree').waitFor();
  await settle(page);
  await save(page, name);
  await page.context().close();
}

async function cutOff(node: NodeProcess): Promise<void> {
  for (const other of ['node-2', 'node-3']) await node.post(`/peers/${other}/disconnect`, {});
}

/** Waits until nothing on the page moves any more, and no step waits to be drawn. */
async function settle(page: Page): Promise<void> {
  let before = '';
  for (;;) {
    await page.waitForTimeout(1_500);
    const now = await page.locator('main').innerText();
    const isStill = await page.evaluate(() =>
      document.getAnimations().every((animation) => animation.effect?.getTiming().iterations === Infinity),
    );
    if (now.replace(/\d+ ms|[\d.]+ k?H\/s/g, '') === before && isStill) return;
    before = now.replace(/\d+ ms|[\d.]+ k?H\/s/g, '');
  }
}

async function save(page: Page, name: string): Promise<void> {
  // The test answers for the lab (see browser.ts), so its buttons would do nothing.
  if ((await page.locator('.lab').count()) > 0) await page.addStyleTag({ content: '.lab { display: none }' });
  await page.screenshot({ path: `${IMAGES}/page-${name}.png` });
}
