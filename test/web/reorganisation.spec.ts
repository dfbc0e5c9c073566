import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { converged } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { blockNames, openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

/** Nodes that were cut off dial again at their own pace. */
const HEAL_MS = 90_000;

interface Forks {
  readonly tip: { readonly hash: string };
  readonly blocks: readonly { readonly hash: string; readonly status: string }[];
}

describe('a reorganisation', () => {
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

  it('is drawn once, announced in words, and can be replayed step by step, back and forth', async () => {
    const { nodes } = network;
    const [one, two] = nodes;
    await one.post('/mine', {});
    await converged(nodes, ({ length }) => length === 2);
    const { page, faults } = await visit(browser, one);
    await page.getByText('All 3 nodes agree on block 1.').waitFor();

    for (const other of ['node-2', 'node-3']) await one.post(`/peers/${other}/disconnect`, {});
    await one.submit('on one side');
    await one.post('/mine', {});
    await two.post('/mine', { blocks: 3 });
    await page.getByText('Split: node-1 against node-2 and node-3; 1 and 3 blocks since block 1.').waitFor();
    const announced: string[] = [];
    await page.exposeFunction('heard', (text: string) => announced.push(text));
    await page.evaluate(() => {
      const element = document.querySelector('[role=status]')!;
      const { heard } = window as unknown as { heard(this: void, text: string): void };
      new MutationObserver(() => heard(element.textContent)).observe(element, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    for (const other of ['node-2', 'node-3']) await one.post(`/peers/${other}/connect`, {});
    await page.getByText('All 3 nodes agree on block 4.').waitFor({ timeout: HEAL_MS });

    const words =
      'node-1 changed branch after block 1: 1 block disconnected, 3 connected. 1 entry went back to the mempool.';
    await page.locator('.reorgs').getByText(words).waitFor();
    await waitFor('it is announced', () => announced.includes(words));
    await page.locator('.replay').waitFor({ state: 'detached' });
    await waitFor('all nodes are on block 4', async () =>
      (await blockNames(page)).some((name) => /^Block 4, .*node-1, node-2 and node-3 are here$/.test(name)),
    );
    await expectTree();

    await page.getByRole('button', { name: 'Replay' }).click();
    const bar = page.getByLabel('Replay of a reorganisation');
    const seen = [await bar.locator('p').innerText()];
    while (await bar.getByRole('button', { name: 'Next' }).isEnabled()) {
      await bar.getByRole('button', { name: 'Next' }).click();
      seen.push(await bar.locator('p').innerText());
    }
    expect(seen.map((text) => text.replaceAll('\n', ' '))).toEqual([
      expect.stringContaining('node-1 is on block 2. A branch with more work has arrived.'),
      expect.stringContaining(
        'Block 2 is disconnected. Block 1 is where the branches part. 1 entry of the old branch went back',
      ),
      expect.stringContaining('Block 2 of the other branch is connected.'),
      expect.stringContaining('Block 3 of the other branch is connected.'),
      expect.stringContaining('Block 4 of the other branch is connected. node-1 is on the branch with the most work'),
    ]);
    for (let i = 1; i < seen.length; i++) await bar.getByRole('button', { name: 'Back', exact: false }).first().click();
    expect(await bar.locator('p').innerText()).toContain('node-1 is on block 2.');
    await bar.getByRole('button', { name: 'Back to now' }).click();
    await page.locator('.replay').waitFor({ state: 'detached' });
    await expectTree();
    expect(faults).toEqual([]);
    await page.context().close();

    /** The tree has the blocks of GET /forks, each drawn as what it is. */
    async function expectTree(): Promise<void> {
      const { blocks } = await one.get<Forks>('/forks');
      const drawn = await page
        .locator('.box.block')
        .evaluateAll((boxes) =>
          boxes.map((box) => [
            box.querySelector('rect')!.getAttribute('data-key')!,
            ['active', 'side', 'orphan'].find((state) => box.classList.contains(state)),
          ]),
        );
      expect(Object.fromEntries(drawn)).toEqual(Object.fromEntries(blocks.map(({ hash, status }) => [hash, status])));
    }
  });
});
