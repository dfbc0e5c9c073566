import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Debian's own; CI installs it. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** @throws Error that says how to install a browser. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `${CHROMIUM} is missing: apt-get install chromium, or name another Chromium in the variable CHROMIUM`,
    );
  }
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Many times what an idle machine needs. */
const WAIT_MS = 60_000;

/** The page of a node, and all that went wrong on it. */
export interface Visit {
  readonly page: Page;
  /** Console errors, uncaught exceptions and requests to other hosts than the nodes'. */
  readonly faults: string[];
  /** Addresses that were asked for. */
  readonly requests: string[];
}

export interface VisitOptions extends BrowserContextOptions {
  /** Behind `/`, such as `?present`. */
  readonly path?: string;
  /** Called before the page opens. */
  readonly prepare?: (page: Page) => Promise<void>;
}

export async function visit(
  browser: Browser,
  node: { readonly url: string },
  options: VisitOptions = {},
): Promise<Visit> {
  const { path = '', prepare, ...rest } = options;
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    ...rest,
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  page.on('console', (message) => {
    // The browser reports each 404 and 409, and the page asks for what may not be there: the lab, what a reader searches, a proof.
    const isExpected = /\/(lab|blocks\/\w+|transactions\/\w+(\/proof\?.*)?)$/.test(message.location().url);
    if (message.type() === 'error' && !isExpected) faults.push(message.text());
  });
  page.on('request', (request) => {
    requests.push(request.url());
    if (new URL(request.url()).hostname !== '127.0.0.1') faults.push(`asked ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(`${node.url}/${path}`);
  return { page, faults, requests };
}

/** The names that a screen reader reads of the blocks in the window. */
export function blockNames(page: Page): Promise<string[]> {
  return page
    .locator('[role=treeitem]')
    .evaluateAll((items) => items.map((item) => item.getAttribute('aria-label') ?? ''));
}
