import type { DockerCluster } from './docker-cluster.js';
import type { DockerNode } from './docker-node.js';
import { waitFor } from './wait.js';

/** Of a poster, between two entries. */
const POST_EVERY_MS = 60;
const LIMIT_MS = 60_000;

/** Clients that post to every node without end, whatever becomes of it; what fails is claimed by nobody. */
export class PostStream {
  readonly #posters: Promise<void>[];
  #isStopped = false;
  #posted = 0;

  constructor(private readonly cluster: DockerCluster) {
    this.#posters = cluster.nodes.map((node) => this.#post(node));
  }

  /** Waits until so many more entries are acknowledged, by whichever nodes answer. */
  async more(count: number): Promise<void> {
    const { acknowledged } = this.cluster;
    const least = acknowledged.size + count;
    await waitFor(`${count} more entries are acknowledged`, () => acknowledged.size >= least, LIMIT_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#posters);
  }

  async #post(node: DockerNode): Promise<void> {
    while (!this.#isStopped) {
      await this.cluster.post(node, `entry ${++this.#posted}, to ${node.nodeId}`).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, POST_EVERY_MS));
    }
  }
}

/** What is done to nodes while entries are posted to all; lasts for `entries` acknowledged ones, then all is as before. */
export interface Perturbation {
  readonly name: string;
  readonly play: (
    cluster: DockerCluster,
    victims: readonly DockerNode[],
    stream: PostStream,
    entries: number,
  ) => unknown;
}

export const PERTURBATIONS: readonly Perturbation[] = [
  {
    name: 'kill',
    play: async (_cluster, victims, stream, entries) => {
      await each(victims, (node) => node.kill());
      await stream.more(entries);
      await each(victims, (node) => node.start());
    },
  },
  {
    name: 'pause, until the others have dropped it',
    play: async (cluster, victims, stream, entries) => {
      await each(victims, (node) => node.pause());
      await dropped(cluster, victims);
      await stream.more(entries);
      await each(victims, (node) => node.unpause());
    },
  },
  {
    name: 'pause for a moment',
    play: async (_cluster, victims, stream, entries) => {
      await each(victims, (node) => node.pause());
      await stream.more(Math.ceil(entries / 4));
      await each(victims, (node) => node.unpause());
    },
  },
  {
    name: 'cut off, until the others have dropped it',
    play: async (cluster, victims, stream, entries) => {
      await cluster.cut(...victims);
      await dropped(cluster, victims);
      await stream.more(entries);
      await cluster.heal(...victims);
    },
  },
  {
    name: 'restart',
    play: async (_cluster, victims, stream, entries) => {
      await each(victims, (node) => node.restart());
      await stream.more(entries);
    },
  },
  {
    name: 'remove and create again, on the same volume',
    play: async (_cluster, victims, stream, entries) => {
      await each(victims, (node) => node.remove());
      await stream.more(entries);
      await each(victims, (node) => node.create());
    },
  },
];

/** Waits until no node but the victims has a session with one of them. */
async function dropped(cluster: DockerCluster, victims: readonly DockerNode[]): Promise<void> {
  const gone = victims.map((node) => node.nodeId);
  for (const node of cluster.nodes.filter((one) => !victims.includes(one))) {
    await waitFor(
      `${node.nodeId} has dropped ${gone.join(', ')}`,
      async () => !(await node.peerIds()).some((id) => gone.includes(id)),
      LIMIT_MS,
    );
  }
}

async function each(nodes: readonly DockerNode[], act: (node: DockerNode) => Promise<unknown>): Promise<void> {
  await Promise.all(nodes.map(act));
}
