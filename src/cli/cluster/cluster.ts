import { colour, hasColours, type Terminal } from '../terminal.js';
import { checkPorts } from './check-ports.js';
import type { ProcessVerb, ToNode } from '../../lab/cluster-port.js';
import { ChildNode, type ChildEnd } from './child-node.js';
import { ClusterLab, type LabProcesses } from './cluster-lab.js';
import { ClusterRefusal, type ClusterControl, type ClusterNodeView } from './control.js';
import { urlOf, type PlannedNode } from './plan-cluster.js';

const PREFIX_COLOURS = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;

export interface ClusterInit {
  readonly nodes: readonly PlannedNode[];
  /** The script that each node's process runs. */
  readonly launcher: string;
  /** How long a node may take to stop before it is killed. */
  readonly stopTimeoutMs: number;
  /** The command that starts a node of this cluster again. */
  readonly startCommand: (nodeId: string) => string;
}

interface Slot {
  readonly plan: PlannedNode;
  readonly prefix: string;
  child: ChildNode | undefined;
  state: ClusterNodeView['state'];
  end: ChildEnd | undefined;
}

/** The processes of a cluster's nodes. The end of one leaves the others alone. */
export class Cluster implements ClusterControl, LabProcesses {
  /** Resolves when no node runs any more. */
  readonly allEnded: Promise<void>;
  readonly #init: ClusterInit;
  readonly #terminal: Terminal;
  readonly #slots: readonly Slot[];
  readonly #resolveAllEnded: () => void;
  readonly #env: Readonly<Record<string, string>>;
  readonly #lab = new ClusterLab(this);
  #isStopping = false;

