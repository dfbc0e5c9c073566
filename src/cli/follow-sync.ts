import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../ops/status-schemas.js';
import { CliError, EXIT } from './exit.js';
import { describeSync } from './describe-sync.js';
import { NodeBusyError, type Answer, type NodeClient } from './node-client.js';
import { ProgressLine } from './progress-line.js';
import type { Terminal } from './terminal.js';

const POLL_MS = 250;
/** A node that has just started needs a moment to reach its peers. */
const PEERS_DEADLINE_MS = 15_000;
/** How long a node that has answered before may be gone. */
const RESTART_DEADLINE_MS = 30_000;

/**
 * Shows on stderr how far the node's sync is until it has the best chain of its peers, and returns its status then. A
 * node that knows no peers has nothing to wait for.
 * @throws CliError when it knows peers but cannot reach any of them, or does not come back from a restart.
 */
export async function followSync(client: NodeClient, terminal: Terminal): Promise<Answer<Status>> {
  const progress = new ProgressLine(terminal);
  const startedMs = performance.now();
  let answeredMs: number | undefined;
  let isAway = false;
  try {
    for (;;) {
      const answer = await client.ask('GET /status', {}).catch((error: unknown) => {
        const isRestarting = error instanceof NodeBusyError && answeredMs !== undefined;
        if (!isRestarting || performance.now() - answeredMs! > RESTART_DEADLINE_MS) throw error;
        progress.clear();
        if (!isAway) terminal.stderr.write(`minichain: ${error.reason}; still waiting\n`);
        isAway = true;
      });
      if (answer === undefined) {
        await sleep(POLL_MS);
        continue;
      }
      isAway = false;
      answeredMs = performance.now();
      const { sync, peers } = answer.body;
      const isSyncing = sync.state !== 'idle';
      if (!isSyncing && (peers.connected > 0 || peers.known === 0)) return answer;
      if (!isSyncing && performance.now() - startedMs > PEERS_DEADLINE_MS) {
        const hint = 'start them, or check bootstrap_nodes and `minichain peers`';
        throw new CliError(`the node cannot reach any of the peers it knows (${peers.known}): ${hint}`, EXIT.failed);
      }
      progress.show(isSyncing ? describeSync(answer.body) : 'waiting for a peer');
      await sleep(POLL_MS);
    }
  } finally {
    progress.clear();
  }
}
