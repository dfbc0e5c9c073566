import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import {
  accept,
  acceptBatch,
  mineChain,
  mineOn,
  openChain,
  silentLog,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { MemoryNetwork } from '../../test/support/memory-network.js';
import { linkTo, serving, type PeerLink } from '../../test/support/scripted-peer.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { ChainMetrics } from '../chain/chain.metrics.js';
import { Faults } from '../common/faults.js';
import { ChainService } from '../chain/chain.service.js';
import { linkHeader, type BlockNode } from '../consensus/block-tree.js';
import { BLOCK_VERSION, createParams, type ConsensusParams } from '../consensus/params.js';
import { encodeHeader, hashHeader } from '../consensus/header.js';
import { nextBits } from '../consensus/retarget.js';
import { isHashBelowTarget } from '../consensus/target.js';
import { openDatabase, type Database } from '../storage/database.js';
import { MAX_RUN_HEADERS } from './header-sync.js';
import { PeerStore } from './peer.store.js';
import type { Peer } from './peer.js';
import { Scoring } from './scoring.js';
import type { HandlerTable } from './session.js';
import { Sync } from './sync.js';
import { LIMITS, decodeTip, encodeTip } from './wire.js';

const MINUTE_MS = 60_000;

describe('Sync with a peer whose branch we refuse', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let theirs: TestChain;
  let database: Database;
  let registry: Registry;
  let chain: ChainService;
  let sync: Sync;
  let links: PeerLink[];
  let blamed: string[];
  let warnings: Record<string, unknown>[];
  beforeEach(() => {
    clock = new VirtualClock();
    net = new MemoryNetwork(clock, new SeededRandom(1));
    theirs = openChain({ clock });
    database = openDatabase(':memory:', silentLog);
    [links, blamed, warnings] = [[], [], []];
  });
  afterEach(() => {
    sync.stop();
    theirs.close();
    database.close();
  });

  /** Our node, with settings of its own. */
  const open = (params: ConsensusParams): void => {
    registry = new Registry();
    const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(JSON.parse(line)) });
    chain = new ChainService(
      database,
      params,
      clock,
      log,
      new Faults(log, registry),
      new ChainMetrics(registry, clock),
    );
    sync = new Sync(chain, clock, log, {
      peers: () => links.map(({ peer }) => peer),
      blame: (peer: Peer, { code }) => void blamed.push(code),
      tooNew: () => {},
      stateChanged: () => {},
      catchingUpChanged: () => {},
    });
  };
  const add = (handlers: HandlerTable, tip: BlockNode | PeerLink['peer']['tip']): PeerLink => {
    const link = linkTo(net, 'them', handlers, tip);
    links.push(link);
    return link;
  };
  const refusals = async (): Promise<string> => registry.getSingleMetricAsString('minichain_reorgs_refused_total');

  it('for its depth is told of once, fetches each of its blocks once, and does not run hot', async () => {
    open(createParams({ network: 'test', difficulty: 0, maxReorgDepth: 3 }));
    acceptBatch(chain, mineChain(chain.genesis, 10).blocks);
    const tip = chain.tip.hash;
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 50).blocks);
    const { peer, remote } = add(serving(theirs.chain), theirs.chain.tip);
    for (const endMs = clock.nowMs() + 10 * MINUTE_MS; clock.nowMs() < endMs;) {
      accept(theirs.chain, mineOn(theirs.chain.tip));
      peer.sawTip(decodeTip(encodeTip(theirs.chain.tip)));
      sync.consider(peer);
      await clock.advance(5_000);
    }
    expect(chain.tip.hash).toBe(tip);
    expect(chain.node(theirs.chain.tip.hash)).toBeDefined();
    const asked = remote.received.flatMap((body) => (body.$case === 'getBlocks' ? body.value.hashes : []));
    expect(asked).toHaveLength(theirs.chain.tip.height);
    expect(remote.count('getHeaders')).toBeLessThanOrEqual(121);
    expect(blamed).toEqual([]);
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringContaining('max_reorg_depth')]);
    expect(warnings[0]).toMatchObject({ forkHeight: 0, depth: 10, maxReorgDepth: 3 });
    expect(await refusals()).toMatch(/\{reason="max_reorg_depth"\} 1$/m);
  });

  it('by a checkpoint is told of once, blames nobody, and asks ever more seldom', async () => {
    const { blocks } = mineChain(theirs.chain.genesis, 5);
    open(createParams({ network: 'test', difficulty: 0, checkpoints: new Map([[5, blocks[4]!.hash]]) }));
    acceptBatch(chain, blocks);
    acceptBatch(theirs.chain, mineChain(theirs.chain.genesis, 50).blocks);
    const { peer, remote } = add(serving(theirs.chain), theirs.chain.tip);
    for (const endMs = clock.nowMs() + 10 * MINUTE_MS; clock.nowMs() < endMs;) {
      sync.consider(peer);
      await clock.advance(5_000);
    }
    expect(chain.tip.height).toBe(5);
    expect(remote.count('getHeaders')).toBeLessThan(20);
    expect(remote.count('getBlocks')).toBe(0);
    expect(blamed).toEqual([]);
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringContaining('refused by a checkpoint')]);
    expect(await refusals()).toMatch(/\{reason="checkpoint"\} 1$/m);
  });

  it('for its low work keeps a bounded number of headers, none of them for long, and blames each flood until the second is a ban', async () => {
    const params = createParams({ network: 'test', difficulty: 0, retargetInterval: 2, targetSpacingSeconds: 10 });
    open(params);
    theirs.close();
    theirs = openChain({ clock, params });
    // Blocks a second apart make each pair four times as hard as the one before.
    const cheapWork = chain.genesis.chainWork * BigInt(MAX_RUN_HEADERS + 1);
    while (chain.tip.chainWork <= cheapWork) accept(chain, mineOn(chain.tip, [], { params }));
    const cheap: Buffer[] = [];
    for (let at = chain.genesis; cheap.length < MAX_RUN_HEADERS + LIMITS.headers;) {
      const rest = { merkleRoot: '00'.repeat(32), time: at.time + 20, bits: nextBits(at, params) };
      const header = { version: BLOCK_VERSION, previousHash: at.hash, ...rest, nonce: 0 };
      while (!isHashBelowTarget(hashHeader(header), header.bits)) header.nonce += 1;
      at = linkHeader(hashHeader(header), header, at);
      cheap.push(encodeHeader(header));
    }
    let served = 0;
    const claim = { length: 1_000_000, chainWork: 2n ** 60n, hash: 'ab'.repeat(32) };
    const { peer, remote } = add(
      {
        getHeaders: () => {
          const page = cheap.slice(served, served + LIMITS.headers);
          served += page.length;
          return { $case: 'headers', value: { headers: page.map((raw) => ({ raw })) } };
        },
      },
      claim,
    );
    sync.consider(peer);
    await clock.until('it is blamed', () => blamed.length > 0, MINUTE_MS);
    expect(blamed).toEqual(['low-work-headers']);
    expect(remote.count('getHeaders')).toBe(MAX_RUN_HEADERS / LIMITS.headers);
    expect(remote.count('getBlocks')).toBe(0);
    await clock.until('it is idle', () => sync.status.state === 'idle');

    const scoring = new Scoring(new PeerStore(database, () => {}), clock, 3_600);
    expect(scoring.penalise(peer.nodeId, '10.0.0.9', 'low-work-headers')).toBe(false);
    served = 0;
    await clock.until('it is tried once more, and blamed again', () => blamed.length > 1, 5 * MINUTE_MS);
    expect(scoring.penalise(peer.nodeId, '10.0.0.9', 'low-work-headers')).toBe(true);
  });
});
