import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Not by npm, which would first generate sources anew that other tests are reading. */
function run(name: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const file = { 'test:chaos': 'test/e2e/run-chaos.mjs', 'test:crash': 'test/crash/run.mjs' }[name];
  const { status, stdout, stderr } = spawnSync(process.execPath, [file ?? `test/${name}/run.mjs`, ...args], {
    encoding: 'utf8',
    env: { PATH: `${resolve('node_modules/.bin')}:${process.env['PATH']}` },
  });
  return { code: status, out: stdout, err: stderr };
}

describe.each(['sim', 'fuzz', 'bench', 'test:chaos', 'test:crash'])('npm run %s', (name) => {
  it('--help: what it can do, and nothing else', () => {
    const { code, out, err } = run(name, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out.startsWith(`npm run ${name} [-- `)).toBe(true);
    expect(out).not.toMatch(/compiled|^ *at /m);
  });

  it('an unknown option: one line, exit code 2', () => {
    const { code, out, err } = run(name, '--no-such-thing');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(`Unknown option '--no-such-thing'; see \`npm run ${name} -- --help\`\n`);
  });
});

describe('npm run', () => {
  it.each([
    ['test:crash', '--kills', 'x', '--kills and --seed must be whole numbers'],
    ['fuzz', '--inputs', 'x', '--inputs and --seed must be whole numbers'],
    ['bench', '--', '--x', 'no benchmark --x'],
  ])('%s %s %s: one line, exit code 2', (name, option, value, message) => {
    const { code, out, err } = run(name, option, value);
    expect([code, out, err.split('\n').length]).toEqual([2, '', 2]);
    expect(err).toContain(message);
  });

  it('sim --verbs: what is done, with the virtual time of each', () => {
    const { code, out } = run('sim', '--verbs', '--scenario', 'late-joiners', '--nodes', '3', '--seed', '1');
    expect(code).toBe(0);
    const [, ...verbs] = out.split('\n').filter((line) => / s {2}/.test(line) || line.startsWith('seed'));
    expect(verbs.length).toBeGreaterThan(3);
    const times = verbs.map((line) => Number(/^ +(\d+\.\d{3}) s {2}[a-z]/.exec(line)?.[1]));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(0);
  });
});
