/**
 * Builds the nonce kernel (src/miner/kernel/assembly): writes its generated sources, then compiles it with asc into
 * src/miner/kernel/generated/scan-simd.wasm and scan-scalar.wasm. Does nothing if both are newer than all their sources.
 */
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const assembly = join('src', 'miner', 'kernel', 'assembly');
const output = join('src', 'miner', 'kernel', 'generated');
const builds = [
  { file: 'scan-simd.wasm', flags: ['--enable', 'simd'] },
  { file: 'scan-scalar.wasm', flags: [] },
];
/** layout.ts describes the memory below memoryBase. Nothing is allocated, so no runtime and no abort hook is needed. */
const flags = '-O3 --noAssert --runtime stub --use abort= --memoryBase 4096 --initialMemory 1 --maximumMemory 1'.split(
  ' ',
);

process.chdir(root);
if (!isUpToDate()) await build();

function isUpToDate() {
  const sources = readdirSync(assembly, { withFileTypes: true }).filter((entry) => entry.isFile());
  const inputs = [...sources.map((entry) => join(assembly, entry.name)), fileURLToPath(import.meta.url)];
  const newestInputMs = Math.max(...inputs.map(modifiedMs));
  return builds.every(({ file }) => modifiedMs(join(output, file)) > newestInputMs);
}

/** 0 if the file does not exist. */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function build() {
  const { generateSources } = await import(new URL(`../${assembly}/generate-probes.mjs`, import.meta.url).href);
  for (const [name, source] of Object.entries(generateSources())) write(join(assembly, 'generated', name), source);
  const { default: asc } = await import('assemblyscript/asc');
  const streams = { stdout: process.stdout, stderr: process.stderr };
  for (const { file, flags: ownFlags } of builds) {
    const { error } = await asc.main([join(assembly, 'scan.ts'), '--outFile', file, ...flags, ...ownFlags], {
      ...streams,
      writeFile: (name, contents) => write(join(output, name), contents),
    });
    if (error) {
      process.stderr.write(`asc could not build ${file}: ${error.message}\n`);
      process.exit(1);
    }
  }
}

/** Renames the finished file, so that a second build or a starting node never sees half a file. */
function write(path, contents) {
  mkdirSync(join(path, '..'), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
