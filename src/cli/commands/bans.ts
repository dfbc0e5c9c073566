import { Command } from 'commander';
import type { BanView, Bans, LiftedBans } from '../../peers/peers-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { moment, plural, printable, table } from '../format.js';
import { widthOf, type Terminal } from '../terminal.js';

const SUBJECT_WIDTH = 64;

export function bansCommand(terminal: Terminal): Command {
  return clientCommand('bans', 'list the nodes and hosts that are banned for misbehaviour')
    .addHelpText('after', '\nExamples:\n  minichain bans\n  minichain bans remove 203.0.113.7')
    .action(async (options: ClientOptions) => {
      print(terminal, options, await clientOf(options, terminal).ask('GET /peers/bans', {}), (bans) =>
        showBans(bans, widthOf(terminal.stdout)),
      );
    })
    .addCommand(removeCommand(terminal));
}

function removeCommand(terminal: Terminal): Command {
  return clientCommand('remove', 'lift a ban, and forget the misbehaviour score')
    .addHelpText('after', '\nExample:\n  minichain bans remove node-7')
    .argument('<subject>', 'node id, host, or a subject as `minichain bans` lists it')
    .action(async (subject: string, _options: ClientOptions, command: Command) => {
      // The parent has the same options, and takes those that come before the name of its subcommand.
      const options = command.optsWithGlobals<ClientOptions>();
      const answer = await clientOf(options, terminal).ask('DELETE /peers/bans/:subject', { params: { subject } });
      print(terminal, options, answer, showLifted);
    });
}

function showBans({ bans }: Bans, width: number): string {
  const rows = bans.map((ban) => [shown(ban), moment(ban.until), printable(ban.code, SUBJECT_WIDTH)]);
  const listed =
    rows.length > 0 ? table([['who', 'until', 'for'], ...rows], { width, cuts: { who: 'end', for: 'end' } }) : '';
  return `${listed}${plural(bans.length, 'ban')}\n`;
}

function showLifted({ lifted }: LiftedBans): string {
  return lifted.map((ban) => `Ban of ${shown(ban)} lifted\n`).join('');
}

function shown({ subject }: BanView): string {
  return printable(subject, SUBJECT_WIDTH);
}
