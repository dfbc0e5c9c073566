import type { BlockNode } from '../../src/consensus/block-tree.js';
import { Verdict_Result } from '../../src/peers/generated/minichain/v1/peer.js';
import type { HandlerTable } from '../../src/peers/session.js';
import { encodeTip } from '../../src/peers/wire.js';
import { ScriptedPeer } from '../support/scripted-peer.js';
import { addressOf } from '../support/sim-node.js';
import type { SimNetwork } from '../support/sim-network.js';
import { grow, type Scenario } from './scenario.js';

const VICTIM = 'victim';
const VICTIM_SLOTS = 8;
const ATTACKERS = Array.from({ length: 12 }, (_, index) => `attacker${index + 1}`);
const REDIAL_MS = 500;
/** Nothing comes through, and Hello too late. What is on its way is a timer, which must run out one day. */
const UNREACHABLE = { lossRate: 1, latencyMs: [60_000, 60_000] } as const;
/** A block of the honest chain has to be there by then, whatever the attackers claim. */
const FOLLOW_MS = 5_000;
/** A sync with each silent attacker may come first. */
const CATCH_UP_MS = 60_000;

/** Says that it has more work than anybody, and gives none of it; every other one does not even answer. */
class Withholder {
  readonly #handlers: HandlerTable;
  readonly #claimed: BlockNode;
  #isActive = true;

  constructor(
    private readonly net: SimNetwork,
    private readonly genesis: BlockNode,
    private readonly name: string,
    isSilent: boolean,
  ) {
    this.#claimed = { ...genesis, height: 1_000_000, chainWork: 2n ** 200n, hash: 'ab'.repeat(32) };
    const tip = encodeTip(this.#claimed);
    const evasions: HandlerTable = {
      getHeaders: () => ({ $case: 'headers', value: { headers: [] } }),
      getBlocks: () => ({ $case: 'blocks', value: { blocks: [] } }),
    };
    this.#handlers = {
      ping: () => ({ $case: 'pong', value: { tip } }),
      newBlock: () => ({ $case: 'verdict', value: { result: Verdict_Result.RESULT_ACCEPTED, code: '', detail: '' } }),
      getPeers: () => ({ $case: 'peers', value: { peers: ATTACKERS.map((other) => ({ address: addressOf(other) })) } }),
      getMempool: () => ({ $case: 'mempool', value: { ids: [] } }),
      ...(isSilent ? {} : evasions),
    };
    net.net.listen(addressOf(name), (channel) => {
      if (!this.#isActive) return channel.close();
      const peer = this.#player();
      peer.open(channel);
      peer.sayHello(this.genesis, this.#claimed);
    });
    this.#press();
  }

  end(): void {
    this.#isActive = false;
    this.net.net.drop(this.name);
  }

  #player(): ScriptedPeer {
    return new ScriptedPeer(this.net.net, this.name, this.#handlers);
  }

  /** Dials the victim whenever it has no session with it. */
  #press(peer?: ScriptedPeer): void {
    if (!this.#isActive) return;
    let present = peer;
    if (present === undefined || present.closedBecause !== undefined) {
      present = this.#player();
      present.dial(addressOf(VICTIM));
      present.sayHello(this.genesis, this.#claimed);
    }
    this.net.clock.after(REDIAL_MS, () => this.#press(present));
  }
}

/**
 * All slots of a victim but one are held by attackers, who withhold blocks, claim work that they do not have and tell
 * of no address but their own. The one honest peer is enough.
 */
export const eclipse: Scenario = {
  name: 'eclipse',
  nodes: 5,
  banned: ATTACKERS,
  async run(stage) {
    const { net, dice, names } = stage;
    await grow(stage, names);
    await net.meshed();
    await net.mine(dice.pick(names), 50);
    await net.converged();
    await net.add(VICTIM, {
      bootstrap: ['n1'],
      isDurable: true,
      settings: { NETWORK_MAX_PEERS: String(VICTIM_SLOTS) },
    });
    const isHonest = (id: string | null): boolean => id !== null && !ATTACKERS.includes(id);
    const peersOf = (name: string): (string | null)[] =>
      net
        .node(name)
        .peers.list()
        .flatMap((peer) => (peer.connected ? peer.id : []));
    // The other honest nodes are out of its reach, so that n1 is all it has.
    for (const name of names.slice(1)) net.link(VICTIM, name, UNREACHABLE);
    await net.until('n1 is there', () => peersOf(VICTIM).includes('n1'));
    const { genesis } = net.node('n1').chain;
    const attackers = ATTACKERS.map((name, index) => new Withholder(net, genesis, name, index % 2 === 0));
    await net.until(
      'the slots are taken',
      () => peersOf(VICTIM).filter((id) => !isHonest(id)).length >= VICTIM_SLOTS - 2,
    );
    // Not `converged`: to be idle is what the attackers do not let them.
    const agree = (who: readonly string[], limitMs: number): Promise<void> =>
      net.until(`one tip at ${who.join(' ')}`, () => new Set(who.map((name) => tipOf(net, name))).size === 1, limitMs);
    await agree(['n1', VICTIM], CATCH_UP_MS);
    for (let round = 0; round < 10; round++) {
      await net.mine(dice.pick(names), 1 + dice.below(3));
      await agree(names, FOLLOW_MS);
      await agree(['n1', VICTIM], FOLLOW_MS);
      await net.pass(dice.below(10_000));
    }
    // A longer gap, for which it has to sync while most of its peers promise more.
    net.partition(names, [VICTIM, ...ATTACKERS]);
    await net.mine(dice.pick(names), 300);
    await agree(names, FOLLOW_MS);
    net.partition([...names, VICTIM, ...ATTACKERS]);
    await net.until('n1 is there again', () => peersOf(VICTIM).includes('n1'), CATCH_UP_MS);
    await agree(['n1', VICTIM], CATCH_UP_MS);
    const id = await net.post(VICTIM, 'heard in spite of all');
    await net.until(
      'n1 has heard of it',
      () => net.node('n1').mempool.has(id) || net.node('n1').chain.hasTransaction(id),
    );
    for (const attacker of attackers) attacker.end();
  },
};

function tipOf(net: SimNetwork, name: string): string {
  return net.node(name).chain.tip.hash;
}
