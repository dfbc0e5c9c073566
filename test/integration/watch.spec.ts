import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ClusterProcess, runCommand } from '../support/cluster-process.js';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { needOf } from '../support/programs.js';
import { Tmux, type TmuxOptions } from '../support/tmux.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');
const tmux = needOf('tmux');
const directory = temporaryDirectory();
const screens: Tmux[] = [];
let cluster: ClusterProcess;

beforeAll(async () => {
  cluster = await ClusterProcess.start(directory.path, { settings: 'auto_mine = false' });
});

afterEach(() => {
  for (const screen of screens.splice(0)) screen.close();
});

afterAll(async () => {
  await cluster.stop();
  directory.remove();
});

/** A shell in a terminal, in which `minichain` is the one of this build. */
async function shell(options: TmuxOptions = {}): Promise<Tmux> {
  const screen = new Tmux('bash --norc', {
    ...options,
    env: { PS1: '$ ', MINICHAIN_URL: cluster.url(1), ...options.env },
  });
  screens.push(screen);
  screen.keys(`minichain() { ${process.execPath} ${LAUNCHER} "$@"; }; clear; echo before`, 'Enter');
  await screen.shows(/^before$/m);
  return screen;
}

/** As shell(), with `minichain watch` running in it. */
async function watching(options?: TmuxOptions): Promise<Tmux> {
  const screen = await shell(options);
  screen.keys('minichain watch; echo code $?', 'Enter');
  await screen.shows(/ agree on block|connected\. Nothing mined yet/);
  return screen;
}

/** Waits until what the shell had on its screen is there again, and the terminal is as it was. */
async function isAsBefore(screen: Tmux): Promise<void> {
  expect(screen.modes).toEqual({ isAlternate: false, hasCursor: true });
  expect(screen.text).toMatch(/^before$/m);
  screen.keys('clear; stty -a | grep -oE -- "-?(icanon|echo|isig)\\b" | xargs', 'Enter');
  await screen.shows('isig icanon echo');
}

