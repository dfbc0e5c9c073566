import type { NodeConfig } from './config/node-config.js';
import { createNode } from './node.js';
import { systemClock } from './common/clock.js';
import { leave } from './common/leave.js';
import { createLogger } from './common/logger.js';
import { IpcCluster } from './lab/ipc-cluster.js';
import { VERSION } from './common/version.js';

/** Shutting down takes longer than this only when something of this node hangs; then the process ends without it. */
const FORCED_EXIT_MS = 8_000;

/**
 * Runs one node in this process until SIGINT or SIGTERM, and resolves once it is closed. The process has to end then,
 * whatever still runs in it (see leave).
 * @throws whatever keeps a node from starting: a taken port, a data directory in use, another network's data.
 */
export async function runNode(config: NodeConfig): Promise<void> {
  const stopped = nextStopSignal();
  const { logger, output } = createLogger(config.node);
  process.once('exit', () => output.writeRest());
  const cluster = config.lab.enabled && process.connected ? new IpcCluster(process, systemClock) : undefined;
  const node = await createNode(config, { logger, logOutput: output, cluster });
  const log = logger.child({ node: config.node.nodeId, module: 'main' });
  try {
    await node.listen();
    const { nodeId, p2pHost, p2pPort } = node.config.node;
    const url = await node.app.getUrl();
    log.info(
      { version: VERSION, height: node.chain.tip.height, genesis: node.chain.genesis.hash },
      `${nodeId} is up: REST ${url}, peers ${p2pHost}:${p2pPort}`,
    );
    log.info(`Stopping on ${await stopped}`);
  } finally {
    const forced = setTimeout(() => {
      log.error('Shutdown hangs, leaving without it');
      output.writeRest();
      leave(1);
    }, FORCED_EXIT_MS).unref();
    await node.close();
    clearTimeout(forced);
  }
  log.info('Stopped');
}

/** Listens from the very start, so that a signal during start-up ends it cleanly too. */
function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
  });
}
