import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> {
  return new Promise((resolve) => {
    execFile(file, args, { env, cwd: tmpdir() }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

describe('scripts', () => {
  let copy: string;

  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'minichain-launcher-'));
    cpSync(join(ROOT, 'scripts'), join(copy, 'scripts'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  it('minichain.mjs says in one line that there is no build yet', async () => {
    expect(await run(process.execPath, [join(copy, 'scripts/minichain.mjs'), 'status'])).toEqual({
      code: 1,
      out: '',
      err: 'minichain is not built yet: run `npm run build`\n',
    });
  });

  it.each(['14.21.3', '20.20.2', '22.21.9'])(
    'minichain.mjs stops under Node.js %s before anything of ours is loaded',
    async (version) => {
      writeBuild(copy, 'throw new Error("loaded")');
      const preload = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
      const args = [
        '--import',
        `data:text/javascript,${encodeURIComponent(preload)}`,
        join(copy, 'scripts/minichain.mjs'),
      ];
      const { code, out, err } = await run(process.execPath, args);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(
        new RegExp(`^minichain needs Node\\.js [\\d.]+ or newer, this is ${version} \\(.*\\): start it with [^\n]*\n$`),
      );
    },
  );

  it('minichain.mjs hands over to the build', async () => {
    writeBuild(copy, 'console.log(process.argv.slice(2).join())');
    const { code, out } = await run(process.execPath, [join(copy, 'scripts/minichain.mjs'), 'block', '7']);
    expect([code, out]).toEqual([0, 'block,7\n']);
  });

  it('minichain.mjs says when the packages are missing', async () => {
    writeBuild(copy, 'import "no-such-package"');
    const { code, err } = await run(process.execPath, [join(copy, 'scripts/minichain.mjs')]);
    expect([code, err]).toEqual([1, 'minichain has no packages yet: run `npm ci`\n']);
  });

  it.each([1, 2, 3])('start-node%i.sh says in one line what is missing', async (n) => {
    const script = join(copy, `scripts/start-node${n}.sh`);
    const bare = await run(script, []);
    expect(bare.code).toBe(1);
    expect(bare.err).toMatch(/^start-node\d\.sh: the packages are not installed: run `npm ci`[^\n]*\n$/);
    mkdirSync(join(copy, 'node_modules/.bin'), { recursive: true });
    const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
    expect((await run(script, [], { ...process.env, PATH: path })).err).toBe(
      'minichain is not built yet: run `npm run build`\n',
    );
    writeBuild(copy, 'console.log(process.argv.slice(2).join())');
    expect((await run(script, ['--x'], { ...process.env, PATH: path })).out).toBe(
      `start,--config,config/node${n}.toml,--x\n`,
    );
  });
});

function writeBuild(copy: string, code: string): void {
  mkdirSync(join(copy, 'dist/cli'), { recursive: true });
  writeFileSync(join(copy, 'dist/cli/main.js'), code);
}