describe.skipIf(tmux.isMissing)(`minichain watch in a terminal${tmux.note}`, () => {
  it('shows nodes that agree, a fork block by block, and how it ends', async () => {
    const screen = await watching();
    expect(screen.modes).toEqual({ isAlternate: true, hasCursor: false });
    await cluster.agree(await cluster.mine(1, 2), 1, 2, 3);
    await screen.shows(
      'All 3 nodes agree on block 2.',
      /A {2}node-1 +2 {2}\S+…\S+ {2}B [\d.]+, C [\d.]+ +0 {2}mines on demand/,
      'A B C',
    );
    expect((await cluster.post(2, '/lab/partition', { groups: [['node-1'], ['node-2', 'node-3']] })).status).toBe(200);
    await cluster.mine(1, 1);
    await cluster.agree(await cluster.mine(3, 2), 2, 3);
    const split = await screen.shows(
      'Split: node-1 against node-2 and node-3; 1 and 2 blocks since block 2.',
      'after 2: 2 blocks to 4',
      'on it: B C',
      'Network cut for',
      /A {2}node-1 +3 .* none /,
    );
    expect(split).toMatch(/^ +4 .* - B C$/m);
    expect(split).toMatch(/^ +3 .* A - -$/m);
    await cluster.post(1, '/lab/heal');
    await screen.shows(
      'All 3 nodes agree on block 4.',
      'no node is on it',
      'reorganisation after block 2: 1 block disconnected',
    );
    expect(screen.text).toMatch(/^ +3 .* side block$/m);
    screen.keys('q');
    await screen.shows('code 0');
    await isAsBefore(screen);
  });

  it('takes every size of the terminal, also while it runs', async () => {
    const screen = await watching({ columns: 100, rows: 30 });
    for (const [columns, rows] of [
      [80, 24],
      [48, 12],
      [20, 5],
      [80, 24],
    ] as const) {
      screen.resize(columns, rows);
      await waitFor(`the picture fits into ${columns} columns`, () => {
        const { lines } = screen;
        return (
          lines[0]!.startsWith('minichain watch:') && lines.length <= rows && (lines[1] ?? '').startsWith('All 3 nodes')
        );
      });
    }
    await screen.shows('q quits', 'ON THE CHAIN OF', 'C  node-3');
  });

  it('leaves the terminal as it was on Ctrl-C', async () => {
    const screen = await watching();
    screen.keys('C-c');
    await screen.shows('code 0');
    await isAsBefore(screen);
  });

  it('leaves the terminal as it was on SIGTERM, and comes back after Ctrl-Z', async () => {
    const screen = await watching();
    screen.keys('C-z');
    await screen.shows('Stopped');
    expect(screen.modes).toEqual({ isAlternate: false, hasCursor: true });
    screen.keys('fg', 'Enter');
    await screen.shows('All 3 nodes agree');
    expect(screen.modes).toEqual({ isAlternate: true, hasCursor: false });
    screen.keys('C-z');
    await screen.shows('Stopped');
    screen.keys('kill -TERM %1; fg; echo ended $?', 'Enter');
    await screen.shows('ended 0');
    await isAsBefore(screen);
  });

  it('goes on while nodes are down, also the one that it asked first, and says when they are back', async () => {
    const screen = await watching();
    await cluster.post(2, '/lab/nodes/node-1/kill');
    await screen.shows('node-1 is down.', /node-1 .* down: connection refused/, 'node-1  does not answer:');
    await cluster.post(2, '/lab/nodes/node-1/start');
    await screen.shows('All 3 nodes agree', 'node-1  is back');
    await cluster.connected(1, 2);
  });

  it('says the same with and without colours', async () => {
    const [plain, coloured] = [await watching({ env: { NO_COLOR: '1' } }), await watching()];
    // oxlint-disable-next-line no-control-regex -- Colours begin with it.
    const COLOUR = /\u001b\[\d*;?3\dm/;
    await coloured.shows('All 3 nodes agree');
    expect(coloured.coloured).toMatch(COLOUR);
    const withoutTimes = (screen: Tmux): string =>
      screen.text.replace(/\d+ (s|min)|now|[\d:.]{3,}/g, '').replace(/ +/g, ' ');
    const same = await waitFor('both show the same', () => {
      const text = withoutTimes(plain);
      return text === withoutTimes(coloured) && text;
    });
    expect(same).toContain('All 3 nodes agree');
    expect(plain.coloured).not.toMatch(COLOUR);
  });
});

/** `minichain` with its output in a pipe. */
function piped(...args: readonly string[]) {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: { PATH: process.env['PATH'], MINICHAIN_URL: cluster.url(1) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.out += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (written.err += String(chunk)));
  const ended = new Promise<number | null>((resolveCode) => child.once('close', resolveCode));
  return { child, written, ended };
}

describe('minichain watch without a terminal', () => {
  it('prints a line for each event of each node, and ends with code 0 on SIGTERM', async () => {
    const { child, written, ended } = piped('watch');
    await waitFor('all nodes are heard', () => written.out.split(' answers').length === 4);
    await cluster.agree(await cluster.mine(2, 1), 1, 2, 3);
    for (const n of [1, 2, 3]) {
      await waitFor(`node-${n} tells of its tip`, () =>
        new RegExp(`Z  node-${n}      new tip \\d+ [0-9a-f]{64}$`, 'm').test(written.out),
      );
    }
    child.kill('SIGTERM');
    expect([await ended, written.err]).toEqual([0, '']);
    // oxlint-disable-next-line no-control-regex -- None may be there.
    expect(written.out).not.toMatch(/\u001b/);
  });

  it('--json prints one object a line, with node, id and event', async () => {
    const { child, written, ended } = piped('watch', '--json', '--node', cluster.url(2));
    await waitFor('the node is heard', () => written.out.includes('"up"'));
    await cluster.mine(2, 1);
    await waitFor('the tip is told', () => written.out.includes('"tip"'));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const objects = written.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects[0]).toMatchObject({ node: 'node-2', url: cluster.url(2), type: 'link', state: 'up' });
    const told = objects.find(({ type }) => type === 'tip');
    expect(told).toMatchObject({ node: 'node-2', id: expect.stringMatching(/^\w+-\d+$/), connected: 1 });
    expect(new Set(objects.map(({ node }) => node))).toEqual(new Set(['node-2']));
  });

  it('ends with code 141 when nobody reads it any more', async () => {
    const { child, written, ended } = piped('watch');
    await waitFor('a node is heard', () => written.out.includes(' answers'));
    child.stdout.destroy();
    await cluster.mine(1, 1);
    expect(await ended).toBe(141);
  });

  it('ends with code 3 where no node answers, and goes on where one does', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    expect(await runCommand(nowhere, 'watch')).toMatchObject({
      code: 3,
      text: expect.stringContaining('no node reachable'),
    });
    const { child, written, ended } = piped('watch', '--node', nowhere, '--node', cluster.url(1));
    await waitFor(
      'both are told of',
      () => / answers/.test(written.out) && /does not answer: connection refused/.test(written.out),
    );
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });
});

