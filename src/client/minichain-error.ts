/**
 * What went wrong where no node refused:
 * - `unreachable`: nobody answered. Whether a request arrived is not known.
 * - `timeout`: as `unreachable`, after the time for one request.
 * - `not-a-node`: what answered is not a minichain node.
 * - `bad-url`, `bad-token`: no request can be made with these.
 * - `other-id`: the node made another entry of a post than it was sent.
 * - `not-confirmed`: the time of a wait was up; `cause` is the last failure, if there was one.
 */
export type ClientCode =
  | 'unreachable'
  | 'timeout'
  | 'not-a-node'
  | 'bad-url'
  | 'bad-token'
  | 'other-id'
  | 'not-confirmed';

/** Statuses with which a node, or a proxy before it, says that it cannot at this moment. */
const BUSY = new Set([429, 502, 503, 504]);

export interface ErrorFacts {
  readonly code: string;
  readonly detail: string;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly problem?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** Every failure of the client. */
export class MinichainError extends Error {
  override readonly name = 'MinichainError';
  /** The code of the node's problem or of the broken rule, `http-<status>` for an answer without one, or a ClientCode. */
  readonly code: string;
  /** What is wrong, for people. Text of others: escape it before it is shown in a terminal. */
  readonly detail: string;
  /** The HTTP status; undefined when no node has refused. */
  readonly status: number | undefined;
  /** When to try again, as the node says. */
  readonly retryAfterMs: number | undefined;
  /** The whole body of the refusal (RFC 9457): facts about the problem stand beside the standard fields. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor({ code, detail, status, retryAfterMs, problem = {}, cause }: ErrorFacts) {
    super(`${detail} (${code})`, { cause });
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.problem = problem;
  }

  /** May the same request succeed later? */
  get isTransient(): boolean {
    if (this.status !== undefined) return BUSY.has(this.status);
    return this.code === 'unreachable' || this.code === 'timeout';
  }
}
