import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Pages whose tables name tests in the last column: `file: part of a title; part of a title; other file: ...`. */
const PAGES = ['docs/security.md', 'docs/reliability.md'];

/** reliability.md leaves out `src/` in its second table. */
const pathOf = (file: string): string => (existsSync(file) ? file : `src/${file}`);

/** Parts of titles, each with the file that has them. */
function titlesOf(page: string): { file: string; title: string }[] {
  const titles: { file: string; title: string }[] = [];
  let file = '';
  for (const row of readFileSync(page, 'utf8').split('\n')) {
    if (!row.startsWith('| ')) continue;
    const cell = row.split(' | ').at(-1)!.replace(/ *\|$/, '');
    for (const part of cell.split(/; |[.] /)) {
      const [, path, title] = /^(?:([\w/.-]+[.]spec[.]ts)|same file): (.*)$/.exec(part) ?? [];
      if (path !== undefined) file = pathOf(path);
      if (title !== undefined) titles.push({ file, title });
    }
  }
  return titles;
}

describe.each(PAGES)('%s', (page) => {
  it('names only files that there are', () => {
    const named = readFileSync(page, 'utf8').match(/[\w/.-]+[.]spec[.]ts/g) ?? [];
    expect(named.length).toBeGreaterThan(30);
    expect(named.map(pathOf).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('names only tests that there are', () => {
    const titles = titlesOf(page);
    expect(titles.length).toBeGreaterThan(25);
    expect(titles.filter(({ file, title }) => !readFileSync(file, 'utf8').includes(title))).toEqual([]);
  });
});
