import { allCommands, type CommandNode, type OptionNode, type Value } from './command-tree.js';

/** A script for fish, to be sourced or put into ~/.config/fish/completions/minichain.fish. */
export function fishCompletion(root: CommandNode): string {
  const commands = allCommands(root);
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => quote(path.join(' ')));
  return `# fish completion for minichain. Load it in this shell: minichain completion fish | source

# Whether the command line has got to this command, and to no subcommand of it.
function __minichain_at
  set -l known ${paths.join(' ')}
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    if contains -- "$next" $known
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end

complete -c minichain -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, options, arguments: places }: CommandNode): string[] {
  const start = `complete -c minichain -n ${quote(`__minichain_at ${quote(path.join(' '))}`)}`;
  const subcommands = commands.map((child) => `${start} -a ${child.path.at(-1)!} -d ${quote(child.summary)}`);
  const values = places.flatMap(({ value }) => {
    const taken = valueText(value);
    return taken === '' ? [] : [`${start} ${taken}`];
  });
  return [...subcommands, ...options.map((option) => `${start} ${optionText(option)}`), ...new Set(values)];
}

function optionText({ flags, summary, value }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const takes = value === undefined ? [] : [value.kind === 'file' ? '-r' : '-x', valueText(value)].filter(Boolean);
  return [...names, ...takes, `-d ${quote(summary)}`].join(' ');
}

function valueText(value: Value): string {
  if (value.kind === 'choices') return `-a ${quote(value.choices.join(' '))}`;
  return { file: '-F', directory: "-a '(__fish_complete_directories)'", any: '' }[value.kind];
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
