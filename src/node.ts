import 'reflect-metadata';
import { createServer } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { AppModule } from './app.module.js';
import { ChainService } from './chain/chain.service.js';
import { systemClock, type Clock } from './common/clock.js';
import { Faults } from './common/faults.js';
import type { ConnectionLimits } from './common/open-connections.js';
import { createLogger, nestLogger, type LogOutput, type Logger } from './common/logger.js';
import { systemRandom, type Random } from './common/random.js';
import { CLOCK, CONSENSUS_PARAMS, LOGGER, LOG_OUTPUT, NODE_CONFIG, RANDOM, REGISTRY } from './common/tokens.js';
import { formatAddress } from './config/address.js';
import { paramsOf } from './config/consensus-params.js';
import type { NodeConfig } from './config/node-config.js';
import { MempoolService } from './mempool/mempool.service.js';
import { MinerService } from './miner/miner.service.js';
import { grpcHealthHook } from './ops/grpc-health.js';
import { HealthService } from './ops/health.service.js';
import { configureHttp, createHttpServer } from './ops/http.js';
import { OpsMetrics } from './ops/ops.metrics.js';
import type { RpcServer } from './ops/rpc-server.js';
import { DIALER, type Dialer } from './peers/channel.js';
import { PEER_SERVICE, PEER_SERVICE_DEFINITION } from './peers/grpc-definition.js';
import { CLUSTER, type ClusterPort } from './lab/cluster-port.js';
import { expiryWarning } from './peers/certificate.js';
import { GRPC_OPTIONS, GrpcDialer, type DialerTls } from './peers/grpc-dialer.js';
import { GrpcConnections, MAX_STREAMS_PER_CONNECTION } from './peers/grpc-connections.js';
import { serverCredentials, watchHandshakes } from './peers/grpc-tls.js';
import { TlsRefusals } from './peers/tls-refusals.js';
import { PeersService } from './peers/peers.service.js';

/**
 * Connections that may wait to be accepted. A newcomer beyond them is not told so: it tries again after 1, 3 and 7 s. So a
 * burst must fit in. The system may allow fewer (Linux: 4,096).
 */
const LISTEN_BACKLOG = 4_096;

/** What a node is given from outside; a simulation puts its own in place of each. */
export interface NodeOverrides {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Where `logger` writes; without it, nothing is known of lines that it drops. */
  readonly logOutput?: LogOutput;
  readonly dialer?: Dialer;
  /** Whether other nodes can dial this one over gRPC (default true). Without, inbound channels come only by `peers.acceptInbound`. */
  readonly grpcServer?: boolean;
  /** Whoever runs this node and others, for the lab. */
  readonly cluster?: ClusterPort | undefined;
}

/** A whole node: its services, and the two ends of its life. */
export interface Node {
  readonly config: NodeConfig;
  readonly app: NestFastifyApplication;
  readonly chain: ChainService;
  readonly mempool: MempoolService;
  readonly miner: MinerService;
  readonly peers: PeersService;
  /** undefined unless `rpc.port` is set. */
  readonly rpc: RpcServer | undefined;
  /** Starts the node and opens its HTTP server, and its gRPC server unless it is to have none. */
  listen(): Promise<void>;
  /** Starts the node without any server: for simulations. */
  start(): Promise<void>;
  /** Ends sessions, servers and threads, then closes the database. */
  close(): Promise<void>;
}

/** Settings of one node, for injection everywhere. */
@Module({})
class EnvironmentModule {
  static with(providers: Provider[]): DynamicModule {
    return { module: EnvironmentModule, global: true, providers, exports: providers };
  }
}

/**
 * Makes a node: the one door for the program, the tests and the simulations.
 * @throws DataDirInUseError, DatabaseDamagedError, WrongNetworkError (see storage and chain).
 */
