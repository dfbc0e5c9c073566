import { Argument, type Command } from 'commander';
import type { LabView, MiningMode } from '../../lab/lab-schemas.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { duration, printable, table } from '../format.js';
import type { Answer, NodeClient } from '../node-client.js';
import { isSameAddress, reachNode } from '../reach-node.js';
import { widthOf, type Terminal } from '../terminal.js';

const MAX_SECONDS = 86_400;
const MAX_DELAY_MS = 5_000;
const MAX_HASH_RATE = 1_000_000_000_000;
/** A node that is stopped has 10 s to end. */
const PATIENCE = { timeoutMs: 20_000 };
interface Timed extends ClientOptions {
  readonly seconds?: number;
}

const MINING_MODES: readonly MiningMode[] = ['off', 'entries', 'always'];

const VERBS = {
  kill: 'kill a node of the cluster, as kill -9 does; it stays down until `lab start`',
  stop: 'stop a node of the cluster; it stays down until `lab start`',
  start: 'start a node of the cluster that has ended',
  pause: 'halt the process of a node, which then neither answers nor ends; by itself it goes on after 10 minutes',
  resume: 'let a node go on that was paused',
} as const;

export function labCommand(terminal: Terminal): Command {
  const command = clientCommand('lab', 'break the network on purpose, and make it whole again')
    .addHelpText(
      'after',
      [
        '\nOf a running `minichain cluster`, whichever node is asked. Without --url, the first that answers at 8091 to 8093.\n\nExamples:',
        '  minichain lab status',
        '  minichain lab partition node-1 / node-2,node-3',
        '  minichain lab heal',
        '  minichain lab kill node-3',
        '  minichain lab start node-3',
        '  minichain lab slow node-2 800',
        '  minichain lab mining always --hash-rate 5000',
        '  minichain lab reset',
      ].join('\n'),
    )
    .action(async (options: ClientOptions) => show(terminal, options, await read(terminal, options)));
  const shown = (lab: LabView): string => showLab(lab, widthOf(terminal.stdout));
  const add = (one: Command, example: string): void => {
    command.addCommand(one.addHelpText('after', `\nExample:\n  minichain lab ${example}`));
  };
  const change = async (one: Command, ask: Ask): Promise<void> => {
    const options = one.optsWithGlobals<ClientOptions>();
    const { client } = await read(terminal, options);
    print(terminal, options, await ask(client), shown);
  };

  const changeAll = async (one: Command, ask: Ask): Promise<void> => {
    const options = one.optsWithGlobals<ClientOptions>();
    const { client, answer } = await read(terminal, options);
    print(terminal, options, await ask(client), shown);
    const others = othersOf(answer.body, client.url).map((url) => clientOf({ ...options, url }, terminal));
    const results = await Promise.allSettled(others.map(ask));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };

  const status = clientCommand('status', 'list faults in force, and the nodes of the cluster');
  add(
    status.action(async () => {
      const options = status.optsWithGlobals<ClientOptions>();
      show(terminal, options, await read(terminal, options));
    }),
    'status',
  );

  const partition = timed(clientCommand('partition', 'cut the network into groups that do not hear each other'));
  partition.argument(
    '<groups...>',
    'node ids, commas between those of a group, " / " between groups; the rest is one more',
  );
  add(
    partition.action((words: string[], { seconds }: Timed) => {
      const body = { groups: parseGroups(words), seconds };
      return changeAll(partition, (client) => client.ask('POST /lab/partition', { body }, PATIENCE));
    }),
    'partition node-1 / node-2,node-3',
  );

  const slow = timed(clientCommand('slow', "make the messages of the asked node's link with another one late"));
  slow
    .argument('<node-id>', 'the other node')
    .argument('<milliseconds>', 'so much later, in both directions; 0 = as usual', wholeNumberArgument(0, MAX_DELAY_MS))
    .option(
      '--jitter <ms>',
      'up to so much more, another amount for each message',
      wholeNumberArgument(0, MAX_DELAY_MS),
    );
  add(
    slow.action((id: string, delayMs: number, { jitter = 0, seconds }: Timed & { jitter?: number }) => {
      const body = { delayMs, jitterMs: jitter, seconds };
      return change(slow, (client) =>
        delayMs > 0 || jitter > 0
          ? client.ask('POST /lab/links/:id', { params: { id }, body }, PATIENCE)
          : client.ask('DELETE /lab/links/:id', { params: { id } }),
      );
    }),
    'slow node-2 800 --jitter 200',
  );

  const cut = timed(clientCommand('cut', "cut the asked node's link with another one"));
  cut.argument('<node-id>', 'the other node');
  add(
    cut.action((id: string, { seconds }: Timed) =>
      change(cut, (client) =>
        client.ask('POST /lab/links/:id', { params: { id }, body: { cut: true, seconds } }, PATIENCE),
      ),
    ),
    'cut node-3',
  );

  const mining = clientCommand('mining', 'when nodes mine without being asked, and how fast');
  mining
    .addArgument(
      new Argument('<mode>', 'off, entries (what is in the mempool) or always (empty blocks too)').choices(
        MINING_MODES,
      ),
    )
    .argument('[node-ids...]', 'which nodes (default: all of the cluster)')
    .option('--hash-rate <n>', 'most hashes per second of each; 0 = no limit', wholeNumberArgument(0, MAX_HASH_RATE));
  add(
    mining.action(async (mode: MiningMode, nodeIds: string[], { hashRate }: { hashRate?: number }) => {
      const options = mining.optsWithGlobals<ClientOptions>();
      const { client, answer } = await read(terminal, options);
      for (const url of urlsOf(answer.body, nodeIds)) {
        const one = url === undefined ? client : clientOf({ ...options, url }, terminal);
        await one.ask('POST /lab/mining', { body: { mode, hashRate } });
      }
      show(terminal, options, await read(terminal, options));
    }),
    'mining always node-1 --hash-rate 5000',
  );

  for (const [verb, summary] of Object.entries(VERBS)) {
    const one = clientCommand(verb, summary).argument('<node-id>', 'its node id');
    if (verb === 'pause') timed(one);
    add(
      one.action((id: string, { seconds }: Timed) => {
        const body = verb === 'pause' ? { seconds } : undefined;
        return change(one, (client) =>
          client.ask('POST /lab/nodes/:id/:verb', { params: { id, verb }, body }, PATIENCE),
        );
      }),
      `${verb} node-3`,
    );
  }
  const heal = clientCommand('heal', 'make the network whole; processes and mining stay as they are');
  add(
    heal.action(() => changeAll(heal, (client) => client.ask('POST /lab/heal', {}, PATIENCE))),
    'heal',
  );
  const reset = clientCommand('reset', 'heal, start all nodes, and let them mine as they are configured');
  add(
    reset.action(() => changeAll(reset, (client) => client.ask('POST /lab/reset', {}, PATIENCE))),
    'reset',
  );
  return command;
}

