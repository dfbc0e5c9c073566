import type { Command } from 'commander';
import type { PeerLink, Peers } from '../../peers/peers-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { count, moment, plural, printable, table } from '../format.js';
import { showAnswer, withWatch, type WatchOptions } from '../live/watch-answer.js';
import type { Terminal } from '../terminal.js';

const ID_WIDTH = 24;
const ADDRESS_WIDTH = 48;

export function peersCommand(terminal: Terminal): Command {
  return withWatch(clientCommand('peers', 'list the nodes that this one is connected to or knows of'))
    .addHelpText(
      'after',
      '\nExamples:\n  minichain peers --url http://localhost:8092\n  minichain peers --watch\n  minichain peers disconnect node-2',
    )
    .action((options: WatchOptions) =>
      showAnswer<Peers>(options, terminal, { ask: (client) => client.ask('GET /peers', {}), show: showPeers }),
    )
    .addCommand(
      linkCommand(
        terminal,
        'disconnect',
        'end the session with a node, and refuse links with it until `peers connect` or the end of the process',
        ({ id }) => `Disconnected from ${shown(id)}; links with it are refused\n`,
      ),
    )
    .addCommand(
      linkCommand(terminal, 'connect', 'allow links with a node again, and dial it at once', ({ id, connected }) =>
        connected ? `Connected to ${shown(id)} already\n` : `Links with ${shown(id)} are allowed; dialling it\n`,
      ),
    );
}

function linkCommand(
  terminal: Terminal,
  name: 'connect' | 'disconnect',
  summary: string,
  show: (link: PeerLink) => string,
): Command {
  return clientCommand(name, summary)
    .addHelpText('after', `\nExample:\n  minichain peers ${name} node-2`)
    .argument('<node-id>', 'node id as `minichain peers` lists it')
    .action(async (nodeId: string, _options: ClientOptions, command: Command) => {
      // The parent has the same options, and takes those that stand before its subcommand.
      const options = command.optsWithGlobals<ClientOptions>();
      const answer = await clientOf(options, terminal).ask(`POST /peers/:id/${name}`, { params: { id: nodeId } });
      print(terminal, options, answer, show);
    });
}

function showPeers({ connected, peers }: Peers, width: number): string {
  const rows = peers.map((peer) => [
    shown(peer.id ?? '?'),
    printable(peer.address, ADDRESS_WIDTH),
    peer.refused ? 'refused' : peer.connected ? (peer.direction ?? 'yes') : 'no',
    peer.height === null ? '' : count(peer.height),
    peer.latencyMs === null ? '' : `${peer.latencyMs.toFixed(1)} ms`,
    peer.lastSeen === null ? 'never' : moment(peer.lastSeen),
    peer.score === 0 ? '' : String(Math.round(peer.score)),
  ]);
  const heading = ['node', 'address', 'connected', 'height', 'latency', 'last seen', 'misbehaviour'];
  const fit = {
    width,
    cuts: { address: 'end', node: 'end' },
    drops: ['misbehaviour', 'last seen', 'address'],
  } as const;
  const listed = rows.length > 0 ? table([heading, ...rows], fit) : '';
  return `${listed}${plural(peers.length, 'peer')} known, ${count(connected)} connected\n`;
}

function shown(nodeId: string): string {
  return printable(nodeId, ID_WIDTH);
}
