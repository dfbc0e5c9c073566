import type { ClusterNode, ClusterOrder, ClusterRequest, Partition, ToNode, ToParent } from '../../lab/cluster-port.js';
import { ClusterRefusal, type ClusterNodeView } from './control.js';

/** A node that does not say by then that it is done is busy, or dead without our knowing. */
const ORDER_TIMEOUT_MS = 3_000;

/** What the lab needs of the processes of a cluster. */
export interface LabProcesses {
  list(): ClusterNodeView[];
  /** @throws ClusterRefusal */
  checkVerb(verb: ProcessVerb, nodeId: string): void;
  act(verb: ProcessVerb, nodeId: string): Promise<ClusterNodeView>;
  /** False: it does not run. */
  send(nodeId: string, message: ToNode): boolean;
}

type ProcessVerb = Extract<ClusterRequest, { kind: 'process' }>['verb'];

interface Awaited {
  readonly nodeId: string;
  readonly resolve: () => void;
}

/**
 * The lab of a whole cluster: takes what one node asks for to all of them. A partition is kept here, so that a node that is
 * started while it holds takes part in it.
 */
export class ClusterLab {
  readonly #processes: LabProcesses;
  readonly #awaited = new Map<number, Awaited>();
  readonly #resumes = new Map<string, NodeJS.Timeout>();
  #partition: { readonly groups: Partition['groups']; readonly endsAtMs: number } | undefined;
  #lastId = 0;

  constructor(processes: LabProcesses) {
    this.#processes = processes;
  }

  /** The node has sent a message. Whoever runs this program may have put another one in the place of a node. */
  received(nodeId: string, message: unknown): void {
    const { lab, ...rest } = (message ?? {}) as Partial<ToParent>;
    if (lab === 'hello') this.#welcome(nodeId);
    else if (lab === 'done' && 'id' in rest) this.#done(rest.id);
    else if (lab === 'ask' && 'request' in rest) void this.#answer(nodeId, rest.id!, rest.request);
  }

  /** The state of a node has changed. */
  changed(): void {
    const nodes = this.#nodes();
    const down = new Set(nodes.filter(({ state }) => state !== 'running').map(({ nodeId }) => nodeId));
    for (const [id, { nodeId, resolve }] of this.#awaited) {
      if (!down.has(nodeId)) continue;
      this.#awaited.delete(id);
      resolve();
    }
    for (const { nodeId } of nodes) this.#processes.send(nodeId, { lab: 'nodes', nodes });
  }

  stop(): void {
    for (const timer of this.#resumes.values()) clearTimeout(timer);
  }

  #welcome(nodeId: string): void {
    this.#processes.send(nodeId, { lab: 'nodes', nodes: this.#nodes() });
    const seconds = Math.ceil(((this.#partition?.endsAtMs ?? 0) - performance.now()) / 1000);
    if (seconds <= 0) return;
    const order = { kind: 'partition', groups: this.#partition!.groups, seconds } as const;
    this.#processes.send(nodeId, { lab: 'order', id: (this.#lastId += 1), order });
  }

  async #answer(nodeId: string, id: number, request: ClusterRequest): Promise<void> {
    try {
      await this.#do(request);
      this.#processes.send(nodeId, { lab: 'answer', id });
    } catch (error) {
      const code = error instanceof ClusterRefusal ? error.code : 'failed';
      const refusal = { code, message: (error as Error).message };
      this.#processes.send(nodeId, { lab: 'answer', id, refusal });
    }
  }

  async #do(request: ClusterRequest): Promise<void> {
    switch (request.kind) {
      case 'partition':
        this.#partition = { groups: request.groups, endsAtMs: performance.now() + request.seconds * 1000 };
        return this.#order(request);
      case 'heal':
        return this.#heal('heal');
      case 'reset':
        await this.#heal('reset');
        return this.#startAll();
      case 'process':
        return this.#process(request);
    }
  }

  async #heal(kind: 'heal' | 'reset'): Promise<void> {
    this.#partition = undefined;
    await this.#order({ kind });
    await this.#order({ kind: 'dial' });
  }

  async #startAll(): Promise<void> {
    for (const { nodeId, state } of this.#processes.list()) {
      if (state === 'paused') await this.#processes.act('resume', nodeId);
      if (state === 'ended') await this.#processes.act('start', nodeId);
    }
  }

  async #process({ verb, nodeId, seconds, check }: Extract<ClusterRequest, { kind: 'process' }>): Promise<void> {
    if (check) return this.#processes.checkVerb(verb, nodeId);
    await this.#processes.act(verb, nodeId);
    clearTimeout(this.#resumes.get(nodeId));
    this.#resumes.delete(nodeId);
    if (verb !== 'pause' || seconds === undefined) return;
    const resume = (): void => {
      // It may have been killed meanwhile.
      void this.#processes.act('resume', nodeId).catch(() => undefined);
    };
    this.#resumes.set(nodeId, setTimeout(resume, seconds * 1000).unref());
  }

  /** Resolves when all nodes that run have obeyed. A paused node gets the message when it goes on. */
  async #order(order: ClusterOrder): Promise<void> {
    const all = this.#nodes().map(async ({ nodeId, state }) => {
      const id = (this.#lastId += 1);
      const isSent = this.#processes.send(nodeId, { lab: 'order', id, order });
      if (!isSent || state !== 'running') return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => this.#done(id), ORDER_TIMEOUT_MS);
        this.#awaited.set(id, {
          nodeId,
          resolve: () => {
            clearTimeout(timer);
            resolve();
          },
        });
      });
    });
    await Promise.all(all);
  }

  #done(id: number): void {
    const awaited = this.#awaited.get(id);
    this.#awaited.delete(id);
    awaited?.resolve();
  }

  #nodes(): ClusterNode[] {
    return this.#processes.list().map(({ nodeId, url, state }) => ({ nodeId, url, state }));
  }
}
