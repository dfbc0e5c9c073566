import type { Clock } from '../../src/common/clock.js';
import type { Logger } from '../../src/common/logger.js';
import type { Random } from '../../src/common/random.js';
import { parseConfig } from '../../src/config/load-config.js';
import { createNode, type Node } from '../../src/node.js';
import type { Dialer } from '../../src/peers/channel.js';
import type { Dialect } from './dialects.js';

const PORT = 9000;

export interface SimNodeOptions {
  /** Names of nodes. */
  readonly bootstrap?: readonly string[];
  /** By default nothing is mined but on request. */
  readonly autoMine?: boolean;
  /** A directory, for a node that is to survive its death; by default the database dies with it. */
  readonly dataDir?: string;
  /** As `dataDir`, with a directory that is made for it and gone with the network. */
  readonly isDurable?: boolean;
  /** It can dial but not be dialled, and tells no address of its own. */
  readonly isBehindNat?: boolean;
  /** How far its wall clock is ahead of all others. */
  readonly clockOffsetMs?: number;
  /** Another version of the protocol that it speaks. */
  readonly dialect?: Dialect;
  /** More settings, as environment variables without their prefix: `NETWORK_MAX_PEERS`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What the simulation gives a node in place of the real things. */
export interface SimSurroundings {
  /** A directory or ':memory:'. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly dialer: Dialer;
  readonly logger: Logger;
}

/** Where a node of the simulation can be dialled. */
export function addressOf(name: string): string {
  return `${name}:${PORT}`;
}

/** A whole node, not started yet: proof of work costs next to nothing, and is done at once. */
export function createSimNode(name: string, options: SimNodeOptions, given: SimSurroundings): Promise<Node> {
  const { bootstrap = [], autoMine = false, isBehindNat = false, settings = {} } = options;
  const env = {
    NODE_NODE_ID: name,
    NODE_DATA_DIR: given.dataDir,
    // Behind NAT it says only that it listens on its own loopback, which is of no use to any other host.
    ...(isBehindNat ? {} : { NODE_ADVERTISED_ADDRESS: addressOf(name) }),
    NETWORK_BOOTSTRAP_NODES: bootstrap.map(addressOf).join(','),
    BLOCKCHAIN_DIFFICULTY: '0',
    BLOCKCHAIN_AUTO_MINE: String(autoMine),
    ...settings,
  };
  const config = parseConfig({
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [`MINICHAIN_${key}`, value])),
  });
  const { clock, random, dialer, logger } = given;
  return createNode(
    { ...config, blockchain: { ...config.blockchain, threads: 0 } },
    {
      clock,
      random,
      dialer,
      grpcServer: false,
      logger,
    },
  );
}
