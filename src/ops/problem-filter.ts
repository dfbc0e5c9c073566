import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PassingFault } from '../common/faults.js';
import { HttpProblem } from '../common/http-problem.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import type { LogLimiter } from '../common/log-limiter.js';
import { clientOf } from '../config/client-address.js';
import { RuleError } from '../consensus/rule-error.js';
import { MempoolFullError } from '../mempool/mempool.service.js';
import { MineQueueFullError } from '../miner/mine-queue.js';
import { MinerStoppedError } from '../miner/miner.service.js';
import { isStorageFull } from '../storage/storage-errors.js';
import { RULE_STATUS } from './error-table.js';
import { PROBLEM_MEDIA_TYPE, createProblem, type ProblemFacts } from './problem.js';

/** How long mining takes depends on the difficulty alone, so this is a guess. */
const MINE_RETRY_SECONDS = 5;

interface Refusal extends Omit<ProblemFacts, 'instance'> {
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProblemFilterOptions {
  readonly bodyLimitBytes: number;
  readonly log: LogLimiter;
  /** Methods with which a path can be asked for; none for a path that is not known. */
  readonly methodsOf: (path: string) => readonly string[];
  /** Receives every error that is not the caller's. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Turns every error into a REST answer, as problem+json. The status is that of ops/error-table for a broken rule, its
 * own for a refusal, 507 when the disk is full, 503 for a damaged block or a passing fault (whoever met it has reported it), and 500 for any other fault, which is logged and shows no internals.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #options: ProblemFilterOptions;

  constructor(options: ProblemFilterOptions) {
    this.#options = options;
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw exception;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { headers, ...facts } = this.#refusalOf(exception, request);
    const instance = request.url.split('?', 1)[0]!;
    void reply
      .status(facts.status)
      .headers({ ...headers })
      .type(PROBLEM_MEDIA_TYPE)
      // As text: for another media type than JSON, Fastify leaves the encoding to us.
      .send(JSON.stringify(createProblem({ ...facts, instance })));
  }

  #refusalOf(exception: unknown, request: FastifyRequest): Refusal {
    if (exception instanceof RuleError) {
      const { code, message, data } = exception;
      return { status: RULE_STATUS[code].http, code, detail: message, data };
    }
    if (exception instanceof MempoolFullError) {
      return {
        status: 503,
        code: 'mempool-full',
        detail: `${exception.message}; try again in ${exception.retryAfterSeconds} s`,
        data: { retryAfterSeconds: exception.retryAfterSeconds },
        headers: { 'Retry-After': String(exception.retryAfterSeconds) },
      };
    }
    if (exception instanceof MineQueueFullError) {
      return {
        status: 503,
        code: 'mine-queue-full',
        detail: `${exception.message}; try again in ${MINE_RETRY_SECONDS} s`,
        data: { retryAfterSeconds: MINE_RETRY_SECONDS },
        headers: { 'Retry-After': String(MINE_RETRY_SECONDS) },
      };
    }
    if (exception instanceof MinerStoppedError) {
      return { status: 503, code: 'shutting-down', detail: exception.message };
    }
    if (exception instanceof BlockDamagedError) {
      const { height } = exception.node;
      return {
        status: 503,
        code: 'block-damaged',
        detail: `block ${height} is damaged on this node's disk; it is being fetched from a peer: try again, or ask another node`,
        headers: { 'Retry-After': '5' },
      };
    }
    if (exception instanceof PassingFault) {
      const { code, message, retryAfterSeconds } = exception;
      return {
        status: 503,
        code,
        detail: `nothing was stored: ${message}`,
        data: { retryAfterSeconds },
        headers: { 'Retry-After': String(retryAfterSeconds) },
      };
    }
    if (exception instanceof HttpProblem) return exception;
    if (exception instanceof HttpException && exception.getStatus() < 500) {
      return this.#refusalOfFramework(exception, request);
    }
    if (isHangUp(exception))
      return { status: 400, code: 'broken-off', detail: 'the connection closed before the request was complete' };
    const { method, url } = request;
    const host = clientOf(request.ip);
    this.#options.log.write(
      { level: 'error', kind: 'failed requests', host },
      { err: exception, method, url },
      'request failed',
    );
    this.#options.onFault(exception);
    if (isStorageFull(exception)) {
      return { status: 507, code: 'disk-full', detail: 'the disk of this node is full, so nothing was stored' };
    }
    return { status: 500, code: 'internal-error', detail: 'the node failed to answer; its log says why' };
  }

  #refusalOfFramework(exception: HttpException, request: FastifyRequest): Refusal {
    const status = exception.getStatus();
    switch (status) {
      // 403 comes from the files of /docs alone, for a path that leads out of their directory.
      case 403:
      case 404:
        return this.#refusalOfRoute(request);
      case 413:
        return {
          status,
          code: 'body-too-large',
          detail: `the body is longer than the ${this.#options.bodyLimitBytes} bytes that this node accepts`,
        };
      default:
        return { status, code: 'bad-request', detail: exception.message };
    }
  }

  #refusalOfRoute({ method, url }: FastifyRequest): Refusal {
    const path = url.split('?', 1)[0]!;
    const allowed = this.#options.methodsOf(path);
    if (allowed.length > 0 && !allowed.includes(method)) {
      return {
        status: 405,
        code: 'method-not-allowed',
        detail: `${path} does not support ${method}; it supports ${allowed.join(', ')}`,
        headers: { Allow: allowed.join(', ') },
      };
    }
    return { status: 404, code: 'not-found', detail: `there is no ${method} ${path}; /docs lists all routes` };
  }
}

/** The caller closed the connection before its request was complete: nobody reads the answer, and it is no fault of ours. */
function isHangUp(exception: unknown): boolean {
  return exception instanceof Error && 'code' in exception && exception.code === 'ECONNRESET';
}
