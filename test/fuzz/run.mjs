// npm run fuzz -- [--inputs 500000] [--seed N] [--only header,block,...]: many more inputs than npm test has time for.
import { compile } from '../support/compile.mjs';
import { readOptions, stop } from '../support/options.mjs';

const USAGE = `npm run fuzz [-- options]
  --inputs N      how many, shared out among the targets; default 500000
  --seed N        the same inputs again; by default another one each time
  --only A,B      these targets alone; a wrong name lists all`;

const { values } = readOptions(USAGE, {
  options: {
    inputs: { type: 'string', default: '500000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' },
  },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
if (!Number.isInteger(inputs) || inputs < 1 || !Number.isInteger(seed) || seed < 0) {
  stop('--inputs and --seed must be whole numbers', USAGE);
}

const output = compile('test/fuzz', '.fuzz');
const { fuzz } = await import(`${output}/test/fuzz/fuzz.js`);
const { TARGETS, shareOut } = await import(`${output}/test/fuzz/targets.js`);
const names = values.only?.split(',') ?? Object.keys(TARGETS);
const unknown = names.filter((name) => !(name in TARGETS));
if (unknown.length > 0) stop(`no target ${unknown.join(', ')} (there are ${Object.keys(TARGETS).join(', ')})`, USAGE);

const shown = (value) => Math.round(value).toLocaleString('en').padStart(10);
console.log(`seed ${seed}\n${'target'.padEnd(12)}    inputs  rejected  accepted  inputs/s  slowest`);
let total = 0;
for (const [name, share] of shareOut(inputs, names)) {
  try {
    const result = await fuzz(TARGETS[name].make, share, seed);
    const numbers = [result.inputs, result.rejected, result.accepted, result.inputs / result.seconds].map(shown);
    const slowest = `${result.slowestMs.toFixed(1)} ms, ${result.slowest.length} bytes`;
    console.log(`${name.padEnd(12)}${numbers.join('')}  ${slowest}`);
    total += result.inputs;
  } catch (error) {
    console.error(`\n${name} fails: ${error.message}\nAgain with: npm run fuzz -- --only ${name} --seed ${seed}`);
    process.exit(1);
  }
}
console.log(`${shown(total).trim()} inputs, none did what it must not`);
process.exit(0);
