import type { Socket } from 'node:net';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { NodeConfig } from '../config/node-config.js';
import { useJsonBodies } from './body-parser.js';
import { HealthService } from './health.service.js';
import { serveOpenApi } from './openapi.js';
import { OpsMetrics } from './ops.metrics.js';
import { PROBLEM_MEDIA_TYPE, createProblem } from './problem.js';
import { ProblemFilter } from './problem-filter.js';
import { limitRate } from './rate-limit.js';
import { createValidationPipe } from './validation.js';
import { requireWriteToken } from './write-token.js';

/** A request must have come whole by then: a slow sender does not hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Above the minute that load balancers keep idle connections, so that it is they who close them. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_CONNECTIONS = 1_000;
/** Long enough for any id, so that a wrong one is told as such, and not as a bad route. */
const MAX_PARAMETER_CHARS = 1_024;

/** The HTTP server of a node; for NestFactory.create. */
export function createFastifyAdapter(config: NodeConfig, clock: Clock): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: config.http.bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS },
    frameworkErrors: answerUnroutable,
    clientErrorHandler: answerUnreadable,
  });
  adapter.getInstance().server.maxConnections = MAX_CONNECTIONS;
  const { rateLimitPerSecond } = config.http;
  if (rateLimitPerSecond > 0) limitRate(adapter.getInstance(), rateLimitPerSecond, clock);
  useJsonBodies(adapter, config.http.bodyLimitBytes);
  if (config.http.writeToken !== undefined) requireWriteToken(adapter.getInstance(), config.http.writeToken);
  return adapter;
}

/** All that REST needs before `app.init()` or `app.listen()`: errors, validation, CORS, metrics and /docs. */
export function configureHttp(app: NestFastifyApplication, config: NodeConfig, logger: Logger): void {
  const log = logger.child({ module: 'http' });
  const health = app.get(HealthService);
  app.useGlobalFilters(
    new ProblemFilter({
      bodyLimitBytes: config.http.bodyLimitBytes,
      log,
      onFault: (error) => {
        if (isStorageFault(error)) health.reportFault(error);
      },
    }),
  );
  app.useGlobalPipes(createValidationPipe());
  shareWithOrigins(app, config.http.corsOrigins);
  const metrics = app.get(OpsMetrics);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      metrics.observeRequest(
        request.method,
        request.routeOptions.url ?? 'none',
        reply.statusCode,
        reply.elapsedTime / 1000,
      );
      done();
    });
  serveOpenApi(app, config.http.writeToken !== undefined);
}

/**
 * Pages of other origins than these may neither read answers (CORS) nor write: as any Content-Type is taken for JSON,
 * a form on any page on the internet could else post to a node on the reader's own machine.
 */
function shareWithOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  const isOpen = origins.includes('*');
  if (origins.length > 0) {
    app.enableCors({
      origin: isOpen ? '*' : [...origins],
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      allowedHeaders: ['Content-Type', 'Authorization'],
      exposedHeaders: ['Retry-After'],
      maxAge: 600,
    });
  }
  if (!isOpen) app.enableCsrfProtection({ trustedOrigins: [...origins] });
}

function isStorageFault(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}

/** Answers a path that cannot be read: the router refuses it before there is a route, and so before our filter. */
function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const instance = request.url.split('?', 1)[0]!;
  const problem = createProblem({ status: error.statusCode ?? 400, code: 'bad-url', detail: error.message, instance });
  void reply.status(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
}

/** Answers what is no HTTP, or too slow, or has too much in its headers: before there is a request to speak of. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const problem = createProblem({ status, code: 'bad-http', detail: `not a request: ${error.message}`, instance: '' });
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${problem.title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
