import { deal, grow, type Scenario, type Stage } from './scenario.js';
import { eclipse } from './eclipse.js';
import { drip, silentHeavyBranch } from './hold-back.js';
import { random } from './random.js';
import { squatting } from './squatter.js';

/** Everybody mines and posts now and then. */
async function bustle({ net, dice, names }: Stage, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await net.mine(dice.pick(names), 1 + dice.below(3));
    await net.post(dice.pick(names), `entry ${round} of seed ${net.seed}`);
    await net.pass(dice.below(1_500));
  }
}

const mining: Scenario = {
  name: 'mining',
  nodes: 30,
  async run(stage) {
    await grow(stage, stage.names);
    await stage.net.pass(3_000);
    await bustle(stage, 20);
  },
};

/** Cut into groups that all post and mine, each `lengthOf` blocks and what it posts. */
function partition(name: string, groupCount: number, lengthOf: (dice: Stage['dice']) => number): Scenario {
  return {
    name,
    nodes: 12,
    async run(stage) {
      const { net, dice, names } = stage;
      await grow(stage, names);
      await net.pass(3_000);
      await bustle(stage, 3);
      await net.converged();
      const groups = deal(dice, names, groupCount);
      if (dice.next() < 0.5) net.partition(...groups);
      else net.partitionSilently(...groups);
      for (const group of groups) await net.post(dice.pick(group), `posted to ${group.join(' ')}`);
      await net.pass(25_000);
      for (const group of groups) await net.converged(group);
      for (const group of groups) await net.mine(dice.pick(group), lengthOf(dice));
      await net.pass(dice.below(30_000));
    },
  };
}

/** Two tips of one length, with nothing to mine: only an empty block can end that. */
const equalLength: Scenario = {
  name: 'equal-length',
  nodes: 8,
  async run(stage) {
    const { net, dice, names } = stage;
    await grow(stage, names);
    await net.pass(3_000);
    await net.mine('n1', 2);
    await net.converged();
    const [left, right] = deal(dice, names, 2) as [string[], string[]];
    net.partition(left, right);
    const length = 1 + dice.below(5);
    for (const group of [left, right]) {
      await net.mine(dice.pick(group), length);
      await net.converged(group);
    }
    if (net.node(left[0]!).chain.tip.chainWork !== net.node(right[0]!).chain.tip.chainWork) throw new Error('no tie');
  },
};

const INTERVAL = 10;

/** Few hard blocks against many easy ones, and at last the same work on both sides. */
const equalWork: Scenario = {
  name: 'equal-work',
  nodes: 6,
  settings: { BLOCKCHAIN_RETARGET_INTERVAL: String(INTERVAL), BLOCKCHAIN_TARGET_SPACING_SECONDS: '10' },
  async run(stage) {
    const { net, dice, names } = stage;
    await grow(stage, names);
    await net.pass(3_000);
    const [hasty, slow] = deal(dice, names, 2) as [string[], string[]];
    net.partition(hasty, slow);
    const [quick, patient] = [dice.pick(hasty), dice.pick(slow)];
    // All in one moment, so that the difficulty rises; the others take their time, and it stays.
    await net.mine(quick, 2 * INTERVAL + 1 + dice.below(4));
    await net.converged(hasty);
    const goal = net.node(quick).chain.tip;
    while (net.node(patient).chain.tip.chainWork < goal.chainWork) {
      await net.mine(patient, 1);
      await net.pass(15_000);
    }
    await net.converged(slow);
    const { chainWork, height } = net.node(patient).chain.tip;
    if (chainWork !== goal.chainWork || height === goal.height) {
      throw new Error(`work ${chainWork} at height ${height} against ${goal.chainWork} at ${goal.height}`);
    }
  },
};

/** Headers of both sides fill more than one message. */
const deepReorg: Scenario = {
  name: 'deep-reorg',
  nodes: 3,
  async run(stage) {
    const { net, names, dice } = stage;
    await grow(stage, names);
    await net.meshed();
    const [first, ...others] = names as [string, ...string[]];
    net.partition([first], others);
    await net.post(first, 'given back by the reorganisation');
    await net.pass(1_000);
    await net.mine(first, 2_010 + dice.below(50));
    await net.mine(others[0]!, 2_070 + dice.below(50));
    await net.converged(others);
    net.heal();
    await net.converged();
    if (net.node(first).chain.tip.height < 2_070) throw new Error('the longer side did not win');
  },
};