describe('commands that go on until they are stopped', () => {
  it('chain --follow prints each block once, also those of a reorganisation and of a restart', async () => {
    const { child, written, ended } = piped('chain', '--follow', '--limit', '1');
    await waitFor('the tip is printed', () => written.out.includes('\n'));
    await cluster.post(1, '/lab/partition', { groups: [['node-1'], ['node-2', 'node-3']] });
    const lost = await cluster.mine(1, 1);
    await waitFor('the block is printed', () => written.out.includes(lost));
    const won = await cluster.mine(2, 2);
    await cluster.post(1, '/lab/heal');
    await waitFor('the other branch is printed', () => written.out.includes(won));
    expect(written.out).toMatch(new RegExp(`${lost}.*\nreorganisation: block \\d+ has left the chain\n.*\n.*${won}`));
    await cluster.post(2, '/lab/nodes/node-1/kill');
    await waitFor('it says so', () => written.err.includes('still waiting'));
    const missed = await cluster.mine(2, 1);
    await cluster.post(2, '/lab/nodes/node-1/start');
    await waitFor('what was missed is printed', () => written.out.includes(missed), 60_000);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const hashes = written.out.match(/[0-9a-f]{64}/g)!;
    expect(new Set(hashes).size).toBe(hashes.length);
    await cluster.connected(1, 2);
  });

  it('mempool --follow prints entries as they come and as a block takes them', async () => {
    const { child, written, ended } = piped('mempool', '--follow');
    await waitFor('the list is printed', () => written.out.includes('0 entries pending'));
    const { text } = await runCommand(cluster.url(1), 'submit', 'evil \u001b[2J text');
    const [id] = /[0-9a-f]{64}/.exec(text)!;
    await waitFor('the entry is printed', () => written.out.includes(`pending       ${id}  evil \\u{1b}[2J text\n`));
    await cluster.mine(1, 1);
    await waitFor('its block is printed', () => new RegExp(`in block \\d+ +${id}\n`).test(written.out));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it.skipIf(tmux.isMissing)(
    'status --watch stays in place on a terminal, and prints anew elsewhere when something has changed',
    async () => {
      const screen = await shell();
      screen.keys('minichain status --watch; echo code $?', 'Enter');
      await screen.shows('q quits', /^sync +in sync/m);
      const { child, written, ended } = piped('status', '--watch', '--json');
      await waitFor('it is printed once', () => written.out.includes('\n'));
      const tip = await cluster.mine(1, 1);
      await screen.shows(`tip         ${tip}`);
      await waitFor('it is printed again', () =>
        written.out
          .trim()
          .split('\n')
          .some((line) => (JSON.parse(line) as { tip: string }).tip === tip),
      );
      screen.keys('q');
      await screen.shows('code 0');
      child.kill('SIGINT');
      expect(await ended).toBe(0);
    },
  );
});