function timed(command: Command): Command {
  return command.option(
    '--seconds <n>',
    'it ends by itself after so long (default: 600)',
    wholeNumberArgument(1, MAX_SECONDS),
  );
}

type Ask = (client: NodeClient) => Promise<Answer<LabView>>;

interface Reached {
  readonly client: NodeClient;
  readonly answer: Answer<LabView>;
}

/** The lab of the node that is to be asked. @throws CliError, of the first node if none answers. */
function read(terminal: Terminal, options: ClientOptions): Promise<Reached> {
  return reachNode(options, terminal, async (client) => ({ client, answer: await client.ask('GET /lab', {}) }));
}

function show(terminal: Terminal, options: ClientOptions, { answer }: Reached): void {
  print(terminal, options, answer, (lab) => showLab(lab, widthOf(terminal.stdout)));
}

/** The addresses of these nodes, or of all that run; undefined stands for the node that was asked. */
function urlsOf({ nodeId: own, cluster }: LabView, nodeIds: readonly string[]): (string | undefined)[] {
  if (cluster === null) {
    const other = nodeIds.find((nodeId) => nodeId !== own);
    if (other === undefined) return [undefined];
    throw new CliError(`no cluster runs ${own}: ask ${other} itself with --url`, EXIT.failed);
  }
  if (nodeIds.length === 0) return cluster.nodes.filter(({ state }) => state === 'running').map(({ url }) => url);
  return nodeIds.map((nodeId) => {
    const node = cluster.nodes.find((candidate) => candidate.nodeId === nodeId);
    if (node !== undefined) return node.url;
    const names = cluster.nodes.map((candidate) => candidate.nodeId).join(', ');
    throw new CliError(`this cluster has no node "${nodeId}", only ${names}`, EXIT.failed);
  });
}

/** A cluster passes on what one node is asked. Without one, these nodes have to be asked too. */
function othersOf({ cluster, nodes }: LabView, asked: string): string[] {
  return cluster === null ? nodes.filter((url) => !isSameAddress(url, asked)) : [];
}

/** "node-1 / node-2,node-3", however the shell has cut it. */
function parseGroups(words: readonly string[]): string[][] {
  return words
    .join(' ')
    .split('/')
    .map((group) => group.split(/[\s,]+/).filter((nodeId) => nodeId !== ''));
}

function showLab({ nodeId, mining, links, groups, groupsEndInSeconds, cluster }: LabView, width: number): string {
  const isAlone = cluster === null;
  const sides = groups?.map((group) => printable(group.join(', '))).join(' / ');
  const whole = isAlone ? `${printable(nodeId)} hears all nodes` : 'The network is whole';
  const cut = isAlone ? `${printable(nodeId)} hears only the nodes of its group` : 'The network is cut';
  const lines = [
    ...(sides === undefined ? [] : [`${cut}: ${sides}, for ${duration((groupsEndInSeconds ?? 0) * 1000)}`]),
    ...(sides === undefined && links.length === 0 ? [whole] : []),
    ...links.map((link) => {
      const jitter = link.jitterMs === 0 ? '' : ` to ${link.delayMs + link.jitterMs}`;
      const what = link.cut ? 'cut' : `slower by ${link.delayMs}${jitter} ms`;
      return `The link of ${printable(nodeId)} with ${printable(link.nodeId)} is ${what}, for ${duration(link.endsInSeconds * 1000)}`;
    }),
    `${printable(nodeId)} mines: ${mining.mode}, ${mining.hashRate === 0 ? 'as fast as it can' : `at most ${mining.hashRate} hashes/s`}`,
  ];
  const rows = (cluster?.nodes ?? []).map((node) => [printable(node.nodeId), node.state, printable(node.url)]);
  const nodes =
    rows.length > 0
      ? `\n${table([['node', 'state', 'REST'], ...rows], { width, cuts: { REST: 'end', node: 'end' } })}`
      : '';
  return `${lines.join('\n')}\n${nodes}`;
}
