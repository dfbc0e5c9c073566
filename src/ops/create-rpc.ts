import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Registry } from 'prom-client';
import { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { Faults } from '../common/faults.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import { REGISTRY } from '../common/tokens.js';
import { longAnswerTurns } from '../common/write-json.js';
import type { NodeConfig } from '../config/node-config.js';
import { chainCalls } from '../rpc/chain-calls.js';
import { RpcCredentials } from '../rpc/credentials.js';
import { RpcDispatcher } from '../rpc/rpc-dispatcher.js';
import { rpcMeter } from '../rpc/rpc.metrics.js';
import { RpcServer } from './rpc-server.js';

/** The JSON-RPC server of a node, with all calls that there are. */
export function createRpc(
  app: NestFastifyApplication,
  config: NodeConfig,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
): RpcServer {
  const log = new LogLimiter(logger.child({ module: 'rpc' }), clock);
  const faults = app.get(Faults);
  const calls = chainCalls(app.get(ChainService));
  const meter = rpcMeter(
    app.get<Registry>(REGISTRY),
    calls.map(({ method }) => method),
  );
  const onFault = (error: Error): void => faults.report(error);
  const dispatcher = new RpcDispatcher({ calls, turns: longAnswerTurns, meter, onFault });
  return new RpcServer({ config, dispatcher, openCredentials: () => new RpcCredentials(config), log, onFault });
}
