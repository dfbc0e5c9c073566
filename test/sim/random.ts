import type { LinkConditions } from '../support/memory-network.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { deal, grow, type Scenario, type Stage } from './scenario.js';

const STEPS = 40;
/** A difference that the clocks of honest machines may have. */
const MAX_OFFSET_MS = 30_000;

type Act = (stage: Stage, alive: readonly string[], step: number) => unknown;

/** What may happen in a step, with how often. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [30, ({ net, dice }, alive, step) => net.post(dice.pick(alive), `entry ${step}`)],
  [20, ({ net, dice }, alive) => net.mine(dice.pick(alive), 1 + dice.below(6))],
  [2, ({ net, dice }, alive) => net.mine(dice.pick(alive), 100 + dice.below(300))],
  [6, ({ net, dice, names }) => net.partition(...deal(dice, names, 2 + dice.below(2)))],
  [4, ({ net, dice, names }) => net.partitionSilently(...deal(dice, names, 2 + dice.below(2)))],
  [10, ({ net }) => net.heal()],
  [6, ({ net, dice }) => net.weather(weatherOf(dice))],
  [3, ({ net }) => net.weather()],
  [6, ({ net, dice }, alive) => net.link(dice.pick(alive), dice.pick(alive), weatherOf(dice))],
  [7, ({ net, dice, names }, alive) => (alive.length > names.length / 2 ? net.kill(dice.pick(alive)) : undefined)],
  [5, ({ net, dice, names }, alive) => (alive.length > names.length / 2 ? net.stop(dice.pick(alive)) : undefined)],
  [12, ({ net, dice }) => (net.dead.length > 0 ? net.restart(dice.pick(net.dead)) : undefined)],
];

/** Anything may happen at any time. */
export const random: Scenario = {
  name: 'random',
  nodes: 10,
  async run(stage) {
    const { net, dice, names } = stage;
    const newcomers = [...names];
    const join = (count: number): Promise<void> =>
      grow(stage, newcomers.splice(0, count), (_, index) => ({
        isDurable: true,
        isBehindNat: names.length - newcomers.length > 2 && index > 0 && dice.next() < 0.15,
        clockOffsetMs: dice.next() < 0.2 ? dice.below(2 * MAX_OFFSET_MS) - MAX_OFFSET_MS : 0,
      }));
    await join(Math.ceil(names.length * 0.7));
    const total = ACTS.reduce((sum, [weight]) => sum + weight, 0);
    for (let step = 0; step < STEPS; step++) {
      let roll = dice.below(total);
      const [, act] = ACTS.find(([weight]) => (roll -= weight) < 0)!;
      await act(
        stage,
        net.nodes.map(({ config }) => config.node.nodeId),
        step,
      );
      if (dice.next() < 0.1) await join(1);
      await net.pass(dice.below(dice.next() < 0.2 ? 20_000 : 2_000));
    }
    await join(newcomers.length);
  },
};

function weatherOf(dice: SeededRandom): Partial<LinkConditions> {
  const low = dice.below(100);
  return {
    latencyMs: [low, low + dice.below(dice.next() < 0.2 ? 3_000 : 200)],
    lossRate: dice.next() < 0.4 ? dice.next() * 0.2 : 0,
    duplicationRate: dice.next() < 0.3 ? dice.next() * 0.5 : 0,
    isReordering: dice.next() < 0.3,
  };
}
