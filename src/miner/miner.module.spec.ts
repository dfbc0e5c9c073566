import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { ChainService } from '../chain/chain.service.js';
import { systemClock } from '../common/clock.js';
import { Faults } from '../common/faults.js';
import { systemRandom } from '../common/random.js';
import { CLOCK, CONSENSUS_PARAMS, LOGGER, NODE_CONFIG, RANDOM, REGISTRY } from '../common/tokens.js';
import { paramsOf } from '../config/consensus-params.js';
import { parseConfig } from '../config/load-config.js';
import type { NodeConfig } from '../config/node-config.js';
import { StorageModule } from '../storage/storage.module.js';
import { HashPool } from './hash-pool.js';
import { HASHER } from './hasher.js';
import { InlineHasher } from './inline-hasher.js';
import { MinerModule } from './miner.module.js';
import { MinerService, MinerStoppedError } from './miner.service.js';

@Module({})
class EnvironmentModule {}

function configWith(threads: number): NodeConfig {
  const config = parseConfig({
    toml: '[node]\nnode_id = "node-1"\ndata_dir = ":memory:"\n[blockchain]\ndifficulty = 3',
  });
  return { ...config, blockchain: { ...config.blockchain, threads } };
}

function startApp(config: NodeConfig): Promise<INestApplicationContext> {
  const providers = [
    { provide: NODE_CONFIG, useValue: config },
    { provide: CONSENSUS_PARAMS, useValue: paramsOf(config) },
    { provide: CLOCK, useValue: systemClock },
    { provide: RANDOM, useValue: systemRandom },
    { provide: LOGGER, useValue: silentLog },
    { provide: REGISTRY, useValue: new Registry() },
    Faults,
  ];
  const environment = { module: EnvironmentModule, global: true, providers, exports: providers };
  return NestFactory.createApplicationContext(
    { module: class TestModule {}, imports: [environment, StorageModule, MinerModule] },
    { logger: false, abortOnError: false },
  );
}

describe('MinerModule', () => {
  it.each([
    [2, HashPool],
    [0, InlineHasher],
  ])('mines with %s threads, until the application is closed', async (threads, hasher) => {
    const app = await startApp(configWith(threads));
    expect(app.get(HASHER)).toBeInstanceOf(hasher);
    const miner = app.get(MinerService);
    const nodes = await miner.mine(5);
    expect(nodes.map(({ hash }) => hash.slice(0, 3))).toEqual(['000', '000', '000', '000', '000']);
    expect(app.get(ChainService).tip).toBe(nodes.at(-1));
    expect(miner.status).toMatchObject({ active: false });
    const endless = miner.mine(1_000).catch((error: unknown) => error);
    await app.close();
    expect(await endless).toBeInstanceOf(MinerStoppedError);
  });
});
