import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const files = ['.ci', 'scripts', 'deploy'].flatMap((folder) =>
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
