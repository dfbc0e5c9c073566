import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const IGNORED = ['**/*.spec.ts', '**/kernel/assembly/**', '**/explorer/**'];
const KERNEL = 'src/miner/kernel/generated';

/**
 * Compiles src, test/support and `folder` (`test/bench`), as they stand, for programs that vitest does not run.
 * @param {string} folder
 * @param {string} name of the directory for what comes of it, in the repository's root
 * @returns {string} that directory, absolute
 */
export function compile(folder, name) {
  const output = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  rmSync(output, { recursive: true, force: true });
  const sources = ['src', 'test/support', folder];
  const ignored = IGNORED.flatMap((glob) => ['--ignore', glob]);
  execFileSync('swc', [...sources, '--out-dir', output, '--quiet', ...ignored], { stdio: 'inherit' });
  cpSync('package.json', `${output}/package.json`);
  cpSync(KERNEL, `${output}/${KERNEL}`, { recursive: true });
  return output;
}

/** Builds dist/, for programs that start nodes. */
export function build() {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
