import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import type { Logger } from '../common/logger.js';
import { RuleError } from '../consensus/rule-error.js';
import { MempoolFullError } from '../mempool/mempool.service.js';
import { MinerStoppedError } from '../miner/miner.service.js';
import { isStorageFull } from '../storage/storage-errors.js';
import { RULE_STATUS } from './error-table.js';
import { PROBLEM_MEDIA_TYPE, createProblem, type ProblemFacts } from './problem.js';

interface Refusal extends Omit<ProblemFacts, 'instance'> {
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProblemFilterOptions {
  readonly bodyLimitBytes: number;
  readonly log: Logger;
  /** Told of every error that is not the caller's. */
  readonly onFault: (error: unknown) => void;
}

/**
 * The one way from an error to a REST answer: problem+json with the status of ops/error-table for a broken rule, with
 * its own for a refusal, 507 when the disk is full, and 500 without any internals for a fault, which is logged.
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
    if (exception instanceof MinerStoppedError) {
      return { status: 503, code: 'shutting-down', detail: exception.message };
    }
    if (exception instanceof HttpProblem) return exception;
    if (exception instanceof HttpException && exception.getStatus() < 500) {
      return this.#refusalOfFramework(exception, request);
    }
    if (isHangUp(exception)) return { status: 400, code: 'broken-off', detail: 'the request broke off before its end' };
    this.#options.log.error({ err: exception, method: request.method, url: request.url }, 'request failed');
    this.#options.onFault(exception);
    if (isStorageFull(exception)) {
      return { status: 507, code: 'disk-full', detail: 'the disk of this node is full: nothing was stored' };
    }
    return { status: 500, code: 'internal-error', detail: 'the node failed to answer; its log says why' };
  }

  #refusalOfFramework(exception: HttpException, request: FastifyRequest): Refusal {
    const status = exception.getStatus();
    switch (status) {
      case 403:
        return { status, code: 'cross-origin', detail: `${exception.message}; see http.cors_origins in the config` };
      case 404:
        return {
          status,
          code: 'not-found',
          detail: `there is no ${request.method} ${request.url.split('?', 1)[0]} here; /docs lists what there is`,
        };
      case 413:
        return { status, code: 'body-too-large', detail: `the body is over ${this.#options.bodyLimitBytes} bytes` };
      default:
        return { status, code: 'bad-request', detail: exception.message };
    }
  }
}

/** The caller is gone before its request was whole: nobody reads the answer, and it is no fault of ours. */
function isHangUp(exception: unknown): boolean {
  return exception instanceof Error && 'code' in exception && exception.code === 'ECONNRESET';
}
