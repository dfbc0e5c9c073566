import { ScriptedPeer } from '../support/scripted-peer.js';
import { addressOf } from '../support/sim-node.js';
import { grow, type Scenario } from './scenario.js';

const SQUATTERS = ['squatter1', 'squatter2', 'squatter3'];
const DIAL_EVERY_MS = 700;

/**
 * Peers that take whatever can be read of honest nodes: they dial everybody under the node ids, instance nonces and
 * addresses of the others, before and after these meet. All honest nodes must find each other all the same.
 */
export const squatting: Scenario = {
  name: 'squatting',
  nodes: 6,
  banned: SQUATTERS,
  async run(stage) {
    const { net, dice, names } = stage;
    let isActive = true;
    const press = (name: string): void => {
      if (!isActive) return;
      const victim = dice.pick(names);
      const present = net.nodes.find(({ config }) => config.node.nodeId === victim);
      const stolen = dice.pick(names.filter((other) => other !== victim));
      if (present !== undefined) {
        const squatter = new ScriptedPeer(net.net, name);
        squatter.dial(addressOf(victim));
        const change = {
          nodeId: stolen,
          advertisedAddress: addressOf(stolen),
          instanceNonce: BigInt(dice.below(2 ** 32)),
        };
        squatter.sayHello(present.chain.genesis, present.chain.genesis, change);
      }
      net.clock.after(DIAL_EVERY_MS, () => press(name));
    };
    for (const name of SQUATTERS) press(name);
    await grow(stage, names);
    const isMeshed = (): boolean =>
      net.nodes.every(({ peers }) => {
        const keys = new Set(peers.list().flatMap(({ key, connected }) => (connected ? key : [])));
        return net.nodes.every((other) => other.peers === peers || keys.has(other.peers.key));
      });
    await net.until('all honest nodes have a session with all', isMeshed);
    for (let round = 0; round < 10; round++) {
      await net.mine(dice.pick(names), 1 + dice.below(3));
      await net.post(dice.pick(names), `entry ${round}`);
      await net.pass(dice.below(3_000));
    }
    if (!isMeshed()) throw new Error('squatters have ended sessions of honest nodes');
    isActive = false;
    for (const name of SQUATTERS) net.net.drop(name);
  },
};
