import type { Command } from 'commander';
import type { Peers } from '../../peers/peers-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { count, moment, plural, printable, table } from '../format.js';
import type { Terminal } from '../terminal.js';

const ID_WIDTH = 24;
const ADDRESS_WIDTH = 48;

export function peersCommand(terminal: Terminal): Command {
  return clientCommand('peers', 'list the nodes that this one is connected to or knows of')
    .addHelpText('after', '\nExample:\n  minichain peers --url http://localhost:8092')
    .action(async (options: ClientOptions) => {
      print(terminal, options, await clientOf(options, terminal).get<Peers>('/peers'), showPeers);
    });
}

function showPeers({ connected, peers }: Peers): string {
  const rows = peers.map((peer) => [
    printable(peer.id ?? '?', ID_WIDTH),
    printable(peer.address, ADDRESS_WIDTH),
    peer.connected ? (peer.direction ?? 'yes') : 'no',
    peer.height === null ? '' : count(peer.height),
    peer.latencyMs === null ? '' : `${peer.latencyMs.toFixed(1)} ms`,
    peer.lastSeen === null ? 'never' : moment(peer.lastSeen),
    peer.score === 0 ? '' : String(Math.round(peer.score)),
  ]);
  const listed =
    rows.length > 0
      ? table([['node', 'address', 'connected', 'height', 'latency', 'last seen', 'misbehaviour'], ...rows])
      : '';
  return `${listed}${plural(peers.length, 'peer')} known, ${count(connected)} connected\n`;
}
