// npm run test:crash [-- --kills N --seed N]: kills a real node N times and checks its promises after each.
import { build, compile } from '../support/compile.mjs';
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

build();
const output = compile('test/crash', '.crash');
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
