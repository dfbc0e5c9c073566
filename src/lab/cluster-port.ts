/** What the parent of a cluster says about one of its nodes. */
export interface ClusterNode {
  readonly nodeId: string;
  /** Its REST API. */
  readonly url: string;
  readonly state: 'running' | 'paused' | 'stopping' | 'ended';
}

export const PROCESS_VERBS = ['kill', 'stop', 'start', 'pause', 'resume'] as const;
export type ProcessVerb = (typeof PROCESS_VERBS)[number];

/** Which nodes hear each other; those of different groups do not. */
export interface Partition {
  readonly groups: readonly (readonly string[])[];
  /** Until it ends by itself. */
  readonly seconds: number;
}

/** What one node asks of the parent, for all of them. */
export type ClusterRequest =
  | ({ readonly kind: 'partition' } & Partition)
  | { readonly kind: 'heal' | 'reset' }
  /** `check`: only say whether it would be refused. `seconds`: until a paused node goes on by itself. */
  | {
      readonly kind: 'process';
      readonly verb: ProcessVerb;
      readonly nodeId: string;
      readonly seconds?: number;
      readonly check?: true;
    };

/** What the parent has each node do. */
export type ClusterOrder =
  | ({ readonly kind: 'partition' } & Partition)
  /** 'dial' follows 'heal' or 'reset' once all nodes have done that: until then the others refuse. */
  | { readonly kind: 'heal' | 'reset' | 'dial' };

/** From a node to its parent. */
export type ToParent =
  | { readonly lab: 'hello' }
  | { readonly lab: 'ask'; readonly id: number; readonly request: ClusterRequest }
  | { readonly lab: 'done'; readonly id: number };

/** From the parent to a node. `nodes` answers a hello, and comes again at every change. */
export type ToNode =
  | { readonly lab: 'nodes'; readonly nodes: readonly ClusterNode[] }
  | { readonly lab: 'answer'; readonly id: number; readonly refusal?: ClusterAnswer }
  | { readonly lab: 'order'; readonly id: number; readonly order: ClusterOrder };

/** Why the parent refused. */
export interface ClusterAnswer {
  readonly code: string;
  readonly message: string;
}

/** The parent did not do what it was asked to. */
export class ClusterRefusedError extends Error {
  override readonly name = 'ClusterRefusedError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface ClusterListener {
  obey(order: ClusterOrder): void;
  /** The processes of the cluster are not what they were. */
  nodesChanged(nodes: readonly ClusterNode[], before: readonly ClusterNode[] | undefined): void;
}

/** A node's parent, which also runs the other nodes. */
export interface ClusterPort {
  /** Undefined as long as no parent has said that it runs a cluster. */
  readonly nodes: readonly ClusterNode[] | undefined;
  /** Resolves when the parent has said what its nodes are, or after a moment if it does not. */
  open(listener: ClusterListener): Promise<void>;
  /** Resolves when it is done. @throws ClusterRefusedError */
  ask(request: ClusterRequest): Promise<void>;
}

/** Undefined where nothing started this node that could run others too. */
export const CLUSTER = Symbol('Cluster');
