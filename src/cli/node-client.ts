import type { EventsOptions, ReceivedEvent } from '../client/events.js';
import type { Answer, RequestOptions } from '../client/http.js';
import { MinichainClient } from '../client/minichain-client.js';
import { MinichainError } from '../client/minichain-error.js';
import type { AnswerOf, InputOf, Route } from '../client/routes.js';
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
  readonly #api: MinichainClient;

  /** @throws CliError (usage) when `url` is not the address of an HTTP server. */
  constructor(url: string, token: string | undefined) {
    try {
      this.#api = new MinichainClient(url, { token, fetch: nodeFetch });
    } catch (error) {
      if (!(error instanceof MinichainError)) throw error;
      if (error.code === 'bad-token')
        throw new CliError(`${error.detail}: check --token or MINICHAIN_TOKEN`, EXIT.usage);
      throw new CliError(`--url must be like ${DEFAULT_URL}, got ${JSON.stringify(url)}`, EXIT.usage);
    }
  }

  /** The address of the node's REST API. */
  get url(): string {
    return this.#api.url;
  }

  /** Lets `use` call the client library. @throws CliError */
  async call<T>(use: (api: MinichainClient) => Promise<T>): Promise<T> {
    try {
      return await use(this.#api);
    } catch (error) {
      throw error instanceof MinichainError ? toCliError(error) : error;
    }
  }

  /** Any route that answers JSON. @throws CliError */
  ask<R extends Route>(route: R, input: InputOf<R>, options?: RequestOptions): Promise<Answer<AnswerOf<R>>> {
    return this.call((api) => api.ask(route, input, options));
  }

  /** As in the client library. */
  events(options: EventsOptions): AsyncGenerator<ReceivedEvent, void, void> {
    return this.#api.events(options);
  }
}

/** What a method of the client library gave, for commands that print answers. */
export function asAnswer<T>(body: T): Answer<T> {
  return { body, text: JSON.stringify(body), eventId: undefined };
}

/** The error of the client library as a command reports it; its `cause` is that error. */
export function toCliError(error: MinichainError): CliError {
  return Object.assign(reportOf(error), { cause: error });
}

function reportOf(error: MinichainError): CliError {
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
