import type { Command } from 'commander';

/** How commander says it, and how it reads better. */
const REWORDED: readonly (readonly [RegExp, string])[] = [
  [/^error: /, ''],
  [/^command-argument value '(.*)' is invalid for argument '(.*?)'\. /s, "argument '$2' is '$1': "],
  [/^(option '.*?') argument ('.*') is invalid\. /s, '$1 is $2: '],
  [/: Allowed choices are /, ': allowed choices are '],
  [/: It must be /, ': it must be '],
  [/^(too many arguments for '.*?')\. Expected (\d+) arguments? but got (\d+): (.*)$/s, '$1: expected $2, got $3 ($4)'],
];

/** One line of what commander has to say about a command line, and where to read on. */
export function usageError(text: string, command: Command): string {
  const plain = text.trim().replace(/\.$/, '').replaceAll('\n', ' ');
  const sentence = REWORDED.reduce((words, [pattern, wording]) => words.replace(pattern, wording), plain);
  return `minichain: ${sentence}${placeOfOption(sentence, command)}; see \`${pathOf(command)} --help\`\n`;
}

/** Who is used to other tools puts the options of a command before its name. */
function placeOfOption(sentence: string, { parent, commands }: Command): string {
  const [, name] = /^unknown option '(-[^'=]*)/.exec(sentence) ?? [];
  const isOfCommand = commands.some(({ options }) =>
    options.some(({ long, short }) => name === long || name === short),
  );
  return parent === null && name !== undefined && isOfCommand ? ': it stands after the name of the command' : '';
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
