import { capital, count, inWords, list, plural } from './words.js';

/** A node as the sentence sees it. */
export interface Standing {
  readonly nodeId: string;
  readonly isDown: boolean;
  /** Undefined until it is known. */
  readonly tip: { readonly hash: string; readonly height: number } | undefined;
}

export interface Network {
  /** The node that was asked comes first. */
  readonly nodes: readonly Standing[];
  /** Hash to its parent and height, as far as they are known. */
  parentOf(hash: string): string | undefined;
  readonly sync: { readonly height: number; readonly targetHeight: number } | undefined;
}

interface Group {
  readonly hash: string;
  readonly height: number;
  readonly nodeIds: string[];
}

export type Mood = 'agree' | 'split' | 'wait' | 'down';

export interface Sentence {
  readonly text: string;
  readonly mood: Mood;
}

/** The state of the network in one sentence; the page and the command line both begin with it. */
export function sentence(network: Network): Sentence {
  const [home] = network.nodes;
  if (home === undefined || (home.tip === undefined && !home.isDown))
    return { text: 'Looking for the node…', mood: 'wait' };
  const down = network.nodes.filter(({ isDown }) => isDown).map(({ nodeId }) => nodeId);
  const up = network.nodes.filter(({ isDown, tip }) => !isDown && tip !== undefined);
  if (up.length === 0) {
    return {
      text: `${list(down)} ${down.length === 1 ? 'does' : 'do'} not answer. This is the last that was known.`,
      mood: 'down',
    };
  }
  const rest = down.length === 0 ? '' : ` ${list(down)} ${down.length === 1 ? 'is' : 'are'} down.`;
  const { sync } = network;
  if (sync !== undefined && sync.targetHeight > sync.height) {
    const text = `${home.nodeId} is catching up: block ${count(sync.height)} of ${count(sync.targetHeight)}.`;
    return { text: text + rest, mood: 'wait' };
  }
  const said = describe(up, network);
  return { text: said.text + rest, mood: down.length > 0 && said.mood === 'agree' ? 'down' : said.mood };
}

function describe(up: readonly Standing[], network: Network): Sentence {
  const groups = groupByTip(up);
  const [first] = groups;
  if (groups.length === 1) return describeAgreement(up, first!.height);
  const leaves = groups.filter((group) => !groups.some((other) => other !== group && isBelow(group, other, network)));
  if (leaves.length === 1) return describeDelay(groups, leaves[0]!, up);
  return describeSplit(groups, leaves, network);
}

function describeAgreement(up: readonly Standing[], height: number): Sentence {
  const only = up.length === 1 ? up[0]!.nodeId : undefined;
  if (height === 0) {
    const who = only === undefined ? `${capital(inWords(up.length))} nodes, connected.` : `${only}, without peers.`;
    return { text: `${who} Nothing mined yet.`, mood: 'agree' };
  }
  if (only !== undefined) return { text: `${only} is on block ${count(height)}, without peers.`, mood: 'wait' };
  const who = up.length === 2 ? 'Both nodes' : `All ${count(up.length)} nodes`;
  return { text: `${who} agree on block ${count(height)}.`, mood: 'agree' };
}

function describeDelay(groups: readonly Group[], ahead: Group, up: readonly Standing[]): Sentence {
  const behind = groups.filter((group) => group !== ahead);
  const late = behind.map(({ nodeIds, height }) => {
    const are = nodeIds.length === 1 ? 'is' : 'are';
    return `${list(nodeIds)} ${are} ${plural(ahead.height - height, 'block')} behind`;
  });
  const who =
    ahead.nodeIds.length === 1 ? ahead.nodeIds[0]! : `${count(ahead.nodeIds.length)} of ${count(up.length)} nodes`;
  const verb = ahead.nodeIds.length === 1 ? 'is' : 'are';
  return { text: `${who} ${verb} on block ${count(ahead.height)}; ${list(late)}.`, mood: 'wait' };
}

/** "Split: node-1 against node-2 and node-3; 3 and 5 blocks since block 9." */
function describeSplit(groups: readonly Group[], leaves: readonly Group[], network: Network): Sentence {
  const sides = leaves.map((leaf) => ({
    leaf,
    nodeIds: groups
      .filter((group) => group === leaf || isBelow(group, leaf, network))
      .flatMap(({ nodeIds }) => nodeIds),
  }));
  const text = `Split: ${sides.map(({ nodeIds }) => list(nodeIds)).join(' against ')}`;
  const fork = forkHeight(leaves, network);
  if (fork === undefined) return { text: `${text}, on different blocks.`, mood: 'split' };
  const lengths = sides.map(({ leaf }) => leaf.height - fork);
  const [one] = lengths;
  const areEqual = lengths.every((length) => length === one);
  const blocks = areEqual ? `${plural(one!, 'block')} each` : `${list(lengths.map(count))} blocks`;
  return { text: `${text}; ${blocks} since block ${count(fork)}.`, mood: 'split' };
}

function groupByTip(up: readonly Standing[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { nodeId, tip } of up) {
    const { hash, height } = tip!;
    const group = groups.get(hash);
    if (group === undefined) groups.set(hash, { hash, height, nodeIds: [nodeId] });
    else group.nodeIds.push(nodeId);
  }
  return [...groups.values()];
}

function isBelow(low: Group, high: Group, network: Network): boolean {
  let at: string | undefined = high.hash;
  for (let steps = high.height - low.height; steps > 0 && at !== undefined; steps--) at = network.parentOf(at);
  return low.height < high.height && at === low.hash;
}

/** Height of the last block that all of them have; undefined where the blocks between are not known. */
function forkHeight(leaves: readonly Group[], network: Network): number | undefined {
  const ends = leaves.map(({ hash, height }) => ({ hash: hash as string | undefined, height }));
  for (;;) {
    if (ends.some(({ hash }) => hash === undefined)) return undefined;
    if (ends.every(({ hash }) => hash === ends[0]!.hash)) return ends[0]!.height;
    const highest = Math.max(...ends.map(({ height }) => height));
    for (const end of ends) {
      if (end.height < highest) continue;
      end.hash = network.parentOf(end.hash!);
      end.height -= 1;
    }
  }
}
