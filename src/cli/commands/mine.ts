import type { Command } from 'commander';
import type { MinedBlocks } from '../../miner/miner-schemas.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { printable } from '../format.js';
import type { Terminal } from '../terminal.js';

export function mineCommand(terminal: Terminal): Command {
  return clientCommand('mine', 'have the node mine now, empty blocks too, and wait for it')
    .argument('[blocks]', 'how many blocks, up to 1000', wholeNumberArgument(1, 1000), 1)
    .addHelpText('after', '\nExamples:\n  minichain mine\n  minichain mine 3 --url http://localhost:8092')
    .action(async (blocks: number, options: ClientOptions) => {
      const client = clientOf(options, terminal);
      const mine = async (number: number): Promise<void> => {
        const answer = await client.ask('POST /mine', { body: { blocks: number } }, { timeoutMs: Infinity });
        print(terminal, options, answer, showMined);
      };
      if (options.json) return mine(blocks);
      // One by one, so that each is seen when it is found.
      for (let mined = 0; mined < blocks; mined++) await mine(1);
    });
}

function showMined({ blocks }: MinedBlocks): string {
  return blocks.map(({ index, hash }) => `mined block ${index} ${printable(hash)}\n`).join('');
}
