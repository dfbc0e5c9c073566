import { tokenAfterRefusal, tokenOf } from './write-token.js';

/** Names the last event of the node before it wrote the answer. */
const LAST_EVENT_HEADER = 'X-Event-Id';

/** What a node answered to a request that it refused. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    /** The code of the problem, such as `not-found`. */
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * @param timeoutMs undefined: however long it takes.
 * @throws RefusedError, or another Error when the node cannot be reached or does not answer in time.
 */
export async function getJson<T>(url: string, timeoutMs?: number): Promise<T> {
  const signal = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
  return read<T>(await fetch(url, { headers: { Accept: 'application/json' }, signal }));
}

/** Writes; asks the reader for the write token where the node wants one. @throws as getJson */
export async function send<T>(method: 'POST' | 'DELETE', url: string, body?: unknown): Promise<T> {
  const { origin } = new URL(url);
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  for (;;) {
    const token = tokenOf(origin);
    const rights = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(url, { method, headers: { ...type, ...rights }, ...content });
    if (response.status !== 401) return read<T>(response);
    if ((await tokenAfterRefusal(origin, token)) === undefined) return read<T>(response);
  }
}

/** An answer, and the number of the last event that it is not older than. */
export interface Dated<T> {
  readonly body: T;
  readonly sequence: number;
}

/** As getJson, with the number of the last event that the answer is not older than. @throws as getJson */
export async function getSnapshot<T>(url: string): Promise<Dated<T>> {
  const response = await fetch(url);
  const body = await read<T>(response);
  return { body, sequence: sequenceOf(response.headers.get(LAST_EVENT_HEADER) ?? '') };
}

/** The running number in the id of an event, `<boot id>-<number>`; 0 where there is none. */
export function sequenceOf(eventId: string): number {
  return Number(eventId.slice(eventId.lastIndexOf('-') + 1)) || 0;
}

/** The bytes of a block or an entry. @throws as getJson */
export async function getBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) await read(response);
  return new Uint8Array(await response.arrayBuffer());
}

async function read<T>(response: Response): Promise<T> {
  const body = (await response.json()) as T & { code?: string; detail?: string };
  if (response.ok) return body;
  throw new RefusedError(response.status, body.code ?? 'unknown', body.detail ?? `status ${response.status}`);
}

/** The line that does the same in a terminal. It names the write token and does not show it. */
export function curlLine(method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown): string {
  const verb = method === 'GET' ? '' : ` -X ${method}`;
  const isPlain = /^[\w:/.-]+$/.test(url);
  const data = body === undefined ? '' : ` -H 'content-type: application/json' -d ${quote(JSON.stringify(body))}`;
  const token =
    method !== 'GET' && tokenOf(new URL(url).origin) !== undefined
      ? ' -H "Authorization: Bearer $MINICHAIN_HTTP_WRITE_TOKEN"'
      : '';
  return `curl -s${verb} ${isPlain ? url : quote(url)}${token}${data}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