  constructor(init: ClusterInit, terminal: Terminal) {
    this.#init = init;
    this.#terminal = terminal;
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.allEnded, this.#resolveAllEnded] = [promise, resolve];
    const isColoured = hasColours(terminal.stdout, terminal.env);
    // The output of a node is a pipe, so it cannot see for itself that colours are welcome.
    this.#env = isColoured ? { FORCE_COLOR: '1' } : {};
    const width = Math.max(...init.nodes.map(({ config }) => config.node.nodeId.length));
    this.#slots = init.nodes.map((plan, i) => {
      const label = `${plan.config.node.nodeId.padEnd(width)} |`;
      const shown = isColoured ? colour(PREFIX_COLOURS[i % PREFIX_COLOURS.length]!, label) : label;
      return { plan, prefix: `${shown} `, child: undefined, state: 'ended', end: undefined };
    });
  }

  /** The nodes that run and are not being stopped. */
  get running(): readonly PlannedNode[] {
    return this.#slots.filter(({ state }) => state === 'running').map(({ plan }) => plan);
  }

  startAll(): void {
    for (const slot of this.#slots) this.#spawn(slot);
  }

  list(): ClusterNodeView[] {
    return this.#slots.map(viewOf);
  }

  async start(nodeId: string): Promise<ClusterNodeView> {
    const slot = this.#find(nodeId);
    this.#checkStartable(slot);
    await checkPorts([slot.plan.config]);
    // Somebody else may have been faster.
    this.#checkStartable(slot);
    this.#spawn(slot);
    return viewOf(slot);
  }

  stop(nodeId: string): Promise<ClusterNodeView> {
    return this.#end(this.#findRunning(nodeId), 'SIGTERM');
  }

  kill(nodeId: string): Promise<ClusterNodeView> {
    return this.#end(this.#findRunning(nodeId), 'SIGKILL');
  }

  /** Halts the process where it is: it neither answers nor ends. @throws ClusterRefusal */
  pause(nodeId: string): Promise<ClusterNodeView> {
    const slot = this.#findRunning(nodeId);
    slot.child!.kill('SIGSTOP');
    this.#setState(slot, 'paused');
    return Promise.resolve(viewOf(slot));
  }

  /** @throws ClusterRefusal */
  resume(nodeId: string): Promise<ClusterNodeView> {
    const slot = this.#find(nodeId);
    this.#checkPaused(slot);
    slot.child!.kill('SIGCONT');
    this.#setState(slot, 'running');
    return Promise.resolve(viewOf(slot));
  }

  checkVerb(verb: ProcessVerb, nodeId: string): void {
    if (verb === 'start') this.#checkStartable(this.#find(nodeId));
    else if (verb === 'resume') this.#checkPaused(this.#find(nodeId));
    else this.#findRunning(nodeId);
  }

  async act(verb: ProcessVerb, nodeId: string): Promise<ClusterNodeView> {
    return this[verb](nodeId);
  }

  send(nodeId: string, message: ToNode): boolean {
    return this.#find(nodeId).child?.send(message) ?? false;
  }

  /** Stops all nodes, for good. @returns those that did not end as they were told. */
  async stopAll(): Promise<readonly string[]> {
    this.#isStopping = true;
    this.#lab.stop();
    const ending = this.#slots.filter(({ state }) => state !== 'ended');
    await Promise.all(ending.map((slot) => this.#end(slot, 'SIGTERM')));
    // A node that is still loading has no handler for the signal yet, and nothing to lose.
    const isGood = (end: ChildEnd | undefined): boolean => end?.code === 0 || end?.signal === 'SIGTERM';
    return ending.filter(({ end }) => !isGood(end)).map((slot) => `${nameOf(slot)} (${describeEnd(slot.end!)})`);
  }

  killAll(): void {
    for (const { child } of this.#slots) child?.kill('SIGKILL');
  }

  #find(nodeId: string): Slot {
    const slot = this.#slots.find((candidate) => nameOf(candidate) === nodeId);
    if (slot !== undefined) return slot;
    const names = this.#slots.map(nameOf).join(', ');
    throw new ClusterRefusal('unknown-node', `this cluster has no node "${nodeId}", only ${names}`);
  }

  #checkStartable(slot: Slot): void {
    if (this.#isStopping) throw new ClusterRefusal('cluster-stopping', 'the cluster is about to end');
    if (slot.state === 'ended') return;
    const state = { running: 'runs already', paused: 'is paused: resume it', stopping: 'is still stopping' }[
      slot.state
    ];
    throw new ClusterRefusal('running-already', `${nameOf(slot)} ${state}`);
  }

  #checkPaused(slot: Slot): void {
    if (slot.state !== 'paused') throw new ClusterRefusal('not-paused', `${nameOf(slot)} is not paused`);
  }

  #findRunning(nodeId: string): Slot {
    const slot = this.#find(nodeId);
    if (slot.state === 'ended') {
      const hint = `start it with \`${this.#init.startCommand(nodeId)}\``;
      throw new ClusterRefusal('not-running', `${nodeId} does not run: ${hint}`);
    }
    const others = this.#slots.filter((other) => other !== slot && other.state === 'running');
    if (others.length === 0) {
      throw new ClusterRefusal(
        'last-node',
        `${nodeId} is the last node that runs; start another one first, or end the cluster with Ctrl-C`,
      );
    }
    return slot;
  }

  #spawn(slot: Slot): void {
    const { plan, prefix } = slot;
    const nodeId = nameOf(slot);
    const child = new ChildNode(
      { ...plan, env: { ...this.#env, ...plan.env } },
      this.#init.launcher,
      prefix,
      this.#terminal,
    );
    child.onMessage((message) => this.#lab.received(nodeId, message));
    Object.assign(slot, { child, end: undefined });
    this.#setState(slot, 'running');
    void child.ended.then((end) => this.#ended(slot, end));
  }

  #ended(slot: Slot, end: ChildEnd): void {
    const wasAsked = slot.state === 'stopping';
    Object.assign(slot, { child: undefined, end });
    this.#setState(slot, 'ended');
    if (!this.#isStopping) {
      const reason = end.errorLine === undefined ? '' : `: ${end.errorLine}`;
      const why = wasAsked ? ' as it was told' : ` unexpectedly (${describeEnd(end)})${reason}`;
      const how = `start it again with \`${this.#init.startCommand(nameOf(slot))}\``;
      this.#terminal.stderr.write(`${nameOf(slot)} has ended${why}; the others go on; ${how}\n`);
    }
    if (this.#slots.every(({ state }) => state === 'ended')) this.#resolveAllEnded();
  }

  #setState(slot: Slot, state: Slot['state']): void {
    slot.state = state;
    this.#lab.changed();
  }

  async #end(slot: Slot, signal: 'SIGTERM' | 'SIGKILL'): Promise<ClusterNodeView> {
    const child = slot.child!;
    this.#setState(slot, 'stopping');
    child.kill(signal);
    // A process that is halted takes no other signal.
    child.kill('SIGCONT');
    const timer = setTimeout(() => {
      this.#terminal.stderr.write(`${child.name} does not stop, killing it\n`);
      child.kill('SIGKILL');
    }, this.#init.stopTimeoutMs);
    await child.ended;
    clearTimeout(timer);
    return viewOf(slot);
  }
}

/** "exit code 7", "killed by SIGKILL". */
export function describeEnd({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

function nameOf({ plan }: Slot): string {
  return plan.config.node.nodeId;
}

function viewOf(slot: Slot): ClusterNodeView {
  const end = slot.end === undefined ? null : describeEnd(slot.end);
  return { nodeId: nameOf(slot), url: urlOf(slot.plan.config), state: slot.state, end };
}
