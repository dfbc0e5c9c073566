import { printable } from './format.js';
import { CliError, EXIT } from './exit.js';

/** Reading answers from the node's memory or its SQLite: far below this even on a busy machine. */
const TIMEOUT_MS = 10_000;
const MAX_SHOWN_DETAIL = 500;

export const DEFAULT_URL = 'http://127.0.0.1:8091';

/** A body as it came, and what it says. */
export interface Answer<T> {
  readonly text: string;
  readonly body: T;
}

/** A node's REST API. What goes wrong becomes a CliError that says what to do. */
export class NodeClient {
  readonly #url: string;
  readonly #token: string | undefined;

  /** @throws CliError (usage) when `url` is not the address of an HTTP server. */
  constructor(url: string, token: string | undefined) {
    this.#url = parseNodeUrl(url);
    this.#token = token;
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

  async #request<T>(
    method: string,
    path: string,
    body: string | undefined,
    timeoutMs: number | undefined,
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url + path, {
        method,
        headers,
        body: body ?? null,
        signal: timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      throw this.#unreachable(error, timeoutMs);
    }
    const parsed = parseJson(text);
    if (!response.ok) throw refusal(response, parsed);
    if (parsed === undefined) throw this.#stranger();
    return { text, body: parsed as T };
  }

  #unreachable(error: unknown, timeoutMs: number | undefined): CliError {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return new CliError(`the node at ${this.#url} did not answer within ${timeoutMs! / 1000} s`, EXIT.unreachable);
    }
    return new CliError(
      `no node reachable at ${this.#url} (${reasonOf(error)}): start one with \`npm start\` or ` +
        '`npx minichain start --config config/node1.toml`, or say where it is with --url',
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

function refusal(response: Response, problem: unknown): CliError {
  const { detail, title, code } = (problem ?? {}) as Record<string, unknown>;
  const isSentence = (text: unknown): text is string => typeof text === 'string' && text !== '';
  const sentence = [detail, title, response.statusText].find(isSentence) ?? 'no reason given';
  const facts = [typeof code === 'string' ? printable(code, 64) : '', `HTTP ${response.status}`].filter(Boolean);
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  const hint =
    response.status === 401
      ? '; give it with --token or in MINICHAIN_TOKEN'
      : retryAfter > 0
        ? `; try again in ${retryAfter} s`
        : '';
  return new CliError(
    `the node refused: ${printable(sentence, MAX_SHOWN_DETAIL)} (${facts.join(', ')})${hint}`,
    EXIT.failed,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost reason: fetch hides it in causes, and a name with several addresses hides it in an AggregateError. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return reasonOf(error.cause);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host name';
  return code ?? (error instanceof Error ? error.message : String(error));
}