const lateJoiners: Scenario = {
  name: 'late-joiners',
  nodes: 20,
  async run(stage) {
    const { net, names } = stage;
    const early = names.slice(0, Math.ceil(names.length / 3));
    await grow(stage, early);
    await net.pass(2_000);
    await bustle({ ...stage, names: early }, 4);
    await net.mine(early[0]!, 150);
    for (const late of names.slice(early.length)) {
      await grow(stage, [late]);
      await bustle({ ...stage, names: early }, 1);
    }
  },
};

const rollingRestarts: Scenario = {
  name: 'rolling-restarts',
  nodes: 10,
  async run(stage) {
    const { net, dice, names } = stage;
    await grow(stage, names, () => ({ isDurable: true }));
    await net.pass(3_000);
    for (const name of names) {
      await net.post(name, `posted to ${name} before its end`);
      await (dice.next() < 0.5 ? net.kill(name) : net.stop(name));
      const others = names.filter((other) => other !== name);
      await bustle({ ...stage, names: others }, 2);
      await net.restart(name);
      await net.pass(dice.below(4_000));
    }
  },
};

const churn: Scenario = {
  name: 'churn',
  nodes: 24,
  async run(stage) {
    const { net, dice, names } = stage;
    const founders = names.slice(0, Math.ceil((names.length * 2) / 3));
    const newcomers = names.slice(founders.length);
    await grow(stage, founders, () => ({ isDurable: true }));
    for (let round = 0; round < 25; round++) {
      const alive = net.nodes.map(({ config }) => config.node.nodeId);
      const dead = net.dead;
      const what = dice.next();
      if (what < 0.4 && alive.length > names.length / 2) await net.kill(dice.pick(alive));
      else if (what < 0.7 && dead.length > 0) await net.restart(dice.pick(dead));
      else if (newcomers.length > 0) await grow(stage, [newcomers.shift()!], () => ({ isDurable: true }));
      await bustle({ ...stage, names: net.nodes.map(({ config }) => config.node.nodeId) }, 1);
    }
    await grow(stage, newcomers);
  },
};

/** How links behave while everybody mines and posts. */
function weather(name: string, conditions: Parameters<Stage['net']['weather']>[0]): Scenario {
  return {
    name,
    nodes: 10,
    async run(stage) {
      const { net, dice, names } = stage;
      net.weather(conditions);
      await grow(stage, names);
      // One link in five is slow besides.
      for (const a of names) {
        for (const b of names)
          if (a < b && dice.next() < 0.2) net.link(a, b, { ...conditions, latencyMs: [200, 1_500] });
      }
      await net.pass(10_000);
      await bustle(stage, 15);
      await net.pass(30_000);
    },
  };
}

/** A third of the nodes can only dial; one of them is away for long and mines alone. */
const nat: Scenario = {
  name: 'nat',
  nodes: 12,
  async run(stage) {
    const { net, dice, names } = stage;
    await grow(stage, names, (_, index) => ({ isBehindNat: index % 3 === 2 }));
    await net.pass(5_000);
    await bustle(stage, 6);
    const hidden = dice.pick(names.filter((_, index) => index % 3 === 2));
    net.partition(names.filter((name) => name !== hidden));
    await net.post(hidden, 'written alone');
    await net.mine(hidden, 300 + dice.below(300));
    await bustle({ ...stage, names: names.filter((name) => name !== hidden) }, 3);
  },
};

/** Each has sessions with a few others only: what one of them knows has to travel. */
const fewSlots: Scenario = {
  name: 'few-slots',
  nodes: 30,
  settings: { NETWORK_MAX_PEERS: '6' },
  async run(stage) {
    await grow(stage, stage.names);
    await stage.net.pass(30_000);
    await bustle(stage, 15);
  },
};

export const SCENARIOS: readonly Scenario[] = [
  mining,
  fewSlots,
  partition('partition-two', 2, (dice) => 1 + dice.below(8)),
  partition('partition-three', 3, (dice) => 1 + dice.below(8)),
  equalLength,
  equalWork,
  deepReorg,
  lateJoiners,
  rollingRestarts,
  churn,
  weather('loss', { lossRate: 0.1, latencyMs: [5, 80] }),
  weather('disorder', { duplicationRate: 0.3, isReordering: true, latencyMs: [1, 300] }),
  nat,
  eclipse,
  drip,
  silentHeavyBranch,
  squatting,
  random,
];