export async function createNode(settings: NodeConfig, overrides: NodeOverrides = {}): Promise<Node> {
  const { dialer, grpcServer: hasGrpcServer = true } = overrides;
  const config = hasGrpcServer ? await withFreeP2pPort(settings) : settings;
  const log = overrides.logger
    ? { logger: overrides.logger, output: overrides.logOutput ?? { linesDropped: 0 } }
    : createLogger(config.node);
  const logger = log.logger.child({ node: config.node.nodeId });
  const clock = overrides.clock ?? systemClock;
  const usesGrpc = hasGrpcServer || dialer === undefined;
  const tls = usesGrpc ? openTls(config, clock, logger) : undefined;
  const environment = EnvironmentModule.with([
    { provide: NODE_CONFIG, useValue: config },
    { provide: CONSENSUS_PARAMS, useValue: paramsOf(config) },
    { provide: CLOCK, useValue: clock },
    { provide: RANDOM, useValue: overrides.random ?? systemRandom },
    { provide: LOGGER, useValue: logger },
    { provide: LOG_OUTPUT, useValue: log.output },
    { provide: REGISTRY, useValue: registryOf(config) },
    Faults,
    { provide: CLUSTER, useFactory: () => overrides.cluster },
    { provide: DIALER, useValue: dialer ?? new GrpcDialer(tls) },
  ]);
  const { adapter, routes, connections, answers } = createHttpServer(config, clock);
  // Most nodes have none.
  const lab = config.lab.enabled ? [(await import('./lab/lab.module.js')).LabModule] : [];
  const imports = [environment, ...lab];
  const app = await NestFactory.create<NestFastifyApplication>({ module: AppModule, imports }, adapter, {
    logger: nestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  configureHttp(app, config, routes, { logger, clock });
  const rpc =
    config.rpc.port === undefined
      ? undefined
      : (await import('./ops/create-rpc.js')).createRpc(app, config, { logger, clock });
  const grpcConnections = new GrpcConnections(config.network.maxPeers, clock);
  const metrics = app.get(OpsMetrics);
  metrics.watchConnections({
    rest: connections.open,
    peers: grpcConnections.open,
    ...(rpc && { rpc: rpc.connections.open }),
  });
  metrics.watchLongAnswers(answers);
  const miner = app.get(MinerService);
  const peers = app.get(PeersService);
  // Miner and peers do not know each other; a node that still fetches blocks would only mine on old ones.
  peers.events.on('catchingUp', (isCatchingUp) => miner.setPaused('sync', isCatchingUp));
  return {
    config,
    app,
    chain: app.get(ChainService),
    mempool: app.get(MempoolService),
    miner,
    peers,
    rpc,
    async listen() {
      const health = app.get(HealthService);
      if (hasGrpcServer) {
        app.connectMicroservice(grpcOptions({ config, health, connections: grpcConnections, tls }), {
          inheritAppConfig: false,
        });
        await app.startAllMicroservices();
      }
      await app.listen({ port: config.node.httpPort, host: config.node.httpHost, backlog: LISTEN_BACKLOG });
      warnOfFewerConnections(config, connections.open.limits, logger);
      if (rpc !== undefined) logger.child({ module: 'rpc' }).info(`JSON-RPC listens on ${await rpc.listen()}`);
      health.setReady('listening', true);
    },
    async start() {
      await app.init();
    },
    async close() {
      connections.refuseRequests();
      // At once: each may have clients that take all the time there is.
      await Promise.all([app.close(), rpc?.close()]);
      grpcConnections.close();
    },
  };
}

/** Every series says whose it is: dashboards and alerts then work whatever scrapes the node, under whatever name. */
function registryOf(config: NodeConfig): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ node: config.node.nodeId });
  return registry;
}

/** What mTLS needs at run time; undefined when it is off. */
function openTls(config: NodeConfig, clock: Clock, logger: Logger): DialerTls | undefined {
  const { tls } = config.network;
  if (tls === undefined) return undefined;
  const log = logger.child({ module: 'peers' });
  const warning = expiryWarning(tls.cert, clock.nowMs());
  if (warning !== undefined) log.warn(warning);
  return { files: tls, refusals: new TlsRefusals(log, clock) };
}

/** Warns that the limit is lower than the configuration says. */
function warnOfFewerConnections({ http }: NodeConfig, { total }: ConnectionLimits, logger: Logger): void {
  if (total >= http.maxConnections) return;
  const text = `REST takes at most ${total} connections, not ${http.maxConnections}: this process may not open more files (ulimit -n)`;
  logger.child({ module: 'http' }).warn({ total, maxConnections: http.maxConnections }, text);
}

interface GrpcParts {
  readonly config: NodeConfig;
  readonly health: HealthService;
  readonly connections: GrpcConnections;
  readonly tls: DialerTls | undefined;
}

function grpcOptions({ config, health, connections, tls }: GrpcParts): GrpcOptions {
  const addHealth = grpcHealthHook(health, [PEER_SERVICE]);
  return {
    transport: Transport.GRPC,
    options: {
      url: formatAddress({ host: config.node.p2pHost, port: config.node.p2pPort }),
      package: 'minichain.v1',
      packageDefinition: { [PEER_SERVICE]: PEER_SERVICE_DEFINITION },
      // The server listens by now.
      onLoadPackageDefinition: (definition: unknown, server: Server) => {
        addHealth(definition, server);
        connections.watch(server);
        if (tls !== undefined) watchHandshakes(server, tls.refusals);
      },
      channelOptions: { ...GRPC_OPTIONS, 'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION },
      ...(tls === undefined ? {} : { credentials: serverCredentials(tls.files) }),
    },
  };
}

/** Port 0 is settled before anything starts, for the node has to advertise it. */
async function withFreeP2pPort(config: NodeConfig): Promise<NodeConfig> {
  if (config.node.p2pPort !== 0) return config;
  const p2pPort = await new Promise<number>((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, config.node.p2pHost, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  return Object.freeze({ ...config, node: Object.freeze({ ...config.node, p2pPort }) });
}
