import { Command } from 'commander';
import { loadConfig } from '../config/load-config.js';
import type { NodeConfig } from '../config/node-config.js';
import { plural } from './format.js';
import type { Terminal } from './terminal.js';

export interface DatabaseOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

/** A subcommand that works on the database of a node itself, with the options that say which node. */
export function databaseCommand(name: string, summary: string): Command {
  return new Command(name)
    .summary(summary)
    .option('--config <file>', 'TOML file of the node; without it, all settings come from the environment')
    .option('--data-dir <directory>', 'data directory, in place of the configured one');
}

/** The node's configuration, and the directory to work on. @throws ConfigError */
export function locateDatabase(
  options: DatabaseOptions,
  { env }: Terminal,
): { readonly config: NodeConfig; readonly dataDir: string } {
  const config = loadConfig({ path: options.config, env });
  return { config, dataDir: options.dataDir ?? config.node.dataDir };
}

/** "1 waiting entry", "2 waiting entries". */
export function waitingEntries(count: number): string {
  return plural(count, 'waiting entry', 'waiting entries');
}
