import { Command } from 'commander';
import { loadConfig } from '../../config/load-config.js';
import { SETTINGS } from '../../config/schema.js';
import { checkPorts } from '../cluster/check-ports.js';
import { CliError, EXIT } from '../exit.js';
import { handleHangUp } from '../hang-up.js';
import { dropLibrarySettings } from '../library-settings.js';
import { endWithNpm } from '../npm-parent.js';
import { toCliError } from '../plain-errors.js';
import type { Terminal } from '../terminal.js';

export function startCommand(terminal: Terminal): Command {
  return new Command('start')
    .summary('run one node in the foreground')
    .description('Runs one node in the foreground; Ctrl-C stops it.')
    .option('--config <file>', 'TOML file; without it, all settings come from the environment')
    .addHelpText('after', `\nExamples:\n  minichain start --config config/node1.toml\n${settingsHelp()}`)
    .action(async (options: { config?: string }) => {
      const config = loadConfig({ path: options.config, env: terminal.env });
      stopWithParent();
      handleHangUp();
      endWithNpm(terminal);
      await checkPorts([config]);
      dropLibrarySettings(process.env);
      try {
        // Some packages ask for the working directory as they are loaded, and it may be gone.
        const { runNode } = await import('../../main.js');
        await runNode(config);
      } catch (error) {
        throw toCliError(error);
      }
    });
}

/** A node of a cluster must not outlive it, however the cluster's process ended: the channel to it closes then. */
function stopWithParent(): void {
  // Undefined where there never was a channel.
  if (process.connected === undefined) return;
  if (!process.connected) throw new CliError('the cluster that started this node is gone', EXIT.failed);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

function settingsHelp(): string {
  const lines = [
    '',
    'Settings: TOML key, default, meaning. Each has an environment variable, which wins over the file:',
  ];
  lines.push('[node] http_port is MINICHAIN_NODE_HTTP_PORT. Lists are separated by commas there.');
  let section = '';
  for (const setting of SETTINGS) {
    if (setting.section !== section) lines.push(`  [${(section = setting.section)}]`);
    const { shownFallback, doc } = setting.field;
    lines.push(`    ${setting.key.padEnd(23)} ${shownFallback.padEnd(15)} ${doc}`);
  }
  return lines.join('\n');
}
