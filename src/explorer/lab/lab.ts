import { computed, effect, signal, untracked } from '@preact/signals';
import type { LabView, MiningMode } from '../../lab/lab-schemas.js';
import type { ProcessVerb } from '../../lab/cluster-port.js';
import { announce } from '../model/announce.js';
import { follow, home, HOME_URL, labChanges, nodes, urlHere } from '../model/network.js';
import { curlLine, getJson, RefusedError, send } from '../model/rest.js';

export interface LabNode {
  readonly nodeId: string;
  readonly url: string;
  /** `running`, or what else its process is; `down` where no cluster runs it and it does not answer. */
  readonly state: string;
}

/** A request to the lab, which a button stands for. */
export interface LabCall {
  readonly method: 'POST' | 'DELETE';
  readonly url: string;
  readonly body?: unknown;
}

/** A lab that did not answer is asked again after so long. */
const RETRY_MS = 2_000;
/** A process that was paused takes requests and answers none. */
const ANSWER_MS = 3_000;

/** The lab of the node that the page asks, this one as long as it answers. Undefined where the lab is off. */
export const lab = signal<LabView | undefined>(undefined);
/** The lab of each node, as far as it said: how it mines, and which of its links are slow. */
export const labs = signal<ReadonlyMap<string, LabView>>(new Map());
export const labError = signal('');
/** The requests of the button that the reader is at. */
export const shownCalls = signal<readonly LabCall[]>([]);

/** The nodes of the cluster; without one, those that `lab.nodes` lists, as soon as they have said who they are. */
export const labNodes = computed<readonly LabNode[]>(() => {
  const { cluster } = lab.value ?? {};
  if (cluster) return cluster.nodes.map((node) => ({ ...node, url: urlHere(node.url) }));
  return nodes.value
    .filter(({ nodeId }) => nodeId !== '')
    .map(({ nodeId, url, link }) => ({ nodeId, url, state: link === 'down' ? 'down' : 'running' }));
});

/** Reads the lab now, and whenever a node says that something in it has changed. */
export function watchLab(): void {
  effect(() => {
    void labChanges.value;
    untracked(() => void readLab());
  });
}

const running = (): LabNode[] => labNodes.peek().filter(({ state }) => state === 'running');

/** Nodes that said that their lab is off. */
const withoutLab = new Set<string>();

/** Those that run, whether they have told yet what holds in their lab or not. */
const able = (): LabNode[] => running().filter(({ nodeId }) => !withoutLab.has(nodeId));

/** This node first, if it can answer; otherwise any other one. */
function candidates(): string[] {
  const halted = new Set(labNodes.peek().flatMap(({ url, state }) => (state === 'running' ? [] : [url])));
  const live = nodes.peek().filter(({ url, link }) => link === 'live' && !halted.has(url));
  const first = home.peek()?.link === 'down' || halted.has(HOME_URL) ? [] : [HOME_URL];
  return [...new Set([...first, ...live.map(({ url }) => url), HOME_URL])];
}

const labUrl = (): string => candidates()[0]!;

let reading: Promise<void> | undefined;
let isStale = false;
let retry: ReturnType<typeof setTimeout> | undefined;

/** One reading at a time. What changes meanwhile is read before the promise resolves. */
function readLab(): Promise<void> {
  isStale = true;
  reading ??= (async () => {
    while (isStale) {
      isStale = false;
      await readOnce();
    }
    reading = undefined;
  })();
  return reading;
}

async function readOnce(): Promise<void> {
  try {
    const answer = await askAny();
    lab.value = answer;
    follow((answer.cluster?.nodes.map(({ url }) => url) ?? answer.nodes).map(urlHere));
    await Promise.all(running().map((node) => readNode(node)));
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) lab.value = undefined;
    else readLater();
  }
}

function readLater(): void {
  retry ??= setTimeout(() => {
    retry = undefined;
    void readLab();
  }, RETRY_MS);
}

/** @throws as getJson, where no node answers or the first one refuses. */
async function askAny(): Promise<LabView> {
  let failure: unknown;
  for (const url of candidates()) {
    try {
      return await getJson<LabView>(`${url}/lab`, ANSWER_MS);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function readNode({ nodeId, url }: LabNode): Promise<void> {
  try {
    const answer = await getJson<LabView>(`${url}/lab`, ANSWER_MS);
    withoutLab.delete(nodeId);
    labs.value = new Map(labs.peek()).set(nodeId, answer);
  } catch (error) {
    // Others keep what was known of them.
    if (!(error instanceof RefusedError)) return;
    withoutLab.add(nodeId);
    labs.value = new Map([...labs.peek()].filter(([id]) => id !== nodeId));
  }
}

/** Makes the requests one after the other, and says what was done, or what the lab refused. */
export async function run(done: string, ...calls: readonly LabCall[]): Promise<void> {
  labError.value = '';
  try {
    for (const { method, url, body } of calls) await send(method, url, body);
    announce(done);
  } catch (error) {
    labError.value = (error as Error).message;
  }
  await readLab();
}

export function curlOf({ method, url, body }: LabCall): string {
  return curlLine(method, url, body);
}

const post = (url: string, body?: unknown): LabCall => ({
  method: 'POST',
  url,
  ...(body === undefined ? {} : { body }),
});

/** One request for the whole cluster; without one, each node has to do its own part. */
function everywhere(path: string, body?: unknown): LabCall[] {
  const urls = lab.peek()?.cluster == null ? able().map(({ url }) => url) : [labUrl()];
  return urls.map((url) => post(`${url}/lab/${path}`, body));
}

/** Cuts one node off from all others. */
export function cutOff(nodeId: string): LabCall[] {
  const others = labNodes.peek().flatMap((node) => (node.nodeId === nodeId ? [] : [node.nodeId]));
  return everywhere('partition', { groups: [[nodeId], others] });
}

export const heal = (): LabCall[] => everywhere('heal');

export const reset = (): LabCall[] => everywhere('reset');

/** Delays what the asked node and another one say to each other. */
export function slow(nodeId: string, delayMs: number): LabCall {
  const url = `${labUrl()}/lab/links/${encodeURIComponent(nodeId)}`;
  return delayMs === 0 ? { method: 'DELETE', url } : post(url, { delayMs });
}

/** What is left out stays as it is. */
export function setMining(
  node: LabNode,
  settings: { readonly mode?: MiningMode; readonly hashRate?: number },
): LabCall {
  return post(`${node.url}/lab/mining`, settings);
}

export function mineOne(node: LabNode): LabCall {
  return post(`${node.url}/mine`);
}

export function process(nodeId: string, verb: ProcessVerb): LabCall {
  return post(`${labUrl()}/lab/nodes/${encodeURIComponent(nodeId)}/${verb}`);
}

/** All nodes together find a block in about this time. */
export function steady(seconds: number): LabCall[] {
  const hashes = 16 ** (home.peek()?.status?.difficulty ?? 0);
  const each = Math.max(1, Math.round(hashes / seconds / Math.max(1, able().length)));
  return able().map((node) => setMining(node, { mode: 'always', hashRate: each }));
}
