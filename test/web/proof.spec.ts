import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Download, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonProof } from '../../src/proofs/offline/json-proof.js';
import { ProofError } from '../../src/proofs/offline/proof-error.js';
import { verifyJsonProof } from '../../src/proofs/offline/verify-proof.js';
import { converged, temporaryDirectory } from '../support/node-process.js';
import { ProofChain } from '../support/proof-rig.js';
import { armourOf, testKey } from '../support/signing.js';
import { fingerprintOf } from '../../src/consensus/ssh-signature.js';
import { waitFor } from '../support/wait.js';
import { seriousFaults } from './axe.js';
import { openBrowser, visit } from './browser.js';
import { startThreeNodes, type ThreeNodes } from './three-nodes.js';

const NETWORK = 'proof-page';
const TEXT = 'measured <b>4.2</b> bar';
const HEIGHT = 3;
/** Long enough for headers to be folded. */
const LENGTH = 16;

/** The name of the check that refuses this proof, by the same code in Node. */
function checkOf(proof: JsonProof): string {
  try {
    verifyJsonProof(JSON.stringify(proof));
    return 'holds';
  } catch (error) {
    return (error as ProofError).check;
  }
}

/** Turns the digit as a click does: 0 after f. */
function turn(hex: string, at: number): string {
  return hex.slice(0, at) + ((Number.parseInt(hex[at]!, 16) + 1) % 16).toString(16) + hex.slice(at + 1);
}

const verdict = (page: Page): Promise<string> => page.locator('.verdict-card h3').innerText();
const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
const field = (page: Page, name: string): Locator => page.getByRole('group', { name, exact: true });

async function downloaded(page: Page, name: string): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name, exact: true }).click(),
  ]);
  return download;
}

