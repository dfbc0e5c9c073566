import { allCommands, type CommandNode, type OptionNode, type Value } from './command-tree.js';

/** A script for zsh: to be sourced, or a file _minichain of a directory in $fpath. */
export function zshCompletion(root: CommandNode): string {
  const functions = allCommands(root).toReversed().map(functionOf).join('\n');
  return `#compdef minichain
# zsh completion for minichain. Load it in this shell: source <(minichain completion zsh)

${functions}
if [[ $funcstack[1] == _minichain ]]; then
  _minichain "$@"
else
  compdef _minichain minichain
fi
`;
}

function functionOf(command: CommandNode): string {
  const { path, commands, options, arguments: places } = command;
  const specs = options.flatMap(optionSpecs);
  if (commands.length === 0) {
    specs.push(
      ...places.map(({ name, value, isVariadic }, at) =>
        quote(`${isVariadic ? '*' : `${at + 1}`}:${escape(name)}:${actionOf(value)}`),
      ),
    );
    return `${nameOf(path)}() {\n  _arguments -s ${specs.map((spec) => `\\\n    ${spec}`).join(' ')}\n}\n`;
  }
  const described = commands.map((child) => quote(`${child.path.at(-1)!}:${child.summary.replaceAll(':', '\\:')}`));
  const cases = commands.map((child) => `        ${child.path.at(-1)!}) ${nameOf(child.path)} ;;`);
  return `${nameOf(path)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${specs.map((spec) => `\\\n    ${spec}`).join(' ')} \\
    '1: :->command' '*:: :->arguments'
  case $state in
    command)
      local -a names
      names=(${described.map((each) => `\n        ${each}`).join('')}
      )
      _describe command names
      ;;
    arguments)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}
`;
}

function optionSpecs({ flags, summary, value }: OptionNode): string[] {
  const takes = value === undefined ? '' : `:value:${actionOf(value)}`;
  return flags.map((flag) =>
    quote(`${flag}${value !== undefined && flag.startsWith('--') ? '=' : ''}[${escape(summary)}]${takes}`),
  );
}

function actionOf(value: Value): string {
  if (value.kind === 'choices') return `(${value.choices.join(' ')})`;
  return { file: '_files', directory: '_files -/', any: ' ' }[value.kind];
}

function nameOf(path: readonly string[]): string {
  return ['_minichain', ...path].join('__').replace(/^_minichain__/, '_minichain_');
}

/** Brackets and colons part the pieces of a specification. */
function escape(text: string): string {
  return text.replace(/[[\]:\\]/g, (sign) => `\\${sign}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
