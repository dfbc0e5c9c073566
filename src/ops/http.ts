import type { Socket } from 'node:net';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../common/clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { NodeConfig } from '../config/node-config.js';
import { labOrigins } from '../config/trusted-origins.js';
import { operationOf } from '../common/operation.js';
import { EventFeed } from '../events/event-feed.js';
import { logBrokenAnswers, sendInStreams } from './answer-streams.js';
import { useJsonBodies } from './body-parser.js';
import { guardAgainstPages, refuseOtherOrigins } from './cross-origin.js';
import { connectionsOf } from './descriptors.js';
import { refuseForeignHosts } from './foreign-host.js';
import { HttpConnections, answerAndClose } from './http-connections.js';
import { LAST_EVENT_HEADER, showLastEvent } from './last-event.js';
import { HealthService } from './health.service.js';
import { LongAnswers } from './long-answers.js';
import { serveOpenApi } from './openapi.js';
import { servePage } from './page.js';
import { OpsMetrics } from './ops.metrics.js';
import { PROBLEM_MEDIA_TYPE, createProblem } from './problem.js';
import { ProblemFilter } from './problem-filter.js';
import { refuseUnknownParameters } from './query-parameters.js';
import { limitRate } from './rate-limit.js';
import { RequestTurns, takeTurns } from './request-turns.js';
import { RouteTable } from './route-table.js';
import { ValidationPipe } from './validation.js';
import { requireWriteToken } from './write-token.js';

/** A request must be complete by then, so that a slow sender cannot hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** The head of a request must be complete by then. It counts from the first byte, or from the start of the connection. */
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 2_000;
/** Longer than the minute for which load balancers keep idle connections, so that they are the ones to close them. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** Long enough for any id, so that a wrong one is reported as a wrong id and not as a bad route. */
const MAX_PARAMETER_CHARS = 1_024;

/** The HTTP server of a node, for NestFactory.create, and the routes that it will have. */
export interface HttpServer {
  readonly adapter: FastifyAdapter;
  readonly routes: RouteTable;
  readonly connections: HttpConnections;
  readonly answers: LongAnswers;
}

export function createHttpServer(config: NodeConfig, clock: Clock): HttpServer {
  const { bodyLimitBytes, rateLimitPerSecond, corsOrigins, writeToken, maxConnectionsPerAddress } = config.http;
  const adapter = new FastifyAdapter({
    bodyLimit: bodyLimitBytes,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS },
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS },
    // HttpConnections answers in our own form.
    return503OnClosing: false,
    frameworkErrors: answerUnroutable,
    clientErrorHandler: answerUnreadable,
  });
  const instance = adapter.getInstance();
  const connections = new HttpConnections({ total: connectionsOf(config), perAddress: maxConnectionsPerAddress });
  connections.watch(instance);
  const turns = new RequestTurns();
  takeTurns(instance, turns);
  const answers = new LongAnswers(clock);
  sendInStreams(instance, answers);
  instance.addHook('onClose', (_instance, done) => {
    answers.close();
    done();
  });
  const routes = new RouteTable(instance);
  // Cheap and silent refusals first: what is wrong with a request is explained only to callers who may ask.
  if (rateLimitPerSecond > 0) limitRate(instance, rateLimitPerSecond, clock);
  const ofLab = labOrigins(config);
  if (!corsOrigins.includes('*')) refuseOtherOrigins(instance, [...corsOrigins, ...ofLab]);
  guardAgainstPages(instance, ofLab);
  refuseForeignHosts(instance, config);
  useJsonBodies(adapter, bodyLimitBytes, turns);
  if (writeToken !== undefined) requireWriteToken(instance, writeToken);
  refuseUnknownParameters(instance);
  return { adapter, routes, connections, answers };
}

/** Configures all that REST needs before `app.init()` or `app.listen()`: errors, validation, CORS, metrics and /docs. */
export function configureHttp(
  app: NestFastifyApplication,
  config: NodeConfig,
  routes: RouteTable,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): void {
  const log = new LogLimiter(logger.child({ module: 'http' }), clock);
  logBrokenAnswers(app.getHttpAdapter().getInstance(), log);
  const health = app.get(HealthService);
  app.useGlobalFilters(
    new ProblemFilter({
      bodyLimitBytes: config.http.bodyLimitBytes,
      methodsOf: (path) => routes.methodsOf(path),
      log,
      onFault: (error) => {
        if (isStorageFault(error)) health.reportFault(error);
      },
    }),
  );
  app.useGlobalPipes(new ValidationPipe());
  shareWithOrigins(app, [...config.http.corsOrigins, ...labOrigins(config)]);
  const instance = app.getHttpAdapter().getInstance();
  showLastEvent(instance, app.get(EventFeed));
  const metrics = app.get(OpsMetrics);
  instance.addHook('onResponse', (request, reply, done) => {
    const isStream = operationOf(request)?.isStream === true && reply.statusCode === 200;
    if (!isStream) {
      metrics.observeRequest(
        request.method,
        request.routeOptions.url ?? 'none',
        reply.statusCode,
        reply.elapsedTime / 1000,
      );
    }
    done();
  });
  servePage(instance, labOrigins(config));
  serveOpenApi(app, routes, config.http);
}

/** Lets pages of these origins read answers, and send the headers that writes need. */
function shareWithOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['Content-Type', 'Authorization', 'Last-Event-ID'],
    exposedHeaders: ['Retry-After', LAST_EVENT_HEADER],
    maxAge: 600,
    // Otherwise an OPTIONS that is not a preflight is answered with a 400 in plain text.
    strictPreflight: false,
  });
}

function isStorageFault(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}

/** Answers a path that cannot be read. The router refuses it before there is a route, so the filter never sees it. */
function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const instance = request.url.split('?', 1)[0]!;
  const problem = createProblem({ status: error.statusCode ?? 400, code: 'bad-url', detail: error.message, instance });
  void reply.status(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
}

/** Answers bytes that are not HTTP, requests that are too slow, and headers that are too long: there is no request yet. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400;
  const problem = createProblem({ status, code: 'bad-http', detail: `not a request: ${error.message}`, instance: '' });
  answerAndClose(socket, problem);
}
