import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const files = ['.ci', 'scripts', 'deploy', 'examples'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name)),
);
const scripts = files.filter((file) => readFileSync(file, 'utf8').startsWith('#!'));

it('scripts are executable', () => {
  expect(scripts).toEqual(expect.arrayContaining(['.ci/run', 'scripts/minichain.mjs', 'scripts/start-node1.sh']));
  expect(files.filter((file) => file.endsWith('.sh') && !scripts.includes(file))).toEqual([]);
  expect(scripts.filter((file) => (statSync(file).mode & 0o111) !== 0o111)).toEqual([]);
});

// A carriage return in the first line is part of the interpreter's name; in settings.env it is part of a value.
it('scripts, and what containers read, end their lines with LF, whatever the machine that checked them out', () => {
  const read = [...files, 'Dockerfile', 'docker-compose.yml', '.env', '.npmrc'];
  expect(read.filter((file) => readFileSync(file, 'utf8').includes('\r'))).toEqual([]);
  expect(readFileSync('.gitattributes', 'utf8')).toContain('* text=auto eol=lf\n');
});

/** What bash 3.2, which macOS has, and the tools of BSD do not know. */
const NOT_PORTABLE: readonly (readonly [string, RegExp])[] = [
  ['associative arrays, namerefs, readarray', /\b(declare|local|typeset) +-\w*[Ang]|\b(readarray|mapfile|coproc)\b/],
  ['case conversion and transformation', /\$\{\w+(\[[^\]]*\])?(\^|,|@[A-Za-z])/],
  ['negative indices and wait -n', /\$\{\w+\[-|\bwait -n/],
  ['&>> and |&', /&>>|\|&/],
  ['printf %(...)T, $EPOCHSECONDS, ;;& and ;&', /printf .*%\(|\$\{?EPOCH|;;?&/],
  ['{01..10} and {a..b..c}', /\{0\d+\.\.|\.\.\w+\.\./],
  ['globstar', /shopt/],
  ['sed -i, sed -r and grep -P', /\bsed +-\w*[ir]\b|\bgrep +-\w*P/],
  ['readlink -f, realpath, stat -c, date -d', /readlink +-f|\brealpath\b|\bstat +-c|\bdate +(-d|--)|\bdate .*%N/],
  ['timeout, tac, nproc, setsid, seq', /^\s*(timeout|tac|nproc|setsid|seq)\b|[|(] *(timeout|tac|nproc|setsid|seq)\b/],
  ['mktemp without a template', /mktemp(?! .*X)/],
  ['paste without a file, xargs -r, head -n -N', /\bpaste +-\S+(?! +\S)|xargs +-\w*r|head +-n *-/],
  ['wc as a text: BSD writes spaces before the number', /== *["']?\$\([^)]*\bwc\b|\$\([^$]*\bwc -\w+\) *==/],
];

it.each(scripts.filter((file) => file.endsWith('.sh')))('%s keeps to bash 3.2 and the tools of BSD', (file) => {
  const code = readFileSync(file, 'utf8').replace(/^\s*#(?!!).*$/gm, '');
  expect(NOT_PORTABLE.filter(([, pattern]) => new RegExp(pattern, 'm').test(code)).map(([what]) => what)).toEqual([]);
});
