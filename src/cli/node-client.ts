import { Http, type Answer, type HttpOptions } from '../client/http.js';
import { MinichainClient } from '../client/minichain-client.js';
import { MinichainError } from '../client/minichain-error.js';
import { CliError, EXIT, type ExitCode } from './exit.js';
import { printable } from './format.js';
import { nodeFetch } from './node-fetch.js';

const MAX_SHOWN_DETAIL = 500;

export const DEFAULT_URL = 'http://127.0.0.1:8091';

export type { Answer };

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

/** A node's REST API, for commands: what goes wrong becomes a CliError that says what to do. */
export class NodeClient {
  readonly #http: Http;
  readonly #api: MinichainClient;

  /** @throws CliError (usage) when `url` is not the address of an HTTP server. */
  constructor(url: string, token: string | undefined) {
    const options: HttpOptions = { token, fetch: nodeFetch };
    try {
      this.#http = new Http(url, options);
      this.#api = new MinichainClient(url, options);
    } catch (error) {
      if (!(error instanceof MinichainError)) throw error;
      if (error.code === 'bad-token')
        throw new CliError(`${error.detail}: check --token or MINICHAIN_TOKEN`, EXIT.usage);
      throw new CliError(`--url must be like ${DEFAULT_URL}, got ${JSON.stringify(url)}`, EXIT.usage);
    }
  }

  /** The address of the node's REST API. */
  get url(): string {
    return this.#http.url;
  }

  /** Lets `use` call the client library. @throws CliError */
  async call<T>(use: (api: MinichainClient) => Promise<T>): Promise<T> {
    try {
      return await use(this.#api);
    } catch (error) {
      throw error instanceof MinichainError ? toCliError(error) : error;
    }
  }

  get<T>(path: string, timeoutMs?: number): Promise<Answer<T>> {
    return this.call(() => this.#http.json<T>('GET', path, undefined, { timeoutMs }));
  }

  /** `timeoutMs`: Infinity = as long as the node takes. */
  post<T>(path: string, body: unknown, timeoutMs?: number): Promise<Answer<T>> {
    return this.call(() => this.#http.json<T>('POST', path, body, { timeoutMs }));
  }

  delete<T>(path: string): Promise<Answer<T>> {
    return this.call(() => this.#http.json<T>('DELETE', path));
  }

  /** An answer that is not JSON, or too long to be read as text. `timeoutMs` as for post. */
  async getBytes(path: string, timeoutMs?: number): Promise<Buffer> {
    return Buffer.from(await this.call(() => this.#http.bytes(path, { timeoutMs })));
  }
}

/** The error of the client library as a command reports it. */
export function toCliError(error: MinichainError): CliError {
  const detail = printable(error.detail, MAX_SHOWN_DETAIL);
  if (error.status !== undefined) return refusal(error, detail);
  if (error.code === 'not-a-node') return new CliError(`${detail}: check --url`, EXIT.failed);
  if (error.code === 'timeout') return new NodeBusyError(detail, '', EXIT.unreachable);
  if (error.code !== 'unreachable') return new CliError(`${detail} (${error.code})`, EXIT.failed);
  return new NodeBusyError(
    detail,
    ': start one with `npm start` or `npx minichain start --config config/node1.toml`, or say where it is with --url',
    EXIT.unreachable,
  );
}

/** What went wrong, without what to do about it. */
export function reasonOf(error: MinichainError): string {
  const reported = toCliError(error);
  return reported instanceof NodeBusyError ? reported.reason : reported.message;
}

function refusal({ status, code, retryAfterMs = 0, isTransient }: MinichainError, detail: string): CliError {
  const facts = [code === `http-${status}` ? '' : printable(code, 64), `HTTP ${status}`].filter(Boolean);
  const message = `the node refused: ${detail} (${facts.join(', ')})`;
  if (isTransient) {
    const hint = retryAfterMs > 0 ? `; try again in ${Math.ceil(retryAfterMs / 1_000)} s` : '';
    return new NodeBusyError(message, hint, EXIT.failed);
  }
  if (status === 401) return new CliError(`${message}; give it with --token or in MINICHAIN_TOKEN`, EXIT.failed);
  const isRedirect = status! >= 300 && status! <= 399;
  return new CliError(isRedirect ? `${message}: check --url` : message, EXIT.failed);
}
