import { DockerCluster } from '../support/docker-cluster.js';
import type { DockerNode } from '../support/docker-node.js';
import { checkClusterInvariants } from '../support/docker-invariants.js';
import { PERTURBATIONS, PostStream } from '../support/docker-perturbations.js';
import { SeededRandom } from '../support/seeded-random.js';

const NODES = 4;
/** Acknowledged entries during which a victim is away. */
const LEAST_ENTRIES = 5;
const ENTRIES_RANGE = 60;

export interface ChaosOptions {
  readonly image: string;
  /** Begins the names of all that it makes. */
  readonly run: string;
  /** Chooses what is done to whom, and for how long; the rest is up to the machine. */
  readonly seed: number;
  /** No perturbation begins after so long; at least one is played. */
  readonly forMs: number;
  readonly say?: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  /** How often each was survived. */
  readonly perturbations: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  readonly height: number;
}

/**
 * Does at random to a cluster under load what perturbations there are, and checks its promises after each.
 * @throws Error with the seed when a promise is broken, or something does not come to its end.
 */
export async function runChaos({ image, run, seed, forMs, say = () => {} }: ChaosOptions): Promise<ChaosReport> {
  const random = new SeededRandom(seed);
  const beginMs = performance.now();
  const perturbations: Record<string, number> = {};
  const tell = (line: string): void =>
    say(`${((performance.now() - beginMs) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const cluster = await DockerCluster.create(run, { image });
  let height = 0;
  try {
    await cluster.startAll(NODES);
    tell(`${NODES} nodes are connected`);
    do {
      const { name, play } = random.pick(PERTURBATIONS);
      const victims = chooseVictims(cluster.nodes, random);
      const entries = LEAST_ENTRIES + random.below(ENTRIES_RANGE);
      tell(`${victims.map((node) => node.nodeId).join(' and ')}: ${name}, for ${entries} entries`);
      const stream = new PostStream(cluster);
      try {
        await play(cluster, victims, stream, entries);
        await Promise.all(victims.map((node) => node.ready()));
      } finally {
        await stream.stop();
      }
      height = await checkClusterInvariants(cluster);
      perturbations[name] = (perturbations[name] ?? 0) + 1;
      tell(`all promises kept: height ${height}, ${cluster.acknowledged.size} entries`);
    } while (performance.now() - beginMs < forMs);
    return { seed, perturbations, acknowledged: cluster.acknowledged.size, height };
  } catch (error) {
    throw new Error(`chaos with seed ${seed} failed: ${(error as Error).message}\n${await tails(cluster)}`, {
      cause: error,
    });
  } finally {
    await cluster.end();
  }
}

/** Mostly one, sometimes half of them. */
function chooseVictims(nodes: readonly DockerNode[], random: SeededRandom): DockerNode[] {
  const first = random.pick(nodes);
  if (random.below(3) > 0) return [first];
  return [first, random.pick(nodes.filter((node) => node !== first))];
}

async function tails(cluster: DockerCluster): Promise<string> {
  const parts = cluster.nodes.map(async (node) => {
    const tail = await node.tail(10).catch((error: unknown) => String(error));
    return `--- ${node.nodeId}\n${tail}`;
  });
  return (await Promise.all(parts)).join('\n');
}
