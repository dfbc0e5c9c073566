import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/cli-rig.js';
import { temporaryDirectory } from '../support/node-process.js';
import { needOf } from '../support/programs.js';
import { Tmux } from '../support/tmux.js';

const directory = temporaryDirectory();
const screens: Tmux[] = [];
const scriptOf = (shell: string): string => join(directory.path, `completion.${shell}`);

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(scriptOf(shell), (await run(['completion', shell])).out);
  }
  mkdirSync(join(directory.path, 'files', 'contracts'), { recursive: true });
  writeFileSync(join(directory.path, 'files', 'contract one.pdf'), '');
});

afterEach(() => {
  for (const screen of screens.splice(0)) screen.close();
});

afterAll(() => directory.remove());

const FILES = ['contract one.pdf', 'contracts'];

/** What is offered after these words, in each shell. */
const CASES: readonly [string, readonly string[]][] = [
  ['minichain st', ['start', 'status', 'stamp']],
  ['minichain peers ', ['connect', 'disconnect', 'help']],
  ['minichain lab --url x pa', ['partition', 'pause']],
  ['minichain help wa', ['watch']],
  ['minichain status --wa', ['--wait', '--watch']],
  ['minichain proof --format ', ['json', 'merkleblock', 'ots']],
  ['minichain lab mining ', ['always', 'entries', 'off']],
  ['minichain completion ', ['bash', 'fish', 'zsh']],
  ['minichain stamp con', FILES],
  ['minichain verify --data con', FILES],
  ['minichain cluster --config-dir con', ['contracts']],
  ['minichain chain --limit ', []],
];

/** With files in the working directory. */
function inShell(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', cwd: join(directory.path, 'files') });
}

const fish = needOf('fish');
const TERMINALS = [
  ['bash', 'bash --norc', 'source SCRIPT'],
  ['zsh', 'zsh -f', 'autoload -U compinit; compinit -D; source SCRIPT'],
  ['fish', 'fish --no-config', 'source SCRIPT'],
] as const;

describe('completion of bash', () => {
  it.each(CASES)('%s', (line, offered) => {
    // As readline does, which parts words at blanks.
    const script =
      `source ${scriptOf('bash')}; line=$1; COMP_WORDS=($line); [[ $line == *' ' ]] && COMP_WORDS+=('')\n` +
      'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _minichain; printf "%s\\n" "${COMPREPLY[@]}"';
    const answers = inShell('bash', '--norc', '-c', script, 'bash', line).split('\n').filter(Boolean);
    expect(answers.sort()).toEqual([...offered].sort());
  });

  it('the value after --option=', () => {
    const script = `source ${scriptOf('bash')}; COMP_WORDS=(minichain proof --format = o); COMP_CWORD=4; _minichain; echo "\${COMPREPLY[@]}"`;
    expect(inShell('bash', '--norc', '-c', script)).toBe('ots\n');
  });
});

describe.skipIf(fish.isMissing)(`completion of fish${fish.note}`, () => {
  it.each(CASES)('%s', (line, offered) => {
    const script = `source ${scriptOf('fish')}; complete -C '${line}'`;
    const answers = inShell('fish', '--no-config', '-c', script).split('\n').filter(Boolean);
    const words = answers.map((answer) => answer.split('\t')[0]!.replace(/\/$/, ''));
    expect(words.sort()).toEqual([...offered].sort());
  });
});

describe.each(TERMINALS)('%s in a terminal', (shell, command, load) => {
  const { isMissing, note } = needOf('tmux', shell);

  it.skipIf(isMissing)(`completes commands, options, values and files with Tab${note}`, async () => {
    const screen = new Tmux(command, { columns: 120, env: { HOME: directory.path } });
    screens.push(screen);
    const prepare = `cd ${join(directory.path, 'files')}; ${load.replace('SCRIPT', scriptOf(shell))}; clear; echo ready`;
    screen.keys(prepare, 'Enter');
    await screen.shows(/^ready/m);
    screen.keys('minichain statu', 'Tab');
    await screen.shows('minichain status');
    screen.keys('--watc', 'Tab');
    await screen.shows('minichain status --watch');
    screen.keys('C-u', 'minichain proof --format merk', 'Tab');
    await screen.shows('minichain proof --format merkleblock');
    screen.keys('C-u', 'minichain stamp contract\\ o', 'Tab');
    await screen.shows('contract\\ one.pdf');
    // The first fills in what all have in common; bash lists them after two more.
    screen.keys('C-u', 'minichain st', 'Tab', 'Tab', 'Tab');
    await screen.shows('stamp', 'start');
  });
});
