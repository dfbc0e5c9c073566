import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { openBrowser } from './browser.js';

const PAGE = `<!doctype html><title>x</title><script type="module">
import * as minichain from './browser.js';
globalThis.minichain = minichain;
</script>`;

interface Loaded {
  readonly minichain: typeof import('../../src/client/client.js');
}

const TEXT = 'from a page of another origin ✓';

let browser: Browser;
let node: NodeProcess;
let server: Server;
let directory: ReturnType<typeof temporaryDirectory>;

beforeAll(async () => {
  directory = temporaryDirectory();
  await build({
    configFile: resolve('src/client/browser.vite.config.ts'),
    logLevel: 'error',
    build: { outDir: directory.path },
  });
  server = createServer(({ url }, response) => {
    const isLibrary = url === '/browser.js';
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html');
    response.end(isLibrary ? readFileSync(`${directory.path}/browser.js`) : PAGE);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const settings = { HTTP_CORS_ORIGINS: originOf(server), HTTP_WRITE_TOKEN: 'secret', BLOCKCHAIN_DIFFICULTY: '2' };
  node = await NodeProcess.create('node-1', `${directory.path}/node`, settings);
  [browser] = await Promise.all([openBrowser(), node.spawn().ready(90_000)]);
});

afterAll(async () => {
  await browser.close();
  await node.kill('SIGKILL');
  server.close();
  directory.remove();
});

function originOf(own: Server): string {
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
}

it('the client library posts, waits, reads events and verifies in a page of another origin', async () => {
  const page = await browser.newPage();
  await page.goto(originOf(server));
  await page.waitForFunction(() => 'minichain' in globalThis);
  const shown = await page.evaluate(
    async ({ url, text }) => {
      const { MinichainClient, prepareEntry, verifyProof } = (globalThis as unknown as Loaded).minichain;
      const client = new MinichainClient(url, { token: 'secret' });
      const { eventId } = await client.ask('GET /status', {});
      const entry = prepareEntry(text);
      const { id } = await client.submit(entry);
      await client.waitFor(id);
      const proven = verifyProof(await client.proof(id));
      const types: string[] = [];
      for await (const { event } of client.events({ lastEventId: eventId })) {
        types.push(event.type);
        if (event.type === 'entry' && event.state === 'confirmed') break;
      }
      const refused: unknown = await client.block(9_999).catch((error: unknown) => error);
      return {
        isSame: id === entry.id,
        data: proven.entry?.data,
        isConfirmed: types.includes('tip'),
        code: (refused as { code?: string }).code,
        isClean: !('Buffer' in globalThis),
      };
    },
    { url: node.url, text: TEXT },
  );
  expect(shown).toEqual({ isSame: true, data: TEXT, isConfirmed: true, code: 'block-not-found', isClean: true });
});
