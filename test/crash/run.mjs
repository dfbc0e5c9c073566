// npm run test:crash [-- --kills N --seed N]: kills a real node N times and checks its promises after each.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions, stop } from '../support/options.mjs';

const USAGE = `npm run test:crash [-- options]
  --kills N   how often; default 100
  --seed N    the same course again; by default another one each time`;

const { values } = readOptions(USAGE, { options: { kills: { type: 'string' }, seed: { type: 'string' } } });
const kills = Number(values.kills ?? 100);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed)) {
  stop('--kills and --seed must be whole numbers', USAGE);
}

const output = fileURLToPath(new URL('../../.crash', import.meta.url));
rmSync(output, { recursive: true, force: true });
const ignored = ['**/*.spec.ts', '**/kernel/assembly/**'].flatMap((glob) => ['--ignore', glob]);
const sources = ['src', 'test/crash', 'test/support'];
execFileSync('swc', [...sources, '--out-dir', output, '--quiet', ...ignored], { stdio: 'inherit' });
cpSync('package.json', `${output}/package.json`);
cpSync('src/miner/kernel/generated', `${output}/src/miner/kernel/generated`, { recursive: true });

const { runCrashes } = await import(`${output}/test/crash/crash-run.js`);
console.log(`seed ${seed}, ${kills} kills`);
const begin = performance.now();
try {
  const report = await runCrashes({ seed, kills, say: (line) => console.log(line) });
  console.log(JSON.stringify(report, undefined, 2));
  console.log(`all promises kept, ${Math.round((performance.now() - begin) / 1000)} s`);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