describe('the proof of an entry in the page', () => {
  let browser: Browser;
  let network: ThreeNodes;
  let id: string;
  let proof: JsonProof;
  const files = temporaryDirectory();
  const open = (place: string, options: Parameters<typeof visit>[2] = {}): ReturnType<typeof visit> =>
    visit(browser, network.nodes[0], { path: place, ...options });
  const checked = async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: 'Check it here' }).click();
    await page.getByText('✓ The proof holds.').waitFor();
  };

  beforeAll(async () => {
    browser = await openBrowser();
    network = await startThreeNodes({ all: { NETWORK_NAME: NETWORK } });
    const [one] = network.nodes;
    await one.post('/mine', { blocks: HEIGHT - 1 });
    for (const text of ['one', 'two', TEXT, 'four']) {
      const posted = await one.submit(text);
      if (text === TEXT) id = posted;
    }
    await one.post('/mine', { blocks: LENGTH - HEIGHT });
    await converged(network.nodes, ({ length }) => length === LENGTH);
    proof = await one.get<JsonProof>(`/transactions/${id}/proof`);
  });
  afterAll(async () => {
    await browser.close();
    await network.stop();
    files.remove();
  });

  it('is downloaded in three forms, byte for byte what REST gives, under names with the network', async () => {
    const [one] = network.nodes;
    const { page, faults } = await open(`#/entry/${id}`);
    for (const [name, format, ending] of [
      ['JSON', 'json', 'proof.json'],
      ['OpenTimestamps', 'ots', 'ots'],
      ['merkleblock', 'merkleblock', 'merkleblock'],
    ] as const) {
      const download = await downloaded(page, name);
      expect(download.suggestedFilename()).toBe(`${id}.${NETWORK}.${ending}`);
      const answer = await fetch(`${one.url}/transactions/${id}/proof?format=${format}`);
      expect(readFileSync(await download.path()).equals(Buffer.from(await answer.arrayBuffer())), format).toBe(true);
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('is checked in the browser, which says what holds and what does not', async () => {
    const { page, faults, requests } = await open(`#/block/${HEIGHT}`);
    await page.getByText(TEXT).waitFor();
    await page.locator('.entries li', { hasText: TEXT }).getByRole('link', { name: 'Proof…' }).click();
    await checked(page);
    const words = await page.locator('.verdict-card').innerText();
    expect(words).toContain(`The text "${TEXT}" stands in block ${HEIGHT} of network ${NETWORK}`);
    expect(words).toContain(`with ${LENGTH - 1 - HEIGHT} blocks of work on it.`);
    expect(words).toContain('that no other chain has more work');
    await page.getByText(`node-1 was asked too: block ${LENGTH - 1} is on its chain.`).waitFor();
    expect(await page.locator('.proof img, .proof b b').count()).toBe(0);
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([network.nodes[0].url]));
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('names the check that finds a changed byte of the text, a sibling, a header; and Undo mends it', async () => {
    const { page, faults } = await open(`#/entry/${id}`);
    await checked(page);
    const cases = [
      { name: 'The bytes of the entry', at: proof.transaction.length - 1, part: 'transaction', breaks: 1 },
      // It is the hash of nothing below it, and leads to another root.
      { name: 'The id', at: 9, part: 'id', breaks: 2 },
      { name: 'Sibling 1', at: 20, part: 0, breaks: 1 },
      { name: 'Sibling 3', at: 63, part: 2, breaks: 1 },
      { name: `The 80 bytes of header ${HEIGHT}`, at: 159, part: 'header', breaks: 0 },
      { name: `The 80 bytes of header ${HEIGHT}`, at: 30, part: 'header', breaks: 0 },
    ] as const;
    for (const { name, at, part, breaks } of cases) {
      const changed: JsonProof =
        part === 'header'
          ? { ...proof, headers: proof.headers.with(HEIGHT - 1, turn(proof.headers[HEIGHT - 1]!, at)) }
          : typeof part === 'number'
            ? { ...proof, merkle: proof.merkle.with(part, turn(proof.merkle[part]!, at)) }
            : { ...proof, [part]: turn(proof[part], at) };
      const check = checkOf(changed);
      await field(page, name).locator(`[data-at="${at}"]`).click();
      await page.getByText(`✗ The check ${check} fails.`).waitFor();
      expect(await page.locator('.same-mark.bad').count(), name).toBe(breaks);
      await page.getByRole('button', { name: 'Undo', exact: true }).click();
      await page.getByText('✓ The proof holds.').waitFor();
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('shows a forger each lie that is still missing, up to the work', async () => {
    const { page, faults } = await open(`#/entry/${id}`);
    await checked(page);
    await field(page, 'The bytes of the entry')
      .locator(`[data-at="${proof.transaction.length - 1}"]`)
      .click();
    await page.getByText('✗ The check transaction fails.').waitFor();
    await page.getByRole('button', { name: 'Write the new id into the proof' }).click();
    await page.getByText('✗ The check merkle fails.').waitFor();
    await page.getByRole('button', { name: 'Write the new Merkle root into the header' }).click();
    await page.getByText('What is still missing is the work').waitFor();
    expect(await verdict(page)).toMatch(/^✗ The check (work|link) fails\.$/);
    await page.getByRole('button', { name: 'Undo all' }).click();
    await page.getByText('✓ The proof holds.').waitFor();
    await page.getByRole('button', { name: 'Change a byte at random' }).click();
    await page.getByText(/^You changed byte \d+ of /).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('is taken apart by the keyboard alone, and read aloud', async () => {
    const { page, faults } = await open(`#/entry/${id}`);
    await page.getByRole('button', { name: 'Check it here' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('✓ The proof holds.').waitFor();
    expect(await focused(page)).toBe('Check it here');
    const digit = field(page, 'Sibling 1').locator('[data-at="0"]');
    await digit.focus();
    const other = proof.merkle[0]![1] === '0' ? '1' : '0';
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press(other);
    await page.getByText('✗ The check merkle fails.').waitFor();
    expect(await page.locator('[role=status]', { hasText: 'You changed byte 0 of sibling 1.' }).count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(
      /^byte 1, first digit: /,
    );
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(
      new RegExp(`^byte 0, first digit: ${proof.merkle[0]![0]}, changed$`),
    );
    expect(await page.getByRole('img', { name: /is not the Merkle root in the header of block/ }).count()).toBe(1);
    // Buttons that go away or have nothing to do leave the focus where the keyboard can go on.
    await page.getByRole('button', { name: 'Write the new Merkle root into the header' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('What is still missing is the work').waitFor();
    expect(await focused(page)).toBe('Undo');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('✓ The proof holds.').waitFor();
    expect(await focused(page)).toBe('Undo all');
    await page.getByRole('button', { name: 'show some' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'header 14' }).waitFor();
    expect(await focused(page)).toBe('header 5');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('is checked from a file of any form, whole, changed or nothing at all', async () => {
    const [one] = network.nodes;
    const fetched = async (format: string): Promise<Buffer> =>
      Buffer.from(await (await fetch(`${one.url}/transactions/${id}/proof?format=${format}`)).arrayBuffer());
    const { page, faults } = await open('');
    await page.getByRole('link', { name: 'Check a proof' }).click();
    const elsewhere = ProofChain.mine(3, () => ['elsewhere']);
    const [ots, block] = [await fetched('ots'), (await fetched('merkleblock')).toString()];
    const brokenOts = Buffer.from(ots);
    brokenOts[70]! ^= 1;
    for (const [name, content, outcome] of [
      ['a.json', JSON.stringify(proof), '✓ The proof holds.'],
      ['b.json', JSON.stringify({ ...proof, pos: 0 }), '✗ The check merkle fails.'],
      ['c.json', JSON.stringify(proof).slice(0, -9), '✗ The check format fails.'],
      ['d.ots', ots, '✓ The proof holds.'],
      ['e.ots', brokenOts, '✗ The check merkle fails.'],
      ['f.merkleblock', block, '✓ The proof holds.'],
      ['g.merkleblock', turn(block, block.length - 60), '✗ The check merkle fails.'],
      ['h.txt', 'no proof', '✗ The check format fails.'],
      ['i.json', JSON.stringify(elsewhere.json(1, 1)), '✓ The proof holds, but for another network.'],
    ] as const) {
      const path = join(files.path, name);
      await writeFile(path, content);
      await page.locator('#proof-file').setInputFiles(path);
      await page.getByText(name).waitFor();
      await page.getByText(outcome).waitFor();
    }
    // Dropped, not chosen.
    const dropped = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], 'dropped.json'));
      return transfer;
    }, JSON.stringify(proof));
    await page.dispatchEvent('.drop-zone', 'drop', { dataTransfer: dropped });
    await page.getByText('dropped.json').waitFor();
    await page.getByText('✓ The proof holds.').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('has no serious fault that axe-core finds, in the %s', async (colorScheme) => {
    const { page } = await open(`#/entry/${id}`, { colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
    await checked(page);
    expect(await seriousFaults(page)).toEqual([]);
    await field(page, 'Sibling 1').locator('[data-at="0"]').click();
    await page.getByText('✗ The check merkle fails.').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.context().close();
  });

  it.each([390, 320])('fits a phone of %i pixels', async (width) => {
    const { page, faults } = await open(`#/entry/${id}`, { viewport: { width, height: 800 } });
    await checked(page);
    const scrolled = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);
    expect(await scrolled()).toBeLessThanOrEqual(width);
    await field(page, 'Sibling 1').locator('[data-at="0"]').click();
    await page.getByRole('button', { name: 'Write the new Merkle root into the header' }).waitFor();
    expect(await scrolled()).toBeLessThanOrEqual(width);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('is not loaded before it is wanted', async () => {
    const { page, requests } = await open('');
    await page.getByText('All 3 nodes agree').waitFor();
    const scripts = (): string[] => requests.filter((url) => /\/assets\/.*[.](js|css)$/.test(url));
    const first = scripts().length;
    expect(scripts().filter((url) => /proof/.test(url))).toEqual([]);
    await page.goto(`${network.nodes[0].url}/#/proof/file`);
    await page.locator('#proof-file').waitFor();
    expect(scripts().length).toBeGreaterThan(first);
    await page.context().close();
  });

  // These change the chain: they come last.
  it('says of a pending entry what is missing, and stands there once a block has it, with the author of a signed one', async () => {
    const [one] = network.nodes;
    const genesis = (await one.chain()).blocks[0]!.hash;
    const { id: signed } = await one.post<{ id: string }>('/blocks', {
      data: 'I owe you 5',
      signature: armourOf('I owe you 5', genesis),
    });
    const { page, faults } = await open(`#/entry/${signed}`);
    await page.getByText('Not in a block yet.').waitFor();
    expect(await page.getByRole('button', { name: 'Check it here' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Mine a block at node-1' }).click();
    await checked(page);
    const key = fingerprintOf(testKey('alice').publicKey);
    expect(await page.locator('.verdict-card').innerText()).toContain(
      `The owner of the key ${key} signed it for this network.`,
    );
    // A digit of the signature, and one of the text.
    for (const at of [100, 201]) {
      await field(page, 'The bytes of the entry').locator(`[data-at="${at}"]`).click();
      await page.getByText('✗ The check signature fails.').waitFor();
      await page.getByRole('button', { name: 'Write the new id into the proof' }).click();
      await page.getByRole('button', { name: 'Write the new Merkle root into the header' }).click();
      await page.getByText('Only the owner of the key can make another one').waitFor();
      expect(await verdict(page)).toBe('✗ The check signature fails.');
      await page.getByRole('button', { name: 'Undo all' }).click();
      await page.getByText('✓ The proof holds.').waitFor();
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('says of a block that a reorganisation undid that it proves nothing, and where the entry is', async () => {
    const [one, two, three] = network.nodes;
    await converged(network.nodes, ({ tip }) => tip !== '');
    for (const other of ['node-1', 'node-2']) await three.post(`/peers/${other}/disconnect`, {});
    const undone = await three.submit('undone');
    await three.post('/mine', {});
    const { tip: lost } = await three.chain();
    const lostProof = await three.get<JsonProof>(`/transactions/${undone}/proof`);
    await one.post('/mine', { blocks: 3 });
    for (const other of ['node-1', 'node-2']) await three.post(`/peers/${other}/connect`, {});
    await waitFor(
      'node-3 is on the longer chain',
      async () => (await three.chain()).tip === (await two.chain()).tip,
      90_000,
    );
    const { page, faults } = await visit(browser, three, { path: `#/proof/${lost}/${undone}` });
    await page.getByText('This block was undone.').waitFor();
    expect(await page.getByRole('button', { name: 'Check it here' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Where the entry is now' }).click();
    await page.getByText(undone).first().waitFor();
    // A proof from before is good in itself; this node knows better.
    const path = join(files.path, 'lost.json');
    await writeFile(path, JSON.stringify(lostProof));
    await page.locator('#proof-file').setInputFiles(path);
    await page.getByText('✓ The proof holds, but its chain is not the one of node-3.').waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
