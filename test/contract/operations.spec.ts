import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run-cli.js';
import { OTHER_VARIABLES } from '../../src/config/read-settings.js';
import { SETTINGS } from '../../src/config/schema.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';

const PATH = 'docs/operations.md';
const text = readFileSync(PATH, 'utf8');

function found(pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([whole, group]) => group ?? whole))].sort();
}

let rest: RestApp;
beforeAll(async () => {
  rest = await startRestApp();
});
afterAll(() => rest.close());

describe('docs/operations.md', () => {
  it('names only variables that there are', () => {
    const settings = SETTINGS.map(({ variable }) => variable);
    const known = new Set<string>([...settings, ...OTHER_VARIABLES]);
    const named = found(/MINICHAIN_[A-Z0-9_]*[A-Z0-9]/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names only settings that there are', () => {
    const named = found(/`(?:node|network|blockchain|mempool|http)\.([a-z_]+)`/g);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((key) => SETTINGS.every((setting) => setting.key !== key) && key !== 'name')).toEqual([]);
  });

  it('names only commands that there are', async () => {
    const commands = found(/\bminichain (?!minichain\b)([a-z]+)\b(?= |`|\n|$)/gm);
    expect(commands).toEqual(expect.arrayContaining(['backup', 'certs', 'reindex', 'restore', 'start', 'status']));
    for (const command of commands) {
      let err = '';
      const output = { write: (line: string) => (err += line) };
      const code = await runCli([command, '--help'], {
        ...{ env: {}, stdin: Readable.from([]), stdout: { write: () => '' }, stderr: output },
      });
      expect([command, code, err]).toEqual([command, 0, '']);
    }
  });

  it('names only metrics that a node exports', async () => {
    const { text: exported } = await rest.get('/metrics');
    const named = found(/`((?:minichain|nodejs|process)_[a-z0-9_]+)`/g);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !exported.includes(`# TYPE ${name.replace(/_count$/, '')} `))).toEqual([]);
  });

  it('names only files and headings that there are', () => {
    const links = found(/\]\(([^)]+)\)/g);
    expect(links.length).toBeGreaterThan(8);
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'));
    for (const link of links) {
      if (link.startsWith('#')) expect(headings).toContain(link.slice(1));
      else expect([link, existsSync(join(dirname(PATH), link))]).toEqual([link, true]);
    }
    const paths = found(/\b(?:deploy|config|src|test)\/[\w./-]*\w/g);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});
