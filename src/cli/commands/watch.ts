import type { Command } from 'commander';
import type { FeedEvent } from '../../events/event-schemas.js';
import { nodeCommand, type ClientOptions } from '../client-command.js';
import { padEnd } from '../cells.js';
import { moment, nodeName } from '../format.js';
import { describeEvent } from '../live/describe-event.js';
import { followEvents } from '../live/event-stream.js';
import { lettersOf } from '../live/letters.js';
import { LiveScreen } from '../live/live-screen.js';
import { NetworkView } from '../live/network-view.js';
import { NodeFeed } from '../live/node-feed.js';
import { noPaint, paintWithColours } from '../live/paint.js';
import { Redraw } from '../live/redraw.js';
import { renderNetwork } from '../live/render-network.js';
import { untilStopped } from '../live/until-stopped.js';
import { watchedNodes, type WatchedNode } from '../live/watched-nodes.js';
import { hasColours, type Terminal } from '../terminal.js';

const NAME_CELLS = 10;

interface WatchOptions extends ClientOptions {
  readonly node?: readonly string[];
  readonly plain?: boolean;
}

export function watchCommand(terminal: Terminal): Command {
  return nodeCommand('watch', 'show live what one or more nodes do, until q or Ctrl-C')
    .description(
      'Shows live what nodes do: who agrees, tips, peers, mempools, the last blocks and forks. It watches the node at\n' +
        '--url and all nodes of its cluster, or exactly the nodes named with --node. Where the output is no terminal it\n' +
        'prints one line for each event. It goes on until q or Ctrl-C, also while nodes are down.',
    )
    .option('--node <url...>', 'watch these nodes only')
    .option('--plain', 'print one line for each event, also on a terminal')
    .option('--json', 'print one line of JSON for each event')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain watch\n  minichain watch --node localhost:8091 --node node7.example:8091\n' +
        '  minichain watch --plain | tee events.log\n  minichain watch --json | jq -c \'select(.type == "tip")\'',
    )
    .action(async (options: WatchOptions) => {
      const nodes = await watchedNodes(options.node ?? [], options, terminal);
      const isLive =
        terminal.stdout.isTTY === true && !options.plain && !options.json && terminal.env['TERM'] !== 'dumb';
      await untilStopped((signal, stop) =>
        isLive ? watchLive(nodes, terminal, signal, stop) : watchLines(nodes, options, terminal, signal),
      );
    });
}

async function watchLive(
  nodes: readonly WatchedNode[],
  terminal: Terminal,
  signal: AbortSignal,
  stop: () => void,
): Promise<void> {
  const view = new NetworkView(nodes.map(({ client: { url }, name }) => ({ url, name })));
  const paint = hasColours(terminal.stdout, terminal.env) ? paintWithColours : noPaint;
  const screen = new LiveScreen(terminal, { stop, redraw: () => redraw.now() });
  const redraw: Redraw = new Redraw(() =>
    screen.draw(renderNetwork(view, lettersOf(view), { ...screen.size, nowMs: Date.now(), paint })),
  );
  const changed = (change: () => void): void => {
    change();
    redraw.changed();
  };
  const feeds = nodes.map(({ client }) => {
    const { url } = client;
    return new NodeFeed(client, {
      snapshot: (figures, forks) => changed(() => view.snapshot(url, figures, forks, Date.now())),
      event: (event) => changed(() => view.event(url, event)),
      figures: (figures) => changed(() => view.figures(url, figures, Date.now())),
      forks: (forks) => changed(() => view.blocks.addForks(forks)),
      lost: (reason) => changed(() => view.lost(url, reason, Date.now())),
      found: () => changed(() => view.found(url, Date.now())),
    });
  });
  screen.open();
  try {
    redraw.now();
    await Promise.all(feeds.map((feed) => feed.run(signal)));
  } finally {
    redraw.end();
    screen.close();
  }
}

async function watchLines(
  nodes: readonly WatchedNode[],
  { json = false }: WatchOptions,
  { stdout }: Terminal,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    nodes.map(async ({ client, name }) => {
      const { url } = client;
      let node: string | null = null;
      const learn = async (): Promise<void> => {
        node ??= await client.ask('GET /status', {}).then(
          ({ body }) => body.nodeId,
          () => null,
        );
      };
      const say = (atMs: number, text: string): void => {
        const who = padEnd(nodeName(node ?? name), NAME_CELLS);
        stdout.write(`${moment(new Date(atMs).toISOString())}  ${who}  ${text}\n`);
      };
      const link = (state: 'up' | 'down', reason: string | null): void => {
        const atMs = Date.now();
        if (json) stdout.write(`${JSON.stringify({ node, url, type: 'link', atMs, state, reason })}\n`);
        else say(atMs, state === 'up' ? 'answers' : `does not answer: ${reason}`);
      };
      await learn();
      await followEvents(
        client,
        {
          opened: () => (node === null ? void learn().then(() => link('up', null)) : link('up', null)),
          event: (event: FeedEvent, id) => {
            if (json) stdout.write(`${JSON.stringify({ node, url, id, ...event })}\n`);
            else say(event.atMs, describeEvent(event));
          },
          lost: (reason) => link('down', reason),
        },
        signal,
      );
    }),
  );
}
