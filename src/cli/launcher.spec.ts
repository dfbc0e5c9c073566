import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

  it('of npm need no home directory', async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const [, generate] = /&& (.*buf generate)/.exec(scripts['generate']!)!;
    const command = `cd '${ROOT}' && ${generate} --output '${copy}' && ${scripts['check:proto']}`;
    const env = { HOME: '/proc/nope', PATH: `${ROOT}/node_modules/.bin:${process.env['PATH']}` };
    expect(await run('sh', ['-c', command], env)).toEqual({ code: 0, out: '', err: '' });
  });

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

  const STARTERS = ['start-node1.sh', 'start-node2.sh', 'start-node3.sh', 'minichain.sh', 'check-setup.sh'];

  it.each(STARTERS)('%s says in one line that the packages are missing', async (name) => {
    const { code, out, err } = await run(join(copy, 'scripts', name), []);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^minichain: the packages are not installed: run `npm ci` in [^\n]*\n$/);
  });

  it.each(STARTERS)('%s says in one line that the Node.js of the packages cannot run here', async (name) => {
    const bin = join(copy, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    // What a system without glibc's loader says to a program that needs it: no such file.
    writeFileSync(join(bin, 'node'), '#!/lib64/no-such-loader.so\n', { mode: 0o755 });
    const { code, out, err } = await run(join(copy, 'scripts', name), []);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^minichain: the Node\.js in node_modules cannot run on this system [^\n]*`rm [^\n]*\n$/);
  });

  it('check-setup.sh build says in one line that the packages for building are missing', async () => {
    mkdirSync(join(copy, 'node_modules/.bin'), { recursive: true });
    const script = join(copy, 'scripts/check-setup.sh');
    expect(await run(script, [])).toEqual({ code: 0, out: '', err: '' });
    const { code, err } = await run(script, ['build']);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^minichain: the packages that build[^\n]*NODE_ENV=production[^\n]*npm ci --include=dev[^\n]*\n$/,
    );
  });

  it('every script of package.json begins with that check, itself or through another one', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const isChecked = (name: string): boolean => {
      const inner = /^npm run (?:--silent )?([\w:]+)/.exec(scripts[name]!)?.[1];
      return inner === undefined ? scripts[name]!.startsWith('scripts/check-setup.sh build && ') : isChecked(inner);
    };
    expect(Object.keys(scripts).filter((name) => !isChecked(name))).toEqual([]);
  });

  it.each([1, 2, 3])('start-node%i.sh runs its node', async (n) => {
    const script = join(copy, `scripts/start-node${n}.sh`);
    mkdirSync(join(copy, 'node_modules/.bin'), { recursive: true });
    const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
    const env = { ...process.env, PATH: path };
    expect((await run(script, [], env)).err).toBe('minichain is not built yet: run `npm run build`\n');
    writeBuild(copy, 'console.log(process.argv.slice(2).join())');
    expect((await run(script, ['--x'], env)).out).toBe(`start,--config,config/node${n}.toml,--x\n`);
  });

  it('minichain.sh finds itself through links, and hands over its arguments', async () => {
    writeBuild(copy, 'console.log(process.argv.slice(2).join("|"))');
    mkdirSync(join(copy, 'node_modules/.bin'), { recursive: true });
    symlinkSync('../../scripts/minichain.sh', join(copy, 'node_modules/.bin/minichain'));
    symlinkSync(join(copy, 'node_modules/.bin/minichain'), join(copy, 'link'));
    const env = { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` };
    expect(await run(join(copy, 'link'), ['submit', 'a  b'], env)).toEqual({ code: 0, out: 'submit|a  b\n', err: '' });
  });
});

function writeBuild(copy: string, code: string): void {
  mkdirSync(join(copy, 'dist/cli'), { recursive: true });
  writeFileSync(join(copy, 'dist/cli/main.js'), code);
}
