import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';

/** More than a node takes to stop on a busy machine, less than Docker's patience of ten seconds. */
const LIMIT_MS = 8_000;

/**
 * What a lookup is to the process that no DNS answers: work of a thread of libuv's pool that nothing can break off. Here
 * it opens a pipe that nobody writes to.
 */
function stuckThread(pipe: string): string {
  execFileSync('mkfifo', [pipe]);
  const script = `import { open } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
    if (isMainThread) open(${JSON.stringify(pipe)}, 'r', () => {});`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  'a node whose lookup of a name hangs ends on %s all the same',
  async (signal) => {
    const directory = temporaryDirectory();
    onTestFinished(() => directory.remove());
    const nodeOptions = `NODE_OPTIONS=${stuckThread(join(directory.path, 'pipe'))}`;
    const node = await NodeProcess.create('node-1', join(directory.path, 'data'), {}, ['env', nodeOptions]);
    onTestFinished(async () => {
      if (node.exit === null) await node.kill('SIGKILL');
    });
    await node.spawn().ready();
    expect(await node.kill(signal, LIMIT_MS)).toBe(0);
    expect(node.output).toMatch(/Stopped\s*$/);
  },
);
