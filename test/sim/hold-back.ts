import type { BlockNode } from '../../src/consensus/block-tree.js';
import { Verdict_Result } from '../../src/peers/generated/minichain/v1/peer.js';
import type { Body } from '../../src/peers/messages.js';
import type { HandlerTable } from '../../src/peers/session.js';
import { LIMITS, decodeHashes, encodeTip } from '../../src/peers/wire.js';
import { mineChain } from '../support/chain-builders.js';
import { ScriptedPeer, serving } from '../support/scripted-peer.js';
import { addressOf } from '../support/sim-node.js';
import type { SimNetwork } from '../support/sim-network.js';
import { grow, type Scenario } from './scenario.js';

const REDIAL_MS = 500;
const MINUTE_MS = 60_000;
const ATTACKERS = ['attacker1', 'attacker2', 'attacker3'];

interface Role {
  readonly name: string;
  readonly victims: readonly string[];
  readonly genesis: BlockNode;
  readonly tip: BlockNode;
  readonly handlers: HandlerTable;
}

/** A peer with sessions to all its victims; it dials again whenever it is thrown out. */
class Attacker {
  #isActive = true;

  constructor(
    private readonly net: SimNetwork,
    private readonly role: Role,
  ) {
    for (const victim of role.victims) this.#press(victim);
  }

  end(): void {
    this.#isActive = false;
    this.net.net.drop(this.role.name);
  }

  #press(victim: string, peer?: ScriptedPeer): void {
    if (!this.#isActive) return;
    const { name, genesis, tip, handlers } = this.role;
    let present = peer;
    if (present === undefined || present.closedBecause !== undefined) {
      const shown = encodeTip(tip);
      present = new ScriptedPeer(this.net.net, name, {
        ping: () => ({ $case: 'pong', value: { tip: shown } }),
        newBlock: () => ({ $case: 'verdict', value: { result: Verdict_Result.RESULT_ACCEPTED, code: '', detail: '' } }),
        getPeers: () => ({ $case: 'peers', value: { peers: [] } }),
        getMempool: () => ({ $case: 'mempool', value: { ids: [] } }),
        ...handlers,
      });
      present.dial(addressOf(victim));
      present.sayHello(genesis, tip);
    }
    this.net.clock.after(REDIAL_MS, () => this.#press(victim, present));
  }
}

/** Peers that have all blocks, and send one in so many seconds, beside an honest node. */
export const drip: Scenario = {
  name: 'drip',
  nodes: 3,
  banned: ATTACKERS,
  async run(stage) {
    const { net, names } = stage;
    await grow(stage, names);
    await net.meshed();
    await net.mine('n1', 800);
    await net.converged();
    const { chain } = net.node('n1');
    const honest = serving(chain);
    const newcomer = await net.add('newcomer', { autoMine: true });
    const attackers = ATTACKERS.map(
      (name, index) =>
        new Attacker(net, {
          name,
          victims: ['newcomer'],
          genesis: chain.genesis,
          tip: chain.tip,
          handlers: {
            getHeaders: honest.getHeaders!,
            getBlocks: (message) => {
              const body = honest.getBlocks!({
                ...message,
                hashes: message.hashes.slice(index === 0 ? -1 : 1),
              }) as Body;
              return new Promise((resolve) => void net.clock.after(1_700, () => resolve(body)));
            },
          },
        }),
    );
    await net.until('the attackers are there', () => newcomer.peers.summary().connected === attackers.length);
    await net.pass(2_000);
    const helper = await net.add('helper', { bootstrap: ['n1', 'newcomer'] });
    await net.until('the newcomer has all', () => newcomer.chain.tip.hash === chain.tip.hash, 30_000);
    await net.until('so has the helper', () => helper.chain.tip.hash === chain.tip.hash, 30_000);
    for (const attacker of attackers) attacker.end();
  },
};

/** Peers that show headers of a branch with more work than any other, and never one of its blocks. */
export const silentHeavyBranch: Scenario = {
  name: 'silent-heavy-branch',
  nodes: 3,
  banned: ATTACKERS,
  async run(stage) {
    const { net, names, dice } = stage;
    await grow(stage, names);
    await net.meshed();
    await net.mine('n1', 20);
    await net.converged();
    const { genesis } = net.node('n1').chain;
    const { blocks, nodes } = mineChain(genesis, 400);
    const heights = new Map<string, number>(nodes.map(({ hash, height }) => [hash, height]));
    const getHeaders: HandlerTable['getHeaders'] = ({ locator }) => {
      const known = decodeHashes(locator, LIMITS.locator).map((hash) => heights.get(hash) ?? 0);
      const headers = blocks.slice(Math.max(0, ...known)).map(({ bytes }) => ({ raw: bytes.subarray(0, 80) }));
      return { $case: 'headers', value: { headers } };
    };
    let pauses = 0;
    for (const { peers } of net.nodes) peers.events.on('catchingUp', () => (pauses += 1));
    const attackers = ATTACKERS.map((name, index) => {
      // One is silent, the others say that they have none of it.
      const none: Body = { $case: 'blocks', value: { blocks: [] } };
      const handlers: HandlerTable = index === 0 ? { getHeaders } : { getHeaders, getBlocks: () => none };
      return new Attacker(net, { name, victims: names, genesis, tip: nodes.at(-1)!, handlers });
    });
    for (let round = 0; round < 20; round++) {
      const [from, to] = [dice.pick(names), dice.pick(names)];
      const id = await net.post(from, `round ${round} of seed ${net.seed}`);
      await net.until(`it is mined, and at ${to}`, () => net.node(to).chain.hasTransaction(id), 5_000);
      await net.pass(dice.below(15_000));
    }
    const isBanned = ({ peers }: (typeof net.nodes)[number]): boolean =>
      peers.bans().some(({ subject }) => subject.endsWith(ATTACKERS[0]!));
    await net.until('the silent one is banned', () => net.nodes.every(isBanned), 15 * MINUTE_MS);
    if (pauses > 0) throw new Error(`mining paused ${pauses} times`);
    for (const attacker of attackers) attacker.end();
  },
};
