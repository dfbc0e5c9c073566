import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { isLoopback } from '../config/address.js';
import { printable } from './format.js';
import { CliError, EXIT, type ExitCode } from './exit.js';

/** Reading answers from the node's memory or its SQLite: far below this even on a busy machine. */
const TIMEOUT_MS = 10_000;
const MAX_SHOWN_DETAIL = 500;

export const DEFAULT_URL = 'http://127.0.0.1:8091';

/** A body as it came, and what it says. */
export interface Answer<T> {
  readonly text: string;
  readonly body: T;
}

/** The node did not answer, or says that it cannot at this moment: the same request may succeed later. */
export class NodeBusyError extends CliError {
  /** @param reason the message without its hint. */
  constructor(
    readonly reason: string,
    hint: string,
    exitCode: ExitCode,
  ) {
    super(reason + hint, exitCode);
  }
}

/**
 * A node's REST API. What goes wrong becomes a CliError that says what to do. It uses node:http: `fetch` refuses ports
 * that the web reserves (10080, 6000, 5060...), and nodes may use any.
 */
export class NodeClient {
  readonly #url: string;
  readonly #token: string | undefined;
  /** For this machine one without a proxy, whatever NODE_USE_ENV_PROXY says. Elsewhere Node's own. */
  readonly #agent: Agent | undefined;

  /** @throws CliError (usage) when `url` is not the address of an HTTP server. */
  constructor(url: string, token: string | undefined) {
    this.#url = parseNodeUrl(url);
    this.#token = token;
    const { protocol, hostname } = new URL(this.#url);
    const isDirect = protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''));
    this.#agent = isDirect ? new Agent({ keepAlive: true }) : undefined;
  }

  /** The address of the node's REST API. */
  get url(): string {
    return this.#url;
  }

  get<T>(path: string, timeoutMs = TIMEOUT_MS): Promise<Answer<T>> {
    return this.#request<T>('GET', path, undefined, timeoutMs);
  }

  /** `timeoutMs`: undefined = as long as the node takes. */
  post<T>(path: string, body: unknown, timeoutMs: number | undefined = TIMEOUT_MS): Promise<Answer<T>> {
    return this.#request<T>('POST', path, JSON.stringify(body), timeoutMs);
  }

  delete<T>(path: string): Promise<Answer<T>> {
    return this.#request<T>('DELETE', path, undefined, TIMEOUT_MS);
  }

  /** An answer that is not JSON, or too long to be read as text. `timeoutMs` as for post. */
  getBytes(path: string, timeoutMs: number | undefined = TIMEOUT_MS): Promise<Buffer> {
    return this.#exchange('GET', path, undefined, timeoutMs);
  }

  async #request<T>(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number | undefined,
  ): Promise<Answer<T>> {
    const text = (await this.#exchange(method, path, body, timeoutMs)).toString('utf8');
    const parsed = parseJson(text);
    if (parsed === undefined) throw this.#stranger();
    return { text, body: parsed as T };
  }

  async #exchange(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number | undefined,
  ): Promise<Buffer> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const options = { method, headers, ...(this.#agent && { agent: this.#agent }), ...(signal && { signal }) };
    let response: IncomingMessage;
    let bytes: Buffer;
    try {
      response = await send(this.#url + path, options, body);
      bytes = await buffer(response);
    } catch (error) {
      if (signal?.aborted) {
        const reason = `the node at ${this.#url} did not answer within ${timeoutMs! / 1000} s`;
        throw new NodeBusyError(reason, '', EXIT.unreachable);
      }
      throw this.#unreachable(error);
    }
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode > 299) throw refusal(response, parseJson(bytes.toString('utf8')));
    return bytes;
  }

  #unreachable(error: unknown): CliError {
    if ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR') {
      return new CliError('no token has such characters: check --token or MINICHAIN_TOKEN', EXIT.usage);
    }
    return new NodeBusyError(
      `no node reachable at ${this.#url} (${reasonOf(error)})`,
      ': start one with `npm start` or `npx minichain start --config config/node1.toml`, ' +
        'or say where it is with --url',
      EXIT.unreachable,
    );
  }

  #stranger(): CliError {
    return new CliError(`what answers at ${this.#url} is not a minichain node: check --url`, EXIT.failed);
  }
}

/** @throws CliError (usage) */
export function parseNodeUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) {
    throw new CliError(`--url must be like ${DEFAULT_URL}, got ${JSON.stringify(text)}`, EXIT.usage);
  }
  return url.href.replace(/\/+$/, '');
}

/** Resolves with the answer, whose body is still to be read. Redirects are not followed: no node sends any. */
async function send(
  url: string,
  options: Omit<RequestOptions, 'headers'> & { readonly headers: Record<string, string> },
  body: string | undefined,
): Promise<IncomingMessage> {
  const { request } = url.startsWith('https:') ? await import('node:https') : { request: httpRequest };
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body, 'utf8');
    const length = bytes === undefined ? {} : { 'content-length': String(bytes.length) };
    const outgoing = request(url, { ...options, headers: { ...options.headers, ...length } }, resolve);
    outgoing.once('error', reject).end(bytes);
  });
}

function refusal({ statusCode, statusMessage, headers }: IncomingMessage, problem: unknown): CliError {
  const { detail, title, code } = (problem ?? {}) as Record<string, unknown>;
  const isSentence = (text: unknown): text is string => typeof text === 'string' && text !== '';
  const sentence = [detail, title, statusMessage].find(isSentence) ?? 'no reason given';
  const facts = [typeof code === 'string' ? printable(code, 64) : '', `HTTP ${statusCode}`].filter(Boolean);
  const message = `the node refused: ${printable(sentence, MAX_SHOWN_DETAIL)} (${facts.join(', ')})`;
  const retryAfter = Number(headers['retry-after'] ?? NaN);
  if (retryAfter > 0) return new NodeBusyError(message, `; try again in ${retryAfter} s`, EXIT.failed);
  if (statusCode === 401) return new CliError(`${message}; give it with --token or in MINICHAIN_TOKEN`, EXIT.failed);
  const { location } = headers;
  const hint = location === undefined ? '' : `; it points to ${printable(location, MAX_SHOWN_DETAIL)}: check --url`;
  return new CliError(message + hint, EXIT.failed);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost reason: a name with several addresses hides it in an AggregateError. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host name';
  return code ?? (error instanceof Error ? error.message : String(error));
}
