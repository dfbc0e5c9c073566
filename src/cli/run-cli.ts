import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/node-config.js';
import { VERSION } from '../common/version.js';
import { checkArguments } from './check-arguments.js';
import { backupCommand, restoreCommand } from './commands/backup.js';
import { certsCommand } from './commands/certs.js';
import { bansCommand } from './commands/bans.js';
import { blockCommand, chainCommand } from './commands/chain.js';
import { clusterCommand } from './commands/cluster.js';
import { completionCommand } from './commands/completion.js';
import { forksCommand } from './commands/forks.js';
import { exportCommand } from './commands/export.js';
import { labCommand } from './commands/lab.js';
import { mempoolCommand } from './commands/mempool.js';
import { mineCommand } from './commands/mine.js';
import { peersCommand } from './commands/peers.js';
import { proofCommand } from './commands/proof.js';
import { reindexCommand } from './commands/reindex.js';
import { searchCommand } from './commands/search.js';
import { signCommand } from './commands/sign.js';
import { stampCommand } from './commands/stamp.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { submitCommand } from './commands/submit.js';
import { txCommand } from './commands/tx.js';
import { verifyCommand } from './commands/verify.js';
import { watchCommand } from './commands/watch.js';
import { CliError, EXIT, type ExitCode } from './exit.js';
import type { Terminal } from './terminal.js';
import { usageError } from './usage-error.js';

const HELP = `
Examples:
  minichain cluster                      three nodes on this machine
  minichain watch                        what they do, live
  minichain submit "Hello, chain" --wait
  minichain chain --follow --url http://localhost:8092

Exit codes:
  0  all went well, or something that goes on until it is stopped was stopped (q, Ctrl-C, SIGTERM)
  1  the node refused, a proof does not hold, nothing was found, or something failed
  2  a mistake in the command line or in the configuration
  3  no node could be reached
  141  the reader of the output closed the pipe early
Errors go to standard error. All about the command line: docs/cli.md`;

type CreateCommand = (terminal: Terminal) => Command;

/** As the help lists them. */
const GROUPS: Readonly<Record<string, readonly CreateCommand[]>> = {
  'Run nodes:': [startCommand, clusterCommand, labCommand],
  'See what they do:': [watchCommand, statusCommand, peersCommand, bansCommand],
  'Read the chain:': [chainCommand, blockCommand, forksCommand, txCommand, searchCommand, mempoolCommand],
  'Add to it:': [submitCommand, signCommand, mineCommand],
  'Prove what is in it:': [stampCommand, proofCommand, verifyCommand, exportCommand],
  'Set up and repair:': [certsCommand, backupCommand, restoreCommand, reindexCommand, completionCommand],
};

/** Runs one command; `argv` without node and script. What goes wrong is written to stderr; answers the exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    checkArguments(argv, terminal.env);
    await createProgram(terminal).parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, terminal);
  }
}

/** All commands; a test walks through them. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('minichain')
    .description('Runs nodes of a minichain, a proof-of-work blockchain for plain strings, and talks to them.')
    .version(VERSION, '-V, --version')
    .addHelpCommand(
      new Command('help')
        .argument('[command]', 'its name')
        .helpOption(false)
        .summary('show the help of a command')
        .helpGroup('Set up and repair:'),
    )
    .addHelpText('after', HELP);
  for (const [group, commands] of Object.entries(GROUPS)) {
    for (const create of commands) program.addCommand(create(terminal).helpGroup(group));
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap((parent) => parent.commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => write(usageError(text, command)),
      getOutHelpWidth: () => terminal.stdout.columns || 120,
      getErrHelpWidth: () => terminal.stderr.columns || 120,
    });
  }
  return program;
}

function report(error: unknown, { stderr }: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    stderr.write(error.problems.map((problem) => `minichain: ${problem}\n`).join(''));
    return EXIT.usage;
  }
  if (error instanceof CliError) {
    stderr.write(`minichain: ${error.message}\n`);
    return error.exitCode;
  }
  stderr.write(`minichain: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed;
}
