import type { Argument, Command, Option } from 'commander';

/** What may stand in a place of the command line. */
export type Value =
  | { readonly kind: 'file' | 'directory' | 'any' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

export interface OptionNode {
  /** "-h" and "--help" */
  readonly flags: readonly string[];
  readonly summary: string;
  /** undefined: it takes no value. */
  readonly value: Value | undefined;
}

export interface ArgumentNode {
  readonly name: string;
  readonly value: Value;
  readonly isVariadic: boolean;
}

/** A command as a shell completes it. */
export interface CommandNode {
  /** Names from below the program on; empty for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
}

/** Everything that can be completed, read from the commands themselves. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const commands = command.commands.map((child) => commandTree(child, [...path, child.name()]));
  const names = commands.map((child) => child.path.at(-1)!);
  const help: CommandNode = {
    path: [...path, 'help'],
    summary: 'show the help of a command',
    commands: [],
    options: [],
    arguments: [{ name: 'command', value: { kind: 'choices', choices: names }, isVariadic: false }],
  };
  return {
    path,
    summary: command.summary() || command.description().split('\n')[0]!,
    commands: commands.length === 0 ? [] : [...commands, help],
    options: command.createHelp().visibleOptions(command).map(optionNode),
    arguments: command.registeredArguments.map(argumentNode),
  };
}

/** The program, and below it every command, parents first. */
export function allCommands(root: CommandNode): CommandNode[] {
  return [root, ...root.commands.flatMap(allCommands)];
}

function optionNode({ short, long, description, required, optional, flags, argChoices }: Option): OptionNode {
  const names = [short, long].filter((flag): flag is string => typeof flag === 'string');
  const name = /[<[]([^>\].]+)/.exec(flags)?.[1] ?? '';
  const takesValue = required || optional;
  return { flags: names, summary: description, value: takesValue ? valueOf(name, argChoices) : undefined };
}

function argumentNode(argument: Argument): ArgumentNode {
  const name = argument.name();
  return { name, value: valueOf(name, argument.argChoices), isVariadic: argument.variadic };
}

/** The names of values say what they are, for readers of the help and for us. */
function valueOf(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'choices', choices };
  if (name === 'file' || name === 'place') return { kind: 'file' };
  return { kind: name === 'dir' || name === 'directory' ? 'directory' : 'any' };
}
