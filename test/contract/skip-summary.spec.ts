import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import config from '../../vitest.config.js';
import { temporaryDirectory } from '../support/temp-dir.js';

const SPEC = `
  describe.skip('two (skipped: a folder is not there)', () => { it('a', () => {}); it('b', () => {}); });
  describe.skip('one (skipped: a tool is not there)', () => { it('c', () => {}); });
  it.skip('without a reason', () => {});
  it('runs', () => {});
`;

it('a run with the reporters of .ci/run ends with what was skipped, and why', () => {
  const root = temporaryDirectory();
  const globalSetup = resolve(config.test!.globalSetup as string);
  writeFileSync(join(root, 'some.spec.js'), SPEC);
  writeFileSync(
    join(root, 'vitest.config.mjs'),
    `export default ${JSON.stringify({ test: { globals: true, globalSetup } })}`,
  );
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(root, 'report.json')}`];
  const run = spawnSync('node', [resolve('node_modules/vitest/vitest.mjs'), 'run', '--root', root, ...reporters], {
    encoding: 'utf8',
  });
  expect([run.status, run.stderr]).toEqual([0, '']);
  expect(run.stdout.trimEnd().split('\n').slice(-2)).toEqual([
    'Skipped 2 tests: a folder is not there',
    'Skipped 1 test: a tool is not there',
  ]);
});
