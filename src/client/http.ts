import { connectionReason } from './connection-reason.js';
import { MinichainError } from './minichain-error.js';

/** Reading answers from the node's memory or its SQLite: far below this even on a busy machine. */
const TIMEOUT_MS = 10_000;
/** Names the last event of the node before it wrote the answer. */
const LAST_EVENT_HEADER = 'x-event-id';

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly redirect: 'manual';
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface FetchAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
  arrayBuffer(): Promise<ArrayBuffer | Uint8Array>;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export interface HttpOptions {
  /** The node's write token, if it has one. */
  readonly token?: string | undefined;
  /** By default `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** For one request; Infinity: as long as it takes. By default 10 s. */
  readonly timeoutMs?: number | undefined;
}

export interface RequestOptions {
  /** Ends the request; what is thrown is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** For this request; Infinity: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/** What a node answered. */
export interface Answer<T> {
  readonly body: T;
  /** The body as it came. */
  readonly text: string;
  /** Reads only: id of the newest event when the request came. Events after it may not be in the answer. */
  readonly eventId: string | undefined;
}

/** Requests to the REST API of one node. What goes wrong becomes a MinichainError. */
export class Http {
  /** Without a slash at its end. */
  readonly url: string;
  readonly #token: string | undefined;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;

  /** @throws MinichainError `bad-url`, `bad-token` */
  constructor(url: string, { token, fetch, timeoutMs = TIMEOUT_MS }: HttpOptions = {}) {
    if (token !== undefined && !/^[\x20-\x7e\xa0-\xff]*$/.test(token)) {
      throw new MinichainError({ code: 'bad-token', detail: 'no token has such characters' });
    }
    this.url = parseUrl(url);
    this.#token = token;
    this.#fetch = fetch ?? ((address, init) => globalThis.fetch(address, init));
    this.#timeoutMs = timeoutMs;
  }

  /** @throws MinichainError */
  async json<T>(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer<T>> {
    const { bytes, headers } = await this.#exchange(method, path, body, options);
    const text = new TextDecoder().decode(bytes);
    const parsed = parseJson(text);
    if (parsed === undefined) throw this.#stranger();
    return { text, body: parsed as T, eventId: headers.get(LAST_EVENT_HEADER) ?? undefined };
  }

  /** An answer that is not JSON, or too long to be read as text. @throws MinichainError */
  async bytes(path: string, options: RequestOptions = {}): Promise<Uint8Array> {
    return (await this.#exchange('GET', path, undefined, options)).bytes;
  }

  /** @throws MinichainError */
  async text(path: string, options: RequestOptions = {}): Promise<string> {
    return new TextDecoder().decode(await this.bytes(path, options));
  }

  /** An answer that goes on until one side ends it; only its beginning has a time limit. @throws MinichainError */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#within({ signal }, (joint) => this.#open('GET', path, undefined, joint));
    if (body === null) throw this.#stranger();
    return body;
  }

  async #exchange(
    method: string,
    path: string,
    body: unknown,
    options: RequestOptions,
  ): Promise<{ bytes: Uint8Array; headers: FetchAnswer['headers'] }> {
    return this.#within(options, async (signal) => {
      const answer = await this.#open(method, path, body, signal);
      return { bytes: new Uint8Array(await answer.arrayBuffer()), headers: answer.headers };
    });
  }

  /** @throws MinichainError `timeout`, `unreachable`, or what `request` throws; the reason of the signal once it is aborted. */
  async #within<T>(
    { signal, timeoutMs = this.#timeoutMs }: RequestOptions,
    request: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    // Not AbortSignal.timeout(): joined with another signal, it may be collected before it fires.
    const late = new AbortController();
    const timer = timeoutMs === Infinity ? undefined : setTimeout(() => late.abort(), timeoutMs);
    const joint = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    try {
      return await request(joint);
    } catch (error) {
      signal?.throwIfAborted();
      if (late.signal.aborted) {
        const detail = `the node at ${this.url} did not answer within ${Math.ceil(timeoutMs) / 1_000} s`;
        throw new MinichainError({ code: 'timeout', detail });
      }
      throw error instanceof MinichainError ? error : this.#unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(method: string, path: string, body: unknown, signal: AbortSignal): Promise<FetchAnswer> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    // No node redirects.
    const init = { method, headers, redirect: 'manual', signal, ...content } as const;
    const answer = await this.#fetch(this.url + path, init);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    const text = new TextDecoder().decode(await answer.arrayBuffer());
    throw refusal(answer, parseJson(text));
  }

  #unreachable(cause: unknown): MinichainError {
    const detail = `no node reachable at ${this.url} (${connectionReason(cause)})`;
    return new MinichainError({ code: 'unreachable', detail, cause });
  }

  #stranger(): MinichainError {
    return new MinichainError({ code: 'not-a-node', detail: `what answers at ${this.url} is not a minichain node` });
  }
}

function parseUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password) {
    return url.href.replace(/\/+$/, '');
  }
  const detail = `the address of a node is like http://127.0.0.1:8091, got ${JSON.stringify(text)}`;
  throw new MinichainError({ code: 'bad-url', detail });
}

function refusal({ status, statusText, headers }: FetchAnswer, body: unknown): MinichainError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const isSentence = (text: unknown): text is string => typeof text === 'string' && text !== '';
  const detail = [problem['detail'], problem['title'], statusText].find(isSentence) ?? 'no reason given';
  const code = isSentence(problem['code']) ? problem['code'] : `http-${status}`;
  const location = headers.get('location');
  return new MinichainError({
    code,
    detail: location === null ? detail : `${detail}; it points to ${location}`,
    status,
    retryAfterMs: retryAfter(headers.get('retry-after')),
    problem,
  });
}

/** A number of seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return ms >= 0 ? ms : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
