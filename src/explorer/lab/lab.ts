import { computed, signal } from '@preact/signals';
import { announce } from '../model/announce.js';
import { follow, home, HOME_URL, nodes } from '../model/network.js';
import { getJson, RefusedError, send, curlLine } from '../model/rest.js';

export interface LabNode {
  readonly nodeId: string;
  readonly url: string;
  /** `running`, or what else its process is. */
  readonly state: string;
}

/** GET /lab */
export interface Lab {
  readonly nodeId: string;
  readonly mining: { readonly mode: MiningMode; readonly hashRate: number };
  readonly groups: readonly (readonly string[])[] | null;
  readonly cluster: { readonly nodes: readonly LabNode[] } | null;
}

export type MiningMode = 'off' | 'entries' | 'always';

/** A request to the lab, which a button stands for. */
export interface LabCall {
  readonly method: 'POST' | 'DELETE';
  readonly url: string;
  readonly body?: unknown;
}

/** The processes of a cluster say nothing on their own. */
const POLL_MS = 2_000;

/** Undefined where the lab is off. */
export const lab = signal<Lab | undefined>(undefined);
export const labError = signal('');
/** The request of the button that the reader is at. */
export const shownCall = signal<LabCall | undefined>(undefined);

export const labNodes = computed<readonly LabNode[]>(() => {
  const known = lab.value?.cluster?.nodes;
  if (known !== undefined) return known;
  const { nodeId, url } = home.value ?? { nodeId: '', url: HOME_URL };
  return nodeId === '' ? [] : [{ nodeId, url, state: 'running' }];
});

/** Asks for the lab; where it is off, never again. Follows the nodes that it knows. */
export async function watchLab(): Promise<void> {
  try {
    await readLab();
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return;
  }
  setTimeout(() => void watchLab(), POLL_MS);
}

/** This node's lab, or, while it is down, that of another one. */
function labUrl(): string {
  if (home.peek()?.link !== 'down') return HOME_URL;
  return nodes.peek().find(({ link }) => link === 'live')?.url ?? HOME_URL;
}

async function readLab(): Promise<void> {
  const answer = await getJson<Lab>(`${labUrl()}/lab`);
  lab.value = answer;
  follow(answer.cluster?.nodes.map(({ url }) => url) ?? []);
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
  await readLab().catch(() => undefined);
}

export function curlOf({ method, url, body }: LabCall): string {
  return curlLine(method, url, body);
}

const post = (url: string, body?: unknown): LabCall => ({
  method: 'POST',
  url,
  ...(body === undefined ? {} : { body }),
});

/** Cuts one node off from all others. */
export function cutOff(nodeId: string): LabCall {
  const others = labNodes.peek().flatMap((node) => (node.nodeId === nodeId ? [] : [node.nodeId]));
  return post(`${labUrl()}/lab/partition`, { groups: [[nodeId], others] });
}

export function heal(): LabCall {
  return post(`${labUrl()}/lab/heal`);
}

export function reset(): LabCall {
  return post(`${labUrl()}/lab/reset`);
}

/** Delays what this node and another one say to each other. */
export function slow(nodeId: string, delayMs: number): LabCall {
  const url = `${labUrl()}/lab/links/${encodeURIComponent(nodeId)}`;
  return delayMs === 0 ? { method: 'DELETE', url } : post(url, { delayMs });
}

export function setMining(node: LabNode, mode: MiningMode, hashRate?: number): LabCall {
  return post(`${node.url}/lab/mining`, { mode, ...(hashRate === undefined ? {} : { hashRate }) });
}

export function mineOne(node: LabNode): LabCall {
  return post(`${node.url}/mine`);
}

export function process(nodeId: string, what: 'kill' | 'start'): LabCall {
  return post(`${labUrl()}/lab/nodes/${encodeURIComponent(nodeId)}/${what}`);
}

/** All nodes together find a block in about this time. */
export function steady(seconds: number): LabCall[] {
  const hashes = 16 ** (home.peek()?.status?.difficulty ?? 0);
  const running = labNodes.peek().filter(({ state }) => state === 'running');
  const each = Math.max(1, Math.round(hashes / seconds / Math.max(1, running.length)));
  return running.map((node) => setMining(node, 'always', each));
}
