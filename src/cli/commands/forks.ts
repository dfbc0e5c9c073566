import type { Command } from 'commander';
import type { Forks } from '../../chain/fork-schemas.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { cellsOf, cutEnd, padEnd } from '../cells.js';
import { fitColumns, joinCells } from '../fit-columns.js';
import { forkGraph } from '../fork-graph.js';
import { count, moment, plural, printable } from '../format.js';
import { widthOf, type Terminal } from '../terminal.js';

const MAX_MINER = 24;

interface ForksOptions extends ClientOptions {
  readonly from?: number;
  readonly to?: number;
}

export function forksCommand(terminal: Terminal): Command {
  const height = wholeNumberArgument(0, Number.MAX_SAFE_INTEGER);
  return clientCommand('forks', 'draw the tree of blocks: the active chain, side blocks and orphans')
    .option('--from <height>', 'lowest height (default: 100 heights are shown)', height)
    .option('--to <height>', 'highest height (default: that of the highest block)', height)
    .addHelpText(
      'after',
      '\n● is a block of the active chain, ○ a side block, ? an orphan. Stretches without forks are summed up.\n\n' +
        'Examples:\n  minichain forks\n  minichain forks --from 0 --to 5000\n  minichain forks --json | jq \'.blocks[] | select(.status == "side")\'',
    )
    .action(async ({ from, to, ...options }: ForksOptions) => {
      const answer = await clientOf(options, terminal).ask('GET /forks', { query: { from, to } });
      print(terminal, options, answer, (forks) => showForks(forks, widthOf(terminal.stdout)));
    });
}

function showForks(forks: Forks, width: number): string {
  const graph = forkGraph(forks);
  const lanes = Math.max(1, ...graph.map(({ lines }) => cellsOf(lines)));
  const drawn = graph.map(({ lines, block, run }) => ({
    lines,
    cells:
      block === undefined
        ? [
            '',
            run === undefined ? '' : `${plural(run.count, 'block')}, from ${count(run.to)} down to ${count(run.from)}`,
          ]
        : [
            count(block.height),
            printable(block.hash),
            moment(new Date(block.receivedMs).toISOString()),
            block.miner === null ? '?' : printable(block.miner, MAX_MINER),
            block.entries === null ? '?' : count(block.entries),
            [block.hash === forks.tip.hash ? 'tip' : '', block.status === 'active' ? '' : block.status]
              .filter(Boolean)
              .join(''),
          ],
    isBlock: block !== undefined,
  }));
  const heading = ['height', 'hash', 'received', 'miner', 'entries', ''];
  const room = width - lanes - 2;
  const blocks = drawn.filter(({ isBlock }) => isBlock).map(({ cells }) => cells);
  const fitted = fitColumns([heading, ...blocks], [true, false, false, false, true, false], {
    width: room,
    cuts: { hash: 'middle', miner: 'end' },
    drops: ['received', 'entries', 'miner'],
  }).map((cells) => joinCells(cells));
  const lines = [`${padEnd('', lanes)}  ${fitted[0]}`];
  let next = 1;
  for (const { lines: graphLines, cells, isBlock } of drawn) {
    const text = isBlock ? fitted[next++]! : cells.join('');
    lines.push(cutEnd(`${padEnd(graphLines, lanes)}  ${text}`.trimEnd(), width));
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n${summary(forks)}\n`;
}

function summary({ from, to, blocks }: Forks): string {
  const side = blocks.filter(({ status }) => status === 'side').length;
  const orphans = blocks.filter(({ status }) => status === 'orphan').length;
  const more = orphans === 0 ? '' : `, ${plural(orphans, 'orphan')}`;
  return `heights ${count(from)} to ${count(to)}: ${side === 0 ? 'no side blocks' : plural(side, 'side block')}${more}`;
}
