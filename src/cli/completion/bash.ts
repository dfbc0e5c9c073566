import { allCommands, type CommandNode, type Value } from './command-tree.js';

/** A script for bash (3.2, as on macOS, or newer), to be sourced. */
export function bashCompletion(root: CommandNode): string {
  const commands = allCommands(root);
  return `# bash completion for minichain. Load it in this shell: source <(minichain completion bash)

# The path of the command after this word.
_minichain_descend() {
  case "$1/$2" in
${commands
  .flatMap(({ path, commands: children }) => children.map((child) => [path, child] as const))
  .map(
    ([path, child]) =>
      `    ${quote(`${path.join(' ')}/${child.path.at(-1)!}`)}) REPLY=${quote(child.path.join(' '))} ;;`,
  )
  .join('\n')}
    *) return 1 ;;
  esac
}

# What an option of a command takes: nothing, "any", "file", "directory", or the words to choose from.
_minichain_value() {
  case "$1/$2" in
${commands.flatMap(valueLines).join('\n')}
    *) return 1 ;;
  esac
}

# What the argument in this place of a command takes; the first place is 0.
_minichain_argument() {
  case "$1/$2" in
${commands.flatMap(argumentLines).join('\n')}
    *) REPLY=any ;;
  esac
}

_minichain_words() {
  case "$1" in
${commands.map(wordLine).join('\n')}
  esac
}

_minichain_fill() {
  local IFS=$'\\n' cur=$2
  case "$1" in
    any) ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    directory) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    *) COMPREPLY=($(IFS=' '; compgen -W "$1" -- "$cur")) ;;
  esac
}

_minichain() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' pending='' place=0 only_arguments='' i word REPLY
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then continue; fi
    if [[ -n $pending ]]; then pending=''; continue; fi
    if [[ -z $only_arguments && $word == '--' ]]; then only_arguments=yes
    elif [[ -z $only_arguments && $word == -* ]]; then
      if _minichain_value "$path" "$word"; then pending=$REPLY; fi
    elif [[ $place -eq 0 ]] && _minichain_descend "$path" "$word"; then path=$REPLY
    else place=$((place + 1))
    fi
  done
  if [[ $cur == '=' ]]; then cur=''; fi
  if [[ -n $pending ]]; then _minichain_fill "$pending" "$cur"
  elif [[ -z $only_arguments && $cur == -* ]]; then
    _minichain_words "$path"
    COMPREPLY=($(compgen -W "$REPLY" -- "$cur"))
  else
    if [[ $place -eq 0 ]]; then
      _minichain_words "$path"
      COMPREPLY=($(compgen -W "\${REPLY%% -*}" -- "$cur"))
      if [[ \${#COMPREPLY[@]} -gt 0 ]]; then return; fi
    fi
    _minichain_argument "$path" "$place"
    _minichain_fill "$REPLY" "$cur"
  fi
}

complete -F _minichain minichain
`;
}

function valueLines({ path, options }: CommandNode): string[] {
  return options.flatMap(({ flags, value }) =>
    value === undefined
      ? []
      : flags.map((flag) => `    ${quote(`${path.join(' ')}/${flag}`)}) REPLY=${quote(describe(value))} ;;`),
  );
}

function argumentLines({ path, arguments: places }: CommandNode): string[] {
  return places.map(({ value, isVariadic }, at) => {
    const place = isVariadic ? `${quote(`${path.join(' ')}/`)}*` : quote(`${path.join(' ')}/${at}`);
    return `    ${place}) REPLY=${quote(describe(value))} ;;`;
  });
}

/** The subcommands first, then the options: what is before " -" are commands alone. */
function wordLine({ path, commands, options }: CommandNode): string {
  const names = commands.map((child) => child.path.at(-1)!);
  const words = `${names.join(' ')} ${options.flatMap(({ flags }) => flags).join(' ')}`;
  return `    ${quote(path.join(' '))}) REPLY=${quote(words)} ;;`;
}

function describe(value: Value): string {
  return value.kind === 'choices' ? value.choices.join(' ') : value.kind;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
