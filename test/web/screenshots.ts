import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { ClusterProcess } from '../support/cluster-process.js';
import { temporaryDirectory } from '../support/node-process.js';
import { openBrowser, visit, type VisitOptions } from './browser.js';

const SLOW_MS = 120_000;
const IMAGES = 'docs/images';

mkdirSync(IMAGES, { recursive: true });
const directory = temporaryDirectory();
const browser = await openBrowser();
const cluster = await ClusterProcess.start(directory.path);
try {
  await take();
} finally {
  await browser.close();
  await cluster.stop();
  directory.remove();
}

async function take(): Promise<void> {
  const { page } = await visit(browser, { url: cluster.url(1) });
  await page.getByText('Nothing mined yet.').waitFor();
  await page.getByRole('heading', { name: 'Lab' }).waitFor();
  await settle(page);
  await save(page, 'first-visit');
  for (const [index, data] of ['hello', 'second entry', 'third entry'].entries()) {
    await cluster.post(1, '/blocks', { data });
    await page.getByText(`All 3 nodes agree on block ${index + 1}.`).waitFor({ timeout: SLOW_MS });
  }
  await cluster.post(1, '/lab/partition', { groups: [['node-1'], ['node-2', 'node-3']] });
  await cluster.post(1, '/blocks', { data: 'only node-1 knows this' });
  await cluster.post(2, '/blocks', { data: 'the others know this' });
  await page.getByText('1 block each since block 3').waitFor({ timeout: SLOW_MS });
  await cluster.mine(2, 2);
  await page.getByText('1 and 3 blocks since block 3').waitFor({ timeout: SLOW_MS });
  await settle(page);
  await save(page, 'fork');

  await cluster.post(1, '/lab/heal');
  // The entry of the branch that lost is mined again.
  await page.getByText('All 3 nodes agree on block 7').waitFor({ timeout: SLOW_MS });
  await settle(page);
  await save(page, 'healed');
  await page.getByRole('button', { name: 'Replay' }).first().click();
  await page.getByRole('button', { name: 'Next' }).click();
  await settle(page);
  await save(page, 'reorganisation');
  await page.getByRole('button', { name: 'Back to now' }).click();
  await page.goto(`${cluster.url(1)}/#/block/1`);
  await page.getByText('That is the proof of work.').waitFor();
  await settle(page);
  await save(page, 'block');
  await saveProof(page);
  await page.context().close();

  await saveVisit('dark', { colorScheme: 'dark' });
  await saveVisit('present', { path: '?present', viewport: { width: 1280, height: 720 } });
  await saveVisit('phone', { viewport: { width: 390, height: 844 } });
}

/** A proof with one changed byte. */
async function saveProof(page: Page): Promise<void> {
  const texts = ['measured 4.2 bar', 'measured 4.3 bar', 'measured 4.1 bar'];
  const { ids } = (await (await cluster.post(1, '/blocks', { data: texts })).json()) as { ids: string[] };
  await page.getByText('All 3 nodes agree on block 8').waitFor({ timeout: SLOW_MS });
  await page.goto(`${cluster.url(1)}/#/entry/${ids[1]}`);
  await page.getByRole('button', { name: 'Check it here' }).click();
  await page.getByText('✓ The proof holds.').waitFor();
  await page.getByRole('group', { name: 'Sibling 1' }).locator('[data-at="13"]').click();
  await page.getByText('✗ The check merkle fails.').waitFor();
  await settle(page);
  await page.locator('.outcome').evaluate((outcome) => outcome.scrollIntoView());
  await save(page, 'proof');
}

async function saveVisit(name: string, options: VisitOptions): Promise<void> {
  const { page } = await visit(browser, { url: cluster.url(1) }, options);
  await page.getByText('All 3 nodes agree').waitFor();
  await settle(page);
  await save(page, name);
  await page.context().close();
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
  await page.screenshot({ path: `${IMAGES}/page-${name}.png` });
}
