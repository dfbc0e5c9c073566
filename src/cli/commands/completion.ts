import { Argument, Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { commandTree } from '../completion/command-tree.js';
import { fishCompletion } from '../completion/fish.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Terminal } from '../terminal.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function completionCommand(terminal: Terminal): Command {
  const command = new Command('completion')
    .summary('print a script with which a shell completes commands, options and file names')
    .description('Prints a script with which a shell completes commands, options and file names.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      '\nExamples:\n  source <(minichain completion bash)        in ~/.bashrc\n' +
        '  source <(minichain completion zsh)         in ~/.zshrc, after compinit\n' +
        '  minichain completion fish | source         in ~/.config/fish/config.fish',
    );
  return command.action((shell: keyof typeof SHELLS) => {
    terminal.stdout.write(SHELLS[shell](commandTree(command.parent!)));
  });
}
