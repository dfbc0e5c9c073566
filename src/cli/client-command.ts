import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_URL, NodeClient, type Answer } from './node-client.js';
import type { Terminal } from './terminal.js';

export interface ClientOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/**
 * A subcommand that asks a running node, with the options that all of these share.
 * @param json what --json prints.
 */
export function clientCommand(
  nameAndArguments: string,
  summary: string,
  json = 'print the body of the REST answer as it is',
): Command {
  return nodeCommand(nameAndArguments, summary)
    .option('--token <token>', 'write token of the node (default: $MINICHAIN_TOKEN)')
    .option('--json', json);
}

/** A subcommand that only reads from a node, and prints something else than what it answers. */
export function nodeCommand(nameAndArguments: string, summary: string): Command {
  return new Command(nameAndArguments)
    .summary(summary)
    .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
    .option(
      '--url <url>',
      `REST address of the node (default: $MINICHAIN_URL or ${DEFAULT_URL}, in a container its own node's port)`,
    );
}

export function clientOf(options: ClientOptions, { env }: Terminal): NodeClient {
  const url = options.url ?? (env['MINICHAIN_URL'] || undefined);
  // Inside a node's container its own settings are at hand. No other node shall see its token.
  const ownToken = url === undefined ? env['MINICHAIN_HTTP_WRITE_TOKEN'] : undefined;
  const token = options.token ?? (env['MINICHAIN_TOKEN'] || ownToken || undefined);
  const ownPort = env['MINICHAIN_NODE_HTTP_PORT'];
  return new NodeClient(url ?? (ownPort ? `http://127.0.0.1:${ownPort}` : DEFAULT_URL), token);
}

/** Writes the body as it came, or what `show` makes of it. */
export function print<T>(
  terminal: Terminal,
  options: ClientOptions,
  answer: Answer<T>,
  show: (body: T) => string,
): void {
  terminal.stdout.write(options.json ? `${answer.text.trimEnd()}\n` : show(answer.body));
}

/** For commander: a whole number from `low` to `high`. */
export function wholeNumberArgument(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}
