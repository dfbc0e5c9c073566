// npm run bench [-- name ...]: compiles sources and benchmarks into .bench/ and runs each in a process of its own.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, compile } from '../support/compile.mjs';
import { readOptions, stop } from '../support/options.mjs';

const SUPPORT = new Set([
  'report',
  'bare-server',
  'stalls-client',
  'stalls-lab',
  'stalls-messages',
  'stalls-requests',
  'stalls-crowded',
  'stalls-signed',
  'turn-watch',
]);
const all = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .filter((name) => !SUPPORT.has(name));
const USAGE = `npm run bench [-- name ...]
  names: ${all.join(', ')}; by default all`;
const { positionals } = readOptions(USAGE, { allowPositionals: true });
const wanted = positionals.length > 0 ? positionals : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) stop(`no benchmark ${unknown.join(', ')}`, USAGE);

const runOne = fileURLToPath(new URL('run-one.mjs', import.meta.url));
build();
const output = compile('test/bench', '.bench');

const digits = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();
for (const name of wanted) {
  const text = execFileSync(process.execPath, [runOne, `${output}/test/bench/${name}.js`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  }).toString();
  const report = JSON.parse(text.slice(text.lastIndexOf('\n@') + 2));
  console.log(`\n${report.name}`);
  for (const { label, value, unit, ratio, note } of report.rows) {
    const compared = ratio === undefined ? '' : `  ratio ${digits(ratio)}`;
    console.log(
      `  ${label.padEnd(58)} ${digits(value).padStart(12)} ${unit.padEnd(10)}${compared}${note === undefined ? '' : `  (${note})`}`,
    );
  }
}
