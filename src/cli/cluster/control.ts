import { z } from 'zod';

/** One node of a cluster as its parent sees it. */
const nodeViewSchema = z.object({
  nodeId: z.string(),
  url: z.string(),
  state: z.enum(['running', 'paused', 'stopping', 'ended']),
  /** How its last process ended ("exit code 1"); null while it runs. */
  end: z.string().nullable(),
});

export type ClusterNodeView = z.infer<typeof nodeViewSchema>;

/** What a client of the control socket sends: one line of JSON. */
export const controlRequestSchema = z.union([
  z.strictObject({ command: z.literal('list') }),
  z.strictObject({ command: z.enum(['start', 'stop', 'kill']), nodeId: z.string() }),
]);

export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** What it gets: one line of JSON with the nodes that the command is about, or why it was refused. */
export const controlAnswerSchema = z.union([
  z.strictObject({ nodes: z.array(nodeViewSchema) }),
  z.strictObject({ code: z.string(), message: z.string() }),
]);

export type ControlAnswer = z.infer<typeof controlAnswerSchema>;

export type RefusalCode =
  | 'unknown-node'
  | 'running-already'
  | 'not-running'
  | 'not-paused'
  /** The end of the last node would be the end of the cluster. */
  | 'last-node'
  | 'cluster-stopping';

/** The cluster is not in a state for this command. */
export class ClusterRefusal extends Error {
  override readonly name = 'ClusterRefusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message);
  }
}

/** What the parent of a cluster does with its nodes on request. A node that was stopped or killed stays down until started. */
export interface ClusterControl {
  list(): ClusterNodeView[];
  /** Resolves when its process is there. @throws ClusterRefusal; CliError when a port is taken. */
  start(nodeId: string): Promise<ClusterNodeView>;
  /** Resolves when it has ended, or was killed because it did not. @throws ClusterRefusal */
  stop(nodeId: string): Promise<ClusterNodeView>;
  /** The same, without a chance to end cleanly. @throws ClusterRefusal */
  kill(nodeId: string): Promise<ClusterNodeView>;
}

/** Does what a request says. Never rejects. */
export async function obey(control: ClusterControl, request: ControlRequest): Promise<ControlAnswer> {
  try {
    if (request.command === 'list') return { nodes: control.list() };
    return { nodes: [await control[request.command](request.nodeId)] };
  } catch (error) {
    const { message } = error as Error;
    return { code: error instanceof ClusterRefusal ? error.code : 'failed', message };
  }
}
