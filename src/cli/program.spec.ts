import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { run } from '../../test/support/cli-rig.js';
import { EXIT } from './exit.js';
import { createProgram } from './run-cli.js';

const output = { write: (): void => undefined };
const program = createProgram({ env: {}, stdin: Readable.from([]), stdout: output, stderr: output });

function below(command: Command): Command[] {
  return [command, ...command.commands.flatMap(below)];
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

const commands = below(program).filter(({ parent }) => parent !== null);
const paths = commands.map((command) => pathOf(command).join(' '));

/** They run until they are stopped and print logs, or print what a shell reads. */
const NO_JSON = ['start', 'cluster', 'completion'];

describe('every command', () => {
  it.each(paths)('%s --help: exit code 0, what it does, and an example of it', async (path) => {
    const { code, out, err } = await run([...path.split(' '), '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: minichain/);
    expect(out.split(/\nExamples?:\n/)[1]).toContain(`minichain ${path}`);
  });

  it('prints JSON where it prints data', () => {
    const without = commands.filter((command) => !command.options.some(({ long }) => long === '--json'));
    expect(without.map((command) => pathOf(command).join(' ')).sort()).toEqual([...NO_JSON].sort());
  });

  it('says what its options and arguments are', () => {
    for (const command of commands) {
      const described = [...command.options, ...command.registeredArguments].map(({ description }) => description);
      expect(
        described.every((text) => text !== ''),
        pathOf(command).join(' '),
      ).toBe(true);
    }
  });

  it.each(paths)('%s refuses a mistake with code 2 and one line', async (path) => {
    const { code, out, err } = await run([...path.split(' '), '--no-such-option']);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(new RegExp(`^minichain: .*; see \`minichain ${path} --help\`\n$`));
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync('docs/cli.md', 'utf8');

  it('names every command', () => {
    expect(paths.filter((path) => !page.includes(`minichain ${path}`))).toEqual([]);
  });

  it('names no command or option that there is not', () => {
    // What a screen looks like is no command.
    const text = page.replace(/^```\n[^]*?^```$/gm, '');
    const lines = text.match(/minichain [a-z][^`\n|]*/g)!.map((line) => line.split(/ {2,}|#|\| /)[0]!.trim());
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      const words = line.split(' ').slice(1);
      let command = program;
      for (const word of words) command = command.commands.find((child) => child.name() === word) ?? command;
      if (words[0] !== 'help') expect(command, line).not.toBe(program);
      const options = [...command.options, ...(command.parent?.options ?? [])];
      const known = new Set(options.map(({ long }) => long).concat('--help'));
      const used = words.filter((word) => word.startsWith('--') && word !== '--').map((word) => word.split('=')[0]!);
      expect(
        used.filter((option) => !known.has(option)),
        line,
      ).toEqual([]);
    }
  });

  it('has the exit codes that the help has', async () => {
    const { out } = await run(['--help']);
    const inHelp = [...out.split('Exit codes:')[1]!.matchAll(/^ {2}(\d+) {2}/gm)].map(([, code]) => Number(code));
    const inPage = [...page.matchAll(/^\| (\d+) /gm)].map(([, code]) => Number(code));
    const codes = Object.values(EXIT).sort((a, b) => a - b);
    expect([inHelp, inPage]).toEqual([codes, codes]);
  });
});
