import type { NodeConfig } from './config/node-config.js';
import { createNode } from './node.js';
import { VERSION } from './common/version.js';
import { LOGGER } from './common/tokens.js';
import type { Logger } from './common/logger.js';

/** Shutting down takes longer than this only when something hangs; then the process ends without it. */
const FORCED_EXIT_MS = 8_000;
/** All is closed by then but lookups of names, which nothing can break off; process.exit() waits for them as well. */
const LINGER_MS = 2_000;

/**
 * Runs one node in this process until SIGINT or SIGTERM, and resolves once it is closed. The process has to end then; where a
 * DNS that does not answer holds it, the signal itself ends it soon after.
 * @throws whatever keeps a node from starting: a taken port, a data directory in use, another network's data.
 */
export async function runNode(config: NodeConfig): Promise<void> {
  const stopped = nextStopSignal();
  const node = await createNode(config);
  const log = node.app.get<Logger>(LOGGER).child({ module: 'main' });
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
      log.error('shutdown hangs, leaving without it');
      process.exit(1);
    }, FORCED_EXIT_MS).unref();
    await node.close();
    clearTimeout(forced);
  }
  log.info('Stopped');
  const signal = await stopped;
  setTimeout(() => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }, LINGER_MS).unref();
}

/** Listens from the very start, so that a signal during start-up ends it cleanly too. */
function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
  });
}
