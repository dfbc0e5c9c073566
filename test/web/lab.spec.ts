import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Forks } from '../../src/chain/fork-schemas.js';
import type { Status } from '../../src/ops/status-schemas.js';
import { ClusterProcess } from '../support/cluster-process.js';
import { type NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { seriousFaults } from './axe.js';
import { openBrowser, visit, type Visit } from './browser.js';
import { startThreeNodes } from './three-nodes.js';

const ALL = [1, 2, 3];
const TOKEN = 'correct-horse';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const mempoolOf = async (node: NodeProcess): Promise<number> =>
  (await node.get<Status>('/status')).mempool.transactions;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

describe('the lab bar of a cluster', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let cluster: ClusterProcess;
  let visited: Visit;
  beforeAll(async () => {
    directory = temporaryDirectory();
    cluster = await ClusterProcess.start(directory.path);
  });
  beforeEach(async () => {
    await cluster.post(1, '/lab/reset');
    for (const n of ALL) await cluster.connected(n, 2);
    visited = await visit(browser, { url: cluster.url(1) });
    await visited.page.getByRole('heading', { name: 'Lab' }).waitFor();
  });
  afterEach(() => visited.page.context().close());
  afterAll(async () => {
    await cluster.stop();
    directory.remove();
  });

  it('makes a fork by one click and a reorganisation by the second, and all nodes agree about the tree', async () => {
    const { page, faults } = visited;
    await page.getByText('Three nodes, connected. Nothing mined yet.').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('All 3 nodes agree on block 1.').waitFor();

    await button(page, 'Cut node-1 off and mine on both sides').click();
    await page.getByText('The network is cut: node-1 / node-2, node-3.').waitFor();
    for (const n of ALL) {
      await waitFor(`node-${n} mines`, async () => (await cluster.lab(n)).mining.mode === 'always');
      // At the pace of the button one of the sides may have bad luck for a minute.
      await cluster.post(n, '/lab/mining', { hashRate: 60 });
    }
    await page.getByText(/^Split: node-1 against node-2 and node-3; \d+ and \d+ blocks? since block 1\.$/).waitFor();
    // From here on no luck decides: the side of nodes 2 and 3 is the heavier one.
    for (const n of ALL) await cluster.post(n, '/lab/mining', { mode: 'off' });
    const [one, two] = await Promise.all([1, 2].map((n) => cluster.get<Forks>(n, '/forks')));
    const winner = await cluster.mine(2, Math.max(1, one!.tip.height - two!.tip.height + 1));
    await cluster.agree(winner, 2, 3);
    await button(page, 'Heal').click();
    await page
      .locator('.reorgs')
      .getByText(/^node-1 changed branch after block 1: \d+ blocks? disconnected/)
      .waitFor();
    await cluster.agree(winner, ...ALL);
    await page.getByText(/^All 3 nodes agree on block \d+\.$/).waitFor();

    // A block that lost at once need not have reached every node; the page has heard of it from the one that mined it.
    const expected = new Map<string, string>();
    for (const n of [3, 2, 1]) {
      for (const { hash, status } of (await cluster.get<Forks>(n, '/forks')).blocks) expected.set(hash, status);
    }
    await waitFor('the tree is that of GET /forks', async () => {
      const drawn = await page
        .locator('.box.block')
        .evaluateAll((boxes) =>
          boxes.map((box) => [
            box.querySelector('rect')!.getAttribute('data-key')!,
            ['active', 'side', 'orphan'].find((state) => box.classList.contains(state)),
          ]),
        );
      // GET /forks does not name the blocks of long runs, which are active.
      const wrong = drawn.filter(([hash, state]) => (expected.get(hash!) ?? 'active') !== state);
      expect(wrong).toEqual([]);
      return drawn.length > 3;
    });
    expect([...expected.values()]).toContain('side');
    expect(faults).toEqual([]);
  });

  it('shows what others do to the network, and how each node mines, without being asked', async () => {
    const { page, faults } = visited;
    await button(page, 'Pause mining: node-2').waitFor();
    await cluster.post(2, '/lab/mining', { mode: 'off', hashRate: 77 });
    await button(page, 'Resume mining: node-2').waitFor();
    const rate = page.getByLabel('Hash rate of node-2');
    await waitFor('the rate is shown', async () => (await rate.inputValue()) === '77');
    await cluster.post(1, '/lab/links/node-3', { delayMs: 300 });
    await button(page, 'Fast again: the link to node-3').waitFor();
    await page.getByText('The link of node-1 with node-3 is 300 ms slower.').waitFor();
    await cluster.post(3, '/lab/partition', { groups: [['node-3']] });
    await page.getByText('The network is cut: node-3 / node-1, node-2.').waitFor();
    await cluster.post(2, '/lab/reset');
    await button(page, 'Slow the link to node-3').waitFor();
    await button(page, 'Pause mining: node-2').waitFor();
    await page.locator('.faults').waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });

  it('changes the hash rate of a node, and leaves its mode as it is', async () => {
    const { page } = visited;
    await button(page, 'Pause mining: node-2').click();
    await button(page, 'Resume mining: node-2').waitFor();
    await page.getByLabel('Hash rate of node-2').selectOption('50');
    await waitFor('the rate is set', async () => (await cluster.lab(2)).mining.hashRate === 50);
    expect((await cluster.lab(2)).mining.mode).toBe('off');
  });

  it('resumes a paused node, and kills and starts one; each button shows its curl line', async () => {
    const { page } = visited;
    await cluster.post(1, '/lab/nodes/node-3/pause', { seconds: 300 });
    await button(page, 'Resume node-3').click();
    await button(page, 'Kill node-3').waitFor();
    expect((await cluster.lab(1)).cluster!.nodes[2]!.state).toBe('running');

    await button(page, 'Kill node-3').hover();
    const line = `curl -s -X POST ${cluster.url(1)}/lab/nodes/node-3/kill`;
    expect(await page.locator('.lab .curl code').innerText()).toBe(line);
    await button(page, 'Kill node-3').click();
    await button(page, 'Start node-3').click();
    await button(page, 'Kill node-3').waitFor();
    await cluster.connected(1, 2);
  });

  it('works while the node whose page it is is down, and starts it again', async () => {
    const { page } = visited;
    await button(page, 'Kill node-1').click();
    await page.getByText('node-1 is down').waitFor();
    await button(page, 'Start node-1').click();
    await button(page, 'Kill node-1').waitFor();
    await page.getByText('All 3 nodes agree').waitFor();
  });

  it('shows each node once, also under another name of this machine', async () => {
    const { port } = new URL(cluster.url(1));
    await visited.page.goto(`http://localhost:${port}/`);
    await visited.page.getByText('All 3 nodes agree').waitFor();
    await button(visited.page, 'Kill node-3').waitFor();
    expect(await visited.page.locator('.lab-nodes li').count()).toBe(3);
    await visited.page.getByText('All 3 nodes agree').waitFor();
  });

  it('stays within its frame and the window at every width, also while it shows faults', async () => {
    const { page } = visited;
    await cluster.post(1, '/lab/partition', { groups: [['node-1']] });
    await page.locator('.faults').waitFor();
    await button(page, 'Kill node-3').hover();
    for (let width = 320; width <= 1400; width += 30) {
      await page.setViewportSize({ width, height: 800 });
      const outside = await page.locator('.lab').evaluate((bar) => {
        const { left, right } = bar.getBoundingClientRect();
        return [bar, ...bar.querySelectorAll(':not(option)')]
          .map((element) => ({ html: element.outerHTML, box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.left < left || box.right > Math.min(right, innerWidth))
          .map(({ html }) => html);
      });
      expect(outside, `${width} px`).toEqual([]);
    }
  });
});

describe('nodes that no cluster runs, with a write token', () => {
  it('get it once from the reader, post the entry, and do their own part of what the lab bar asks', async () => {
    const network = await startThreeNodes({ labs: ALL, all: { HTTP_WRITE_TOKEN: TOKEN } });
    const { page, faults } = await visit(browser, network.nodes[0], { bypassCSP: true });
    const groupsOf = (n: number) => network.nodes[n]!.get<{ groups: unknown }>('/lab').then(({ groups }) => groups);
    await page.getByText('Three nodes, connected.').waitFor();
    const dialog = page.getByRole('dialog', { name: 'node-1 accepts writes only with its write token' });
    const field = dialog.getByLabel('The value of http.write_token');

    await button(page, 'Post to node-1').click();
    await field.waitFor();
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('.composer').getByText('this node accepts writes only with its write token').waitFor();

    await button(page, 'Post to node-1').click();
    await field.fill('battery-staple');
    await page.keyboard.press('Enter');
    await dialog.getByText('node-1 refused this token.').waitFor();
    await field.fill(TOKEN);
    await page.keyboard.press('Enter');
    await waitFor('the entry is there', async () => (await mempoolOf(network.nodes[0])) === 1);
    await dialog.waitFor({ state: 'detached' });
    await button(page, 'The same as a curl line').click();
    const line = await page.locator('.composer .curl code').innerText();
    expect(line).toContain('-H "Authorization: Bearer $MINICHAIN_HTTP_WRITE_TOKEN"');

    await button(page, 'Cut off node-2').click();
    await page.getByText('The network is cut: node-2 / node-1, node-3.').waitFor();
    for (const n of [0, 1, 2]) {
      await waitFor('it does its part', async () => (await groupsOf(n)) !== null);
      expect(await groupsOf(n)).toEqual([['node-2'], ['node-1', 'node-3']]);
    }
    expect(await dialog.count()).toBe(0);
    expect(await button(page, 'Kill node-2').count()).toBe(0);
    await button(page, 'Heal').click();
    await page.locator('.faults').waitFor({ state: 'detached' });
    for (const n of [0, 1, 2]) await waitFor('it is whole again', async () => (await groupsOf(n)) === null);
    // The browser reports each 401.
    expect(faults.filter((fault) => !fault.includes('401 (Unauthorized)'))).toEqual([]);
    await page.context().close();
    await network.stop();
  });
});
