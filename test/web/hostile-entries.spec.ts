import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script><b>bold</b>';
const REVERSED = 'abc\u202Edef\u2066ghi\u200F';
const CONTROLS = 'bell\u0007 escape\u001b[31m null\u0000 end';
const LONG = 'x'.repeat(16_384);

describe('entries of strangers', () => {
  let browser: Browser;
  let network: ThreeNodes;
  const ids: string[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes();
    const [one] = network.nodes;
    for (const text of [MARKUP, REVERSED, CONTROLS, LONG]) ids.push(await one.submit(text));
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
  });

  it('are text in the mempool, in their block, on their own and when they are found, and break no layout', async () => {
    const [one] = network.nodes;
    for (const width of [1280, 390]) {
      const { page, faults } = await visit(browser, one, { viewport: { width, height: 800 } });
      await page.getByText('Next block: ').waitFor();
      const check = async (): Promise<void> => {
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        expect(await page.locator('main img, main script, main bdi b').count()).toBe(0);
        expect(await page.title()).toBe('minichain');
        const text = await page.locator('main').innerText();
        for (const unseen of ['\u202E', '\u2066', '\u200F', '\u0007', '\u001b', '\u0000'])
          expect(text).not.toContain(unseen);
      };
      if (width === 1280) {
        await page.locator('.next li').nth(3).waitFor();
        expect(await page.locator('.next li').first().innerText()).toContain('<img src=x');
        await check();
        await one.post('/mine', {});
        await converged(network.nodes, ({ length }) => length === 2);
      }
      await page.goto(`${one.url}/#/block/1`);
      await page.locator('.entry-text').nth(3).waitFor();
      const shown = await page.locator('.entry-text').allInnerTexts();
      expect(shown[0]).toBe(MARKUP);
      expect(shown[1]).toBe('abc⟨U+202E⟩def⟨U+2066⟩ghi⟨U+200F⟩');
      expect(shown[2]).toBe('bell␇ escape␛[31m null␀ end');
      await check();
      await page.getByRole('button', { name: 'all 16,384 characters' }).click();
      expect((await page.locator('.entry-text').nth(3).innerText()).length).toBe(16_384);
      await check();
      for (const id of ids) {
        await page.goto(`${one.url}/#/entry/${id}`);
        await page.getByText(id).first().waitFor();
        await check();
      }
      await page.goto(`${one.url}/#/search/${encodeURIComponent('<b>bold')}`);
      await page.locator('.hits a').waitFor();
      await check();
      expect(faults).toEqual([]);
      await page.context().close();
    }
  });

  it('are found by height, hash, id and text', async () => {
    const [one] = network.nodes;
    const { tip } = await one.chain();
    const { page, faults } = await visit(browser, one);
    for (const [query, hit] of [
      ['1', `#/block/${tip}`],
      [tip, `#/block/${tip}`],
      [ids[1]!, `#/entry/${ids[1]}`],
      ['ESCAPE', `#/entry/${ids[2]}`],
    ] as const) {
      await page.getByRole('searchbox').fill(query);
      await page.keyboard.press('Enter');
      await page.locator(`.hits a[href="${hit}"]`).waitFor();
    }
    await page.getByRole('searchbox').fill('no such text anywhere');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing found.').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
