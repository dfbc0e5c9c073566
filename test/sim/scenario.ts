import type { SeededRandom } from '../support/seeded-random.js';
import { checkInvariants } from '../support/sim-invariants.js';
import { SimNetwork } from '../support/sim-network.js';
import type { SimNodeOptions } from '../support/sim-node.js';

/** A story that a network of whole nodes lives through. Same seed and number of nodes, same story. */
export interface Scenario {
  readonly name: string;
  /** Unless told otherwise. */
  readonly nodes: number;
  /** For all nodes, as in SimNodeOptions. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Names that may be banned: attackers. */
  readonly banned?: readonly string[];
  /** What happens. How it must end is the same for all: see playScenario. */
  run(stage: Stage): Promise<void>;
}

/** What a scenario works with. */
export interface Stage {
  readonly net: SimNetwork;
  readonly dice: SeededRandom;
  /** n1, n2, ...: as many as the run is to have, none of them there yet. */
  readonly names: readonly string[];
}

export interface Play {
  readonly seed: number;
  readonly nodes?: number;
  readonly isRecording?: boolean;
  /** Called with each verb of the run as it comes, and the virtual time since the start of the run. */
  readonly onVerb?: (verb: string, atMs: number) => void;
  /** Called with the log of all nodes at the end, also of a run that fails. */
  readonly onLog?: (log: readonly string[]) => void;
}

export interface PlayResult {
  readonly virtualMs: number;
  readonly height: number;
  readonly entries: number;
  readonly log: readonly string[];
}

const CONVERGENCE_MS = 240_000;

/**
 * Plays a scenario: then all cuts heal, links are good again, the dead come back, all nodes must come to one tip and one
 * mempool, and every invariant must hold.
 * @throws Error with the seed, whatever goes wrong.
 */
export async function playScenario(
  scenario: Scenario,
  { seed, nodes, isRecording, onVerb, onLog }: Play,
): Promise<PlayResult> {
  const net = new SimNetwork({ seed, isRecording: isRecording ?? false, settings: scenario.settings ?? {} });
  const startMs = net.clock.monotonicMs();
  if (onVerb !== undefined) net.onVerb = (verb, atMs) => onVerb(verb, atMs - startMs);
  const names = Array.from({ length: nodes ?? scenario.nodes }, (_, index) => `n${index + 1}`);
  try {
    await scenario.run({ net, dice: net.random.fork(), names });
    net.heal();
    net.weather();
    for (const name of net.dead) await net.restart(name);
    await net.converged(undefined, CONVERGENCE_MS);
    await checkInvariants(net, { banned: scenario.banned ?? [] });
    const { height } = net.nodes[0]!.chain.tip;
    const virtualMs = net.clock.monotonicMs() - startMs;
    return { virtualMs, height, entries: net.acknowledged.size, log: net.log };
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    onLog?.(net.log);
    await net.close();
  }
}

/** Starts nodes one after the other; each knows one or two that were there before it. */
export async function grow(
  { net, dice }: Pick<Stage, 'net' | 'dice'>,
  names: readonly string[],
  optionsOf: (name: string, index: number) => SimNodeOptions = () => ({}),
): Promise<void> {
  for (const [index, name] of names.entries()) {
    const before = net.nodes.flatMap(({ config }) =>
      config.node.advertisedAddress === undefined ? [] : config.node.nodeId,
    );
    const bootstrap = before.length === 0 ? [] : [...new Set([before[0]!, dice.pick(before)])];
    await net.add(name, { autoMine: true, bootstrap, ...optionsOf(name, index) });
  }
}

/** Deals names out to so many groups, each of at least one. */
export function deal(dice: SeededRandom, names: readonly string[], groupCount: number): string[][] {
  const groups: string[][] = Array.from({ length: groupCount }, () => []);
  const offset = dice.below(names.length);
  for (const [index, name] of names.entries()) {
    const at = (index + offset) % names.length;
    (at < groupCount ? groups[at]! : dice.pick(groups)).push(name);
  }
  return groups;
}
