import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareEntry } from '../../src/client/client.js';
import { temporaryDirectory } from '../support/node-process.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';

const run = promisify(execFile);
const ROOT = resolve('.');

/** Posts, waits, reads events and verifies. */
const PROGRAM = `
import { MinichainClient, prepareEntry, verifyProof } from 'minichain/client';
const client = new MinichainClient(process.argv[2]);
const { eventId } = await client.ask('GET /status', {});
const entry = prepareEntry('from outside ✓');
await client.submit(entry);
await client.mine();
await client.waitFor(entry.id);
const { entry: proven } = verifyProof(await client.proof(entry.id));
for await (const { event } of client.events({ lastEventId: eventId })) if (event.type === 'tip') break;
console.log(proven.data);
`;

describe('the package minichain/client', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let rest: RestApp;
  let url: string;

  beforeAll(async () => {
    directory = temporaryDirectory();
    execFileSync('npm', ['run', '--silent', 'build:client'], { stdio: 'pipe' });
    mkdirSync(`${directory.path}/node_modules`);
    symlinkSync(ROOT, `${directory.path}/node_modules/minichain`);
    rest = await startRestApp();
    url = `http://127.0.0.1:${rest.port}`;
  });

  afterAll(async () => {
    await rest.close();
    directory.remove();
  });

  function file(name: string, content: string): string {
    const path = join(directory.path, name);
    writeFileSync(path, content);
    return path;
  }

  it('runs in Node.js', async () => {
    const path = file('node.mjs', PROGRAM);
    expect((await run(process.execPath, [path, url])).stdout).toBe('from outside ✓\n');
  });

  it('is one file for browsers, which needs nothing of Node.js', async () => {
    const bundle = `${ROOT}/dist/client/browser.js`;
    expect(readFileSync(bundle, 'utf8')).not.toMatch(/["'`]node:|\brequire\(|^import |\bimport\(/m);
    cpSync(bundle, `${directory.path}/browser.mjs`);
    const bare = `
delete globalThis.Buffer;
delete globalThis.process;
const { prepareEntry } = await import('./browser.mjs');
console.log(prepareEntry('x', { timestampMs: 1, salt: new Uint8Array(2) }).id);
`;
    const { id } = prepareEntry('x', { timestampMs: 1, salt: new Uint8Array(2) });
    expect((await run(process.execPath, [file('bare.mjs', bare)])).stdout).toBe(`${id}\n`);
    const where = file('where.mjs', "console.log(import.meta.resolve('minichain/client'));");
    const { stdout } = await run(process.execPath, ['--conditions', 'browser', where]);
    expect(stdout).toContain('/dist/client/browser.js');
  });

  it('has types that a strict project without Node.js can use', async () => {
    const consumer = `
import { MinichainClient, MinichainError, verifyProof, type FeedEvent } from 'minichain/client';
const client = new MinichainClient('http://localhost:8091');
export const height: number = (await client.status()).height;
export const kinds: ('coinbase' | 'data' | 'signed')[] = (await client.mempool({ limit: 1 })).entries.map(({ kind }) => kind);
export const at: number = verifyProof(await client.proof('ab')).block.height;
export function depth(event: FeedEvent): number | undefined {
  return event.type === 'tip' ? event.reorg?.depth : undefined;
}
export const code = (error: unknown): string | undefined => (error instanceof MinichainError ? error.code : undefined);
// @ts-expect-error: no such parameter
void client.chain({ form: 1 });
// @ts-expect-error: a route with a parameter
void client.ask('GET /blocks/:id', {});
`;
    const options = { strict: true, noEmit: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2024' };
    const compilerOptions = { ...options, lib: ['es2024', 'dom', 'dom.iterable'], types: [], skipLibCheck: true };
    file('consumer.mts', consumer);
    file('tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.mts'] }));
    const { stdout } = await run(`${ROOT}/node_modules/.bin/tsc`, ['-p', directory.path]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });
});
